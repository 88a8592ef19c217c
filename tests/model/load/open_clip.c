/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What open_clip_config.json says is obeyed, and what none of our towers does
 * is refused by name (model-spec 1.3, 6.1). */

#include "opening.h"

#define CONFIG "open_clip_config.json"

static gchar *
new_folder (const gchar *from, const gchar *to)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);
  gchar *folder = test_model_folder ();

  test_model_write_open_clip (folder, &test_model_clip, "");
  test_model_write (folder, OPEN_CLIP_WEIGHTS, tensors, TRUE);
  if (from != NULL)
    test_checkpoint_edit (folder, CONFIG, from, to);
  return folder;
}

#define MODEL "\"model_cfg\": { "
#define VISION "\"vision_cfg\": { "
#define TEXT "\"text_cfg\": { "
#define PREPROCESS "\"preprocess_cfg\": {"

/* clang-format off */
#define NO(section, key, value)                                               \
  { section, section "\"" key "\": " value ", ", key "\"", "is not supported" }
#define ONLY(section, key, value, only)                                       \
  { section, section "\"" key "\": " value ", ", key "\"", only }
#define SAYS(key, message)                                                    \
  { PREPROCESS, PREPROCESS key, "preprocess_cfg.", message }

static const struct {
  const gchar *from, *to;
  const gchar *key, *message;
} refused[] = {
  NO (MODEL, "multimodal_cfg", "{}"),
  NO (MODEL, "init_logit_bias", "-10"),
  NO (MODEL, "nonscalar_logit_scale", "true"),
  NO (MODEL, "vision_tower", "\"x\""),
  NO (VISION, "timm_model_name", "\"vit_base\""),
  NO (VISION, "attentional_pool", "true"),
  NO (VISION, "attn_pooler_queries", "256"),
  NO (VISION, "attn_pooler_heads", "8"),
  NO (VISION, "global_average_pool", "true"),
  NO (VISION, "no_ln_pre", "true"),
  NO (VISION, "final_ln_after_pool", "true"),
  NO (VISION, "ls_init_value", "0.1"),
  NO (VISION, "input_patchnorm", "true"),
  NO (VISION, "act_kwargs", "{\"approximate\": \"tanh\"}"),
  NO (VISION, "output_tokens", "true"),
  ONLY (VISION, "pool_type", "\"avg\"", "is 'avg'; only 'tok'"),
  ONLY (VISION, "pos_embed_type", "\"sin_cos_2d\"", "only 'learnable'"),
  NO (TEXT, "hf_model_name", "\"xlm-roberta-base\""),
  NO (TEXT, "hf_tokenizer_name", "\"xlm-roberta-base\""),
  NO (TEXT, "tokenizer_kwargs", "{\"clean\": \"canonicalize\"}"),
  NO (TEXT, "embed_cls", "true"),
  NO (TEXT, "no_causal_mask", "true"),
  NO (TEXT, "proj_bias", "true"),
  NO (TEXT, "act_kwargs", "{\"approximate\": \"tanh\"}"),
  NO (TEXT, "ls_init_value", "0.1"),
  ONLY (TEXT, "proj_type", "\"none\"", "is 'none'; only 'linear'"),
  ONLY (TEXT, "pool_type", "\"last\"", "is 'last'; only 'argmax'"),
  ONLY (TEXT, "pool_type", "7", "only 'argmax'"),
  { VISION, VISION "\"norm_kwargs\": {\"bias\": 1}, ",
    "model_cfg.vision_cfg.norm_kwargs.bias", "is not supported" },
  { TEXT, TEXT "\"norm_kwargs\": {\"eps\": 1}, ",
    "model_cfg.text_cfg.norm_kwargs.eps", "is not a number above 0" },
  { TEXT, TEXT "\"norm_kwargs\": 1, ", "norm_kwargs", "is not an object" },

  { MODEL, "\"other\": { ", "model_cfg", "is missing" },
  { MODEL, MODEL "\"quick_gelu\": 1, ", "model_cfg.quick_gelu",
    "neither true nor false" },
  { "\"embed_dim\": 24", "\"embed_dim\": null", "model_cfg.embed_dim",
    "is missing" },
  { "\"embed_dim\": 24", "\"embed_dim\": 16385", "model_cfg.embed_dim",
    "it must be 1 to 16384" },
  { "\"head_width\": 64", "\"head_width\": 48",
    "model_cfg.vision_cfg.head_width", "does not divide the width, 64" },
  { "\"head_width\": 64", "\"head_width\": 0",
    "model_cfg.vision_cfg.head_width", "it must be 1 to" },
  { "\"heads\": 2", "\"heads\": 3", "model_cfg.text_cfg.heads",
    "which does not divide \"width\", 128" },
  { "\"patch_size\": 8", "\"patch_size\": 7",
    "model_cfg.vision_cfg.patch_size", "does not divide \"image_size\", 32" },
  { "\"mlp_ratio\": 1.507812", "\"mlp_ratio\": 65",
    "model_cfg.vision_cfg.mlp_ratio", "up to 64" },
  { "\"mlp_ratio\": 1.507812", "\"mlp_ratio\": \"4\"",
    "model_cfg.vision_cfg.mlp_ratio", "is not a number" },
  { "\"mlp_ratio\": 1.507812", "\"mlp_ratio\": -1",
    "model_cfg.vision_cfg.mlp_ratio", "is not a number" },
  { "\"layers\": 2,\n      \"width\": 64", "\"layers\": [2, 2, 2],\n"
    "      \"width\": 64", "model_cfg.vision_cfg.layers", "has 3 numbers" },

  SAYS ("\"size\": 48", "is 48, and \"model_cfg.vision_cfg.image_size\" is 32"),
  SAYS ("\"size\": [32, 48]", "is not a whole number"),
  SAYS ("\"mode\": \"L\"", "is 'L'; only 'RGB'"),
  SAYS ("\"mean\": [0.5, 0.5]", "is not a list of three numbers"),
  SAYS ("\"std\": [0.5, 0.5, 0]", "holds something other than numbers"),
  SAYS ("\"interpolation\": \"nearest\"", "is 'nearest', which is not known"),
  SAYS ("\"interpolation\": 3", "which is not known"),
  SAYS ("\"resize_mode\": \"stretch\"", "is 'stretch', which is not known"),
  SAYS ("\"resize_mode\": \"longest\", \"fill_color\": 255", "is 255"),
  SAYS ("\"crop_pct\": 0.9", "is not supported"),
};
/* clang-format on */

