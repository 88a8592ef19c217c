/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "layers.h"

#include "checkpoints.h"
#include "generated.h"

#define EMBED_B 32
#define EMBED_D 40
#define SIDE_B 32
#define SIDE_D 56

/* A row of model-spec.md section 9: probes at j * N / 8 + j of the tensor as
 * PyTorch has it. */
typedef struct {
  const gchar *name;
  gboolean is_map; /* channels first there, last here */
  gsize n_rows;
  gdouble probes[8];
  gdouble mean;
  gdouble norm;
} LayerRow;

/* clang-format off */
static const LayerRow layers_b[] = {
  { "visual.conv1", TRUE, 16,
    { -1.676768, 0.3520498, 1.35467, -1.008614, 3.717595, -0.640547, 0.329442,
      2.838227 }, -0.03749971, 114.1081 },
  { "visual.ln_pre", FALSE, 17,
    { 0.09258606, -0.4708846, -1.285473, -1.612509, -0.5981447, 1.888896,
      0.01616926, -0.2675484 }, -0.008396528, 47.33712 },
  { "visual.transformer.resblocks.0", FALSE, 17,
    { 0.9535788, 1.209317, -1.441536, -1.867351, -1.539328, 3.2048, -0.04356358,
      -0.2996802 }, -0.03910518, 68.75881 },
  { "visual.ln_post", FALSE, 1,
    { 0.6229813, -2.276026, 1.070472, 0.2381312, 0.2314331, -0.1588623,
      -0.4849188, -0.359078 }, -0.003361307, 11.19906 },
};

/* The class token's row. */
static const struct {
  const gchar *name;
  gsize n_rows;
  gdouble first[8];
  gdouble size; /* root mean square of the layer */
} rows_b[] = {
  { "visual.transformer.resblocks.0", 17,
    { 0.9535788, -1.981109, 0.7584667, 0.8829862, 0.4428792, -0.5385314,
      -0.03701476, -0.8485916 }, 1.474 },
  { "visual.transformer.resblocks.1", 1,
    { 0.9208186, -2.649499, 2.676678, 2.001924, 0.598084, 0.1567394, 1.33417,
      -0.4317129 }, 1.757 },
  { "visual.ln_post", 1,
    { 0.6229813, -1.342211, 1.830078, 1.473937, 0.5127459, 0.1555441, 0.9098794,
      -0.1521783 }, 0.99 },
};

static const gfloat embedding_b[] = { 1.791872f, 1.021908f, 0.5481928f,
  0.6690266f, -0.4276877f, -0.1095648f, -0.1904637f, -0.03089717f };
static const gdouble norm_b = 4.824293;

static const Mistake mistakes_b[] = {
  { "ln_pre missing", { 2.0054, 1.4569 } },
  { "ln_post missing", { 3.0153, 1.7509 } },
  { "mean of patches for the class token", { 1.7298, 1.6128 } },
  { "positions shifted by one", { 1.0656, 1.0417 } },
  { "positions column-major", { 1.7858, 1.0261 } },
  { "patch kernel read (ky, kx, c)", { 1.2247, 1.0378 } },
  { "proj read as [E, W]", { 0.057231, 1.7996 } },
  { "GELU with erf for QuickGELU", { 1.7842, 1.025 } },
};

/* Model D and what becomes of it. */
static const struct {
  const gchar *name;
  guint head_width;
  gboolean is_quick;
  gfloat first[8];
  gdouble norm;
} models_d[] = {
  { "heads of 80", 80, FALSE,
    { -1.093982f, 1.41307f, 0.4778007f, 1.010712f, 0.6542379f, -0.652247f,
      0.5561538f, -0.01874481f }, 5.534496 },
  { "heads of 80, QuickGELU", 80, TRUE,
    { -1.084831f, 1.418146f, 0.4880201f, 1.00991f, 0.6458495f, -0.6528614f,
      0.5503407f, -0.01976859f }, 5.5175 },
};

static const gfloat first_d_heads_of_40[] = { -0.8545119f, 1.7691f, 0.1825797f,
  1.063863f };
static const gdouble norm_d_heads_of_40 = 5.593883;
/* clang-format on */

