/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Products of bytes and weights of 22 bits, exactly. CPUs multiply small
 * numbers and add neighbours at once: a weight is written in digits of 8 bits
 * or in two of 16, each digit has a sum of its own, and these are put together
 * at the end. All wraps around like Pillow's own sums, so that only the result
 * need fit.
 *
 * By intrinsics: compilers know these instructions for the sum of one long row
 * alone, not for many short ones side by side. */

#include "frame/sum.h"

#define LANES CLIP_LANES
#define WORD CLIP_WORD
#define BYTE_BITS 8

/* The lowest 8 bits of @weight as a number that may be negative; the rest is
 * left in @weight. */
static gint32
take_digit (gint32 *weight)
{
  gint32 half = 1 << (BYTE_BITS - 1);
  gint32 rest = (*weight + half) >> BYTE_BITS;
  gint32 digit = *weight - rest * (1 << BYTE_BITS);

  *weight = rest;
  return digit;
}

/* From split_@name and sum_window_@name, which writes LANES sums of a window,
 * from its first word on. */
#define DEFINE_SUM(name, cpu, parts, attribute)                                \
  attribute static void along_##name (                                         \
      const ClipTaps *taps, const guint32 *words, gint32 *sums)                \
  {                                                                            \
    for (gsize t = 0; t < taps->n; t++)                                        \
      sum_window_##name (                                                      \
          words + (gsize)(taps->first[t] - taps->begin) * LANES, LANES,        \
          taps->count[t], taps->weights + t * taps->n_words * (parts),         \
          sums + t * LANES);                                                   \
  }                                                                            \
                                                                               \
  attribute static void across_##name (const ClipTaps *taps, guint t,          \
      const guint32 *words, gsize stride, gsize n, gint32 *sums)               \
  {                                                                            \
    for (gsize i = 0; i < n; i += LANES)                                       \
      sum_window_##name (words + i, stride, taps->count[t],                    \
          taps->weights + (gsize)t * taps->n_words * (parts), sums + i);       \
  }                                                                            \
                                                                               \
  static const ClipSum sum_##name = { cpu, parts, split_##name, along_##name,  \
    across_##name };

/* --- any CPU --- */

static void
split_plainly (const gint32 *weights, guint32 *parts)
{
  for (guint i = 0; i < WORD; i++)
    parts[i] = (guint32)weights[i];
}

static void
sum_window_plainly (const guint32 *words, gsize step, guint n,
    const guint32 *weights, gint32 *sums)
{
  guint32 totals[LANES] = { 0 };

  for (; n > 0; n--, words += step, weights += WORD) {
    const guint8 *bytes = (const guint8 *)words;

    for (guint i = 0; i < LANES; i++) {
      for (guint k = 0; k < WORD; k++)
        totals[i] += bytes[WORD * i + k] * weights[k];
    }
  }
  for (guint i = 0; i < LANES; i++)
    sums[i] = (gint32)totals[i];
}

DEFINE_SUM (plainly, "any", WORD, )

#ifdef __x86_64__

#include <immintrin.h>

/* --- AVX2: pairs of 16 bits, two digits --- */

#define PAIRS __attribute__ ((target ("avx2")))
#define N_PAIR_PARTS 4

static guint32
join_pair (gint32 first, gint32 second)
{
  return (guint16)first | (guint32)(guint16)second << 16;
}

static void
split_by_pairs (const gint32 *weights, guint32 *parts)
{
  gint32 high[WORD], low[WORD];

  for (guint i = 0; i < WORD; i++) {
    high[i] = weights[i];
    low[i] = take_digit (&high[i]);
  }
  parts[0] = join_pair (high[0], high[2]);
  parts[1] = join_pair (high[1], high[3]);
  parts[2] = join_pair (low[0], low[2]);
  parts[3] = join_pair (low[1], low[3]);
}

PAIRS static inline __m256i
add_pairs (__m256i total, __m256i even, __m256i odd, const guint32 *parts)
{
  __m256i first =
      _mm256_madd_epi16 (even, _mm256_set1_epi32 ((gint32)parts[0]));
  __m256i second =
      _mm256_madd_epi16 (odd, _mm256_set1_epi32 ((gint32)parts[1]));

  return _mm256_add_epi32 (total, _mm256_add_epi32 (first, second));
}

