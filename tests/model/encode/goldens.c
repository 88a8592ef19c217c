/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The golden folders as the original code (openai/CLIP, Chinese-CLIP,
 * open_clip) encodes them: every prompt, every picture, and the layers between,
 * so that a failure names the first that differs. */

#include "layers.h"

#include "model/frame/picture.h"

#include <jansson.h>

/* goldens/README.md: five to ten times what the original differs from itself in
 * float64 or in another order of summation. */
#define COMPONENT_TOLERANCE 1e-5
#define COSINE_TOLERANCE 1e-5
#define PROBABILITY_TOLERANCE 5e-4

/* Of a layer's values and moments, as a share of its standard deviation: three
 * times the largest that was seen. */
#define TRACE_TOLERANCE 1e-5

/* goldens/README.md: what rounding the output of every module costs the
 * original, of transformers at most 0.0005. */
#define BF16_COSINE 0.999

/* Pictures in a call: three calls of a full batch for the nine. */
#define BATCH 3

static const gchar *const folders[] = { "hf-clip-f32", "hf-clip-fp16",
  "hf-clip-bf16-gelu", "hf-clip-sharded", "open-clip", "hf-chinese-clip" };

typedef struct {
  gchar *folder;
  json_t *expected;
  ClipEncoder *encoder;
  ClipPrecision precision; /* of pictures */
  guint width;             /* of an embedding */
} Golden;

static void
golden_clear (Golden *golden)
{
  g_free (golden->folder);
  json_decref (golden->expected);
  clip_encoder_free (golden->encoder);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Golden, golden_clear)

/* FALSE where the goldens are not here: the test is skipped. */
static gboolean
golden_open (Golden *golden, const gchar *name, ClipPrecision precision)
{
  const ClipEncoderOptions options = { 2, BATCH, precision };
  g_autofree gchar *relative = g_build_filename ("goldens", name, NULL);
  g_autofree gchar *path = NULL;

  golden->folder = test_shared_or_skip (relative);
  if (golden->folder == NULL)
    return FALSE;
  path = g_build_filename (golden->folder, "expected.json", NULL);
  golden->expected = json_load_file (path, 0, NULL);
  g_assert_nonnull (golden->expected);
  golden->encoder = encoder_open_in (golden->folder, &options);
  golden->precision = clip_encoder_get_precision (golden->encoder);
  golden->width =
      clip_model_get_info (clip_encoder_get_model (golden->encoder))->embed_dim;
  return TRUE;
}

static gdouble
number_at (const json_t *array, gsize index)
{
  const json_t *value = json_array_get (array, index);

  g_assert_true (json_is_number (value));
  return json_number_value (value);
}

static void
check_embedding (const Golden *golden, const gchar *what,
    const gfloat *embedding, const json_t *item)
{
  const json_t *expected = json_object_get (item, "embedding");

  g_assert_cmpuint (json_array_size (expected), ==, golden->width);
  for (gsize i = 0; i < golden->width; i++)
    assert_near (
        what, i, embedding[i], number_at (expected, i), COMPONENT_TOLERANCE);
}

/* In bf16 by the angle: components are off by a hundredth. */
static void
check_picture (
    const Golden *golden, const gfloat *embedding, const json_t *item)
{
  const gchar *file = json_string_value (json_object_get (item, "file"));
  const json_t *expected = json_object_get (item, "embedding");
  gdouble cosine = 0;

  if (golden->precision == CLIP_PRECISION_F32) {
    check_embedding (golden, file, embedding, item);
    return;
  }
  for (gsize i = 0; i < golden->width; i++)
    cosine += embedding[i] * number_at (expected, i);
  g_test_message ("%s: cosine %.6f", file, cosine);
  g_assert_cmpfloat (cosine, >=, BF16_COSINE);
}

/* Frees what it points at with g_free(). */
static ClipTokens
read_tokens (const json_t *item)
{
  const json_t *array = json_object_get (item, "ids");
  guint32 *ids = g_new (guint32, json_array_size (array));

  for (guint i = 0; i < json_array_size (array); i++)
    ids[i] = json_integer_value (json_array_get (array, i));
  return (ClipTokens){ ids, json_array_size (array) };
}

/* (transfer full): [n, width] */
static gfloat *
encode_texts (const Golden *golden, const json_t *items)
{
  guint n = json_array_size (items);
  g_autofree ClipTokens *tokens = g_new (ClipTokens, n);
  gfloat *embeddings = g_new (gfloat, n * golden->width);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    tokens[i] = read_tokens (json_array_get (items, i));
  clip_encoder_encode_tokens (golden->encoder, n, tokens, embeddings, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n; i++) {
    check_embedding (golden,
        json_string_value (json_object_get (json_array_get (items, i), "text")),
        embeddings + i * golden->width, json_array_get (items, i));
    g_free ((gpointer)tokens[i].ids);
  }
  return embeddings;
}

