/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "fuzz.h"
#include "load/state-dict.h"

static const ClipFile file = { .path = (gchar *)"model.pt", .size = 64 };

/* Any storage, as large as it is said to be, if that is not much. */
static ClipStorage *
locate (gpointer container, const ClipPickleStorage *wanted, GError **error)
{
  ClipStorage *storage = clip_storage_new (&file, wanted->key);

  storage->size = MIN (wanted->n_elements, 4096) * wanted->type->size;
  return storage;
}

/* No tensor reaches beyond its storage. */
static void
prove (const ClipStoredTensor *stored)
{
  const gsize size = MAX (clip_dtype_get_size (stored->dtype), 1);
  guint64 last = stored->offset;

  if (stored->n_elements == 0)
    return;
  for (guint i = 0; i < stored->n_dims; i++)
    last += (stored->dims[i] - 1) * stored->strides[i] * size;
  g_assert_cmpuint (last, <, stored->storage->size);
  g_assert_cmpuint (stored->n_elements, <=, stored->storage->size / size);
}

static void
read_as (const ClipPickleSource *source, const uint8_t *data, size_t size)
{
  const ClipStorages storages = { &file, NULL, locate };
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipPickle) pickle = clip_pickle_read (source, data, size, &error);
  g_autoptr (GPtrArray) tensors =
      pickle != NULL ? clip_state_dict_read (
                           &storages, clip_pickle_get_root (pickle), &error)
                     : NULL;

  g_assert_true ((tensors == NULL) == (error != NULL));
  for (guint i = 0; tensors != NULL && i < tensors->len; i++)
    prove (tensors->pdata[i]);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const ClipPickleSource sources[] = {
    { "model.pt", "data.pkl", .is_script = TRUE },
    { "model.pt", "data.pkl", .is_legacy = TRUE, .has_followers = TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    read_as (&sources[i], data, size);
  return 0;
}
