/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "layers.h"

#include <jansson.h>

/* expected.json prints 6 decimals, and f32 in another order moves a component
 * of an embedding of length 1 by up to 1e-6. */
#define COMPONENT_TOLERANCE 5e-6

static ClipTokens
read_tokens (const json_t *array)
{
  ClipTokens tokens = { .n_ids = json_array_size (array) };
  guint32 *ids = g_new (guint32, tokens.n_ids);

  for (guint i = 0; i < tokens.n_ids; i++)
    ids[i] = json_integer_value (json_array_get (array, i));
  tokens.ids = ids;
  return tokens;
}

static void
check_language (
    ClipEncoder *encoder, const json_t *expected, const gchar *language)
{
  const json_t *lists =
      json_object_get (json_object_get (expected, "token_ids"), language);
  const json_t *firsts = json_object_get (
      json_object_get (expected, "text_embedding_first8"), language);
  guint n = json_array_size (lists);
  gsize width =
      clip_model_get_info (clip_encoder_get_model (encoder))->embed_dim;
  g_autofree ClipTokens *tokens = g_new (ClipTokens, n);
  g_autofree gfloat *embeddings = g_new (gfloat, n * width);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (n, ==, 12);
  for (guint i = 0; i < n; i++)
    tokens[i] = read_tokens (json_array_get (lists, i));
  clip_encoder_encode_tokens (encoder, n, tokens, embeddings, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n; i++) {
    const json_t *first = json_array_get (firsts, i);

    g_assert_cmpuint (json_array_size (first), ==, 8);
    for (gsize j = 0; j < 8; j++)
      assert_near (language, i * width + j, embeddings[i * width + j],
          json_real_value (json_array_get (first, j)), COMPONENT_TOLERANCE);
    g_free ((gpointer)tokens[i].ids);
  }
}

static void
texts_equal_the_training_code (void)
{
  g_autofree gchar *folder = test_source ("../pipelines/demo-model");
  g_autofree gchar *path = g_build_filename (folder, "expected.json", NULL);
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  json_t *expected = json_load_file (path, 0, NULL);
  gdouble scale = 0;

  g_assert_nonnull (expected);
  check_language (encoder, expected, "en");
  check_language (encoder, expected, "zh");
  scale = json_real_value (json_object_get (expected, "logit_scale_exp"));
  assert_near ("logit scale", 0,
      clip_model_get_info (clip_encoder_get_model (encoder))->logit_scale,
      scale, scale * 1e-6);
  json_decref (expected);
}

static void
facts_are_those_of_its_card (void)
{
  g_autofree gchar *folder = test_source ("../pipelines/demo-model");
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipModel) model = clip_model_open (folder, &error);
  const ClipModelInfo *info = NULL;

  g_assert_no_error (error);
  info = clip_model_get_info (model);
  g_assert_cmpstr (info->family, ==, "modified-resnet + bert");
  g_assert_cmpstr (info->tokenizer, ==, "wordpiece");
  g_assert_cmpstr (info->source_precision, ==, "f16");
  g_assert_cmpuint (info->image_size, ==, 96);
  g_assert_cmpuint (info->embed_dim, ==, 256);
  g_assert_cmpuint (info->context_length, ==, 52);
  g_assert_cmpint (info->preprocess.fit, ==, CLIP_FIT_SHORTEST);
  g_assert_cmpint (info->preprocess.kernel, ==, CLIP_KERNEL_BICUBIC);
  g_assert_false (info->preprocess.crop_floor);
  g_assert_cmpuint (info->preprocess.resize_size, ==, 96);
  g_assert_cmpuint (info->preprocess.size, ==, 96);
  assert_near ("mean", 2, info->preprocess.mean[2], 0.40821073, 1e-7);
  assert_near ("std", 2, info->preprocess.std[2], 0.27577711, 1e-7);

  /* 6.92 and 2.49 million. */
  g_assert_cmpuint (info->n_parameters / 10000, ==, 941);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/encode/demo/texts-equal-the-training-code",
      texts_equal_the_training_code);
  g_test_add_func (
      "/encode/demo/facts-are-those-of-its-card", facts_are_those_of_its_card);
  return g_test_run ();
}