static void
check_layer (const GPtrArray *layers, const LayerRow *row)
{
  const Layer *layer = layer_find (layers, row->name);
  gsize n = layer->n_rows * layer->n_columns;
  gdouble sum = 0, squares = 0;
  gdouble tolerance = row->norm / sqrt (n) * LAYER_TOLERANCE;

  g_assert_cmpuint (layer->n_rows, ==, row->n_rows);
  g_assert_cmpuint (layer->n_columns, ==, generated_ab.spec.vision.width);
  for (gsize i = 0; i < n; i++) {
    sum += layer->values[i];
    squares += (gdouble)layer->values[i] * layer->values[i];
  }
  assert_near (row->name, n, sum / n, row->mean, tolerance);
  assert_near (
      row->name, n, sqrt (squares), row->norm, row->norm * LAYER_TOLERANCE);
  for (gsize j = 0; j < 8; j++) {
    gsize index = j * n / 8 + j;
    gsize at = row->is_map ? index % layer->n_rows * layer->n_columns +
                                 index / layer->n_rows
                           : index;

    assert_near (
        row->name, index, layer->values[at], row->probes[j], tolerance);
  }
}

static void
layers_equal_the_original (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (layer_free);
  g_autoptr (GError) error = NULL;
  g_autofree gfloat *pixels = make_pixels (SIDE_B);
  gfloat embedding[EMBED_B];

  clip_encoder_set_trace (encoder, layer_keep, layers);
  clip_encoder_encode_pixels (encoder, 1, pixels, embedding, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (layers_b); i++)
    check_layer (layers, &layers_b[i]);
  for (guint i = 0; i < G_N_ELEMENTS (rows_b); i++) {
    const Layer *layer = layer_find (layers, rows_b[i].name);

    g_assert_cmpuint (layer->n_rows, ==, rows_b[i].n_rows);
    for (gsize j = 0; j < 8; j++)
      assert_near (layer->name, j, layer->values[j], rows_b[i].first[j],
          rows_b[i].size * LAYER_TOLERANCE);
  }
  assert_no_mistake (embedding, mistakes_b, G_N_ELEMENTS (mistakes_b));
  assert_embedding ("embedding", embedding, EMBED_B, embedding_b, norm_b);
}

/* Heads of 80, and the activation that the configuration says. */
static void
odd_heads_and_activations_equal_the_original (void)
{
  g_autofree gfloat *pixels = make_pixels (SIDE_D);

  for (guint i = 0; i < G_N_ELEMENTS (models_d); i++) {
    Generated model = generated_d;
    g_autoptr (ClipEncoder) encoder = NULL;
    g_autoptr (GError) error = NULL;
    gchar *folder = NULL;
    gfloat embedding[EMBED_D];

    model.spec.vision.heads = model.spec.vision.width / models_d[i].head_width;
    model.is_quick = models_d[i].is_quick;
    folder = generated_new (&model);
    encoder = encoder_open (folder, 2, 1);
    clip_encoder_encode_pixels (encoder, 1, pixels, embedding, &error);
    g_assert_no_error (error);
    assert_embedding (models_d[i].name, embedding, EMBED_D, models_d[i].first,
        models_d[i].norm);
    test_checkpoint_remove (folder);
  }
}

