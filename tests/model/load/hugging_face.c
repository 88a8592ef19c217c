/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* config.json of CLIPModel and ChineseCLIPModel, preprocessor_config.json and
 * the vocabularies beside them (model-spec 1.5, 4.6, 6.1). */

#include "opening.h"

#define CONFIG "config.json"
#define PREPROCESSOR "preprocessor_config.json"

static gchar *
new_folder (const TestModelSpec *spec)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors_hugging_face (spec);
  gchar *folder = test_model_folder ();

  test_model_write_hugging_face (folder, spec);
  test_model_write (folder, WEIGHTS, tensors, TRUE);
  return folder;
}

static gchar *
new_edited (const TestModelSpec *spec, const gchar *from, const gchar *to)
{
  gchar *folder = new_folder (spec);

  test_checkpoint_edit (folder, CONFIG, from, to);
  return folder;
}

/* The defaults of model-spec 1.5, written down as shapes. */
static void
what_is_absent_has_the_default_of_its_class (void)
{
  static const struct {
    TestModelSpec spec;
    const gchar *config;
    ClipActivation text_activation;
    gfloat text_eps;
    guint context_length;
  } rows[] = {
    { { 512, { 224, 768, { 12 }, 32, 12, 3072 },
          { 512, 12, 8, 2048, 49408, 77, FALSE } },
        "{ \"model_type\": \"clip\" }", CLIP_ACTIVATION_QUICK_GELU, 1e-5f, 77 },
    { { 512, { 224, 768, { 12 }, 32, 12, 3072 },
          { 768, 12, 12, 3072, 30522, 512, TRUE } },
        "{ \"model_type\": \"chinese_clip\", \"text_config\": {} }",
        CLIP_ACTIVATION_GELU_ERF, 1e-12f, 52 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gchar *folder = new_folder (&rows[i].spec);
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    const ClipConfig *config;

    test_checkpoint_write (folder, CONFIG, rows[i].config);
    checkpoint = open_and_remove (folder);
    config = clip_checkpoint_get_config (checkpoint);
    g_assert_cmpuint (config->vision.heads, ==, 12);
    g_assert_cmpuint (config->text.heads, ==, rows[i].spec.text.heads);
    g_assert_cmpuint (config->text.context_length, ==, rows[i].context_length);
    g_assert_cmpint (config->vision.activation, ==, CLIP_ACTIVATION_QUICK_GELU);
    g_assert_cmpint (config->text.activation, ==, rows[i].text_activation);
    g_assert_cmpfloat (config->vision.eps, ==, 1e-5f);
    g_assert_cmpfloat (config->text.eps, ==, rows[i].text_eps);
  }
}

/* Old files have it twice, and only the second is right. */
static void
the_second_of_two_configurations_counts (void)
{
  static const gchar text_dict[] =
      "\"text_config_dict\": { \"hidden_size\": 128, \"vocab_size\": 64,"
      " \"intermediate_size\": 160, \"num_attention_heads\": 2,"
      " \"num_hidden_layers\": 2, \"max_position_embeddings\": 16 },"
      " \"text_config\": { \"layer_norm_eps\": 1e-3, ";
  gchar *folder =
      new_edited (&test_model_clip, "\"text_config\": { ", text_dict);
  g_autoptr (ClipCheckpoint) checkpoint = NULL;

  test_checkpoint_edit (folder, CONFIG, "\"vision_config\": {",
      "\"vision_config_dict\": null, \"vision_config\": {"
      " \"layer_norm_eps\": 1e-3, ");
  test_checkpoint_edit (folder, CONFIG,
      "\"hidden_size\": 128, \"intermediate_size\": 160",
      "\"hidden_size\": 96, \"intermediate_size\": 7");
  checkpoint = open_and_remove (folder);
  /* Completed with the defaults, not with what the first says. */
  g_assert_cmpfloat (
      clip_checkpoint_get_config (checkpoint)->text.eps, ==, 1e-5f);
  g_assert_cmpfloat (
      clip_checkpoint_get_config (checkpoint)->vision.eps, ==, 1e-3f);
}

static void
each_tower_has_its_activation (void)
{
  static const struct {
    const gchar *word;
    ClipActivation activation;
  } rows[] = {
    { "quick_gelu", CLIP_ACTIVATION_QUICK_GELU },
    { "gelu", CLIP_ACTIVATION_GELU_ERF },
    { "gelu_new", CLIP_ACTIVATION_GELU_TANH },
    { "gelu_pytorch_tanh", CLIP_ACTIVATION_GELU_TANH },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *to = g_strdup_printf (
        "\"text_config\": { \"hidden_act\": \"%s\", ", rows[i].word);
    g_autoptr (ClipCheckpoint) checkpoint = open_and_remove (
        new_edited (&test_model_clip, "\"text_config\": { ", to));
    const ClipConfig *config = clip_checkpoint_get_config (checkpoint);

    g_assert_cmpint (config->text.activation, ==, rows[i].activation);
    g_assert_cmpint (config->vision.activation, ==, CLIP_ACTIVATION_QUICK_GELU);
  }
}

#define TEXT "\"text_config\": { "
#define VISION "\"vision_config\": { "

static void
what_is_not_supported_is_refused (void)
{
  static const struct {
    gboolean is_chinese;
    const gchar *from, *to, *key, *message;
  } rows[] = {
    { FALSE, "\"clip\"", "\"siglip\"", "model_type", "is 'siglip'" },
    { FALSE, "\"clip\"", "\"clip_vision_model\"", "model_type",
        "is 'clip_vision_model'" },
    { FALSE, "\"clip\"", "\"altclip\"", "model_type", "is 'altclip'" },
    { FALSE, "\"clip\"", "\"clipseg\"", "model_type", "is 'clipseg'" },
    { FALSE, "\"clip\"", "\"chinese_clip\"", "model_type",
        "are called as those of 'clip' are" },
    { FALSE, "\"clip\"", "\"chinese_clip_original\"", "model_type",
        "are called as those of 'clip' are" },
    { TRUE, "\"chinese_clip\"", "\"clip\"", "model_type",
        "are called as those of 'chinese_clip' are" },
    { TRUE, TEXT, TEXT "\"position_embedding_type\": \"relative_key\", ",
        "text_config.position_embedding_type", "only 'absolute'" },
    { FALSE, TEXT, TEXT "\"hidden_act\": \"silu\", ", "text_config.hidden_act",
        "is 'silu'" },
    { FALSE, TEXT, TEXT "\"layer_norm_eps\": 0, ", "text_config.layer_norm_eps",
        "is not a number above 0" },
    { FALSE, "\"num_channels\": 3", "\"num_channels\": 4",
        "vision_config.num_channels", "is 4; it must be 3 to 3" },
    { FALSE, "\"patch_size\": 8", "\"patch_size\": 7",
        "vision_config.patch_size", "does not divide \"image_size\", 32" },
    { FALSE, "\"image_size\": 32", "\"image_size\": [32, 32]",
        "vision_config.image_size", "is not a whole number" },
    { FALSE, "\"num_attention_heads\": 2", "\"num_attention_heads\": 3",
        "text_config.num_attention_heads", "does not divide \"hidden_size\"" },
    { FALSE, "\"vision_config\": {", "\"vision_config\": 1, \"x\": {",
        "vision_config", "is not an object" },
    { FALSE, VISION, "\"vision_config_dict\": [], " VISION,
        "vision_config_dict", "is not an object" },
    { FALSE, "\"projection_dim\": 24", "\"projection_dim\": 0",
        "projection_dim", "it must be 1 to" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    REFUSED (
        new_edited (rows[i].is_chinese ? &test_model_chinese : &test_model_clip,
            rows[i].from, rows[i].to),
        CONFIG, rows[i].key, rows[i].message);
}

static void
tensors_that_disagree_are_named_with_the_configuration (void)
{
  static const struct {
    const gchar *from, *to, *message;
  } rows[] = {
    { "\"projection_dim\": 24", "\"projection_dim\": 32",
        "'visual_projection.weight' has the shape [24, 64] instead of [32 "
        "(embedding), 64 (width)]" },
    { "\"intermediate_size\": 96", "\"intermediate_size\": 256",
        "'vision_model.encoder.layers.0.mlp.fc1.weight'" },
    { "\"image_size\": 32", "\"image_size\": 64",
        "'vision_model.embeddings.position_embedding.weight'" },
    { "\"vocab_size\": 64", "\"vocab_size\": 49408",
        "'text_model.embeddings.token_embedding.weight' has the shape [64, 128]"
        " instead of [49408 (vocabulary), 128 (width)]" },
    { "\"hidden_size\": 128", "\"hidden_size\": 64",
        "'text_model.encoder.layers.0.self_attn.q_proj.weight' has the shape "
        "[128, 128] instead of its share of [192 (query, key, value), 64" },
    { "\"max_position_embeddings\": 16", "\"max_position_embeddings\": 77",
        "'text_model.embeddings.position_embedding.weight'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    REFUSED (new_edited (&test_model_clip, rows[i].from, rows[i].to), CONFIG,
        WEIGHTS, "is not the model that", rows[i].message);
}

static void
a_folder_without_config_is_refused (void)
{
  gchar *folder = new_folder (&test_model_clip);

  remove_file (folder, CONFIG);
  assert_refused (
      folder, CLIP_ERROR_NOT_FOUND, (const gchar *const[]){ CONFIG, NULL });
}

#define MEANS "\"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [1, 1, 1]"

static void
pictures_are_prepared_as_the_publisher_does (void)
{
  static const struct {
    gboolean is_chinese;
    const gchar *preprocessor; /* NULL: there is none */
    ClipResizeMode mode;
    guint resize_size;
    gfloat mean;
  } rows[] = {
    { FALSE, NULL, CLIP_RESIZE_SHORTEST, 32, 0.48145466f },
    { TRUE, NULL, CLIP_RESIZE_SQUASH, 32, 0.48145466f },
    { FALSE, "{ \"size\": 36, \"crop_size\": 32, " MEANS " }",
        CLIP_RESIZE_SHORTEST, 36, 0.5f },
    { TRUE, "{ \"size\": 32, \"do_center_crop\": false, " MEANS " }",
        CLIP_RESIZE_SQUASH, 32, 0.5f },
    { TRUE,
        "{ \"size\": { \"height\": 32, \"width\": 32 }, "
        "  \"crop_size\": 32, " MEANS " }",
        CLIP_RESIZE_SQUASH, 32, 0.5f },
    { FALSE,
        "{ \"size\": { \"shortest_edge\": 32 }, \"crop_size\": "
        "  { \"height\": 32, \"width\": 32 }, " MEANS " }",
        CLIP_RESIZE_SHORTEST, 32, 0.5f },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gchar *folder = new_folder (
        rows[i].is_chinese ? &test_model_chinese : &test_model_clip);
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    const ClipPreprocessConfig *preprocess;

    if (rows[i].preprocessor != NULL)
      test_checkpoint_write (folder, PREPROCESSOR, rows[i].preprocessor);
    checkpoint = open_and_remove (folder);
    preprocess = &clip_checkpoint_get_config (checkpoint)->preprocess;
    g_assert_cmpint (preprocess->mode, ==, rows[i].mode);
    g_assert_cmpint (preprocess->crop_rounding, ==, CLIP_CROP_FLOOR);
    g_assert_cmpuint (preprocess->resize_size, ==, rows[i].resize_size);
    g_assert_cmpuint (preprocess->crop_size, ==, 32);
    g_assert_cmpfloat (preprocess->mean[1], ==,
        rows[i].preprocessor != NULL ? rows[i].mean : 0.4578275f);
  }
}

static void
assert_is (const gchar *path, const gchar *name)
{
  g_autofree gchar *found = path != NULL ? g_path_get_basename (path) : NULL;

  g_assert_cmpstr (found, ==, name);
}

static void
the_vocabulary_beside_is_found (void)
{
  static const struct {
    gboolean is_chinese;
    const gchar *files[3];
    const gchar *vocab, *merges;
  } rows[] = {
    { FALSE, { "vocab.json", "merges.txt", "tokenizer.json" }, "vocab.json",
        "merges.txt" },
    { FALSE, { "tokenizer.json" }, "tokenizer.json", NULL },
    { FALSE, { "vocab.json", "tokenizer.json" }, "tokenizer.json", NULL },
    { FALSE, { "bpe_simple_vocab_16e6.txt" }, "bpe_simple_vocab_16e6.txt",
        NULL },
    { FALSE, { "bpe_simple_vocab_16e6.txt.gz", "vocab.txt" },
        "bpe_simple_vocab_16e6.txt.gz", NULL },
    { FALSE, { "merges.txt" }, "merges.txt", NULL },
    { TRUE, { "vocab.txt", "tokenizer.json" }, "vocab.txt", NULL },
    { TRUE, { "tokenizer.json", "merges.txt" }, "tokenizer.json", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gchar *folder = new_folder (
        rows[i].is_chinese ? &test_model_chinese : &test_model_clip);
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    const ClipTokenizerConfig *tokenizer;

    remove_file (folder, "vocab.json");
    remove_file (folder, "merges.txt");
    remove_file (folder, "vocab.txt");
    for (guint j = 0; j < 3 && rows[i].files[j] != NULL; j++)
      test_checkpoint_write (folder, rows[i].files[j], "x");
    checkpoint = open_and_remove (folder);
    tokenizer = &clip_checkpoint_get_config (checkpoint)->tokenizer;
    g_assert_cmpint (tokenizer->kind, ==,
        rows[i].is_chinese ? CLIP_TOKENIZER_WORDPIECE : CLIP_TOKENIZER_BPE);
    g_assert_cmpint (tokenizer->dialect, ==, CLIP_TOKENIZER_HUGGING_FACE);
    assert_is (tokenizer->vocab, rows[i].vocab);
    assert_is (tokenizer->merges, rows[i].merges);
  }
}

static void
a_missing_vocabulary_is_named (void)
{
  gchar *folder = new_folder (&test_model_clip);

  remove_file (folder, "vocab.json");
  remove_file (folder, "merges.txt");
  assert_refused (folder, CLIP_ERROR_NOT_FOUND,
      (const gchar *const[]){ "vocab.json with merges.txt", "tokenizer.json",
          "bpe_simple_vocab_16e6.txt.gz", NULL });
  folder = new_folder (&test_model_chinese);
  remove_file (folder, "vocab.txt");
  assert_refused (folder, CLIP_ERROR_NOT_FOUND,
      (const gchar *const[]){ "vocab.txt, tokenizer.json", NULL });
}

static void
a_tokenizer_that_keeps_case_is_refused (void)
{
  gchar *folder = new_folder (&test_model_chinese);

  test_checkpoint_write (
      folder, "tokenizer_config.json", "{ \"do_lower_case\": false }");
  REFUSED (folder, "tokenizer_config.json", "\"do_lower_case\" is false");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                    \
  g_test_add_func ("/load/hugging-face/" name, function)
  ADD ("what-is-absent-has-the-default-of-its-class",
      what_is_absent_has_the_default_of_its_class);
  ADD ("the-second-of-two-configurations-counts",
      the_second_of_two_configurations_counts);
  ADD ("each-tower-has-its-activation", each_tower_has_its_activation);
  ADD ("what-is-not-supported-is-refused", what_is_not_supported_is_refused);
  ADD ("tensors-that-disagree-are-named-with-the-configuration",
      tensors_that_disagree_are_named_with_the_configuration);
  ADD (
      "a-folder-without-config-is-refused", a_folder_without_config_is_refused);
  ADD ("pictures-are-prepared-as-the-publisher-does",
      pictures_are_prepared_as_the_publisher_does);
  ADD ("the-vocabulary-beside-is-found", the_vocabulary_beside_is_found);
  ADD ("a-missing-vocabulary-is-named", a_missing_vocabulary_is_named);
  ADD ("a-tokenizer-that-keeps-case-is-refused",
      a_tokenizer_that_keeps_case_is_refused);
  return g_test_run ();
}
