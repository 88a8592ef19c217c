/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The weights file of a generated model: safetensors, its values rounded and
 * stored as asked. */

#include "checkpoints.h"
#include "support.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The reference writer pads its header to this. */
#define HEADER_ALIGNMENT 8

static guint32
bits_of (gfloat value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static guint16
to_bf16 (gfloat value)
{
  guint32 bits = bits_of (value);

  /* NaN and infinity have no rounding; their upper half says enough. */
  if ((bits & 0x7f800000) != 0x7f800000)
    bits += 0x7fff + ((bits >> 16) & 1);
  return bits >> 16;
}

/* Rounds to nearest even; what half precision cannot hold becomes infinity. */
static guint16
to_f16 (gfloat value)
{
  guint32 bits = bits_of (value);
  guint16 sign = (bits >> 16) & 0x8000;
  gint exponent = (gint)((bits >> 23) & 0xff) - 127 + 15;
  guint32 mantissa = (bits & 0x7fffff) | 0x800000;
  guint shift = 13;
  guint32 half, rest;

  if (((bits >> 23) & 0xff) == 0xff)
    return sign | 0x7c00 | ((bits & 0x7fffff) != 0 ? 0x200 : 0);
  if (exponent <= 0) {
    shift += 1 - exponent;
    exponent = 0;
  }
  if (shift > 24)
    return sign;
  half = mantissa >> shift;
  rest = mantissa & ((1u << shift) - 1);
  if (rest > 1u << (shift - 1) || (rest == 1u << (shift - 1) && (half & 1)))
    half++;
  /* The implicit bit (and a carry) adds one to the exponent by itself. */
  half += exponent > 0 ? (guint32)(exponent - 1) << 10 : 0;
  return sign | MIN (half, 0x7c00);
}

static gfloat
from_f16 (guint16 half)
{
  guint exponent = (half >> 10) & 0x1f;
  gdouble value = half & 0x3ff;

  g_assert_cmpuint (exponent, <, 0x1f);
  value = exponent == 0 ? value * 0x1p-24
                        : (value + 1024) * 0x1p-25 * (1u << exponent);
  return (gfloat)(half & 0x8000 ? -value : value);
}

static gfloat
round_to (ClipDtype dtype, gfloat value)
{
  if (dtype == CLIP_DTYPE_F16)
    return from_f16 (to_f16 (value));
  if (dtype == CLIP_DTYPE_BF16) {
    guint32 bits = (guint32)to_bf16 (value) << 16;
    memcpy (&value, &bits, sizeof value);
  }
  return value;
}

static const struct {
  const gchar *name;
  gsize size;
} dtypes[] = {
  [CLIP_DTYPE_F32] = { "F32", 4 },
  [CLIP_DTYPE_F16] = { "F16", 2 },
  [CLIP_DTYPE_BF16] = { "BF16", 2 },
  [CLIP_DTYPE_F64] = { "F64", 8 },
};

static void
store (ClipDtype dtype, gfloat value, gpointer dst)
{
  gdouble wide = value;
  guint16 half = dtype == CLIP_DTYPE_F16 ? to_f16 (value) : to_bf16 (value);

  if (dtype == CLIP_DTYPE_F32)
    memcpy (dst, &value, sizeof value);
  else if (dtype == CLIP_DTYPE_F64)
    memcpy (dst, &wide, sizeof wide);
  else
    memcpy (dst, &half, sizeof half);
}

gsize
test_tensor_count (const TestTensor *tensor)
{
  gsize n = 1;

  for (guint i = 0; i < tensor->n_dims; i++)
    n *= tensor->dims[i];
  return n;
}

static ClipDtype
dtype_of (const TestCheckpointSpec *spec, const TestTensor *tensor)
{
  return tensor->is_half ? CLIP_DTYPE_F16 : spec->dtype;
}

static GString *
format_header (const TestCheckpointSpec *spec, GPtrArray *tensors)
{
  GString *header = g_string_new ("{\"__metadata__\":{\"format\":\"pt\"}");
  guint64 offset = 0;

  for (guint i = 0; i < tensors->len; i++) {
    const TestTensor *tensor = g_ptr_array_index (tensors, i);
    const ClipDtype dtype = dtype_of (spec, tensor);
    guint64 end = offset + test_tensor_count (tensor) * dtypes[dtype].size;

    g_string_append_printf (header, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[",
        tensor->name, dtypes[dtype].name);
    for (guint d = 0; d < tensor->n_dims; d++)
      g_string_append_printf (
          header, "%s%" G_GUINT64_FORMAT, d > 0 ? "," : "", tensor->dims[d]);
    g_string_append_printf (header,
        "],\"data_offsets\":[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}",
        offset, end);
    offset = end;
  }
  g_string_append_c (header, '}');
  while (header->len % HEADER_ALIGNMENT != 0)
    g_string_append_c (header, ' ');
  return header;
}

static gfloat
value_at (const TestCheckpointSpec *spec, const TestTensor *tensor, gsize index)
{
  gsize from = tensor->first + index;

  if ((gssize)index == tensor->changed)
    return tensor->value;
  if (tensor->values != NULL)
    return tensor->values[index];
  if (tensor->is_transposed)
    from = index % tensor->dims[1] * tensor->dims[0] + index / tensor->dims[1];
  return round_to (spec->rounded_to,
      test_tensor_value (tensor->source != NULL ? tensor->source : tensor->name,
          tensor->n_dims, (guint32)from));
}

/* A prime, so that no row of a matrix is the same as another. */
#define QUICK_PERIOD 65521

/* As a trained layer has them: what goes in comes out as large. */
static void
get_quick_range (const TestTensor *tensor, gfloat *centre, gfloat *half_width)
{
  const gboolean is_scale = strstr (tensor->name, ".running_var") != NULL ||
                            g_str_has_suffix (tensor->name, ".weight");
  gdouble n_inputs = 1;

  for (guint i = 1; i < tensor->n_dims; i++)
    n_inputs *= tensor->dims[i];
  *centre = tensor->n_dims == 1 && is_scale ? 1 : 0;
  *half_width = tensor->n_dims > 1 ? sqrt (3 / n_inputs) : 0.125;
  if (tensor->n_dims == 0)
    *centre = 2.5;
}

static void
write_quick (
    FILE *file, const TestCheckpointSpec *spec, const TestTensor *tensor)
{
  const ClipDtype dtype = dtype_of (spec, tensor);
  const gsize n = test_tensor_count (tensor), size = dtypes[dtype].size;
  const gsize n_made = MIN (n, QUICK_PERIOD);
  g_autofree guint8 *bytes = g_malloc (n_made * size);
  gfloat centre, half_width;

  get_quick_range (tensor, &centre, &half_width);
  for (gsize i = 0; i < n_made; i++)
    store (dtype, centre + half_width * test_uniform (i, tensor->name),
        bytes + i * size);
  for (gsize done = 0; done < n; done += n_made) {
    const gsize n_now = MIN (n_made, n - done);

    g_assert_cmpuint (fwrite (bytes, size, n_now, file), ==, n_now);
  }
}

static void
write_values (
    FILE *file, const TestCheckpointSpec *spec, const TestTensor *tensor)
{
  const ClipDtype dtype = dtype_of (spec, tensor);
  const gsize n = test_tensor_count (tensor), size = dtypes[dtype].size;
  g_autofree guint8 *bytes = g_malloc0 (n * size);

  for (gsize i = 0; i < n; i++)
    if (!spec->sparse || (gssize)i == tensor->changed)
      store (dtype, value_at (spec, tensor, i), bytes + i * size);
  g_assert_cmpuint (fwrite (bytes, size, n, file), ==, n);
}

void
test_tensors_write (
    const gchar *path, const TestCheckpointSpec *spec, GPtrArray *tensors)
{
  GString *header = format_header (spec, tensors);
  guint64 header_size = GUINT64_TO_LE (header->len);
  guint64 file_size = 8 + header->len;
  FILE *file = g_fopen (path, "wb");

  g_assert_nonnull (file);
  fwrite (&header_size, sizeof header_size, 1, file);
  fwrite (header->str, 1, header->len, file);
  g_string_free (header, TRUE);
  for (guint i = 0; i < tensors->len; i++) {
    const TestTensor *tensor = g_ptr_array_index (tensors, i);
    const gsize size =
        test_tensor_count (tensor) * dtypes[dtype_of (spec, tensor)].size;

    file_size += size;
    if (spec->quick)
      write_quick (file, spec, tensor);
    else if (!spec->sparse || tensor->changed >= 0)
      write_values (file, spec, tensor);
    else
      g_assert_cmpint (fseeko (file, (off_t)size, SEEK_CUR), ==, 0);
  }
  g_assert_cmpint (fclose (file), ==, 0);
  g_assert_cmpint (truncate (path, (off_t)file_size), ==, 0);
}

void
test_checkpoint_write_tensors (
    const gchar *folder, const TestCheckpointSpec *spec, GPtrArray *tensors)
{
  g_autofree gchar *path = g_build_filename (folder, "model.safetensors", NULL);

  test_tensors_write (path, spec, tensors);
}
