/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "clip-error.h"
#include "reference.h"

typedef struct {
  guint rows;
  guint in;
  guint out;
  gboolean transposed;
  gboolean accumulate;
  gboolean no_bias;
  ClipActivation activation;
} Case;

/* clang-format off */
static const Case cases[] = {
  { 1, 48, 48 }, { 1, 1, 1 }, { 1, 768, 3072 }, { 1, 3072, 768 },
  { 7, 48, 144 }, { 7, 51, 33 }, { 7, 768, 768 }, { 7, 3072, 48 },
  { 197, 48, 48 }, { 197, 192, 768 }, { 50, 768, 768 },
  { 197, 3072, 96 }, { 197, 96, 3072 }, { 3, 13, 17 },
  { 1, 768, 512, .transposed = TRUE, .no_bias = TRUE },
  { 7, 51, 33, .transposed = TRUE, .no_bias = TRUE },
  { 7, 51, 33, .transposed = TRUE, .accumulate = TRUE },
  { 7, 96, 192, .no_bias = TRUE },
  { 50, 96, 192, .accumulate = TRUE },
  { 50, 96, 192, .accumulate = TRUE, .no_bias = TRUE },
  { 50, 96, 192, .activation = CLIP_ACTIVATION_RELU },
  { 50, 96, 192, .activation = CLIP_ACTIVATION_QUICK_GELU },
  { 50, 96, 192, .activation = CLIP_ACTIVATION_GELU_ERF },
  { 50, 96, 192, .activation = CLIP_ACTIVATION_GELU_TANH },
  { 7, 51, 33, .activation = CLIP_ACTIVATION_RELU, .accumulate = TRUE },
  { 7, 51, 33, .activation = CLIP_ACTIVATION_QUICK_GELU, .accumulate = TRUE },
  { 7, 51, 33, .activation = CLIP_ACTIVATION_GELU_ERF, .accumulate = TRUE },
  { 1, 51, 33, .activation = CLIP_ACTIVATION_GELU_TANH, .no_bias = TRUE },
};
/* clang-format on */

/* dst holds what the layer adds to. */
static void
expect (const Case *a, const gfloat *src, const gfloat *weights,
    const gfloat *bias, gfloat *dst)
{
  for (gsize m = 0; m < a->rows; m++)
    for (gsize n = 0; n < a->out; n++) {
      gdouble sum = bias != NULL ? bias[n] : 0.0;

      for (gsize k = 0; k < a->in; k++)
        sum +=
            (gdouble)src[m * a->in + k] *
            (a->transposed ? weights[k * a->out + n] : weights[n * a->in + k]);
      if (a->accumulate)
        sum += dst[m * a->out + n];
      dst[m * a->out + n] = reference_activate (a->activation, sum);
    }
}

static ClipLinear *
build_with (const ReferenceNumbers *numbers, ClipEngine *engine, const Case *a,
    const guint *rows, guint n_rows, const gfloat *weights, const gfloat *bias)
{
  g_autoptr (GError) error = NULL;
  const ClipLinearSpec spec = { "test", a->in, a->out, a->transposed,
    a->accumulate, a->activation, rows, n_rows, numbers->src, numbers->dst };
  ClipLinear *linear = clip_linear_new (engine, &spec, weights, bias, &error);

  g_assert_no_error (error);
  return linear;
}

static ClipLinear *
build (ClipEngine *engine, const Case *a, const guint *rows, guint n_rows,
    const gfloat *weights, const gfloat *bias)
{
  return build_with (reference_numbers, engine, a, rows, n_rows, weights, bias);
}

/* Weights of variance 1 / K, as a trained layer's: values stay near 1, where
 * the activations bend. */
static gfloat *
make_weights (const Case *a)
{
  gfloat *weights = reference_values ((gsize)a->in * a->out, "weights");

  for (gsize i = 0; i < (gsize)a->in * a->out; i++)
    weights[i] *= 3.0f / sqrtf (a->in);
  return weights;
}

