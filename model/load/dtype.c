/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/dtype.h"

#include "clip-vector.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#if G_BYTE_ORDER != G_LITTLE_ENDIAN
#error "the files are little-endian, and are read without swapping bytes"
#endif

#define F32_EXPONENT 0x7f800000u

/* Converted at a time: still in the nearest cache when it is looked through. */
#define BLOCK 2048

static void
copy_f32 (const guint8 *src, gfloat *dst, gsize n)
{
  memcpy (dst, src, n * sizeof *dst);
}

/* Subnormals go through an integer, so that the result does not depend on
 * whether the application lets the CPU flush them to zero. */
CLIP_VECTORISED_EXACTLY static void
convert_f16_by_bits (const guint8 *src, gfloat *dst, gsize n)
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

#ifdef __x86_64__

/* What the CPU converts itself: as many as fill its vectors, and subnormals as
 * above whatever the application lets it flush.
 *
 * Returns: how many */
__attribute__ ((target ("avx2,f16c"))) static gsize
convert_f16_in_hardware (const guint8 *src, gfloat *dst, gsize n)
{
  gsize i = 0;

  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps (dst + i,
        _mm256_cvtph_ps (
            _mm_loadu_si128 ((const __m128i *)(gconstpointer)(src + 2 * i))));
  return i;
}

/* No CPU with AVX2 was made without F16C, whose own name clang 14 does not
 * take. */
static gboolean
has_hardware (void)
{
  return __builtin_cpu_supports ("avx2");
}

#else

static gsize
convert_f16_in_hardware (const guint8 *src, gfloat *dst, gsize n)
{
  return 0;
}

static gboolean
has_hardware (void)
{
  return FALSE;
}

#endif

static void
convert_f16 (const guint8 *src, gfloat *dst, gsize n)
{
  gsize done = has_hardware () ? convert_f16_in_hardware (src, dst, n) : 0;

  convert_f16_by_bits (src + done * sizeof (guint16), dst + done, n - done);
}

CLIP_VECTORISED_EXACTLY static void
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

static guint32
is_special (gfloat value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return (bits & F32_EXPONENT) == F32_EXPONENT;
}

/* One test for all, since only a damaged file pays for the search. */
CLIP_VECTORISED_EXACTLY static gboolean
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

gboolean
clip_dtype_to_finite_f32 (ClipDtype dtype, gconstpointer src, gfloat *dst,
    gsize n_elements, gsize *index)
{
  const guint8 *bytes = src;

  for (gsize at = 0; at < n_elements; at += BLOCK) {
    const gsize n = MIN (BLOCK, n_elements - at);

    if (src != dst)
      dtypes[dtype].convert (bytes + at * dtypes[dtype].size, dst + at, n);
    if (!are_finite (dst + at, n, index)) {
      *index += at;
      return FALSE;
    }
  }
  return TRUE;
}