static void
what_is_not_done_is_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    REFUSED (new_folder (refused[i].from, refused[i].to), CONFIG,
        refused[i].key, refused[i].message);
}

/* The same model with one number changed in the configuration: the tensors
 * say otherwise, and both files are named. */
static void
tensors_that_disagree_are_named_with_the_configuration (void)
{
  static const struct {
    const gchar *from, *to, *message;
  } rows[] = {
    { "\"embed_dim\": 24", "\"embed_dim\": 32", "'visual.proj'" },
    { "\"image_size\": 32", "\"image_size\": 40",
        "'visual.positional_embedding' has the shape [17, 64] instead of [26" },
    { "\"patch_size\": 8", "\"patch_size\": 16", "'visual.conv1.weight'" },
    { "\"context_length\": 16", "\"context_length\": 77",
        "'positional_embedding' has the shape [16, 128] instead of [77" },
    { "\"vocab_size\": 64", "\"vocab_size\": 49408", "'token_embedding.wei" },
    { "\"mlp_ratio\": 1.507812", "\"mlp_ratio\": 4",
        "'visual.transformer.resblocks.0.mlp.c_fc.weight'" },
    { "\"layers\": 2,\n      \"width\": 64", "\"layers\": 3,\n \"width\": 64",
        "'visual.transformer.resblocks.2." },
    { "\"layers\": 2,\n      \"width\": 64",
        "\"layers\": [2, 1, 1, 1],\n \"width\": 64",
        "'visual.conv1.weight' has the shape" },
    { "\"heads\": 2, \"layers\": 2", "\"heads\": 2, \"layers\": 1",
        "'transformer.resblocks.1." },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    REFUSED (new_folder (rows[i].from, rows[i].to), CONFIG, OPEN_CLIP_WEIGHTS,
        "is not the model that", rows[i].message);
}

static void
activation_and_eps_are_those_of_the_configuration (void)
{
  static const struct {
    const gchar *from, *to;
    ClipActivation activation;
    gfloat vision_eps, text_eps;
  } rows[] = {
    { NULL, NULL, CLIP_ACTIVATION_GELU_ERF, 1e-5f, 1e-5f },
    { MODEL, MODEL "\"quick_gelu\": false, \"custom_text\": true, ",
        CLIP_ACTIVATION_GELU_ERF, 1e-5f, 1e-5f },
    { MODEL, MODEL "\"quick_gelu\": true, ", CLIP_ACTIVATION_QUICK_GELU, 1e-5f,
        1e-5f },
    { VISION, VISION "\"norm_kwargs\": { \"eps\": 1e-6 }, ",
        CLIP_ACTIVATION_GELU_ERF, 1e-6f, 1e-5f },
    { TEXT, TEXT "\"norm_kwargs\": { \"eps\": 1e-6 }, ",
        CLIP_ACTIVATION_GELU_ERF, 1e-5f, 1e-6f },
    /* What says nothing that matters here, or says the usual. */
    { VISION,
        VISION "\"patch_dropout\": 0.5, \"pool_type\": \"tok\", "
               "\"ls_init_value\": null, \"no_ln_pre\": false, "
               "\"pos_embed_type\": \"learnable\", ",
        CLIP_ACTIVATION_GELU_ERF, 1e-5f, 1e-5f },
    { TEXT,
        TEXT "\"pool_type\": \"argmax\", \"pad_id\": 0, "
             "\"proj_type\": \"linear\", \"embed_cls\": false, ",
        CLIP_ACTIVATION_GELU_ERF, 1e-5f, 1e-5f },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (ClipCheckpoint) checkpoint =
        open_and_remove (new_folder (rows[i].from, rows[i].to));
    const ClipConfig *config = clip_checkpoint_get_config (checkpoint);

    g_assert_cmpint (config->vision.activation, ==, rows[i].activation);
    g_assert_cmpint (config->text.activation, ==, rows[i].activation);
    g_assert_cmpfloat (config->vision.eps, ==, rows[i].vision_eps);
    g_assert_cmpfloat (config->text.eps, ==, rows[i].text_eps);
  }
}

static void
heads_are_those_of_the_configuration (void)
{
  g_autoptr (ClipCheckpoint) narrow =
      open_and_remove (new_folder ("\"head_width\": 64", "\"head_width\": 16"));
  g_autoptr (ClipCheckpoint) usual =
      open_and_remove (new_folder ("\"head_width\": 64,", ""));

  g_assert_cmpuint (clip_checkpoint_get_config (narrow)->vision.heads, ==, 4);
  g_assert_cmpuint (clip_checkpoint_get_config (usual)->vision.heads, ==, 1);
}

static void
pictures_are_prepared_as_the_configuration_says (void)
{
  static const struct {
    const gchar *says;
    ClipResizeMode mode;
    ClipInterpolation interpolation;
    gfloat mean;
  } rows[] = {
    { "", CLIP_RESIZE_SHORTEST, CLIP_INTERPOLATION_BICUBIC, 0.48145466f },
    { "\"size\": null, \"mean\": null, \"resize_mode\": null",
        CLIP_RESIZE_SHORTEST, CLIP_INTERPOLATION_BICUBIC, 0.48145466f },
    { "\"size\": 32, \"mode\": \"RGB\", \"mean\": [0.5, 0.5, 0.5], "
      "\"std\": [0.5, 0.5, 0.5]",
        CLIP_RESIZE_SHORTEST, CLIP_INTERPOLATION_BICUBIC, 0.5f },
    { "\"size\": [32, 32], \"resize_mode\": \"squash\", \"fill_color\": 7",
        CLIP_RESIZE_SQUASH, CLIP_INTERPOLATION_BICUBIC, 0.48145466f },
    { "\"resize_mode\": \"longest\", \"fill_color\": 0", CLIP_RESIZE_LONGEST,
        CLIP_INTERPOLATION_BICUBIC, 0.48145466f },
    { "\"resize_mode\": \"shortest\", \"interpolation\": \"bilinear\"",
        CLIP_RESIZE_SHORTEST, CLIP_INTERPOLATION_BILINEAR, 0.48145466f },
    { "\"interpolation\": \"random\"", CLIP_RESIZE_SHORTEST,
        CLIP_INTERPOLATION_BICUBIC, 0.48145466f },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *to = g_strconcat (PREPROCESS, rows[i].says, NULL);
    g_autoptr (ClipCheckpoint) checkpoint =
        open_and_remove (new_folder (PREPROCESS, to));
    const ClipPreprocessConfig *preprocess =
        &clip_checkpoint_get_config (checkpoint)->preprocess;

    g_assert_cmpint (preprocess->mode, ==, rows[i].mode);
    g_assert_cmpint (preprocess->interpolation, ==, rows[i].interpolation);
    g_assert_cmpint (preprocess->crop_rounding, ==, CLIP_CROP_HALF_EVEN);
    g_assert_cmpuint (preprocess->resize_size, ==, 32);
    g_assert_cmpuint (preprocess->crop_size, ==, 32);
    g_assert_cmpfloat (preprocess->mean[0], ==, rows[i].mean);
  }
}

static void
a_resnet_opens (void)
{
  const TestModelSpec spec = { 24, { 64, 12, { 1, 2, 1, 1 }, 0, 6, 0 },
    test_model_clip.text };
  g_autoptr (ClipCheckpoint) checkpoint =
      open_and_remove (new_open_clip (&spec, ""));
  const ClipConfig *config = clip_checkpoint_get_config (checkpoint);

  g_assert_cmpint (config->vision.kind, ==, CLIP_VISION_MODIFIED_RESNET);
  g_assert_cmpint (config->vision.activation, ==, CLIP_ACTIVATION_RELU);
  g_assert_cmpint (config->text.activation, ==, CLIP_ACTIVATION_GELU_ERF);
  g_assert_cmpuint (config->vision.heads, ==, 6);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/load/open-clip/" name, function)
  ADD ("what-is-not-done-is-refused", what_is_not_done_is_refused);
  ADD ("tensors-that-disagree-are-named-with-the-configuration",
      tensors_that_disagree_are_named_with_the_configuration);
  ADD ("activation-and-eps-are-those-of-the-configuration",
      activation_and_eps_are_those_of_the_configuration);
  ADD ("heads-are-those-of-the-configuration",
      heads_are_those_of_the_configuration);
  ADD ("pictures-are-prepared-as-the-configuration-says",
      pictures_are_prepared_as_the_configuration_says);
  ADD ("a-resnet-opens", a_resnet_opens);
  return g_test_run ();
}
