/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/rows.h"
#include "engine/vector.h"
#include "reference.h"

/* clang-format off */
/* rows, width */
static const guint norm_shapes[][2] = {
  { 1, 1 }, { 1, 2 }, { 3, 7 }, { 7, 48 }, { 197, 768 }, { 2, 4096 },
  { 400, 51 },
};
static const gfloat eps_values[] = { 1e-5f, 1e-12f };
/* clang-format on */

static void
expect_layer_norm (guint rows, guint width, const gfloat *src,
    const gfloat *gamma, const gfloat *beta, gdouble eps, gfloat *dst)
{
  for (gsize r = 0; r < rows; r++) {
    const gfloat *x = src + r * width;
    gdouble mean = 0.0, variance = 0.0;

    for (guint i = 0; i < width; i++)
      mean += x[i] / (gdouble)width;
    for (guint i = 0; i < width; i++)
      variance += (x[i] - mean) * (x[i] - mean) / width;
    for (guint i = 0; i < width; i++)
      dst[r * width + i] =
          (x[i] - mean) / sqrt (variance + eps) * gamma[i] + beta[i];
  }
}

static void
check_layer_norm (ClipEngine *engine, guint rows, guint width, gfloat eps)
{
  gsize n = (gsize)rows * width;
  gfloat *src = reference_values (n, "src");
  gfloat *gamma = reference_values (width, "gamma");
  gfloat *beta = reference_values (width, "beta");
  gfloat *dst = reference_zeros (n);
  gfloat *expected = reference_zeros (n);
  ClipLayerNorm norm = { rows, width, src, gamma, beta, eps, CLIP_F32, dst };

  /* A mean of its own for each row. */
  for (gsize i = 0; i < n; i++)
    src[i] += 2.0f * test_uniform (i / width, "mean");
  expect_layer_norm (rows, width, src, gamma, beta, eps, expected);
  clip_rows_layer_norm (engine, &norm);
  /* Rounding of the mean, 1e-7 of it, over a deviation of at least a tenth;
   * rows of 1 and 2 alone can have less, but not these. */
  reference_assert_close ("layer norm", dst, expected, n, 1e-6);
  norm.dst = src;
  clip_rows_layer_norm (engine, &norm);
  reference_assert_close ("layer norm in place", src, expected, n, 1e-6);
  clip_engine_free_values (src);
  clip_engine_free_values (gamma);
  clip_engine_free_values (beta);
  clip_engine_free_values (dst);
  clip_engine_free_values (expected);
}

static void
layer_norm_is_right (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (norm_shapes); i++)
    for (guint j = 0; j < G_N_ELEMENTS (eps_values); j++)
      check_layer_norm (
          engine, norm_shapes[i][0], norm_shapes[i][1], eps_values[j]);
}

typedef struct {
  guint batch;
  guint height;
  guint width;
  guint channels;
  guint k;
} Pool;

static const Pool pools[] = { { 1, 2, 2, 1, 2 }, { 3, 4, 6, 7, 2 },
  { 4, 14, 14, 64, 2 }, { 1, 9, 6, 5, 3 }, { 2, 7, 7, 32, 7 },
  { 2, 3, 5, 4, 1 } };

static gdouble
average (const Pool *p, const gfloat *src, guint b, guint y, guint x, guint c)
{
  gdouble sum = 0.0;

  for (guint i = 0; i < p->k; i++)
    for (guint j = 0; j < p->k; j++)
      sum += src[((b * p->height + y * p->k + i) * p->width + x * p->k + j) *
                     p->channels +
                 c];
  return sum / (p->k * p->k);
}

