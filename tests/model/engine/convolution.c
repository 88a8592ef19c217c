/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "clip-error.h"
#include "reference.h"

typedef struct {
  guint batch;
  guint in;
  guint out;
  guint size[2];
  guint kernel[2];
  guint stride[2];
  guint padding[2];
  guint dilation[2];
  guint groups;
  gboolean accumulate;
  gboolean no_bias;
  ClipActivation activation;
} Case;

/* clang-format off */
static const Case cases[] = {
  /* The stem of a ModifiedResNet, a bottleneck's middle, a patch embedding. */
  { 1, 3, 32, { 32, 32 }, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1,
    .activation = CLIP_ACTIVATION_RELU },
  { 4, 3, 32, { 32, 32 }, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 1,
    .activation = CLIP_ACTIVATION_RELU },
  { 1, 64, 64, { 14, 14 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1,
    .activation = CLIP_ACTIVATION_RELU },
  { 4, 3, 96, { 64, 64 }, { 16, 16 }, { 16, 16 }, { 0, 0 }, { 1, 1 }, 1,
    .no_bias = TRUE },
  { 1, 3, 48, { 64, 64 }, { 32, 32 }, { 32, 32 }, { 0, 0 }, { 1, 1 }, 1,
    .no_bias = TRUE },
  /* Odd everything. */
  { 1, 3, 5, { 7, 11 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },
  { 4, 5, 7, { 9, 7 }, { 3, 2 }, { 2, 1 }, { 1, 0 }, { 1, 1 }, 1 },
  { 4, 5, 7, { 9, 13 }, { 5, 3 }, { 3, 2 }, { 2, 1 }, { 1, 1 }, 1,
    .accumulate = TRUE, .activation = CLIP_ACTIVATION_GELU_ERF },
  { 1, 5, 7, { 17, 17 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1,
    .activation = CLIP_ACTIVATION_QUICK_GELU },
  { 1, 5, 7, { 17, 17 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1,
    .accumulate = TRUE, .no_bias = TRUE,
    .activation = CLIP_ACTIVATION_GELU_TANH },
  { 1, 16, 16, { 9, 9 }, { 9, 9 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
  { 1, 4, 4, { 1, 9 }, { 1, 3 }, { 1, 1 }, { 0, 1 }, { 1, 1 }, 1 },
  /* Dilation, groups, both; depthwise. */
  { 4, 8, 16, { 15, 13 }, { 3, 3 }, { 1, 1 }, { 2, 2 }, { 2, 2 }, 1 },
  { 1, 3, 5, { 15, 13 }, { 3, 3 }, { 2, 1 }, { 3, 0 }, { 3, 2 }, 1 },
  { 4, 8, 16, { 9, 9 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 4 },
  { 1, 32, 64, { 9, 9 }, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1 }, 2,
    .activation = CLIP_ACTIVATION_RELU },
  { 1, 6, 9, { 9, 9 }, { 3, 3 }, { 1, 1 }, { 2, 2 }, { 2, 2 }, 3 },
  { 4, 24, 24, { 9, 9 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 24 },
  /* Products on rows. */
  { 1, 64, 256, { 7, 7 }, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1,
    .accumulate = TRUE, .activation = CLIP_ACTIVATION_RELU },
  { 4, 51, 33, { 5, 3 }, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
  { 4, 51, 33, { 5, 3 }, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 7, 7 }, 1,
    .no_bias = TRUE },
};
/* clang-format on */

static guint
get_out (const Case *a, guint side)
{
  return (a->size[side] + 2 * a->padding[side] -
             a->dilation[side] * (a->kernel[side] - 1) - 1) /
             a->stride[side] +
         1;
}

/* The sum under the kernel at output pixel y, x. */
static gdouble
convolve (const Case *a, const gfloat *picture, const gfloat *weights, guint o,
    const guint at[2])
{
  guint per_group = a->in / a->groups, first = o / (a->out / a->groups);
  gdouble sum = 0.0;

  for (guint i = 0; i < a->kernel[0]; i++)
    for (guint j = 0; j < a->kernel[1]; j++) {
      gint y = (gint)(at[0] * a->stride[0] + i * a->dilation[0]) -
               (gint)a->padding[0];
      gint x = (gint)(at[1] * a->stride[1] + j * a->dilation[1]) -
               (gint)a->padding[1];

      if (y < 0 || x < 0 || y >= (gint)a->size[0] || x >= (gint)a->size[1])
        continue;
      for (guint c = 0; c < per_group; c++)
        sum += (gdouble)picture[((gsize)y * a->size[1] + x) * a->in +
                                first * per_group + c] *
               weights[((o * per_group + c) * a->kernel[0] + i) * a->kernel[1] +
                       j];
    }
  return sum;
}

static void
expect (const Case *a, const gfloat *src, const gfloat *weights,
    const gfloat *bias, gfloat *dst)
{
  gsize src_size = (gsize)a->size[0] * a->size[1] * a->in;

  for (guint b = 0; b < a->batch; b++)
    for (guint y = 0; y < get_out (a, 0); y++)
      for (guint x = 0; x < get_out (a, 1); x++)
        for (guint o = 0; o < a->out; o++, dst++) {
          gdouble sum =
              convolve (a, src + b * src_size, weights, o, (guint[]){ y, x });

          if (bias != NULL)
            sum += bias[o];
          if (a->accumulate)
            sum += *dst;
          *dst = reference_activate (a->activation, sum);
        }
}

static ClipConvolutionSpec
describe (
    const Case *a, const guint *batches, guint n_batches, ClipNumber number)
{
  return (ClipConvolutionSpec){ "test", a->in, a->out, a->size[0], a->size[1],
    { a->kernel[0], a->kernel[1] }, { a->stride[0], a->stride[1] },
    { a->padding[0], a->padding[1] }, { a->dilation[0], a->dilation[1] },
    a->groups, a->accumulate, a->activation, batches, n_batches, number };
}

static gsize
count_fan_in (const Case *a)
{
  return (gsize)a->in / a->groups * a->kernel[0] * a->kernel[1];
}

static gsize
count_weights (const Case *a)
{
  return count_fan_in (a) * a->out;
}

static gfloat *
make_weights (const Case *a)
{
  gsize fan_in = count_fan_in (a);
  gfloat *weights = reference_values (fan_in * a->out, "weights");

  for (gsize i = 0; i < fan_in * a->out; i++)
    weights[i] *= 3.0f / sqrtf (fan_in);
  return weights;
}

/* Built for @batches, run for the case's own. */
static void
check_case (ClipEngine *engine, guint index, const guint *batches,
    guint n_batches, ClipNumber number)
{
  g_autoptr (GError) error = NULL;
  const Case *a = &cases[index];
  g_autofree gchar *what = g_strdup_printf (
      "case %u of %u batch sizes, number %d", index, n_batches, number);
  gsize n_src = (gsize)a->batch * a->size[0] * a->size[1] * a->in;
  gsize n_dst = (gsize)a->batch * get_out (a, 0) * get_out (a, 1) * a->out;
  gfloat *src = reference_values (n_src, "src");
  gfloat *weights = make_weights (a);
  gfloat *bias = a->no_bias ? NULL : reference_values (a->out, "bias");
  gfloat *expected = reference_values (n_dst, "dst");
  const ClipConvolutionSpec spec = describe (a, batches, n_batches, number);
  g_autoptr (ClipConvolution) convolution =
      clip_convolution_new (engine, &spec, weights, bias, &error);
  gpointer packed, dst;
  gfloat *result;

  g_assert_no_error (error);
  g_assert_cmpuint (
      clip_convolution_get_out_height (convolution), ==, get_out (a, 0));
  g_assert_cmpuint (
      clip_convolution_get_out_width (convolution), ==, get_out (a, 1));
  reference_round (n_src, number, src);
  reference_round (count_weights (a), number, weights);
  reference_round (n_dst, number, expected);
  packed = reference_pack (n_src, number, src);
  dst = reference_pack (n_dst, number, expected);
  expect (a, src, weights, bias, expected);
  clip_engine_free_values (weights);
  clip_engine_free_values (bias);
  clip_convolution_run (convolution, a->batch, packed, dst, &error);
  g_assert_no_error (error);
  result = reference_unpack (n_dst, number, dst);
  reference_assert_close (what, result, expected, n_dst,
      number == CLIP_F32 ? REFERENCE_TOLERANCE : REFERENCE_BF16_TOLERANCE);
  clip_engine_free_values (src);
  clip_engine_free_values (packed);
  clip_engine_free_values (dst);
  clip_engine_free_values (result);
  clip_engine_free_values (expected);
}

static void
convolutions_are_right (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint number = 0; number <= reference_last_number (); number++)
      check_case (engine, i, &cases[i].batch, 1, number);
  g_assert_cmpuint (clip_engine_get_packed_size (engine), ==, 0);
}

static void
convolutions_of_many_batch_sizes_are_right (void)
{
  static const guint batches[] = { 1, 2, 4, 8 };
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint number = 0; number <= reference_last_number (); number++)
      check_case (engine, i, batches, G_N_ELEMENTS (batches), number);
}

static void
packed_size_is_the_same_for_one_and_many_batch_sizes (void)
{
  static const guint batches[] = { 1, 2, 4, 8 };
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    ClipNumber number = reference_last_number ();
    const ClipConvolutionSpec one =
        describe (&cases[i], &batches[3], 1, number);
    const ClipConvolutionSpec many =
        describe (&cases[i], batches, G_N_ELEMENTS (batches), number);
    gfloat *weights = make_weights (&cases[i]);
    ClipConvolution *convolution =
        clip_convolution_new (engine, &one, weights, NULL, NULL);
    gsize size = clip_engine_get_packed_size (engine);

    g_assert_cmpuint (size, >, 0);
    clip_convolution_free (convolution);
    convolution = clip_convolution_new (engine, &many, weights, NULL, NULL);
    g_assert_cmpuint (clip_engine_get_packed_size (engine), ==, size);
    clip_convolution_free (convolution);
    clip_engine_free_values (weights);
  }
}

typedef struct {
  Case shape;
  const gchar *says;
} Broken;

/* clang-format off */
static const Broken broken[] = {
  { { 1, 0, 4, { 8, 8 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
    "dimension 1 of the weights" },
  { { 1, 4, 0, { 8, 8 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
    "dimension 0 of the weights" },
  { { 1, 4, 4, { 0, 8 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
    "dimension 1 of the input" },
  { { 1, 4, 4, { 8, 8 }, { 0, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
    "dimension 2 of the weights" },
  { { 1, 4, 4, { 8, 8 }, { 3, 3 }, { 0, 1 }, { 0, 0 }, { 1, 1 }, 1 },
    "stride" },
  { { 1, 4, 4, { 8, 8 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 0 }, 1 },
    "dilation" },
  { { 1, 4, 4, { 8, 8 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 0 },
    "groups" },
  { { 1, 4, 4, { 8, 8 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 3 },
    "do not divide into 3 groups" },
  { { 0, 4, 4, { 8, 8 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
    "dimension 5" },
  { { 1, 4, 4, { 8, 8 }, { 9, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
    "spans 9 pixels does not fit 8" },
  { { 1, 4, 4, { 8, 8 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 4 }, 1 },
    "spans 9 pixels does not fit 8" },
  { { 1, 4, 4, { 8, 8 }, { 3, 3 }, { 1, 1 }, { 3, 3 }, { 1, 1 }, 1 },
    "padding of 3" },
  { { 1, 4, 4, { 8, 8 }, { 3, 3 }, { 1, 1 }, { G_MAXUINT, 0 }, { 1, 1 }, 1 },
    "padding of 4294967295" },
  { { 1, 4, 4, { G_MAXUINT, 8 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 1 },
    "is 4294967295, not 1 to 16777216" },
  { { 1, 4, 4, { 1 << 24, 1 << 24 }, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 1, 1 },
    1 }, "more than" },
  { { 1, 4, 1 << 20, { 1 << 10, 1 << 10 }, { 3, 3 }, { 1, 1 }, { 1, 1 },
    { 1, 1 }, 1 }, "the output" },
  { { 1, 1 << 20, 1 << 20, { 8, 8 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1 },
    1 }, "the weights" },
  { { 1, 4, 4, { 8, 8 }, { 1, 1 }, { 2, 2 }, { 0, 0 }, { 1, 1 }, 1 },
    "1x1 kernel" },
  { { 1, 4, 4, { 8, 8 }, { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, 2 },
    "1x1 kernel" },
  { { 1, 4, 4, { 8, 8 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, 1 },
    "1x1 kernel" },
};
/* clang-format on */

static void
impossible_shapes_are_errors (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();
  const gfloat nothing = 0.0f;

  for (guint i = 0; i < G_N_ELEMENTS (broken); i++) {
    g_autoptr (GError) error = NULL;
    const ClipConvolutionSpec spec =
        describe (&broken[i].shape, &broken[i].shape.batch, 1, CLIP_F32);

    g_assert_null (
        clip_convolution_new (engine, &spec, &nothing, NULL, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
    g_assert_true (g_str_has_prefix (error->message, "test: "));
    if (strstr (error->message, broken[i].says) == NULL)
      g_error ("'%s' does not say '%s'", error->message, broken[i].says);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/engine/convolution/convolutions-are-right", convolutions_are_right);
  g_test_add_func ("/engine/convolution/many-batch-sizes-are-right",
      convolutions_of_many_batch_sizes_are_right);
  g_test_add_func (
      "/engine/convolution/packed-size-is-the-same-for-one-and-many-batches",
      packed_size_is_the_same_for_one_and_many_batch_sizes);
  g_test_add_func ("/engine/convolution/impossible-shapes-are-errors",
      impossible_shapes_are_errors);
  return g_test_run ();
}
