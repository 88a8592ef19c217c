/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Which layers are in bytes: those that bytes hold, channels that need it
 * divided; not those that they do not; and none where the answers would not be
 * the model's. */

#include "layers.h"

#include "checkpoints.h"
#include "models.h"

#include "encode/smoothing.h"

#define EMBED 512
#define WIDTH 128
#define MLP_WIDTH 512

/* A channel that is made to be nothing. */
#define DEAD 7

/* Of the first block queries, keys and values are one layer, of the last two.
 */
#define N_LAYERS (4 + 5)

/* Layers of uniform values in bytes are off by 0.6 per cent each, and eight of
 * them of what is added up by less than twice that. */
#define LEAST_COSINE 0.9998

static const TestModelSpec spec = { EMBED,
  { 32, WIDTH, { 2 }, 8, 2, MLP_WIDTH }, { 64, 1, 1, 128, 64, 16, FALSE } };

static gboolean
has_int8 (void)
{
  if (clip_encoder_choose_precision (CLIP_PRECISION_INT8) ==
      CLIP_PRECISION_INT8)
    return TRUE;
  g_test_skip ("this CPU has no VNNI");
  return FALSE;
}

/* --- models --- */

typedef struct {
  GPtrArray *tensors;
  GPtrArray *values; /* of those that were edited */
} Edited;

static void
edited_clear (Edited *edited)
{
  g_ptr_array_unref (edited->tensors);
  g_ptr_array_unref (edited->values);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Edited, edited_clear)

static Edited
edited_new (void)
{
  return (Edited){ .tensors = test_model_tensors (&spec),
    .values = g_ptr_array_new_with_free_func (g_free) };
}

/* @part: of the name behind the block's. @n: (out): how many */
static gfloat *
edit (Edited *edited, guint block, const gchar *part, gsize *n)
{
  g_autofree gchar *name =
      g_strdup_printf ("visual.transformer.resblocks.%u.%s", block, part);
  TestTensor *tensor = test_tensors_find (edited->tensors, name);

  *n = tensor->dims[0] * MAX (tensor->dims[1], 1);
  if (tensor->values == NULL) {
    tensor->values = g_new (gfloat, *n);
    for (gsize i = 0; i < *n; i++)
      tensor->values[i] = test_tensor_value (name, tensor->n_dims, i);
    g_ptr_array_add (edited->values, tensor->values);
  }
  return tensor->values;
}

/* What a norm gives in a channel, and what is multiplied with that. */
static void
scale_channel (
    Edited *edited, guint block, guint channel, gfloat given, gfloat weight)
{
  static const gchar *const norm[] = { "ln_2.weight", "ln_2.bias" };
  gsize n;
  gfloat *weights = edit (edited, block, "mlp.c_fc.weight", &n);

  for (gsize i = channel; i < n; i += WIDTH)
    weights[i] *= weight;
  for (guint i = 0; i < G_N_ELEMENTS (norm); i++)
    edit (edited, block, norm[i], &n)[channel] *= given;
}

static void
scale_column (
    Edited *edited, guint block, const gchar *part, gsize width, gfloat factor)
{
  gsize n;
  gfloat *weights = edit (edited, block, part, &n);

  for (gsize i = DEAD; i < n; i += width)
    weights[i] *= factor;
}

/* A layer gives nothing in a feature. */
static void
silence (Edited *edited, guint block, const gchar *weight, const gchar *bias,
    gsize feature)
{
  gsize n;

  memset (edit (edited, block, weight, &n) + feature * WIDTH, 0,
      WIDTH * sizeof (gfloat));
  edit (edited, block, bias, &n)[feature] = 0;
}

/* (transfer full): for test_checkpoint_remove() */
static gchar *
write_model (const Edited *edited)
{
  gchar *folder = test_model_folder ();

  test_model_write_open_clip (folder, &spec, "\"quick_gelu\": true, ");
  test_model_write (
      folder, "open_clip_model.safetensors", edited->tensors, FALSE);
  return folder;
}