PAIRS static inline void
sum_window_by_pairs (const guint32 *words, gsize step, guint n,
    const guint32 *weights, gint32 *sums)
{
  const __m256i even_bytes = _mm256_set1_epi16 (0xff);
  __m256i high[2] = { _mm256_setzero_si256 (), _mm256_setzero_si256 () };
  __m256i low[2] = { _mm256_setzero_si256 (), _mm256_setzero_si256 () };

  for (; n > 0; n--, words += step, weights += N_PAIR_PARTS) {
    for (guint i = 0; i < 2; i++) {
      __m256i word = _mm256_loadu_si256 ((const __m256i *)words + i);
      __m256i even = _mm256_and_si256 (word, even_bytes);
      __m256i odd = _mm256_srli_epi16 (word, BYTE_BITS);

      high[i] = add_pairs (high[i], even, odd, weights);
      low[i] = add_pairs (low[i], even, odd, weights + 2);
    }
  }
  for (guint i = 0; i < 2; i++)
    _mm256_storeu_si256 ((__m256i *)sums + i,
        _mm256_add_epi32 (_mm256_slli_epi32 (high[i], BYTE_BITS), low[i]));
}

DEFINE_SUM (by_pairs, "avx2", N_PAIR_PARTS, PAIRS)

/* --- AVX512-VNNI: four of 8 bits, three digits --- */

#define FOURS __attribute__ ((target ("avx512f,avx512bw,avx512vnni")))
#define N_DIGITS 3

static void
split_by_fours (const gint32 *weights, guint32 *parts)
{
  for (guint digit = 0; digit < N_DIGITS; digit++)
    parts[digit] = 0;
  for (guint i = 0; i < WORD; i++) {
    gint32 rest = weights[i];

    for (guint digit = 0; digit < N_DIGITS; digit++)
      parts[digit] |= (guint32)(guint8)take_digit (&rest) << BYTE_BITS * i;
  }
}

FOURS static inline void
sum_window_by_fours (const guint32 *words, gsize step, guint n,
    const guint32 *weights, gint32 *sums)
{
  __m512i low = _mm512_setzero_si512 ();
  __m512i middle = low, high = low;

  for (; n > 0; n--, words += step, weights += N_DIGITS) {
    __m512i word = _mm512_loadu_si512 (words);

    low =
        _mm512_dpbusd_epi32 (low, word, _mm512_set1_epi32 ((gint32)weights[0]));
    middle = _mm512_dpbusd_epi32 (
        middle, word, _mm512_set1_epi32 ((gint32)weights[1]));
    high = _mm512_dpbusd_epi32 (
        high, word, _mm512_set1_epi32 ((gint32)weights[2]));
  }
  high = _mm512_add_epi32 (_mm512_slli_epi32 (high, BYTE_BITS), middle);
  high = _mm512_add_epi32 (_mm512_slli_epi32 (high, BYTE_BITS), low);
  _mm512_storeu_si512 (sums, high);
}

DEFINE_SUM (by_fours, "avx512vnni", N_DIGITS, FOURS)

#endif

/* --- the fastest --- */

const ClipSum *
clip_sum_get (guint i)
{
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx512vnni") &&
      __builtin_cpu_supports ("avx512bw") && i-- == 0)
    return &sum_by_fours;
  if (__builtin_cpu_supports ("avx2") && i-- == 0)
    return &sum_by_pairs;
#endif
  return i == 0 ? &sum_plainly : NULL;
}

/* Weights of the window that is @skipped values into its first word. */
static void
fill_words (const ClipSum *sum, const gint32 *weights, guint skipped,
    guint count, guint32 *parts)
{
  for (guint at = 0; at < skipped + count; at += WORD, parts += sum->n_parts) {
    gint32 four[WORD] = { 0 };

    for (guint i = 0; i < WORD; i++)
      if (at + i >= skipped && at + i < skipped + count)
        four[i] = weights[at + i - skipped];
    sum->split (four, parts);
  }
}

void
clip_taps_init (ClipTaps *taps, const ClipSum *sum, const ClipAxis *axis)
{
  taps->sum = sum;
  taps->n = axis->n;
  /* A window may begin and end in the midst of a word. */
  taps->n_words = (axis->n_taps + 2 * (WORD - 1)) / WORD;
  taps->begin = axis->first[0] / WORD;
  taps->end = 0;
  taps->first = g_new (guint, axis->n);
  taps->count = g_new (guint, axis->n);
  taps->weights =
      g_new0 (guint32, (gsize)axis->n * taps->n_words * sum->n_parts);
  for (gsize t = 0; t < axis->n; t++) {
    guint skipped = axis->first[t] % WORD;

    taps->first[t] = axis->first[t] / WORD;
    taps->count[t] = (skipped + axis->count[t] + WORD - 1) / WORD;
    taps->end = MAX (taps->end, taps->first[t] + taps->count[t]);
    fill_words (sum, axis->weights + t * axis->n_taps, skipped, axis->count[t],
        taps->weights + t * taps->n_words * sum->n_parts);
  }
}

void
clip_taps_clear (ClipTaps *taps)
{
  g_clear_pointer (&taps->first, g_free);
  g_clear_pointer (&taps->count, g_free);
  g_clear_pointer (&taps->weights, g_free);
}