static void
check_case (ClipEngine *engine, const Case *a, const ReferenceNumbers *numbers)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *what = g_strdup_printf (
      "%u x %u to %u, activation %d, transposed %d, accumulate %d, numbers %d "
      "to %d",
      a->rows, a->in, a->out, a->activation, a->transposed, a->accumulate,
      numbers->src, numbers->dst);
  gsize n_src = (gsize)a->rows * a->in, n_dst = (gsize)a->rows * a->out;
  gfloat *src = reference_values (n_src, "src");
  gfloat *weights = make_weights (a);
  gfloat *bias = a->no_bias ? NULL : reference_values (a->out, "bias");
  gfloat *expected = reference_values (n_dst, "dst");
  g_autoptr (ClipLinear) linear =
      build_with (numbers, engine, a, &a->rows, 1, weights, bias);
  gpointer packed_src, dst;
  gfloat *result;

  reference_round (n_src, numbers->src, src);
  reference_round ((gsize)a->in * a->out, numbers->src, weights);
  reference_round (n_dst, numbers->dst, expected);
  packed_src = reference_pack (n_src, numbers->src, src);
  dst = reference_pack (n_dst, numbers->dst, expected);
  expect (a, src, weights, bias, expected);
  /* What was given may go. */
  clip_engine_free_values (weights);
  clip_engine_free_values (bias);
  clip_linear_run (linear, a->rows, packed_src, dst, &error);
  g_assert_no_error (error);
  result = reference_unpack (n_dst, numbers->dst, dst);
  reference_assert_close (what, result, expected, n_dst, numbers->tolerance);
  clip_engine_free_values (src);
  clip_engine_free_values (packed_src);
  clip_engine_free_values (dst);
  clip_engine_free_values (result);
  clip_engine_free_values (expected);
}

static void
products_are_right (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint j = 0; j < G_N_ELEMENTS (reference_numbers); j++)
      if (reference_numbers[j].src <= reference_last_number ())
        check_case (engine, &cases[i], &reference_numbers[j]);
  g_assert_cmpuint (clip_engine_get_packed_size (engine), ==, 0);
}

/* One packed copy serves all row counts, and each of them gives the right
 * numbers from it. */
static void
packed_size_is_the_same_for_one_and_many_row_counts (void)
{
  static const guint rows[] = { 1, 7, 50, 77, 197, 400 };
  static const Case sizes[] = { { 400, 192, 576 }, { 400, 768, 192 },
    { 400, 51, 33 } };
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const Case *a = &sizes[i];
    gfloat *weights = make_weights (a);
    gfloat *src = reference_values (400 * a->in, "src");
    gfloat *dst = reference_zeros (400 * a->out);
    gfloat *expected = reference_zeros (400 * a->out);
    ClipLinear *one = build (engine, a, &rows[5], 1, weights, NULL);
    gsize size = clip_engine_get_packed_size (engine);
    ClipLinear *many;

    /* Blocks of 64 columns and 4 rows at most are padded. */
    g_assert_cmpuint (size, >=, a->in * a->out * sizeof (gfloat));
    g_assert_cmpuint (size, <=, (a->in + 4) * (a->out + 64) * sizeof (gfloat));
    clip_linear_free (one);
    many = build (engine, a, rows, G_N_ELEMENTS (rows), weights, NULL);
    g_assert_cmpuint (clip_engine_get_packed_size (engine), ==, size);
    expect (a, src, weights, NULL, expected);
    for (guint j = 0; j < G_N_ELEMENTS (rows); j++) {
      g_assert_true (clip_linear_run (many, rows[j], src, dst, NULL));
      reference_assert_close ("one of many row counts", dst, expected,
          (gsize)rows[j] * a->out, REFERENCE_TOLERANCE);
    }
    clip_linear_free (many);
    clip_engine_free_values (weights);
    clip_engine_free_values (src);
    clip_engine_free_values (dst);
    clip_engine_free_values (expected);
  }
}