static ClipEncoder *
open_in (const gchar *folder, ClipPrecision precision)
{
  const ClipEncoderOptions options = { 2, 4, precision };

  return encoder_open_in (folder, &options);
}

/* The cosine of a picture's embeddings in int8 and f32. */
static gdouble
compare (ClipEncoder *encoder, const gchar *folder)
{
  g_autoptr (ClipEncoder) reference = open_in (folder, CLIP_PRECISION_F32);
  g_autofree gfloat *pixels = make_pixels (spec.vision.image_size);
  gfloat a[EMBED], b[EMBED];
  gdouble products = 0, squares_a = 0, squares_b = 0;

  g_assert_true (clip_encoder_encode_pixels (encoder, 1, pixels, a, NULL));
  g_assert_true (clip_encoder_encode_pixels (reference, 1, pixels, b, NULL));
  for (guint i = 0; i < EMBED; i++) {
    products += (gdouble)a[i] * b[i];
    squares_a += (gdouble)a[i] * a[i];
    squares_b += (gdouble)b[i] * b[i];
  }
  return products / sqrt (squares_a * squares_b);
}

/* --- layers --- */

/* All but those whose names end in @other, which may be NULL.
 *
 * Returns: how many are smoothed */
static guint
check_layers (const ClipEncoder *encoder, const gchar *other)
{
  const ClipLayerChoice *layers = NULL;
  guint n_smoothed = 0;

  g_assert_cmpint (
      clip_encoder_get_precision (encoder), ==, CLIP_PRECISION_INT8);
  g_assert_null (clip_encoder_get_fallback (encoder));
  g_assert_cmpuint (clip_encoder_get_layers (encoder, &layers), ==, N_LAYERS);
  for (guint i = 0; i < N_LAYERS; i++) {
    gboolean is_other =
        other != NULL && g_str_has_suffix (layers[i].name, other);

    g_test_message ("%s: %s, error %.4f, smoothing %.2f", layers[i].name,
        clip_precision_get_name (layers[i].precision), layers[i].error,
        layers[i].smoothing);
    g_assert_cmpint (layers[i].precision, ==,
        clip_encoder_choose_precision (
            is_other ? CLIP_PRECISION_AUTO : CLIP_PRECISION_INT8));
    n_smoothed += !is_other && layers[i].smoothing > 0;
  }
  return n_smoothed;
}

/* As check_layers(), of a model that gives its answers all the same. */
static guint
check_answers (const Edited *edited, const gchar *other)
{
  gchar *folder = write_model (edited);
  g_autoptr (ClipEncoder) encoder = open_in (folder, CLIP_PRECISION_INT8);
  guint n_smoothed = check_layers (encoder, other);

  g_assert_cmpfloat (compare (encoder, folder), >=, LEAST_COSINE);
  test_checkpoint_remove (folder);
  return n_smoothed;
}

static void
an_ordinary_model_is_all_in_bytes (void)
{
  g_auto (Edited) edited = edited_new ();

  if (!has_int8 ())
    return;
  g_assert_cmpuint (check_answers (&edited, NULL), ==, 0);
}

/* In f32 the same model. */
static void
outliers_are_smoothed (void)
{
  g_auto (Edited) edited = edited_new ();

  if (!has_int8 ())
    return;
  for (guint block = 0; block < 2; block++)
    for (guint channel = 3; channel < 6; channel++)
      scale_channel (&edited, block, channel, 80, 1 / 80.f);
  g_assert_cmpuint (check_answers (&edited, NULL), ==, 2);
}

/* Weights that meet nothing, a thousand times as large as those that count:
 * what the source is divided by cannot help. */
static void
what_bytes_do_not_hold_stays_as_it_is (void)
{
  g_auto (Edited) edited = edited_new ();

  if (!has_int8 ())
    return;
  scale_channel (&edited, 0, DEAD, 0, 1000);
  check_answers (&edited, "resblocks.0.mlp.c_fc.weight");
}