static void
average_pool_is_right (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (pools); i++) {
    const Pool *p = &pools[i];
    gsize n_src = (gsize)p->batch * p->height * p->width * p->channels;
    gsize n_dst = n_src / (p->k * p->k), at = 0;
    gfloat *src = reference_values (n_src, "src");
    gfloat *dst = reference_zeros (n_dst);
    gfloat *expected = reference_zeros (n_dst);
    const ClipAveragePool pool = { p->batch, p->height, p->width, p->channels,
      p->k, CLIP_F32, src, dst };

    for (guint b = 0; b < p->batch; b++)
      for (guint y = 0; y < p->height / p->k; y++)
        for (guint x = 0; x < p->width / p->k; x++)
          for (guint c = 0; c < p->channels; c++)
            expected[at++] = average (p, src, b, y, x, c);
    clip_rows_average_pool (engine, &pool);
    /* k * k roundings of 6e-8. */
    reference_assert_close ("average pool", dst, expected, n_dst, 5e-7);
    clip_engine_free_values (src);
    clip_engine_free_values (dst);
    clip_engine_free_values (expected);
  }
}

static const gsize activate_sizes[] = { 0, 1, 15, 17, 4001, 100003 };

/* Each value for itself: a wrong one must not hide behind large ones. */
static void
check_activation (
    ClipEngine *engine, ClipActivation activation, gsize n, gfloat reach)
{
  gfloat *values = reference_values (n + 1, "values");
  gfloat *before = reference_values (n + 1, "values");

  for (gsize i = 0; i < n; i++)
    values[i] = before[i] = before[i] * reach;
  clip_rows_activate (engine, activation, n, values);
  for (gsize i = 0; i < n; i++) {
    gdouble expected = reference_activate (activation, before[i]);
    /* The error function's approximation is 1.5e-7 of the value's magnitude,
     * the exponential's a unit of the last place. */
    gdouble tolerance = 4e-7 * MAX (fabs (before[i]), 1e-3);

    if (!(fabs (values[i] - expected) <= tolerance))
      g_error ("%s of %g is %g, not %g", clip_activation_get_name (activation),
          before[i], values[i], expected);
  }
  g_assert_cmpfloat (values[n], ==, before[n]);
  clip_engine_free_values (values);
  clip_engine_free_values (before);
}

static void
activations_are_right (void)
{
  static const gfloat reaches[] = { 0.01f, 1.0f, 6.0f, 100.0f, 1e30f };
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint a = CLIP_ACTIVATION_NONE; a <= CLIP_ACTIVATION_GELU_TANH; a++)
    for (guint i = 0; i < G_N_ELEMENTS (activate_sizes); i++)
      for (guint j = 0; j < G_N_ELEMENTS (reaches); j++)
        /* tanh GELU cubes its argument. */
        if (a != CLIP_ACTIVATION_GELU_TANH || reaches[j] < 1e12f)
          check_activation (engine, a, activate_sizes[i], reaches[j]);
}

CLIP_VECTORISED static void
run_exp (guint n, const gfloat *src, gfloat *dst)
{
  for (guint i = 0; i < n; i++)
    dst[i] = clip_exp (src[i]);
}

static void
exponential_is_exact_to_a_unit_or_so (void)
{
  enum {
    N = 1 << 20
  };
  gfloat *src = reference_zeros (N);
  gfloat *dst = reference_zeros (N);
  gdouble worst = 0.0;

  for (guint i = 0; i < N; i++)
    src[i] = -87.3f + i * ((88.3f + 87.3f) / N);
  run_exp (N, src, dst);
  for (guint i = 0; i < N; i++) {
    gdouble expected = exp (src[i]);
    gdouble unit = nextafterf ((gfloat)expected, INFINITY) - (gfloat)expected;

    worst = MAX (worst, fabs (dst[i] - expected) / unit);
  }
  g_test_message ("exp is within %.3f units of the last place", worst);
  g_assert_cmpfloat (worst, <=, 1.2);
  clip_engine_free_values (src);
  clip_engine_free_values (dst);
}

