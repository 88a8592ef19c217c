/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Each way of summing that this CPU knows, against integers of 64 bits: no
 * difference is allowed. */

#include "frame/sum.h"

#define LANES CLIP_LANES
#define WORD CLIP_WORD
#define N_WINDOWS 5
#define N_BLOCKS 3 /* of lanes, side by side */

typedef struct {
  ClipAxis axis;
  guint8 *values; /* [words, N_BLOCKS x LANES, WORD] */
} Case;

/* Value @at of the axis, in one of the lanes of all blocks. */
static guint8 *
value_at (const Case *sums, guint at, guint lane)
{
  return sums->values + ((gsize)(at / WORD) * N_BLOCKS * LANES + lane) * WORD +
         at % WORD;
}

static gint64
add (const Case *sums, guint t, guint lane)
{
  const gint32 *weights = sums->axis.weights + t * sums->axis.n_taps;
  gint64 sum = 0;

  for (guint k = 0; k < sums->axis.count[t]; k++)
    sum += (gint64)*value_at (sums, sums->axis.first[t] + k, lane) * weights[k];
  return sum;
}

/* As long in all as a resize's may be; one of them may have it all. */
static void
draw_weights (GRand *random, guint n, gint32 *weights)
{
  gint32 total = (gint32)(g_rand_double_range (random, 0.1, 1.89) *
                          (1 << CLIP_WEIGHT_BITS));

  for (guint k = 0; k < n; k++) {
    gint32 weight = g_rand_int_range (random, 0, 4) == 0
                        ? total
                        : g_rand_int_range (random, 0, total / (gint32)n + 1);

    total -= weight;
    weights[k] = g_rand_int_range (random, 0, 4) == 0 ? -weight : weight;
  }
}

/* Windows of @n values at most, that begin anywhere in a word. */
static void
case_init (Case *sums, guint n, GRand *random)
{
  ClipAxis *axis = &sums->axis;
  guint first = g_rand_int_range (random, 0, 9);
  gsize size;

  axis->n = N_WINDOWS;
  axis->n_taps = n;
  axis->first = g_new (guint, N_WINDOWS);
  axis->count = g_new (guint, N_WINDOWS);
  axis->weights = g_new0 (gint32, N_WINDOWS * n);
  for (guint t = 0; t < N_WINDOWS; t++) {
    axis->first[t] = first;
    axis->count[t] = t == 0 ? n : 1 + g_rand_int (random) % n;
    draw_weights (random, axis->count[t], axis->weights + t * n);
    first += g_rand_int_range (random, 0, 7);
  }
  size = (gsize)(clip_resample_axis_end (axis) / WORD + 1) * WORD * N_BLOCKS *
         LANES;
  sums->values = g_aligned_alloc0 (size, 1, CLIP_LANES_SIZE);
  /* Half of them at an end, where sums are largest. */
  for (gsize i = 0; i < size; i++) {
    gint32 value = g_rand_int_range (random, -128, 384);

    sums->values[i] = (guint8)CLAMP (value, 0, 255);
  }
}

static void
case_clear (Case *sums)
{
  clip_resample_axis_clear (&sums->axis);
  g_aligned_free (sums->values);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Case, case_clear)

static void
check_across (const Case *sums, const ClipTaps *taps, const guint32 *words)
{
  for (guint t = 0; t < N_WINDOWS; t++) {
    gint32 got[N_BLOCKS * LANES];

    taps->sum->across (taps, t,
        words + (gsize)taps->first[t] * N_BLOCKS * LANES, N_BLOCKS * LANES,
        N_BLOCKS * LANES, got);
    for (guint lane = 0; lane < N_BLOCKS * LANES; lane++)
      g_assert_cmpint (got[lane], ==, add (sums, t, lane));
  }
}

/* The first block alone, as if there were no others. */
static void
check_along (const Case *sums, const ClipTaps *taps, const guint32 *words)
{
  gsize n = taps->end - taps->begin;
  guint32 *line = g_aligned_alloc0 (n, CLIP_LANES_SIZE, CLIP_LANES_SIZE);
  gint32 got[N_WINDOWS * LANES];

  for (gsize i = 0; i < n * LANES; i++)
    line[i] = words[(taps->begin + i / LANES) * N_BLOCKS * LANES + i % LANES];
  taps->sum->along (taps, line, got);
  for (guint i = 0; i < N_WINDOWS * LANES; i++)
    g_assert_cmpint (got[i], ==, add (sums, i / LANES, i % LANES));
  g_aligned_free (line);
}

static void
sums_are_exact (void)
{
  static const guint lengths[] = { 1, 2, 3, 4, 5, 19, 41, 1023, 5000 };
  GRand *random = g_rand_new_with_seed (20);

  for (gsize i = 0; i < G_N_ELEMENTS (lengths) * 8; i++) {
    g_auto (Case) sums = { 0 };

    case_init (&sums, lengths[i / 8], random);
    for (guint k = 0; clip_sum_get (k) != NULL; k++) {
      ClipTaps taps;

      clip_taps_init (&taps, clip_sum_get (k), &sums.axis);
      check_across (&sums, &taps, (const guint32 *)sums.values);
      check_along (&sums, &taps, (const guint32 *)sums.values);
      clip_taps_clear (&taps);
    }
  }
  g_rand_free (random);
}

/* What a CPU knows is not what another one knows; the list never ends early. */
static void
every_cpu_has_a_way (void)
{
  guint n = 0;

  while (clip_sum_get (n) != NULL)
    g_test_message ("%s", clip_sum_get (n++)->name);
  g_assert_cmpuint (n, >=, 1);
  g_assert_cmpstr (clip_sum_get (n - 1)->name, ==, "any");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/sum/sums-are-exact", sums_are_exact);
  g_test_add_func ("/frame/sum/every-cpu-has-a-way", every_cpu_has_a_way);
  return g_test_run ();
}