static void
load_prepared (const Golden *golden, const json_t *item, Picture *picture)
{
  const gchar *name = json_string_value (json_object_get (item, "prepared"));
  g_autofree gchar *path =
      g_build_filename (golden->folder, "..", "prepared", name, NULL);

  picture_load (picture, path);
  g_assert_cmpuint (picture->width, ==,
      clip_model_get_info (clip_encoder_get_model (golden->encoder))
          ->image_size);
}

/* (transfer full): [n, width] */
static gfloat *
encode_pictures (const Golden *golden, const json_t *items)
{
  guint n = json_array_size (items);
  gfloat *embeddings = g_new (gfloat, n * golden->width);

  g_assert_cmpuint (n % BATCH, ==, 0);
  for (guint i = 0; i < n; i += BATCH) {
    Picture pictures[BATCH] = { { 0 } };
    const guint8 *bytes[BATCH];
    g_autoptr (GError) error = NULL;

    for (guint j = 0; j < BATCH; j++) {
      load_prepared (golden, json_array_get (items, i + j), &pictures[j]);
      bytes[j] = pictures[j].rgb;
    }
    clip_encoder_encode_pictures (
        golden->encoder, BATCH, bytes, embeddings + i * golden->width, &error);
    g_assert_no_error (error);
    for (guint j = 0; j < BATCH; j++) {
      check_picture (golden, embeddings + (i + j) * golden->width,
          json_array_get (items, i + j));
      picture_clear (&pictures[j]);
    }
  }
  return embeddings;
}

/* A row of the original's tables: one picture against all prompts. */
static void
check_scores (
    const Golden *golden, guint row, const gfloat *picture, const gfloat *texts)
{
  const json_t *cosines =
      json_array_get (json_object_get (golden->expected, "cosine"), row);
  const json_t *probabilities =
      json_array_get (json_object_get (golden->expected, "softmax"), row);
  gdouble scale = clip_model_get_info (clip_encoder_get_model (golden->encoder))
                      ->logit_scale;
  gsize n = json_array_size (cosines);
  g_autofree gdouble *exponentials = g_new (gdouble, n);
  gdouble sum = 0;

  for (gsize i = 0; i < n; i++) {
    gdouble cosine = 0;

    for (gsize j = 0; j < golden->width; j++)
      cosine += (gdouble)picture[j] * texts[i * golden->width + j];
    assert_near ("cosine", i, cosine, number_at (cosines, i), COSINE_TOLERANCE);
    exponentials[i] = exp (scale * cosine);
    sum += exponentials[i];
  }
  for (gsize i = 0; i < n; i++)
    assert_near ("probability", i, exponentials[i] / sum,
        number_at (probabilities, i), PROBABILITY_TOLERANCE);
}

static void
embeddings_and_scores_equal_the_original (gconstpointer name)
{
  g_auto (Golden) golden = { 0 };
  g_autofree gfloat *texts = NULL;
  g_autofree gfloat *truncated = NULL;
  g_autofree gfloat *pictures = NULL;
  gdouble scale = 0;

  if (!golden_open (&golden, name, CLIP_PRECISION_F32))
    return;
  texts = encode_texts (&golden, json_object_get (golden.expected, "prompts"));
  truncated = encode_texts (
      &golden, json_object_get (golden.expected, "truncated_prompts"));
  pictures =
      encode_pictures (&golden, json_object_get (golden.expected, "images"));
  scale = json_number_value (json_object_get (golden.expected, "logit_scale"));
  assert_near ("logit scale", 0,
      clip_model_get_info (clip_encoder_get_model (golden.encoder))
          ->logit_scale,
      scale, scale * 1e-6);
  for (guint i = 0;
       i < json_array_size (json_object_get (golden.expected, "images")); i++)
    check_scores (&golden, i, pictures + i * golden.width, texts);
}

static void
pictures_in_bf16_are_near_the_original (gconstpointer name)
{
  g_auto (Golden) golden = { 0 };
  g_autofree gfloat *pictures = NULL;

  if (!golden_open (&golden, name, CLIP_PRECISION_BF16))
    return;
  if (golden.precision != CLIP_PRECISION_BF16) {
    g_test_skip ("this CPU has no bf16");
    return;
  }
  pictures =
      encode_pictures (&golden, json_object_get (golden.expected, "images"));
}

/* The module that holds BERT is not in the goldens' names. */
static const json_t *
find_stage (const json_t *stages, const gchar *layer_name)
{
  static const gchar prefix[] = "bert.";
  const gchar *name = layer_name;

  if (g_str_has_prefix (name, prefix))
    name += strlen (prefix);
  for (gsize i = 0; i < json_array_size (stages); i++) {
    const json_t *stage = json_array_get (stages, i);

    if (g_str_equal (json_string_value (json_object_get (stage, "name")), name))
      return stage;
  }
  g_error ("the original has no layer '%s'", name);
}

/* Sixteen values, @stride apart where channels are last here and first there.
 */
