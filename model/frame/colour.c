/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/colour.h"

#include <math.h>

/* Bits of a value below 1 when scaled, and of a sum of products. */
#define LUMA_BITS 7
#define CHROMA_BITS 8
#define SUM_BITS 21

#define HALF (1 << (SUM_BITS - 1))
#define STEP CLIP_COLOUR_STEP

/* Pixels of a caller's rows that are converted at once. */
#define BLOCK 256

static gint16
to_fixed (gdouble factor, guint value_bits)
{
  return (gint16)lrint (factor * (1 << (SUM_BITS - value_bits)));
}

void
clip_colour_matrix_init (
    ClipColourMatrix *matrix, const ClipColour *colour, guint chroma_bits)
{
  guint extra = colour->depth - 8;
  gdouble kg = 1 - colour->kr - colour->kb;
  /* Studio range grows by whole bits, full range from 255 to 2^depth - 1. */
  gdouble full = 255.0 * (1 << extra) / ((1 << colour->depth) - 1);
  gdouble y = colour->full_range ? full : 255.0 / 219;
  gdouble chroma = colour->full_range ? full : 255.0 / 224;
  gdouble r_v = 2 * (1 - colour->kr) * chroma;
  gdouble b_u = 2 * (1 - colour->kb) * chroma;

  /* With less green its factors would not fit 16 bits, nor sums 32. */
  g_return_if_fail (colour->kr > 0 && colour->kb > 0 && kg > 0.2);
  g_return_if_fail (colour->depth >= 8 && colour->depth <= 12);

  matrix->luma.unit = 1 << (LUMA_BITS - extra);
  matrix->luma.offset = colour->full_range ? 0 : 16 << LUMA_BITS;
  matrix->chroma.unit = 1 << (CHROMA_BITS - extra - chroma_bits);
  matrix->chroma.offset = 128 << CHROMA_BITS;
  matrix->y = to_fixed (y, LUMA_BITS);
  matrix->r_v = to_fixed (r_v, CHROMA_BITS);
  matrix->g_u = to_fixed (-b_u * colour->kb / kg, CHROMA_BITS);
  matrix->g_v = to_fixed (-r_v * colour->kr / kg, CHROMA_BITS);
  matrix->b_u = to_fixed (b_u, CHROMA_BITS);
}

/* --- any CPU --- */

static guint8
to_byte (gint32 sum)
{
  return (guint8)CLAMP ((sum + HALF) >> SUM_BITS, 0, 255);
}

static void
convert_plainly (const ClipColourMatrix *matrix, gsize n, const gint16 *yuv,
    guint8 *rgb, gsize pitch)
{
  for (gsize i = 0; i < n; i++) {
    gint32 luma = yuv[i] * matrix->y;
    gint32 cb = yuv[pitch + i], cr = yuv[2 * pitch + i];

    rgb[i] = to_byte (luma + cr * matrix->r_v);
    rgb[pitch + i] = to_byte (luma + cb * matrix->g_u + cr * matrix->g_v);
    rgb[2 * pitch + i] = to_byte (luma + cb * matrix->b_u);
  }
}

#ifdef __x86_64__

/* By intrinsics: CPUs multiply two pairs of 16 bits and add the products at
 * once, of which compilers make four multiplications of 32 bits. */

#include <immintrin.h>

/* Two factors, for the first and the second of a pair. */
static gint32
pair (gint16 first, gint16 second)
{
  return (gint32)((guint16)first | (guint32)(guint16)second << 16);
}

/* --- AVX2 --- */

#define AVX2 __attribute__ ((target ("avx2")))

/* The first and the second half of 16 sums, each of whose halves of 128 bits
 * holds what pairs of the lower and of the upper four made. */
AVX2 static inline void
store_avx2 (__m256i low, __m256i high, guint8 *to)
{
  const __m256i half = _mm256_set1_epi32 (HALF);
  __m256i words;

  low = _mm256_srai_epi32 (_mm256_add_epi32 (low, half), SUM_BITS);
  high = _mm256_srai_epi32 (_mm256_add_epi32 (high, half), SUM_BITS);
  words = _mm256_packs_epi32 (low, high);
  words = _mm256_permute4x64_epi64 (_mm256_packus_epi16 (words, words), 0x08);
  _mm_storeu_si128 ((__m128i *)to, _mm256_castsi256_si128 (words));
}

