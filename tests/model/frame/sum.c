/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Sums by floats, of each width that this CPU has, against integers of 64 bits:
 * no difference is allowed. */

#include "frame/sum.h"

#define N (3 * CLIP_LANES)

/* Taps between others, so that a wrong step is seen. */
#define GAP 2

/* Before it is cut to 8 bits. */
static gint64
add (const ClipWindow *window, const gint32 *weights, guint i)
{
  gint64 sum = 1 << (CLIP_SUM_BITS - 1);

  for (guint k = 0; k < window->n; k++)
    sum +=
        (gint64)
            window->values[i / CLIP_LANES][k * window->step + i % CLIP_LANES] *
        weights[k];
  return sum;
}

/* Changes the last weight so that the sum of the first values is rounded up by
 * nothing, or down, in turn: any unit lost is seen. */
static void
seek_tie (const ClipWindow *window, gint32 *weights, gboolean below)
{
  gint64 unit = 1 << CLIP_SUM_BITS;
  guint last = window->n - 1;

  ((gfloat *)window->values[0])[last * window->step] = 1;
  weights[last] = 0;
  weights[last] = (gint32)(-((add (window, weights, 0) % unit + unit) % unit));
  if (below)
    weights[last]--;
}

/* The lengths of the weights make @total, that of the last apart. */
static void
check (guint n, gint32 total, gboolean below, GRand *random)
{
  static const guint widths[] = { 4, 8, 16 };
  gsize step = GAP * N;
  g_autofree gint32 *weights = g_new (gint32, n);
  g_autofree gfloat *parts = g_new (gfloat, 2 * n);
  gfloat *values =
      g_aligned_alloc0 (n * step, sizeof (gfloat), CLIP_LANES_SIZE);
  ClipWindow window = {
    .n = n,
    .weights = parts,
    .values = { values + 2 * CLIP_LANES, values, values + CLIP_LANES },
    .step = step,
  };

  for (guint k = 0; k < n; k++) {
    weights[k] = total / (gint32)n;
    if (g_rand_int_range (random, 0, 8) == 0)
      weights[k] = -weights[k];
  }
  /* Half of them at an end, where sums are largest. */
  for (gsize i = 0; i < n * step; i++) {
    gint32 value = g_rand_int_range (random, -128, 384);

    values[i] = (gfloat)CLAMP (value, 0, 255);
  }
  seek_tie (&window, weights, below);
  for (guint k = 0; k < n; k++)
    clip_sum_split (weights[k], parts + 2 * k);
  for (gsize i = 0; i < G_N_ELEMENTS (widths); i++) {
    guint8 got[N];

    clip_sum_get (widths[i]) (&window, got);
    for (guint lane = 0; lane < N; lane++)
      g_assert_cmpuint (got[lane], ==,
          CLAMP (add (&window, weights, lane) >> CLIP_SUM_BITS, 0, 255));
  }
  g_aligned_free (values);
}

static void
sums_are_exact (void)
{
  static const guint lengths[] = { 1, 2, 3, 19, 41, 1023, 1024, 1025, 5000 };
  GRand *random = g_rand_new_with_seed (20);

  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
    for (guint round = 0; round < 8; round++) {
      /* With the last less than 1.9 x 2^22. */
      gint32 total = (gint32)(g_rand_double_range (random, 0.1, 0.89) *
                              (1 << CLIP_SUM_BITS));

      check (lengths[i], total, round % 2 == 0, random);
    }
  }
  g_rand_free (random);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/sum/sums-are-exact", sums_are_exact);
  return g_test_run ();
}
