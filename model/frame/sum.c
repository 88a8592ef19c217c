/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Integer sums by floats, which CPUs multiply and add faster: a weight is split
 * into two parts of 16 bits, so that each partial sum is a whole number below
 * 2^24, which a float holds exactly, fused or not.
 *
 * By explicit vectors of the CPU's own width, since the compiler keeps sums in
 * registers in no other form: 1080p RGB to 224 takes 2.8 ms by 16, 3.9 ms by 8
 * and 7.3 ms by 4, all on one host in one run. */

#include "frame/sum.h"

#define GROUPS 3
#define N (GROUPS * CLIP_LANES)

/* Below 2^24 in all: of the first parts, 1.9 x 2^15 times 255; of the second,
 * 64 times 255 for each tap, so these must not be more at once. */
#define SHIFT 7
#define MAX_TAPS 1024

void
clip_sum_split (gint32 weight, gfloat *parts)
{
  gint32 first = (weight + (1 << (SHIFT - 1))) >> SHIFT;

  parts[0] = (gfloat)first;
  parts[1] = (gfloat)(weight - first * (1 << SHIFT));
}

/* @add: writes the sums of some taps, in their two parts */
static inline __attribute__ ((always_inline)) void
sum_runs (const ClipWindow *window,
    void (*add) (
        const ClipWindow *window, gsize begin, gsize end, gfloat totals[2][N]),
    guint8 *restrict target)
{
  gfloat totals[2][N] __attribute__ ((aligned (CLIP_LANES_SIZE)));
  gint32 sums[N];

  for (guint i = 0; i < N; i++)
    sums[i] = 1 << (CLIP_SUM_BITS - 1);
  for (gsize begin = 0; begin < window->n; begin += MAX_TAPS) {
    add (window, begin, MIN (window->n, begin + MAX_TAPS), totals);
    for (guint i = 0; i < N; i++)
      sums[i] += (gint32)totals[0][i] * (1 << SHIFT) + (gint32)totals[1][i];
  }
  for (guint i = 0; i < N; i++) {
    gint32 clipped = MIN (MAX (sums[i], 0), (256 << CLIP_SUM_BITS) - 1);

    target[i] = (guint8)(clipped >> CLIP_SUM_BITS);
  }
}

/* For vectors of @size floats. */
#define DEFINE_SUM(size, attribute)                                            \
  attribute static void add_by_##size (                                        \
      const ClipWindow *window, gsize begin, gsize end, gfloat totals[2][N])   \
  {                                                                            \
    typedef gfloat Vector                                                      \
        __attribute__ ((vector_size (size * sizeof (gfloat)), may_alias));     \
    Vector first[N / size] = { { 0 } };                                        \
    Vector second[N / size] = { { 0 } };                                       \
    gsize at = begin * window->step;                                           \
                                                                               \
    for (gsize k = begin; k < end; k++, at += window->step) {                  \
      for (guint i = 0; i < N / size; i++) {                                   \
        const gfloat *values = window->values[i * size / CLIP_LANES] + at;     \
        Vector value = *(const Vector *)(values + i * size % CLIP_LANES);      \
                                                                               \
        first[i] += value * window->weights[2 * k];                            \
        second[i] += value * window->weights[2 * k + 1];                       \
      }                                                                        \
    }                                                                          \
    for (guint i = 0; i < N / size; i++) {                                     \
      *(Vector *)(totals[0] + i * size) = first[i];                            \
      *(Vector *)(totals[1] + i * size) = second[i];                           \
    }                                                                          \
  }                                                                            \
                                                                               \
  attribute static void sum_by_##size (                                        \
      const ClipWindow *window, guint8 *target)                                \
  {                                                                            \
    sum_runs (window, add_by_##size, target);                                  \
  }

DEFINE_SUM (4, )

/* clang 14 cannot ask for a generation. */
#if defined(__x86_64__) && !defined(__clang__)
DEFINE_SUM (8, __attribute__ ((target ("arch=x86-64-v3"))))
DEFINE_SUM (16, __attribute__ ((target ("arch=x86-64-v4"))))

ClipSum
clip_sum_get (guint max_lanes)
{
  if (max_lanes >= 16 && __builtin_cpu_supports ("x86-64-v4"))
    return sum_by_16;
  if (max_lanes >= 8 && __builtin_cpu_supports ("x86-64-v3"))
    return sum_by_8;
  return sum_by_4;
}
#else
ClipSum
clip_sum_get (guint max_lanes)
{
  g_return_val_if_fail (max_lanes >= 4, NULL);

  return sum_by_4;
}
#endif
