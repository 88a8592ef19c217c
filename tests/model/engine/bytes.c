/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Products in bytes. Operands that bytes hold exactly must give the exact
 * product: every offset, scale and sum has its place. Operands that they do not
 * must be off by what rounding to bytes predicts, and by no more. */

#include "clip-error.h"
#include "reference.h"

/* Only f32 rounds: the integers are below 2^24, and the terms at the end are
 * few. */
#define EXACT_TOLERANCE 1e-6

typedef struct {
  guint rows;
  guint in;
  guint out;
  gboolean accumulate;
  gboolean no_bias;
  gboolean smoothed;
  ClipActivation activation;
} Case;

/* clang-format off */
static const Case cases[] = {
  { 1, 2, 1 }, { 1, 48, 48 }, { 7, 51, 33 }, { 50, 768, 96 }, { 3, 1025, 1025 },
  { 1, 3072, 48 }, { 197, 192, 768 },
  { 7, 51, 33, .accumulate = TRUE },
  { 50, 96, 192, .accumulate = TRUE, .no_bias = TRUE },
  { 50, 96, 192, .smoothed = TRUE },
  { 7, 51, 33, .smoothed = TRUE, .accumulate = TRUE },
  { 50, 96, 192, .activation = CLIP_ACTIVATION_QUICK_GELU },
  { 50, 96, 1500, .activation = CLIP_ACTIVATION_GELU_ERF },
  { 7, 51, 33, .activation = CLIP_ACTIVATION_GELU_TANH },
  { 7, 51, 33, .activation = CLIP_ACTIVATION_RELU, .accumulate = TRUE },
};
/* clang-format on */

/* All of a case, in the engine's memory, smoothing left out where there is
 * none. */
typedef struct {
  const Case *sizes;
  gfloat *src, *weights, *bias, *smoothing, *dst;
  gfloat *expected; /* as dst at first */
} Product;