static void
check_first (const Layer *layer, const json_t *expected, gsize from,
    gsize stride, gdouble tolerance)
{
  for (gsize i = 0; i < json_array_size (expected); i++)
    assert_near (layer->name, from + i * stride,
        layer->values[from + i * stride], number_at (expected, i), tolerance);
}

static void
check_moments (const Layer *layer, const json_t *stage, gdouble tolerance)
{
  gsize n = layer->n_rows * layer->n_columns;
  gdouble sum = 0, squares = 0;

  for (gsize i = 0; i < n; i++)
    sum += layer->values[i];
  for (gsize i = 0; i < n; i++)
    squares += (layer->values[i] - sum / n) * (layer->values[i] - sum / n);
  assert_near (layer->name, n, sum / n,
      json_number_value (json_object_get (stage, "mean")), tolerance);
  assert_near (layer->name, n, sqrt (squares / n),
      json_number_value (json_object_get (stage, "std")), tolerance);
}

/* Where only the projected row was computed, the original's moments are of
 * more. */
static void
check_layer (const Layer *layer, const json_t *stages)
{
  const json_t *stage = find_stage (stages, layer->name);
  const json_t *shape = json_object_get (stage, "shape");
  const json_t *first = json_object_get (stage, "first16");
  const json_t *end = json_object_get (stage, "first16_at_eot");
  gdouble tolerance =
      json_number_value (json_object_get (stage, "std")) * TRACE_TOLERANCE;
  gsize n = 1;

  for (gsize i = 0; i < json_array_size (shape); i++)
    n *= json_integer_value (json_array_get (shape, i));
  if (n == layer->n_rows * layer->n_columns) {
    check_moments (layer, stage, tolerance);
    check_first (layer, first, 0,
        json_array_size (shape) == 4 ? layer->n_columns : 1, tolerance);
    if (end != NULL)
      check_first (
          layer, end, (layer->n_rows - 1) * layer->n_columns, 1, tolerance);
  } else {
    g_assert_cmpuint (layer->n_rows, ==, 1);
    check_first (layer, end != NULL ? end : first, 0, 1, tolerance);
  }
}

/* Ends at the first layer that differs. */
static void
check_layers (const GPtrArray *layers, const json_t *trace)
{
  const json_t *stages = json_object_get (trace, "stages");

  g_assert_cmpuint (layers->len, >, 0);
  for (guint i = 0; i < layers->len && !g_test_failed (); i++)
    check_layer (g_ptr_array_index (layers, i), stages);
}

static const json_t *
find_item (const json_t *items, const gchar *key, const json_t *value)
{
  for (gsize i = 0; i < json_array_size (items); i++)
    if (json_equal (json_object_get (json_array_get (items, i), key), value))
      return json_array_get (items, i);
  g_error ("expected.json has no item whose %s is '%s'", key,
      json_string_value (value));
}

static void
layers_equal_the_original (gconstpointer name)
{
  g_auto (Golden) golden = { 0 };
  g_auto (Picture) picture = { 0 };
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (layer_free);
  g_autoptr (GError) error = NULL;
  g_autofree gfloat *embedding = NULL;
  const json_t *trace = NULL, *text = NULL, *image = NULL;
  ClipTokens tokens;

  if (!golden_open (&golden, name, CLIP_PRECISION_F32))
    return;
  embedding = g_new (gfloat, golden.width);
  trace = json_object_get (golden.expected, "trace");
  clip_encoder_set_trace (golden.encoder, layer_keep, layers);

  image = json_object_get (trace, "image");
  load_prepared (&golden,
      find_item (json_object_get (golden.expected, "images"), "file",
          json_object_get (image, "file")),
      &picture);
  clip_encoder_encode_pictures (golden.encoder, 1,
      (const guint8 *const[]){ picture.rgb }, embedding, &error);
  g_assert_no_error (error);
  check_layers (layers, image);

  g_ptr_array_set_size (layers, 0);
  text = json_object_get (trace, "text");
  tokens = read_tokens (find_item (json_object_get (golden.expected, "prompts"),
      "text", json_object_get (text, "prompt")));
  clip_encoder_encode_tokens (golden.encoder, 1, &tokens, embedding, &error);
  g_assert_no_error (error);
  check_layers (layers, text);
  g_free ((gpointer)tokens.ids);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree gchar *layers = g_strdup_printf (
        "/encode/goldens/layers-equal-the-original/%s", folders[i]);
    g_autofree gchar *embeddings = g_strdup_printf (
        "/encode/goldens/embeddings-and-scores-equal-the-original/%s",
        folders[i]);

    g_autofree gchar *bf16 = g_strdup_printf (
        "/encode/goldens/pictures-in-bf16-are-near-the-original/%s",
        folders[i]);

    g_test_add_data_func (
        bf16, folders[i], pictures_in_bf16_are_near_the_original);
    g_test_add_data_func (layers, folders[i], layers_equal_the_original);
    g_test_add_data_func (
        embeddings, folders[i], embeddings_and_scores_equal_the_original);
  }
  return g_test_run ();
}