static void
rows_beyond_are_untouched (void)
{
  static const guint rows[] = { 3, 7 };
  static const Case a = { 7, 51, 33 };
  g_autoptr (ClipEngine) engine = reference_engine ();
  gfloat *weights = make_weights (&a);
  gfloat *src = reference_values (7 * 51, "src");
  gfloat *dst = reference_values (7 * 33, "dst");
  gfloat *before = reference_values (7 * 33, "dst");
  g_autoptr (ClipLinear) linear = build (engine, &a, rows, 2, weights, NULL);

  g_assert_true (clip_linear_run (linear, 3, src, dst, NULL));
  g_assert_cmpmem (dst + 3 * 33, 4 * 33 * sizeof *dst, before + 3 * 33,
      4 * 33 * sizeof *dst);
  clip_engine_free_values (weights);
  clip_engine_free_values (src);
  clip_engine_free_values (dst);
  clip_engine_free_values (before);
}

static void
unknown_row_count_is_an_error (void)
{
  static const Case a = { 7, 4, 4 };
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipEngine) engine = reference_engine ();
  gfloat values[28] = { 0 };
  g_autoptr (ClipLinear) linear = build (engine, &a, &a.rows, 1, values, NULL);

  g_assert_false (clip_linear_run (linear, 6, values, values, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
  g_assert_nonnull (strstr (error->message, "test was not built for 6"));
}

typedef struct {
  guint in;
  guint out;
  guint rows[2];
  guint n_rows;
  const gchar *says;
} Broken;

/* clang-format off */
static const Broken broken[] = {
  { 0, 4, { 1 }, 1, "dimension 1 of the weights" },
  { 4, 0, { 1 }, 1, "dimension 0 of the weights" },
  { 4, 4, { 0 }, 1, "dimension 0 of the input" },
  { 4, 4, { 0, 1 }, 2, "dimension 0 of the input" },
  { 4, 4, { 1 }, 0, "0 different row counts" },
  { 4, 4, { 1 }, 17, "17 different row counts" },
  { 4, 4, { 2, 1 }, 2, "not ascending: 1 after 2" },
  { 4, 4, { 2, 2 }, 2, "not ascending: 2 after 2" },
  { G_MAXUINT, 4, { 1 }, 1, "is 4294967295, not 1 to 16777216" },
  { 4, G_MAXUINT, { 1 }, 1, "dimension 0 of the weights [out, in] is 4294967295" },
  { 4, 4, { 1, G_MAXUINT }, 2, "dimension 0 of the input [rows, in] is 4294967295" },
  { 1 << 24, 1 << 24, { 1 }, 1, "the weights [out, in] has more than" },
  { 1 << 10, 1, { 1 << 22 }, 1, "the input [rows, in] has more than" },
  { 1, 1 << 10, { 1 << 22 }, 1, "the output [rows, out] has more than" },
};
/* clang-format on */

static void
impossible_shapes_are_errors (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();
  const gfloat nothing = 0.0f;

  for (guint i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autoptr (GError) error = NULL;
    const ClipLinearSpec spec = { "visual.proj", broken[i].in, broken[i].out,
      FALSE, FALSE, CLIP_ACTIVATION_NONE, broken[i].rows, broken[i].n_rows };

    g_assert_null (clip_linear_new (engine, &spec, &nothing, NULL, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
    g_assert_true (g_str_has_prefix (error->message, "visual.proj: "));
    if (strstr (error->message, broken[i].says) == NULL)
      g_error ("'%s' does not say '%s'", error->message, broken[i].says);
  }
  g_assert_cmpuint (clip_engine_get_packed_size (engine), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/linear/products-are-right", products_are_right);
  g_test_add_func (
      "/engine/linear/packed-size-is-the-same-for-one-and-many-row-counts",
      packed_size_is_the_same_for_one_and_many_row_counts);
  g_test_add_func (
      "/engine/linear/rows-beyond-are-untouched", rows_beyond_are_untouched);
  g_test_add_func ("/engine/linear/unknown-row-count-is-an-error",
      unknown_row_count_is_an_error);
  g_test_add_func ("/engine/linear/impossible-shapes-are-errors",
      impossible_shapes_are_errors);
  return g_test_run ();
}
