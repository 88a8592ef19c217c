/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/tensor.h"

#include "clip-error.h"
#include "load/stored.h"

#include <string.h>

#if G_BYTE_ORDER != G_LITTLE_ENDIAN
#error "the files are little-endian, and are read without swapping bytes"
#endif

/* Read at a time: small enough to stay in the cache until it is converted. */
#define CHUNK_SIZE 65536

#define F32_EXPONENT 0x7f800000u

static void
copy_f32 (const guint8 *src, gfloat *dst, gsize n)
{
  memcpy (dst, src, n * sizeof *dst);
}

/* The loops over every weight of a model are compiled once more for CPUs that
 * have AVX2, and the loader chooses: integers, so the same bits. clang 14
 * cannot link such functions, and the sanitizers are not ready when the choice
 * is made. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__ ((target_clones ("avx2", "default")))
#else
#define CLONES
#endif

/* Subnormals go through an integer, so that the result does not depend on
 * whether the application lets the CPU flush them to zero. */
CLONES static void
convert_f16 (const guint8 *src, gfloat *dst, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    guint16 half;
    memcpy (&half, src + i * sizeof half, sizeof half);
    guint32 exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;
    gfloat tiny = (gfloat)(gint32)mantissa * 0x1p-24f;
    guint32 tiny_bits, bits;
    memcpy (&tiny_bits, &tiny, sizeof tiny_bits);
    bits = (exponent + (exponent == 0x1f ? 255 - 31 : 127 - 15)) << 23 |
           mantissa << 13;
    bits = (exponent == 0 ? tiny_bits : bits) | (guint32)(half & 0x8000) << 16;
    memcpy (dst + i, &bits, sizeof bits);
  }
}

CLONES static void
convert_bf16 (const guint8 *src, gfloat *dst, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    guint16 half;
    memcpy (&half, src + i * sizeof half, sizeof half);
    guint32 bits = (guint32)half << 16;
    memcpy (dst + i, &bits, sizeof bits);
  }
}

static void
convert_f64 (const guint8 *src, gfloat *dst, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    gdouble wide;
    memcpy (&wide, src + i * sizeof wide, sizeof wide);
    dst[i] = (gfloat)wide;
  }
}

static const struct {
  gsize size;
  void (*convert) (const guint8 *src, gfloat *dst, gsize n);
} dtypes[] = {
  [CLIP_DTYPE_F32] = { 4, copy_f32 },
  [CLIP_DTYPE_F16] = { 2, convert_f16 },
  [CLIP_DTYPE_BF16] = { 2, convert_bf16 },
  [CLIP_DTYPE_F64] = { 8, convert_f64 },
  [CLIP_DTYPE_OTHER] = { 0, NULL },
};

gsize
clip_dtype_get_size (ClipDtype dtype)
{
  return dtypes[dtype].size;
}

void
clip_dtype_to_f32 (
    ClipDtype dtype, gconstpointer src, gfloat *dst, gsize n_elements)
{
  g_return_if_fail (dtype < CLIP_DTYPE_OTHER);

  dtypes[dtype].convert (src, dst, n_elements);
}

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

static guint32
is_special (gfloat value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return (bits & F32_EXPONENT) == F32_EXPONENT;
}

/* One test for all, since only a damaged file pays for the search. */
CLONES static gboolean
are_finite (const gfloat *values, gsize n, gsize *index)
{
  guint32 any = 0;

  for (gsize i = 0; i < n; i++)
    any |= is_special (values[i]);
  if (!any)
    return TRUE;
  for (*index = 0; !is_special (values[*index]);)
    (*index)++;
  return FALSE;
}

/* Elements @first … @first + @n - 1 of a part. */
typedef struct {
  const ClipStoredReader *reader;
  gsize first, n;
} Span;

/* @raw: (out caller-allocates): as stored
 * @values: (out caller-allocates): as floats, proven finite */
static gboolean
read_span (const Span *span, guint8 *raw, gfloat *values, GError **error)
{
  const ClipStoredTensor *part = span->reader->stored;
  gsize index = 0;

  if (!clip_stored_reader_read (span->reader, span->first, span->n, raw, error))
    return FALSE;
  dtypes[part->dtype].convert (raw, values, span->n);
  if (are_finite (values, span->n, &index))
    return TRUE;
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
      place (tensor, &span, dtypes[part->dtype].size, raw, dst);
    else
      place (tensor, &span, sizeof *values, (guint8 *)values, dst);
  }
  return TRUE;
}

gboolean
clip_tensor_read_f32 (const ClipTensor *tensor, gfloat *dst, GError **error)
{
  g_autofree guint8 *chunk = NULL;

  if (tensor->is_transposed)
    return read_transposed (tensor, FALSE, dst, error);
  chunk = g_malloc (CHUNK_SIZE);
  for (guint i = 0; i < tensor->n_parts; i++) {
    const ClipStoredTensor *part = tensor->parts[i];
    const gsize most = CHUNK_SIZE / dtypes[part->dtype].size;
    g_auto (ClipStoredReader) reader = { NULL };

    if (!clip_stored_reader_open (&reader, part, error))
      return FALSE;
    for (gsize at = 0; at < part->n_elements; at += most) {
      const Span span = { &reader, at, MIN (most, part->n_elements - at) };
      if (!read_span (&span, chunk, dst + at, error))
        return FALSE;
    }
    dst += part->n_elements;
  }
  return TRUE;
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
  const gsize most = CHUNK_SIZE / sizeof (gdouble);
  g_autofree guint8 *chunk = NULL;
  g_autofree gfloat *values = NULL;

  if (tensor->is_transposed)
    return visit_transposed (tensor, visit, user_data, error);
  chunk = g_malloc (CHUNK_SIZE);
  values = g_new (gfloat, most);
  for (guint i = 0; i < tensor->n_parts; i++) {
    const ClipStoredTensor *part = tensor->parts[i];
    g_auto (ClipStoredReader) reader = { NULL };

    if (!clip_stored_reader_open (&reader, part, error))
      return FALSE;
    for (gsize at = 0; at < part->n_elements; at += most) {
      const Span span = { &reader, at, MIN (most, part->n_elements - at) };
      if (!read_span (&span, chunk, values, error))
        return FALSE;
      visit (user_data, values, span.n);
    }
  }
  return TRUE;
}

gboolean
clip_tensor_read_raw (const ClipTensor *tensor, gpointer dst, GError **error)
{
  const ClipDtype dtype = clip_tensor_get_dtype (tensor);
  const gsize size = dtypes[dtype].size, most = CHUNK_SIZE / sizeof (gfloat);
  g_autofree gfloat *values = NULL;
  guint8 *bytes = dst;

  if (tensor->is_transposed)
    return read_transposed (tensor, TRUE, dst, error);
  values = g_new (gfloat, most);
  for (guint i = 0; i < tensor->n_parts; i++) {
    const ClipStoredTensor *part = tensor->parts[i];
    g_auto (ClipStoredReader) reader = { NULL };

    if (part->dtype != dtype) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
          "'%s': tensor '%s' is stored as %s, and '%s', which belongs to it, "
          "as %s",
          part->file->path, part->name, part->type, tensor->parts[0]->name,
          tensor->parts[0]->type);
      return FALSE;
    }
    if (!clip_stored_reader_open (&reader, part, error))
      return FALSE;
    for (gsize at = 0; at < part->n_elements; at += most) {
      const Span span = { &reader, at, MIN (most, part->n_elements - at) };
      if (!read_span (&span, bytes + at * size, values, error))
        return FALSE;
    }
    bytes += part->n_elements * size;
  }
  return TRUE;
}