/* Bytes hold nothing at all exactly. */
static void
a_layer_that_gives_nothing_is_in_bytes (void)
{
  static const gchar *const parts[] = { "mlp.c_fc.weight", "mlp.c_fc.bias" };
  g_auto (Edited) edited = edited_new ();
  gsize n;

  if (!has_int8 ())
    return;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    gfloat *values = edit (&edited, 0, parts[i], &n);

    memset (values, 0, n * sizeof *values);
  }
  check_answers (&edited, NULL);
}

/* What runs is what auto is. */
static void
check_refused (const Edited *edited, const gchar *says)
{
  gchar *folder = write_model (edited);
  g_autoptr (ClipEncoder) encoder = open_in (folder, CLIP_PRECISION_INT8);
  const ClipLayerChoice *layers = NULL;

  g_assert_cmpint (clip_encoder_get_precision (encoder), ==,
      clip_encoder_choose_precision (CLIP_PRECISION_AUTO));
  g_assert_nonnull (strstr (clip_encoder_get_fallback (encoder), says));
  g_assert_cmpuint (clip_encoder_get_layers (encoder, &layers), ==, 0);
  test_checkpoint_remove (folder);
}

/* Layers that mostly give all channels the same, which the norm behind them
 * takes away: each is near enough by itself, and what is left is not. */
static void
a_model_that_answers_otherwise_is_not_in_bytes (void)
{
  static const gchar *const parts[] = { "attn.out_proj.weight",
    "mlp.c_proj.weight" };
  g_auto (Edited) edited = edited_new ();
  gsize n;

  if (!has_int8 ())
    return;
  for (guint block = 0; block < 2; block++)
    for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
      gfloat *weights = edit (&edited, block, parts[i], &n);

      for (gsize j = 0; j < n; j++)
        weights[j] += 30;
    }
  check_refused (&edited, "built-in pictures");
}

/* The same of all layers: in name alone it would be int8. */
static void
a_model_of_which_nothing_is_in_bytes_is_not_called_so (void)
{
  g_auto (Edited) edited = edited_new ();

  if (!has_int8 ())
    return;
  for (guint block = 0; block < 2; block++) {
    for (gsize n, i = 0; i < 2; i++)
      edit (&edited, block, i == 0 ? "ln_1.weight" : "ln_1.bias", &n)[DEAD] = 0;
    scale_column (&edited, block, "attn.in_proj_weight", WIDTH, 1000);
    silence (&edited, block, "attn.in_proj_weight", "attn.in_proj_bias",
        2 * WIDTH + DEAD);
    scale_column (&edited, block, "attn.out_proj.weight", WIDTH, 1000);
    scale_channel (&edited, block, DEAD, 0, 1000);
    silence (&edited, block, "mlp.c_fc.weight", "mlp.c_fc.bias", DEAD);
    scale_column (&edited, block, "mlp.c_proj.weight", MLP_WIDTH, 1000);
  }
  check_refused (&edited, "none of its layers");
}

/* --- batches and teams --- */

#define N_PICTURES 4

/* Here these are the same bits. What lies between the products in bytes may be
 * added up in another order elsewhere, and a value in the middle between two
 * codes become the other one: of WIDTH uniform values that is an error of
 * 2 / 255 among sqrt (WIDTH / 3). */
#define ONE_CODE 1.3e-3

/* [N_PICTURES, EMBED], so many at a time. (transfer full) */
static gfloat *
encode_by (const gchar *folder, guint n_threads, guint batch)
{
  const ClipEncoderOptions options = { n_threads, N_PICTURES,
    CLIP_PRECISION_INT8 };
  g_autoptr (ClipEncoder) encoder = encoder_open_in (folder, &options);
  gsize n = (gsize)3 * spec.vision.image_size * spec.vision.image_size;
  g_autofree gfloat *pixels = g_new (gfloat, N_PICTURES * n);
  gfloat *embeddings = g_new (gfloat, N_PICTURES * EMBED);

  for (gsize i = 0; i < N_PICTURES * n; i++)
    pixels[i] =
        2 * test_uniform (i / 96, "picture") + test_uniform (i, "grain");
  check_layers (encoder, NULL);
  for (guint i = 0; i < N_PICTURES; i += batch)
    g_assert_true (clip_encoder_encode_pixels (
        encoder, batch, pixels + i * n, embeddings + i * EMBED, NULL));
  return embeddings;
}

