/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "fuzz.h"
#include "load/torchfile.h"
#include "memory-file.h"

#include <string.h>

/* A damaged tensor is an error, and one that is read is whole. */
static void
read_all (const ClipStoredTensor *stored)
{
  const gsize size = clip_dtype_get_size (stored->dtype);
  g_auto (ClipStoredReader) reader = { NULL };
  g_autofree guint8 *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_read;

  if (size == 0 || !clip_stored_reader_open (&reader, stored, NULL))
    return;
  g_assert_cmpuint (stored->n_elements, <=, stored->file->size / size);
  bytes = g_malloc (stored->n_elements * size + 1);
  is_read =
      clip_stored_reader_read (&reader, 0, stored->n_elements, bytes, &error);
  g_assert_true (is_read == (error == NULL));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const gchar magic[] = CLIP_TORCHFILE_LEGACY_MAGIC;
  const gboolean is_legacy =
      size >= sizeof magic - 1 && memcmp (data, magic, sizeof magic - 1) == 0;
  g_autoptr (ClipFile) file = test_memory_file_new (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tensors =
      is_legacy ? clip_torchfile_read_legacy (file, &error)
                : clip_torchfile_read (file, &error);

  g_assert_true ((tensors == NULL) == (error != NULL));
  for (guint i = 0; tensors != NULL && i < tensors->len; i++)
    read_all (tensors->pdata[i]);
  return 0;
}
