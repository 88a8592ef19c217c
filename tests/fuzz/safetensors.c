/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "fuzz.h"
#include "load/safetensors.h"
#include "memory-file.h"

/* Every byte of every tensor lies in the file. */
static void
read_all (const ClipStoredTensor *stored)
{
  const gsize size = clip_dtype_get_size (stored->dtype);
  guint8 byte;

  if (size == 0 || stored->n_elements == 0)
    return;
  g_assert_cmpuint (stored->n_elements, <=, stored->file->size / size);
  g_assert_true (clip_file_read_at (stored->file,
      stored->offset + stored->n_elements * size - 1, &byte, 1, NULL));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (ClipFile) file = test_memory_file_new (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tensors = clip_safetensors_read (file, &error);

  g_assert_true ((tensors == NULL) == (error != NULL));
  for (guint i = 0; tensors != NULL && i < tensors->len; i++)
    read_all (tensors->pdata[i]);
  return 0;
}