static void
batches_and_teams_agree (void)
{
  g_auto (Edited) edited = edited_new ();
  g_autofree gchar *folder = NULL;
  g_autofree gfloat *expected = NULL;

  if (!has_int8 ())
    return;
  folder = write_model (&edited);
  expected = encode_by (folder, 1, 1);
  for (guint n_threads = 1; n_threads <= 2; n_threads++)
    for (guint batch = 1; batch <= N_PICTURES; batch *= 2) {
      g_autofree gfloat *found = encode_by (folder, n_threads, batch);

      for (guint i = 0; i < N_PICTURES; i++)
        g_assert_cmpfloat (
            test_relative_l2 (found + i * EMBED, expected + i * EMBED, EMBED),
            <=, ONE_CODE);
    }
  test_checkpoint_remove (g_steal_pointer (&folder));
}

/* --- smoothing --- */

static void
smoothing_takes_what_stands_out (void)
{
  const guint rows = 40, in = 200, out = 300;
  g_autofree gfloat *src = g_new (gfloat, rows * in);
  g_autofree gfloat *weights = g_new (gfloat, out * in);
  g_autofree gfloat *smoothing = g_new (gfloat, in);
  const ClipSmoothingCase layer = { rows, in, out, src, weights };

  for (guint i = 0; i < rows * in; i++)
    src[i] = test_uniform (i, "src");
  for (guint i = 0; i < out * in; i++)
    weights[i] = test_uniform (i, "weights");
  g_assert_cmpfloat (clip_smoothing_choose (&layer, smoothing), ==, 0);
  for (guint k = 0; k < in; k++)
    g_assert_cmpfloat (smoothing[k], ==, 1);
  for (guint i = 17; i < rows * in; i += in)
    src[i] *= 100;
  g_assert_cmpfloat (clip_smoothing_choose (&layer, smoothing), >, 0);
  for (guint k = 0; k < in; k++)
    if (k != 17)
      g_assert_cmpfloat (smoothing[17], >, 3 * smoothing[k]);

  /* A channel of nothing, and values that are none. */
  for (guint i = 20; i < rows * in; i += in)
    src[i] = 0;
  src[30] = NAN;
  weights[40] = INFINITY;
  clip_smoothing_choose (&layer, smoothing);
  for (guint k = 0; k < in; k++)
    g_assert_true (smoothing[k] > 0 && isfinite (smoothing[k]));
}

#define ADD(name, func) g_test_add_func ("/encode/calibration/" name, func)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("an-ordinary-model-is-all-in-bytes", an_ordinary_model_is_all_in_bytes);
  ADD ("outliers-are-smoothed", outliers_are_smoothed);
  ADD ("what-bytes-do-not-hold-stays-as-it-is",
      what_bytes_do_not_hold_stays_as_it_is);
  ADD ("a-layer-that-gives-nothing-is-in-bytes",
      a_layer_that_gives_nothing_is_in_bytes);
  ADD ("a-model-that-answers-otherwise-is-not-in-bytes",
      a_model_that_answers_otherwise_is_not_in_bytes);
  ADD ("a-model-of-which-nothing-is-in-bytes-is-not-called-so",
      a_model_of_which_nothing_is_in_bytes_is_not_called_so);
  ADD ("batches-and-teams-agree", batches_and_teams_agree);
  ADD ("smoothing-takes-what-stands-out", smoothing_takes_what_stands_out);
  return g_test_run ();
}
