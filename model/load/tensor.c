/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/tensor.h"

#include "clip-error.h"
#include "load/dtype.h"
#include "load/stored.h"

#include <string.h>

/* Bytes read at a time: small enough to stay in the cache until they are
 * converted. */
#define CHUNK_SIZE 65536

/* The most values that many bytes are. */
#define CHUNK_VALUES (CHUNK_SIZE / 2)

const gchar *
clip_tensor_get_name (const ClipTensor *tensor)
{
  return tensor->parts[0]->name;
}

guint
clip_tensor_get_n_dims (const ClipTensor *tensor)
{
  return tensor->n_dims;
}

guint64
clip_tensor_get_dim (const ClipTensor *tensor, guint index)
{
  g_return_val_if_fail (index < tensor->n_dims, 0);

  return tensor->dims[index];
}

gsize
clip_tensor_get_n_elements (const ClipTensor *tensor)
{
  return tensor->n_elements;
}

ClipDtype
clip_tensor_get_dtype (const ClipTensor *tensor)
{
  return tensor->parts[0]->dtype;
}

/* Elements @first … @first + @n - 1 of a part. */
typedef struct {
  ClipStoredReader *reader;
  gsize first, n;
} Span;

/* @raw: (out caller-allocates): as stored; may be @values for f32
 * @values: (out caller-allocates): as floats, proven finite */
static gboolean
read_span (const Span *span, guint8 *raw, gfloat *values, GError **error)
{
  const ClipStoredTensor *part = span->reader->stored;
  gsize index = 0;

  if (!clip_stored_reader_read (span->reader, span->first, span->n, raw, error))
    return FALSE;
  if (clip_dtype_to_finite_f32 (part->dtype, raw, values, span->n, &index))
    return TRUE;
  /* In a damaged file that is the damage. */
  if (part->storage != NULL && !clip_storage_prove (part->storage, error))
    return FALSE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
      "'%s': tensor '%s' holds a NaN, an infinity or a number too large for 32 "
      "bits at index %" G_GSIZE_FORMAT,
      part->file->path, part->name, span->first + index);
  return FALSE;
}

/* Puts elements @first … of a part, @size bytes each, where the canonical shape
 * has them. */
static void
place (const ClipTensor *tensor, const Span *span, gsize size,
    const guint8 *src, guint8 *dst)
{
  const gsize n_rows = (gsize)tensor->dims[0];
  const gsize n_columns = tensor->n_elements / n_rows;

  for (gsize i = 0; i < span->n; i++) {
    const gsize column = (span->first + i) / n_rows;
    const gsize row = (span->first + i) % n_rows;
    memcpy (dst + (row * n_columns + column) * size, src + i * size, size);
  }
}

static gboolean
read_transposed (
    const ClipTensor *tensor, gboolean is_raw, gpointer dst, GError **error)
{
  const ClipStoredTensor *part = tensor->parts[0];
  const gsize most = CHUNK_SIZE / sizeof (gdouble);
  g_autofree guint8 *raw = g_malloc (CHUNK_SIZE);
  g_autofree gfloat *values = g_new (gfloat, most);
  g_auto (ClipStoredReader) reader = { NULL };

  if (!clip_stored_reader_open (&reader, part, error))
    return FALSE;
  for (gsize at = 0; at < part->n_elements; at += most) {
    const Span span = { &reader, at, MIN (most, part->n_elements - at) };
    if (!read_span (&span, raw, values, error))
      return FALSE;
    if (is_raw)
      place (tensor, &span, clip_dtype_get_size (part->dtype), raw, dst);
    else
      place (tensor, &span, sizeof *values, (guint8 *)values, dst);
  }
  return TRUE;
}

/* Where a tensor's elements go, in order. */
typedef struct {
  guint8 *raw;    /* as stored, all of one type; NULL: nowhere */
  gfloat *values; /* as floats; NULL: nowhere */
  ClipTensorVisit visit;
  gpointer user_data;
} Sink;

static gboolean
read_parts (const ClipTensor *tensor, const Sink *sink, GError **error)
{
  g_autofree guint8 *raw_chunk = g_malloc (CHUNK_SIZE);
  g_autofree gfloat *value_chunk = g_new (gfloat, CHUNK_VALUES);
  gsize done = 0;

  for (guint i = 0; i < tensor->n_parts; i++) {
    const ClipStoredTensor *part = tensor->parts[i];
    const gsize size = clip_dtype_get_size (part->dtype);
    const gsize most = CHUNK_SIZE / size;
    g_auto (ClipStoredReader) reader = { NULL };

    if (!clip_stored_reader_open (&reader, part, error))
      return FALSE;
    for (gsize at = 0; at < part->n_elements; at += most) {
      const Span span = { &reader, at, MIN (most, part->n_elements - at) };
      gfloat *values = sink->values != NULL ? sink->values + done : value_chunk;
      guint8 *raw = sink->raw != NULL               ? sink->raw + done * size
                    : part->dtype == CLIP_DTYPE_F32 ? (guint8 *)values
                                                    : raw_chunk;

      if (!read_span (&span, raw, values, error))
        return FALSE;
      if (sink->visit != NULL)
        sink->visit (sink->user_data, values, span.n);
      done += span.n;
    }
  }
  return TRUE;
}

gboolean
clip_tensor_read_f32 (const ClipTensor *tensor, gfloat *dst, GError **error)
{
  const Sink sink = { .values = dst };

  return tensor->is_transposed ? read_transposed (tensor, FALSE, dst, error)
                               : read_parts (tensor, &sink, error);
}

/* A projection, which is small beside the tables and the layers. */
static gboolean
visit_transposed (const ClipTensor *tensor, ClipTensorVisit visit,
    gpointer user_data, GError **error)
{
  g_autofree gfloat *values = g_new (gfloat, tensor->n_elements);

  if (!read_transposed (tensor, FALSE, values, error))
    return FALSE;
  visit (user_data, values, tensor->n_elements);
  return TRUE;
}

gboolean
clip_tensor_visit (const ClipTensor *tensor, ClipTensorVisit visit,
    gpointer user_data, GError **error)
{
  const Sink sink = { .visit = visit, .user_data = user_data };

  return tensor->is_transposed
             ? visit_transposed (tensor, visit, user_data, error)
             : read_parts (tensor, &sink, error);
}

gboolean
clip_tensor_read_raw (const ClipTensor *tensor, gpointer dst, GError **error)
{
  const ClipStoredTensor *first = tensor->parts[0];
  const Sink sink = { .raw = dst };

  for (guint i = 1; i < tensor->n_parts; i++) {
    const ClipStoredTensor *part = tensor->parts[i];

    if (part->dtype != first->dtype) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
          "'%s': tensor '%s' is stored as %s, and '%s', which belongs to it, "
          "as %s",
          part->file->path, part->name, part->type, first->name, first->type);
      return FALSE;
    }
  }
  return tensor->is_transposed ? read_transposed (tensor, TRUE, dst, error)
                               : read_parts (tensor, &sink, error);
}
