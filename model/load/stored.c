/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/stored.h"

#include <libdeflate.h>
#include <string.h>

void
clip_stored_tensor_free (ClipStoredTensor *stored)
{
  g_free (stored->name);
  clip_storage_unref (stored->storage);
  g_free (stored);
}

/* Elements from the first to the last, in the file's order. */
static guint64
get_span (const ClipStoredTensor *stored)
{
  guint64 span = 1;

  for (guint i = 0; i < stored->n_dims; i++)
    span += (stored->dims[i] - 1) * stored->strides[i];
  return span;
}

static gboolean
read_bytes (const ClipStoredTensor *stored, guint64 offset, gpointer dst,
    gsize size, GError **error)
{
  if (clip_file_read_at (
          stored->file, stored->offset + offset, dst, size, error))
    return TRUE;
  g_prefix_error (error, "tensor '%s': ", stored->name);
  return FALSE;
}

/* One that is strided is gathered from what was read before. */
static gboolean
is_all_of_storage (const ClipStoredTensor *stored)
{
  const ClipStorage *storage = stored->storage;

  return storage != NULL && !stored->is_strided && stored->n_elements > 0 &&
         stored->offset == storage->offset &&
         stored->n_elements * clip_dtype_get_size (stored->dtype) ==
             storage->size &&
         !clip_storage_is_proven (storage);
}

gboolean
clip_stored_reader_open (
    ClipStoredReader *reader, const ClipStoredTensor *stored, GError **error)
{
  const gsize size = clip_dtype_get_size (stored->dtype);

  reader->stored = stored;
  reader->is_proving = is_all_of_storage (stored);
  if (!reader->is_proving && stored->storage != NULL &&
      !clip_storage_prove (stored->storage, error))
    return FALSE;
  if (!stored->is_strided || stored->n_elements == 0)
    return TRUE;
  reader->extent = g_malloc (get_span (stored) * size);
  return read_bytes (
      stored, 0, reader->extent, get_span (stored) * size, error);
}

void
clip_stored_reader_clear (ClipStoredReader *reader)
{
  g_clear_pointer (&reader->extent, g_free);
}

/* Counts through the shape from element @first on. */
static void
gather (const ClipStoredReader *reader, guint64 first, gsize n, guint8 *dst)
{
  const ClipStoredTensor *stored = reader->stored;
  const gsize size = clip_dtype_get_size (stored->dtype);
  guint64 index[CLIP_STORED_MAX_DIMS] = { 0 }, at = 0;

  for (guint i = stored->n_dims; i-- > 0; first /= stored->dims[i]) {
    index[i] = first % stored->dims[i];
    at += index[i] * stored->strides[i];
  }
  for (gsize done = 0; done < n; done++) {
    memcpy (dst + done * size, reader->extent + at * size, size);
    for (guint i = stored->n_dims; i-- > 0;) {
      at += stored->strides[i];
      if (++index[i] < stored->dims[i])
        break;
      at -= index[i] * stored->strides[i];
      index[i] = 0;
    }
  }
}

/* Out of order, nothing is proven. */
static gboolean
prove (ClipStoredReader *reader, guint64 first, gsize n, const guint8 *bytes,
    GError **error)
{
  const ClipStoredTensor *stored = reader->stored;

  if (first != reader->n_read)
    return TRUE;
  reader->n_read += n;
  reader->crc = libdeflate_crc32 (
      reader->crc, bytes, n * clip_dtype_get_size (stored->dtype));
  return reader->n_read < stored->n_elements ||
         clip_storage_compare (stored->storage, reader->crc, error);
}

gboolean
clip_stored_reader_read (ClipStoredReader *reader, guint64 first, gsize n,
    guint8 *dst, GError **error)
{
  const gsize size = clip_dtype_get_size (reader->stored->dtype);

  if (reader->extent != NULL) {
    gather (reader, first, n, dst);
    return TRUE;
  }
  return read_bytes (reader->stored, first * size, dst, n * size, error) &&
         (!reader->is_proving || prove (reader, first, n, dst, error));
}

gchar *
clip_dims_to_string (const guint64 *dims, guint n_dims)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < n_dims; i++)
    g_string_append_printf (
        text, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "", dims[i]);
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}