/* What the original makes of the same weights with twice the heads. */
static void
head_width_is_what_the_configuration_says (void)
{
  g_autofree gfloat *pixels = make_pixels (SIDE_D);
  Generated model = generated_d;
  g_autoptr (ClipEncoder) encoder = NULL;
  g_autoptr (GError) error = NULL;
  gchar *folder = NULL;
  gfloat embedding[EMBED_D];
  gdouble squares = 0;

  model.spec.vision.heads = model.spec.vision.width / 40;
  folder = generated_new (&model);
  encoder = encoder_open (folder, 2, 1);
  clip_encoder_encode_pixels (encoder, 1, pixels, embedding, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (test_relative_l2 (embedding, first_d_heads_of_40, 4), <=,
      EMBEDDING_TOLERANCE);
  for (gsize i = 0; i < EMBED_D; i++)
    squares += (gdouble)embedding[i] * embedding[i];
  assert_near ("embedding", EMBED_D, sqrt (squares), norm_d_heads_of_40,
      norm_d_heads_of_40 * EMBEDDING_TOLERANCE);
  test_checkpoint_remove (folder);
}

/* Each place in a batch, full or not, gives what a picture alone gives. */
static void
batches_equal_single_pictures (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 4);
  g_autofree gfloat *picture = make_pixels (SIDE_B);
  gsize n = 3 * SIDE_B * SIDE_B;
  g_autofree gfloat *pixels = g_new (gfloat, 4 * n);
  gfloat embeddings[4 * EMBED_B], alone[EMBED_B];

  for (guint i = 0; i < 4; i++)
    for (gsize j = 0; j < n; j++)
      pixels[i * n + j] = picture[(j + 3 * i) % n] * (1 - 0.25f * i);
  for (guint batch = 1; batch <= 4; batch++) {
    g_autoptr (GError) error = NULL;

    clip_encoder_encode_pixels (encoder, batch, pixels, embeddings, &error);
    g_assert_no_error (error);
    assert_embedding ("first", embeddings, EMBED_B, embedding_b, norm_b);
    for (guint i = 0; i < batch; i++) {
      clip_encoder_encode_pixels (encoder, 1, pixels + i * n, alone, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat (
          test_relative_l2 (embeddings + i * EMBED_B, alone, EMBED_B), <=,
          EMBEDDING_TOLERANCE);
    }
  }
}

/* A batch's trace has all its pictures, in the last block a row of each. */
static void
trace_shows_a_batch_at_once (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 2);
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (layer_free);
  g_autoptr (GError) error = NULL;
  g_autofree gfloat *picture = make_pixels (SIDE_B);
  gsize n = 3 * SIDE_B * SIDE_B;
  g_autofree gfloat *pixels = g_new (gfloat, 2 * n);
  gfloat embeddings[2 * EMBED_B];
  const struct {
    const gchar *name;
    gsize n_rows;
  } expected[] = {
    { "visual.conv1", 2 * 16 },
    { "visual.class+patch+position", 2 * 17 },
    { "visual.transformer.resblocks.0.mlp.gelu", 2 * 17 },
    { "visual.transformer.resblocks.1.ln_1", 2 * 17 },
    { "visual.transformer.resblocks.1.ln_2", 2 },
    { "visual.transformer.resblocks.1", 2 },
    { "visual.ln_post", 2 },
  };

  memcpy (pixels, picture, n * sizeof (gfloat));
  memcpy (pixels + n, picture, n * sizeof (gfloat));
  clip_encoder_set_trace (encoder, layer_keep, layers);
  clip_encoder_encode_pixels (encoder, 2, pixels, embeddings, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmpuint (
        layer_find (layers, expected[i].name)->n_rows, ==, expected[i].n_rows);
}

/* One packed copy: a second batch size costs activations, not weights. */
static void
batch_sizes_share_packed_weights (gconstpointer folder)
{
  g_autoptr (ClipEncoder) one = encoder_open (folder, 2, 1);
  g_autoptr (ClipEncoder) both = encoder_open (folder, 2, 4);

  g_assert_cmpuint (clip_encoder_get_packed_size (both), <,
      clip_encoder_get_packed_size (one) * 3 / 2);
}

int
main (int argc, char **argv)
{
  gchar *folder = generated_new (&generated_ab);
  gint status = 0;

  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/encode/vision-transformer/layers-equal-the-original",
      folder, layers_equal_the_original);
  g_test_add_func ("/encode/vision-transformer/"
                   "odd-heads-and-activations-equal-the-original",
      odd_heads_and_activations_equal_the_original);
  g_test_add_func (
      "/encode/vision-transformer/head-width-is-what-the-configuration-says",
      head_width_is_what_the_configuration_says);
  g_test_add_data_func (
      "/encode/vision-transformer/batches-equal-single-pictures", folder,
      batches_equal_single_pictures);
  g_test_add_data_func (
      "/encode/vision-transformer/trace-shows-a-batch-at-once", folder,
      trace_shows_a_batch_at_once);
  g_test_add_data_func (
      "/encode/vision-transformer/batch-sizes-share-packed-weights", folder,
      batch_sizes_share_packed_weights);
  status = g_test_run ();
  test_checkpoint_remove (folder);
  return status;
}
