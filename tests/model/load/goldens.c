/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The golden folders open as they were published, and are what the original
 * code says they are (expected.json of each). */

#include "load/load.h"
#include "support.h"

#include <jansson.h>

typedef struct {
  const gchar *name;
  const gchar *dialect;
  const gchar *precision;
  const gchar *vocab, *merges;
  guint vision_heads, text_heads;
  ClipTokenizerDialect tokenizer_dialect;
  ClipCropRounding crop_rounding;
} Golden;

/* The head counts are those of config.json; open-clip's are its width / 64 and
 * text_cfg.heads. */
static const Golden goldens[] = {
  { "hf-clip-f32", "hugging-face-clip", "f32", "vocab.json", "merges.txt", 2, 3,
      CLIP_TOKENIZER_HUGGING_FACE, CLIP_CROP_FLOOR },
  { "hf-clip-fp16", "hugging-face-clip", "f16", "tokenizer.json", NULL, 1, 4,
      CLIP_TOKENIZER_HUGGING_FACE, CLIP_CROP_FLOOR },
  { "hf-clip-bf16-gelu", "hugging-face-clip", "bf16", "vocab.json",
      "merges.txt", 3, 2, CLIP_TOKENIZER_HUGGING_FACE, CLIP_CROP_FLOOR },
  { "hf-clip-sharded", "hugging-face-clip", "f16", "vocab.json", "merges.txt",
      4, 2, CLIP_TOKENIZER_HUGGING_FACE, CLIP_CROP_FLOOR },
  { "hf-chinese-clip", "hugging-face-chinese-clip", "f16", "vocab.txt", NULL, 2,
      1, CLIP_TOKENIZER_HUGGING_FACE, CLIP_CROP_FLOOR },
  { "open-clip", "open-clip", "f32", "vocab.json", "merges.txt", 1, 3,
      CLIP_TOKENIZER_ORIGINAL, CLIP_CROP_HALF_EVEN },
};

static void
assert_path (const gchar *path, const gchar *folder, const gchar *name)
{
  g_autofree gchar *expected =
      name != NULL ? g_build_filename (folder, name, NULL) : NULL;

  g_assert_cmpstr (path, ==, expected);
}

static guint
number (const json_t *object, const gchar *key)
{
  const json_t *value = json_object_get (object, key);

  g_assert_true (json_is_integer (value));
  return (guint)json_integer_value (value);
}

static void
assert_architecture (const ClipConfig *config, const json_t *expected)
{
  const json_t *architecture = json_object_get (expected, "architecture");
  const gboolean is_bert = json_object_get (architecture, "text") != NULL;

  g_assert_cmpuint (
      config->vision.image_size, ==, number (expected, "image_size"));
  g_assert_cmpuint (config->embed_dim, ==, number (expected, "embed_dim"));
  g_assert_cmpuint (
      config->text.context_length, ==, number (expected, "context_length"));
  g_assert_cmpint (config->vision.kind, ==, CLIP_VISION_TRANSFORMER);
  g_assert_cmpuint (config->vision.width, ==, number (architecture, "vwidth"));
  g_assert_cmpuint (
      config->vision.patch_size, ==, number (architecture, "patch"));
  g_assert_cmpuint (
      config->vision.n_layers, ==, number (architecture, "layers"));
  g_assert_cmpuint (
      config->vision.mlp_width, ==, 4 * number (architecture, "vwidth"));
  g_assert_cmpint (
      config->text.kind, ==, is_bert ? CLIP_TEXT_BERT : CLIP_TEXT_TRANSFORMER);
  g_assert_cmpuint (config->text.width, ==, number (architecture, "tw"));
  g_assert_cmpuint (
      config->text.n_layers, ==, number (architecture, "tlayers"));
}

static void
assert_preprocess (
    const ClipPreprocessConfig *preprocess, const json_t *expected)
{
  const json_t *said = json_object_get (expected, "preprocess");
  const gboolean is_square = g_str_equal (
      json_string_value (json_object_get (said, "resize")), "square");

  g_assert_cmpint (preprocess->mode, ==,
      is_square ? CLIP_RESIZE_SQUASH : CLIP_RESIZE_SHORTEST);
  g_assert_cmpint (preprocess->interpolation, ==, CLIP_INTERPOLATION_BICUBIC);
  g_assert_cmpuint (
      preprocess->resize_size, ==, number (expected, "image_size"));
  g_assert_cmpuint (preprocess->crop_size, ==, number (expected, "image_size"));
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpfloat (preprocess->mean[i], ==,
        (gfloat)json_number_value (
            json_array_get (json_object_get (said, "mean"), i)));
    g_assert_cmpfloat (preprocess->std[i], ==,
        (gfloat)json_number_value (
            json_array_get (json_object_get (said, "std"), i)));
  }
}

static void
a_golden (gconstpointer user_data)
{
  const Golden *golden = user_data;
  g_autofree gchar *relative = g_build_filename ("goldens", golden->name, NULL);
  g_autofree gchar *folder = test_shared_or_skip (relative);
  g_autofree gchar *path = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  g_autoptr (GError) error = NULL;
  json_auto_t *expected = NULL;
  const ClipConfig *config;

  if (folder == NULL)
    return;
  path = g_build_filename (folder, "expected.json", NULL);
  expected = json_load_file (path, 0, NULL);
  g_assert_nonnull (expected);
  checkpoint = clip_checkpoint_open (folder, &error);
  g_assert_no_error (error);
  config = clip_checkpoint_get_config (checkpoint);
  g_assert_cmpstr (config->dialect, ==, golden->dialect);
  assert_architecture (config, expected);
  g_assert_cmpuint (config->vision.heads, ==, golden->vision_heads);
  g_assert_cmpuint (config->text.heads, ==, golden->text_heads);
  assert_preprocess (&config->preprocess, expected);
  g_assert_cmpint (config->preprocess.crop_rounding, ==, golden->crop_rounding);
  g_assert_cmpint (config->tokenizer.dialect, ==, golden->tokenizer_dialect);
  assert_path (config->tokenizer.vocab, folder, golden->vocab);
  assert_path (config->tokenizer.merges, folder, golden->merges);
  /* Printed with 17 digits, of which a float keeps fewer; expf may differ from
   * PyTorch's by its last bit. */
  g_assert_cmpfloat_with_epsilon (clip_checkpoint_get_logit_scale (checkpoint),
      (gfloat)json_number_value (json_object_get (expected, "logit_scale")),
      2e-5f);
  g_assert_cmpstr (
      clip_checkpoint_get_source_precision (checkpoint), ==, golden->precision);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (goldens); i++) {
    g_autofree gchar *name =
        g_strconcat ("/load/goldens/", goldens[i].name, NULL);
    g_test_add_data_func (name, &goldens[i], a_golden);
  }
  return g_test_run ();
}