static void
product_clear (Product *product)
{
  gfloat *const all[] = { product->src, product->weights, product->bias,
    product->smoothing, product->dst, product->expected };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    clip_engine_free_values (all[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Product, product_clear)

static void
product_init (Product *product, const Case *a)
{
  gsize n_dst = (gsize)a->rows * a->out;

  *product = (Product){ .sizes = a,
    .src = reference_values ((gsize)a->rows * a->in, "src"),
    .weights = reference_values ((gsize)a->in * a->out, "weights"),
    .bias = a->no_bias ? NULL : reference_values (a->out, "bias"),
    .smoothing = a->smoothed ? reference_values (a->in, "smoothing") : NULL,
    .dst = reference_values (n_dst, "dst"),
    .expected = reference_values (n_dst, "dst") };
  /* Powers of two from 1/8 to 8. */
  for (guint k = 0; a->smoothed && k < a->in; k++)
    product->smoothing[k] = exp2f (roundf (3 * product->smoothing[k]));
}

static void
expect (Product *product)
{
  const Case *a = product->sizes;

  for (gsize m = 0; m < a->rows; m++)
    for (gsize n = 0; n < a->out; n++) {
      gsize at = m * a->out + n;
      gdouble sum = product->bias != NULL ? product->bias[n] : 0.0;

      for (gsize k = 0; k < a->in; k++)
        sum += (gdouble)product->src[m * a->in + k] *
               product->weights[n * a->in + k];
      if (a->accumulate)
        sum += product->expected[at];
      product->expected[at] = reference_activate (a->activation, sum);
    }
}

static ClipLinear *
build (ClipEngine *engine, const Product *product, ClipNumber src,
    const guint *rows, guint n_rows)
{
  g_autoptr (GError) error = NULL;
  const Case *a = product->sizes;
  const ClipLinearSpec spec = { .name = "test",
    .in_features = a->in,
    .out_features = a->out,
    .accumulate = a->accumulate,
    .activation = a->activation,
    .rows = rows,
    .n_rows = n_rows,
    .src = src,
    .in_bytes = TRUE,
    .smoothing = product->smoothing };
  ClipLinear *linear =
      clip_linear_new (engine, &spec, product->weights, product->bias, &error);

  g_assert_no_error (error);
  return linear;
}

static void
run (ClipEngine *engine, Product *product, ClipNumber src, gdouble tolerance)
{
  g_autoptr (GError) error = NULL;
  const Case *a = product->sizes;
  g_autofree gchar *what = g_strdup_printf (
      "%u x %u to %u, activation %d, accumulate %d, smoothed %d, numbers %d",
      a->rows, a->in, a->out, a->activation, a->accumulate, a->smoothed, src);
  g_autoptr (ClipLinear) linear = build (engine, product, src, &a->rows, 1);
  gpointer packed = reference_pack ((gsize)a->rows * a->in, src, product->src);

  expect (product);
  clip_linear_run (linear, a->rows, packed, product->dst, &error);
  g_assert_no_error (error);
  reference_assert_close (what, product->dst, product->expected,
      (gsize)a->rows * a->out, tolerance);
  clip_engine_free_values (packed);
}

/* Source rows of whole numbers from an offset of the row's own to 255 above it,
 * times a power of two of the row's own; weights of whole numbers to 127 or
 * -127, times a power of two of the feature's own. bf16 holds what needs 8 bits
 * alone: there the offset is 0. */
static void
make_exact (Product *product, ClipNumber src)
{
  const Case *a = product->sizes;

  for (gsize m = 0; m < a->rows; m++)
    for (gsize k = 0; k < a->in; k++) {
      gfloat *value = &product->src[m * a->in + k];
      gfloat offset = src == CLIP_BF16 ? 0 : (gfloat)(m % 5) * 100 - 355;

      *value = floorf ((*value + 1) * 127.9f);
      *value = k == 0 ? 0 : k == 1 ? 255 : *value;
      *value = ldexpf (*value + offset, -6 - (gint)(m % 3));
      if (a->smoothed)
        *value *= product->smoothing[k];
    }
  for (gsize n = 0; n < a->out; n++)
    for (gsize k = 0; k < a->in; k++) {
      gfloat *value = &product->weights[n * a->in + k];

      *value = roundf (*value * 127);
      *value = k == n % a->in ? (n % 2 == 0 ? 127 : -127) : *value;
      *value = ldexpf (*value, -9 - (gint)(n % 4));
      if (a->smoothed)
        *value /= product->smoothing[k];
    }
}

static gboolean
has_bytes (void)
{
  if (clip_engine_choose_precision (CLIP_PRECISION_INT8) == CLIP_PRECISION_INT8)
    return TRUE;
  g_test_skip ("this CPU has no VNNI");
  return FALSE;
}

static void
what_bytes_hold_is_exact (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();

  if (!has_bytes ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (ClipNumber src = CLIP_F32; src <= reference_last_number (); src++) {
      g_auto (Product) product = { 0 };

      product_init (&product, &cases[i]);
      make_exact (&product, src);
      run (engine, &product, src, EXACT_TOLERANCE);
    }
  g_assert_cmpuint (clip_engine_get_packed_size (engine), ==, 0);
}

/* Uniform in [-1, 1): a row's codes are 2 / 255 apart and the weights' 1 / 127,
 * so each is off by that / sqrt 12 where it is 1 / sqrt 3 itself: 0.39 per cent
 * each, 0.55 of their sums. What is added or activated only makes it less. */
#define ROUNDED_TOLERANCE 0.0065

static void
what_they_do_not_is_off_by_their_rounding (void)
{
  static const Case sizes[] = { { 50, 768, 96 }, { 7, 3072, 768 },
    { 50, 768, 96, .activation = CLIP_ACTIVATION_QUICK_GELU } };
  g_autoptr (ClipEngine) engine = reference_engine ();

  if (!has_bytes ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_auto (Product) product = { 0 };

    product_init (&product, &sizes[i]);
    run (engine, &product, CLIP_F32, ROUNDED_TOLERANCE);
  }
}

/* A channel a hundred times as large as the others, whose weights are as much
 * smaller: without smoothing it takes all but two of the codes. */
static void
smoothing_saves_what_lies_beside_an_outlier (void)
{
  static const Case plain = { 50, 768, 96 },
                    smoothed = { 50, 768, 96, .smoothed = TRUE };
  g_autoptr (ClipEngine) engine = reference_engine ();
  g_auto (Product) product = { 0 };

  if (!has_bytes ())
    return;
  product_init (&product, &smoothed);
  for (guint k = 0; k < smoothed.in; k++)
    product.smoothing[k] = k == 5 ? 100 : 1;
  for (guint m = 0; m < smoothed.rows; m++)
    product.src[m * smoothed.in + 5] *= 100;
  for (guint n = 0; n < smoothed.out; n++)
    product.weights[n * smoothed.in + 5] /= 100;
  run (engine, &product, CLIP_F32, ROUNDED_TOLERANCE);

  /* And without. */
  g_clear_pointer (&product.smoothing, clip_engine_free_values);
  product.sizes = &plain;
  memset (product.expected, 0, sizeof (gfloat) * smoothed.rows * smoothed.out);
  expect (&product);
  {
    g_autoptr (ClipLinear) linear =
        build (engine, &product, CLIP_F32, &plain.rows, 1);

    g_assert_true (
        clip_linear_run (linear, plain.rows, product.src, product.dst, NULL));
    g_assert_cmpfloat (test_relative_l2 (product.dst, product.expected,
                           (gsize)plain.rows * plain.out),
        >, 10 * ROUNDED_TOLERANCE);
  }
}

static void
one_packed_copy_of_a_byte_a_weight_serves_all_row_counts (void)
{
  static const guint rows[] = { 1, 7, 50, 197, 400 };
  static const Case sizes = { 400, 192, 576 };
  g_autoptr (ClipEngine) engine = reference_engine ();
  g_auto (Product) product = { 0 };
  g_autoptr (ClipLinear) linear = NULL;

  if (!has_bytes ())
    return;
  product_init (&product, &sizes);
  linear = build (engine, &product, CLIP_F32, rows, G_N_ELEMENTS (rows));
  /* Blocks of 64 columns and 4 rows at most are padded. */
  g_assert_cmpuint (
      clip_engine_get_packed_size (engine), >=, sizes.in * sizes.out);
  g_assert_cmpuint (clip_engine_get_packed_size (engine), <=,
      (sizes.in + 4) * (sizes.out + 64));
  expect (&product);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_true (
        clip_linear_run (linear, rows[i], product.src, product.dst, NULL));
    reference_assert_close ("one of many row counts", product.dst,
        product.expected, (gsize)rows[i] * sizes.out, ROUNDED_TOLERANCE);
  }
}

/* Fast code for all that transformers ask for: oneDNN would rather multiply
 * slowly than refuse. */
static void
vnni_multiplies_them (void)
{
  static const guint rows[] = { 1, 50, 197, 400 };
  static const Case sizes[] = { { 400, 768, 2304 }, { 400, 3072, 768 },
    { 400, 1024, 1024 }, { 400, 48, 144 } };
  g_autoptr (ClipEngine) engine = reference_engine ();

  if (!has_bytes ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint j = 1; j <= G_N_ELEMENTS (rows); j++) {
      g_auto (Product) product = { 0 };
      g_autoptr (ClipLinear) linear = NULL;

      product_init (&product, &sizes[i]);
      linear = build (engine, &product, CLIP_F32, rows, j);
      g_test_message ("%u rows of %u: %s", rows[j - 1], sizes[i].in,
          clip_linear_get_implementation (linear));
      g_assert_true (
          g_str_has_prefix (clip_linear_get_implementation (linear), "brg"));
    }
}

/* A value that is no number must not become a byte like any other. */
static void
what_is_not_finite_stays_so (void)
{
  static const Case sizes = { 3, 51, 33 };
  static const gfloat bad[] = { NAN, INFINITY, -INFINITY };
  g_autoptr (ClipEngine) engine = reference_engine ();

  if (!has_bytes ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_auto (Product) product = { 0 };
    g_autoptr (ClipLinear) linear = NULL;
    g_autoptr (ClipLinear) broken = NULL;

    product_init (&product, &sizes);
    linear = build (engine, &product, CLIP_F32, &sizes.rows, 1);
    product.src[sizes.in + 20] = bad[i];
    g_assert_true (clip_linear_run (linear, 3, product.src, product.dst, NULL));
    for (guint n = 0; n < 3 * sizes.out; n++)
      g_assert_true (!isfinite (product.dst[n]) == (n / sizes.out == 1));

    product.src[sizes.in + 20] = 0;
    product.weights[5 * sizes.in + 7] = bad[i];
    broken = build (engine, &product, CLIP_F32, &sizes.rows, 1);
    g_assert_true (clip_linear_run (broken, 3, product.src, product.dst, NULL));
    for (guint n = 0; n < 3 * sizes.out; n++)
      g_assert_true (!isfinite (product.dst[n]) == (n % sizes.out == 5));
  }
}

static void
a_row_of_one_value_and_weights_of_zero_are_exact (void)
{
  static const Case sizes = { 3, 51, 33 };
  g_autoptr (ClipEngine) engine = reference_engine ();
  g_auto (Product) product = { 0 };

  if (!has_bytes ())
    return;
  product_init (&product, &sizes);
  make_exact (&product, CLIP_F32);
  for (guint k = 0; k < sizes.in; k++) {
    product.src[k] = 0;
    product.src[sizes.in + k] = -3.75f;
    product.weights[4 * sizes.in + k] = 0;
    product.weights[7 * sizes.in + k] *= 1e-39f; /* 127 / that is infinite */
  }
  run (engine, &product, CLIP_F32, EXACT_TOLERANCE);
}

/* The norm and the codes of the next layer in one pass are the same bits as one
 * after the other, and a run of other rows does not take them. */
static void
what_follows_in_one_pass_is_the_same (void)
{
  static const guint rows[] = { 3, 50 };
  static const Case sizes[] = { { 50, 96, 96, .accumulate = TRUE },
    { 50, 96, 33, .activation = CLIP_ACTIVATION_QUICK_GELU } };
  g_autoptr (ClipEngine) engine = reference_engine ();
  g_auto (Product) first = { 0 };
  g_auto (Product) second = { 0 };
  g_autoptr (ClipLinear) linear = NULL;
  g_autoptr (ClipLinear) next = NULL;
  gfloat *normed, *apart;

  if (!has_bytes ())
    return;
  normed = reference_zeros (50 * 96);
  apart = reference_zeros (50 * 33);
  product_init (&first, &sizes[0]);
  product_init (&second, &sizes[1]);
  linear = build (engine, &first, CLIP_F32, rows, 2);
  next = build (engine, &second, CLIP_F32, rows, 2);
  for (guint with_norm = 0; with_norm < 2; with_norm++) {
    const ClipLayerNorm norm = { .rows = 50,
      .width = 96,
      .src = first.dst,
      .gamma = first.bias,
      .beta = first.bias,
      .eps = 1e-5f,
      .dst = normed };
    const ClipLinearNext then = { with_norm ? &norm : NULL, next };
    const gfloat *src = with_norm ? normed : first.dst;

    memset (first.dst, 0, sizeof (gfloat) * 50 * 96);
    g_assert_true (clip_linear_run (linear, 50, first.src, first.dst, NULL));
    if (with_norm)
      clip_rows_layer_norm (engine, &norm);
    g_assert_true (clip_linear_run (next, 50, src, apart, NULL));

    memset (first.dst, 0, sizeof (gfloat) * 50 * 96);
    g_assert_true (
        clip_linear_run_before (linear, 50, first.src, first.dst, &then, NULL));
    g_assert_true (clip_linear_run (next, 50, src, second.dst, NULL));
    g_assert_cmpmem (apart, sizeof (gfloat) * 50 * 33, second.dst,
        sizeof (gfloat) * 50 * 33);

    memset (second.dst, 0, sizeof (gfloat) * 50 * 33);
    g_assert_true (!with_norm || clip_linear_norm (next, &norm, NULL));
    g_assert_true (clip_linear_run (next, 50, src, second.dst, NULL));
    g_assert_cmpmem (apart, sizeof (gfloat) * 50 * 33, second.dst,
        sizeof (gfloat) * 50 * 33);

    memset (first.dst, 0, sizeof (gfloat) * 50 * 96);
    g_assert_true (
        clip_linear_run_before (linear, 50, first.src, first.dst, &then, NULL));
    g_assert_true (clip_linear_run (next, 3, src + 96, second.dst, NULL));
    g_assert_cmpmem (apart + 33, sizeof (gfloat) * 3 * 33, second.dst,
        sizeof (gfloat) * 3 * 33);
  }
  clip_engine_free_values (normed);
  clip_engine_free_values (apart);
}

static void
transposed_weights_are_an_error (void)
{
  static const guint rows = 1;
  const ClipLinearSpec spec = { .name = "visual.proj",
    .in_features = 2,
    .out_features = 2,
    .transposed = TRUE,
    .rows = &rows,
    .n_rows = 1,
    .in_bytes = TRUE };
  const gfloat weights[4] = { 1, 2, 3, 4 };
  g_autoptr (ClipEngine) engine = reference_engine ();
  g_autoptr (GError) error = NULL;

  g_assert_null (clip_linear_new (engine, &spec, weights, NULL, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
  g_assert_nonnull (strstr (error->message, "visual.proj: transposed"));
}

/* Every product as large as it can be: one feature more, and the integers that
 * add them up would be negative. */
static void
as_many_features_as_sums_hold_and_no_more (void)
{
  const guint most = G_MAXINT32 / (255 * 127);
  const Case sizes = { 1, most, 2, .no_bias = TRUE },
             beyond = { 1, most + 1, 2, .no_bias = TRUE };
  g_autoptr (ClipEngine) engine = reference_engine ();
  g_autoptr (GError) error = NULL;
  g_auto (Product) product = { 0 };
  const ClipLinearSpec spec = { .name = "wide",
    .in_features = beyond.in,
    .out_features = beyond.out,
    .rows = &beyond.rows,
    .n_rows = 1,
    .in_bytes = TRUE };

  if (!has_bytes ())
    return;
  product_init (&product, &beyond);
  for (guint k = 0; k < beyond.in; k++) {
    product.src[k] = k == 0 ? 0 : 255;
    product.weights[k] = product.weights[beyond.in + k] = 127;
  }
  g_assert_null (
      clip_linear_new (engine, &spec, product.weights, NULL, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
  g_assert_nonnull (strstr (error->message, "wide: 66312 in features"));
  product.sizes = &sizes;
  run (engine, &product, CLIP_F32, EXACT_TOLERANCE);
}

#define ADD(name, func) g_test_add_func ("/engine/bytes/" name, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("what-bytes-hold-is-exact", what_bytes_hold_is_exact);
  ADD ("what-they-do-not-is-off-by-their-rounding",
      what_they_do_not_is_off_by_their_rounding);
  ADD ("smoothing-saves-what-lies-beside-an-outlier",
      smoothing_saves_what_lies_beside_an_outlier);
  ADD ("one-packed-copy-of-a-byte-a-weight-serves-all-row-counts",
      one_packed_copy_of_a_byte_a_weight_serves_all_row_counts);
  ADD ("vnni-multiplies-them", vnni_multiplies_them);
  ADD ("what-is-not-finite-stays-so", what_is_not_finite_stays_so);
  ADD ("a-row-of-one-value-and-weights-of-zero-are-exact",
      a_row_of_one_value_and_weights_of_zero_are_exact);
  ADD ("what-follows-in-one-pass-is-the-same",
      what_follows_in_one_pass_is_the_same);
  ADD ("as-many-features-as-sums-hold-and-no-more",
      as_many_features_as_sums_hold_and_no_more);
  ADD ("transposed-weights-are-an-error", transposed_weights_are_an_error);
  return g_test_run ();
}