AVX2 static void
convert_avx2 (const ClipColourMatrix *matrix, gsize n, const gint16 *yuv,
    guint8 *rgb, gsize pitch)
{
  const __m256i red = _mm256_set1_epi32 (pair (matrix->y, matrix->r_v));
  const __m256i green_v = _mm256_set1_epi32 (pair (matrix->y, matrix->g_v));
  const __m256i green_u = _mm256_set1_epi32 (pair (0, matrix->g_u));
  const __m256i blue = _mm256_set1_epi32 (pair (matrix->y, matrix->b_u));

  for (gsize i = 0; i < n; i += 16) {
    __m256i y = _mm256_loadu_si256 ((const __m256i *)(yuv + i));
    __m256i u = _mm256_loadu_si256 ((const __m256i *)(yuv + pitch + i));
    __m256i v = _mm256_loadu_si256 ((const __m256i *)(yuv + 2 * pitch + i));
    __m256i yv[2] = { _mm256_unpacklo_epi16 (y, v),
      _mm256_unpackhi_epi16 (y, v) };
    __m256i yu[2] = { _mm256_unpacklo_epi16 (y, u),
      _mm256_unpackhi_epi16 (y, u) };

    store_avx2 (_mm256_madd_epi16 (yv[0], red), _mm256_madd_epi16 (yv[1], red),
        rgb + i);
    store_avx2 (_mm256_add_epi32 (_mm256_madd_epi16 (yv[0], green_v),
                    _mm256_madd_epi16 (yu[0], green_u)),
        _mm256_add_epi32 (_mm256_madd_epi16 (yv[1], green_v),
            _mm256_madd_epi16 (yu[1], green_u)),
        rgb + pitch + i);
    store_avx2 (_mm256_madd_epi16 (yu[0], blue),
        _mm256_madd_epi16 (yu[1], blue), rgb + 2 * pitch + i);
  }
}

/* --- AVX512 --- */

#define AVX512 __attribute__ ((target ("avx512f,avx512bw")))

AVX512 static inline void
store_avx512 (__m512i low, __m512i high, guint8 *to)
{
  const __m512i half = _mm512_set1_epi32 (HALF);
  __m512i words;

  low = _mm512_srai_epi32 (_mm512_add_epi32 (low, half), SUM_BITS);
  high = _mm512_srai_epi32 (_mm512_add_epi32 (high, half), SUM_BITS);
  words = _mm512_max_epi16 (
      _mm512_packs_epi32 (low, high), _mm512_setzero_si512 ());
  _mm256_storeu_si256 ((__m256i *)to, _mm512_cvtusepi16_epi8 (words));
}

AVX512 static void
convert_avx512 (const ClipColourMatrix *matrix, gsize n, const gint16 *yuv,
    guint8 *rgb, gsize pitch)
{
  const __m512i red = _mm512_set1_epi32 (pair (matrix->y, matrix->r_v));
  const __m512i green_v = _mm512_set1_epi32 (pair (matrix->y, matrix->g_v));
  const __m512i green_u = _mm512_set1_epi32 (pair (0, matrix->g_u));
  const __m512i blue = _mm512_set1_epi32 (pair (matrix->y, matrix->b_u));

  for (gsize i = 0; i < n; i += 32) {
    __m512i y = _mm512_loadu_si512 (yuv + i);
    __m512i u = _mm512_loadu_si512 (yuv + pitch + i);
    __m512i v = _mm512_loadu_si512 (yuv + 2 * pitch + i);
    __m512i yv[2] = { _mm512_unpacklo_epi16 (y, v),
      _mm512_unpackhi_epi16 (y, v) };
    __m512i yu[2] = { _mm512_unpacklo_epi16 (y, u),
      _mm512_unpackhi_epi16 (y, u) };

    store_avx512 (_mm512_madd_epi16 (yv[0], red),
        _mm512_madd_epi16 (yv[1], red), rgb + i);
    store_avx512 (_mm512_add_epi32 (_mm512_madd_epi16 (yv[0], green_v),
                      _mm512_madd_epi16 (yu[0], green_u)),
        _mm512_add_epi32 (_mm512_madd_epi16 (yv[1], green_v),
            _mm512_madd_epi16 (yu[1], green_u)),
        rgb + pitch + i);
    store_avx512 (_mm512_madd_epi16 (yu[0], blue),
        _mm512_madd_epi16 (yu[1], blue), rgb + 2 * pitch + i);
  }
}

#endif

/* --- the fastest --- */

ClipColourRow
clip_colour_get_row (guint i)
{
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx512bw") && i-- == 0)
    return convert_avx512;
  if (__builtin_cpu_supports ("avx2") && i-- == 0)
    return convert_avx2;
#endif
  return i == 0 ? convert_plainly : NULL;
}

void
clip_colour_convert (
    const ClipColour *colour, guint n, const guint16 *const yuv[3], guint8 *rgb)
{
  ClipColourRow convert = clip_colour_get_row (0);
  ClipColourMatrix matrix;
  gint16 from[3 * BLOCK] = { 0 };
  guint8 to[3 * BLOCK];

  clip_colour_matrix_init (&matrix, colour, 0);
  for (guint x = 0; x < n; x += BLOCK) {
    guint n_block = MIN (BLOCK, n - x);

    for (guint c = 0; c < 3; c++) {
      ClipColourScale scale = c == 0 ? matrix.luma : matrix.chroma;

      for (guint i = 0; i < n_block; i++)
        from[c * BLOCK + i] = clip_colour_scale (scale, yuv[c][x + i]);
    }
    convert (&matrix, BLOCK, from, to, BLOCK);
    for (guint i = 0; i < n_block; i++, rgb += 3) {
      for (guint c = 0; c < 3; c++)
        rgb[c] = to[c * BLOCK + i];
    }
  }
}