static void
softmax_sums_to_one_over_what_is_seen (void)
{
  enum {
    ROWS = 9,
    WIDTH = 9,
    STRIDE = 16
  };

  for (guint causal = 0; causal <= 1; causal++)
    for (guint n_keys = 1; n_keys <= WIDTH; n_keys++) {
      gfloat *scores = reference_values (ROWS * STRIDE, "scores");
      gfloat *before = reference_values (ROWS * STRIDE, "scores");
      const ClipSoftmax softmax = { ROWS, WIDTH, STRIDE, n_keys, causal, 0,
        3.0f, scores, CLIP_F32, scores };

      clip_rows_softmax (&softmax);
      for (guint t = 0; t < ROWS; t++) {
        const gfloat *row = scores + t * STRIDE, *x = before + t * STRIDE;
        guint n = causal ? MIN (t + 1, n_keys) : n_keys;
        gdouble sum = 0.0;

        for (guint i = 0; i < n; i++)
          sum += exp (3.0 * x[i]);
        for (guint i = 0; i < n; i++)
          g_assert_cmpfloat_with_epsilon (row[i], exp (3.0 * x[i]) / sum, 5e-7);
        for (guint i = n; i < WIDTH; i++)
          g_assert_cmpfloat (row[i], ==, 0.0f);
      }
      clip_engine_free_values (scores);
      clip_engine_free_values (before);
    }
}

/* Of nine scores eight are equal, and one is so far below. */
static void
softmax_makes_no_subnormal_numbers (void)
{
  for (guint below = 70; below < 110; below++) {
    gfloat scores[16] = { 0 };
    const ClipSoftmax softmax = { 1, 9, 16, 9, FALSE, 0, 1.0f, scores, CLIP_F32,
      scores };

    scores[4] = -(gfloat)below;
    clip_rows_softmax (&softmax);
    g_assert_true (scores[4] == 0.0f || scores[4] >= G_MINFLOAT);
    if (below < 80)
      g_assert_cmpfloat (scores[4], >, 0.0f);
    g_assert_cmpfloat_with_epsilon (scores[3], 0.125f, 1e-7);
  }
}

static void
normalised_rows_have_length_one (void)
{
  static const gfloat scales[] = { 1e-38f, 1e-20f, 1.0f, 1e30f };

  for (guint i = 0; i < G_N_ELEMENTS (scales); i++) {
    gfloat row[3] = { 2.0f * scales[i], -3.0f * scales[i], 6.0f * scales[i] };

    g_assert_true (clip_rows_normalise (3, row));
    g_assert_cmpfloat_with_epsilon (row[0], 2.0 / 7, 1e-7);
    g_assert_cmpfloat_with_epsilon (row[1], -3.0 / 7, 1e-7);
    g_assert_cmpfloat_with_epsilon (row[2], 6.0 / 7, 1e-7);
  }
}

static void
rows_without_direction_are_refused_and_kept (void)
{
  static const gfloat rows[][2] = { { 0.0f, -0.0f }, { 1.0f, NAN },
    { INFINITY, 1.0f }, { -INFINITY, INFINITY } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gfloat row[2] = { rows[i][0], rows[i][1] };

    g_assert_false (clip_rows_normalise (2, row));
    g_assert_cmpmem (row, sizeof row, rows[i], sizeof rows[i]);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/rows/layer-norm-is-right", layer_norm_is_right);
  g_test_add_func ("/engine/rows/average-pool-is-right", average_pool_is_right);
  g_test_add_func ("/engine/rows/activations-are-right", activations_are_right);
  g_test_add_func ("/engine/rows/exponential-is-exact-to-a-unit-or-so",
      exponential_is_exact_to_a_unit_or_so);
  g_test_add_func ("/engine/rows/softmax-sums-to-one-over-what-is-seen",
      softmax_sums_to_one_over_what_is_seen);
  g_test_add_func ("/engine/rows/softmax-makes-no-subnormal-numbers",
      softmax_makes_no_subnormal_numbers);
  g_test_add_func ("/engine/rows/normalised-rows-have-length-one",
      normalised_rows_have_length_one);
  g_test_add_func ("/engine/rows/rows-without-direction-are-refused-and-kept",
      rows_without_direction_are_refused_and_kept);
  return g_test_run ();
}
