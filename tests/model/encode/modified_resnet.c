/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "layers.h"

#include "checkpoints.h"
#include "clip-error.h"

/* A row of model-spec.md section 9: probes at j * N / 8 + j of the map as
 * PyTorch has it, channels first. */
typedef struct {
  const gchar *name;
  gsize channels;
  gdouble probes[8];
  gdouble mean;
  gdouble norm;
} MapRow;

/* clang-format off */
static const MapRow maps_a[] = {
  { "visual.relu", 8,
    { 0.0, 0.4614502, 0.1289487, 0.3722989, 0.0, 0.0, 0.0, 0.2871135 },
    0.3013899, 50.79794 },
  { "visual.avgpool", 16,
    { 0.1740937, 0.0, 0.0, 0.0, 0.1597355, 0.07568386, 0.0, 0.6640441 },
    0.2536977, 25.66053 },
  { "visual.layer1.0", 64,
    { 0.0, 0.0, 0.0, 0.02289538, 0.01184814, 0.0, 0.0, 0.3175591 },
    0.06079112, 17.67413 },
  { "visual.layer2.0", 128,
    { 0.02578421, 0.09063589, 0.0, 0.1920688, 0.0, 0.07755631, 0.0, 0.0 },
    0.1302412, 20.79408 },
  { "visual.layer4.0", 512,
    { 0.0, 0.0, 0.4103261, 0.0, 1.508028, 2.426542, 2.320717, 0.0 },
    1.943247, 152.8374 },
};

static const gfloat embedding_a[] = { -1.684323f, -10.15177f, 0.375956f,
  -7.655349f, -7.152452f, 4.26766f, 3.295059f, -8.67881f };
static const gdouble norm_a = 47.66781;

static const gfloat embedding_c[] = { 0.5365202f, 1.040748f, -0.2457454f,
  -2.793661f, 0.4660765f, -2.299993f, -2.00893f, -1.205299f };
static const gdouble norm_c = 7.662091;
/* clang-format on */

static void
check_map (const GPtrArray *layers, const MapRow *row)
{
  const Layer *layer = layer_find (layers, row->name);
  gsize n = layer->n_rows * layer->n_columns;
  gdouble sum = 0, squares = 0;
  gdouble tolerance = row->norm / sqrt (n) * LAYER_TOLERANCE;

  g_assert_cmpuint (layer->n_columns, ==, row->channels);
  for (gsize i = 0; i < n; i++) {
    sum += layer->values[i];
    squares += (gdouble)layer->values[i] * layer->values[i];
  }
  assert_near (row->name, n, sum / n, row->mean, tolerance);
  assert_near (
      row->name, n, sqrt (squares), row->norm, row->norm * LAYER_TOLERANCE);
  for (gsize j = 0; j < 8; j++) {
    gsize index = j * n / 8 + j;
    gsize channel = index / layer->n_rows, pixel = index % layer->n_rows;

    assert_near (row->name, index,
        layer->values[pixel * layer->n_columns + channel], row->probes[j],
        tolerance);
  }
}

static void
layers_equal_the_original (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (layer_free);
  g_autoptr (GError) error = NULL;
  g_autofree gfloat *pixels = make_pixels (64);
  gfloat embedding[32];

  clip_encoder_set_trace (encoder, layer_keep, layers);
  clip_encoder_encode_pixels (encoder, 1, pixels, embedding, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (maps_a); i++)
    check_map (layers, &maps_a[i]);
  assert_embedding ("embedding", embedding, 32, embedding_a, norm_a);
}

/* Widths that fill no vector register: 6 channels in the stem. */
static void
odd_widths_equal_the_original (void)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_c);
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GError) error = NULL;
  g_autofree gfloat *pixels = make_pixels (96);
  gfloat embedding[24];

  clip_encoder_encode_pixels (encoder, 1, pixels, embedding, &error);
  g_assert_no_error (error);
  assert_embedding ("embedding", embedding, 24, embedding_c, norm_c);
  test_checkpoint_remove (folder);
}

/* Each place in a batch, full or not, gives what a picture alone gives. */
static void
batches_equal_single_pictures (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 4);
  g_autofree gfloat *picture = make_pixels (64);
  gsize n = 3 * 64 * 64;
  g_autofree gfloat *pixels = g_new (gfloat, 4 * n);
  gfloat embeddings[4 * 32], alone[32];

  for (guint i = 0; i < 4; i++)
    for (gsize j = 0; j < n; j++)
      pixels[i * n + j] = picture[(j + 3 * i) % n] * (1 - 0.25f * i);
  for (guint batch = 1; batch <= 4; batch++) {
    g_autoptr (GError) error = NULL;

    clip_encoder_encode_pixels (encoder, batch, pixels, embeddings, &error);
    g_assert_no_error (error);
    assert_embedding ("first", embeddings, 32, embedding_a, norm_a);
    for (guint i = 0; i < batch; i++) {
      clip_encoder_encode_pixels (encoder, 1, pixels + i * n, alone, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat (test_relative_l2 (embeddings + i * 32, alone, 32), <=,
          EMBEDDING_TOLERANCE);
    }
  }
}

/* The file holds W and the norm apart; a variance below zero has no root. */
static void
negative_variance_is_named (void)
{
  static const gchar name[] = "visual.layer2.0.bn2.running_var";
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (&test_checkpoint_a);
  g_autoptr (ClipModel) model = NULL;
  g_autoptr (ClipEncoder) encoder = NULL;
  g_autoptr (GError) error = NULL;
  TestTensor *tensor = test_tensors_find (tensors, name);

  tensor->changed = 3;
  tensor->value = -1;
  test_checkpoint_write_tensors (folder, &test_checkpoint_a, tensors);
  model = clip_model_open (folder, &error);
  g_assert_no_error (error);
  encoder = clip_encoder_new (
      model, &(ClipEncoderOptions){ 1, 1, CLIP_PRECISION_F32 }, &error);
  g_assert_null (encoder);
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MODEL);
  g_assert_nonnull (strstr (error->message, name));
  g_assert_nonnull (strstr (error->message, "-1 at index 3"));
  test_checkpoint_remove (folder);
}

int
main (int argc, char **argv)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  gint status = 0;

  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/encode/modified-resnet/layers-equal-the-original",
      folder, layers_equal_the_original);
  g_test_add_func ("/encode/modified-resnet/odd-widths-equal-the-original",
      odd_widths_equal_the_original);
  g_test_add_data_func ("/encode/modified-resnet/batches-equal-single-pictures",
      folder, batches_equal_single_pictures);
  g_test_add_func ("/encode/modified-resnet/negative-variance-is-named",
      negative_variance_is_named);
  status = g_test_run ();
  test_checkpoint_remove (folder);
  return status;
}
