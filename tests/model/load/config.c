/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the configuration files say, and what they may not say. */

#include "checkpoints.h"
#include "config-cases.h"
#include "load/load.h"
#include "support.h"

#include <glib/gstdio.h>
#include <string.h>

static gchar *
new_folder (void)
{
  TestCheckpointSpec spec = test_checkpoint_a;

  spec.sparse = TRUE;
  return test_checkpoint_new (&spec);
}

static void
apply (const gchar *folder, const ConfigCase *row)
{
  if (row->from != NULL) {
    test_checkpoint_edit (folder, row->file, row->from, row->to);
  } else if (row->to != NULL) {
    test_checkpoint_write (folder, row->file, row->to);
  } else {
    g_autofree gchar *path = g_build_filename (folder, row->file, NULL);
    g_assert_cmpint (g_remove (path), ==, 0);
  }
}

static void
a_case (gconstpointer user_data)
{
  const ConfigCase *row = user_data;
  gchar *folder = new_folder ();
  g_autofree gchar *path = g_build_filename (folder, row->file, NULL);
  g_autoptr (GError) error = NULL;

  apply (folder, row);
  g_assert_null (clip_checkpoint_open (folder, &error));
  g_assert_error (error, CLIP_ERROR, (gint)row->code);
  if (strstr (error->message, path) == NULL ||
      strstr (error->message, row->messages[0]) == NULL ||
      strstr (error->message, row->messages[1]) == NULL)
    g_error ("got: %s; expected: %s, %s, %s", error->message, path,
        row->messages[0], row->messages[1]);
  test_checkpoint_remove (folder);
}

/* Opens the folder, which is deleted; only the config is asked afterwards. */
static ClipCheckpoint *
open_and_remove (gchar *folder)
{
  g_autoptr (GError) error = NULL;
  ClipCheckpoint *checkpoint = clip_checkpoint_open (folder, &error);

  g_assert_no_error (error);
  test_checkpoint_remove (folder);
  return checkpoint;
}

/* The files of the demonstration model, read by a person. */
static void
the_demo_model_says_what_its_files_say (void)
{
  g_autofree gchar *folder = test_source ("../pipelines/demo-model");
  g_autofree gchar *vocab = g_build_filename (folder, "vocab.txt", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = clip_checkpoint_open (folder, &error);
  const ClipConfig *config;

  g_assert_no_error (error);
  config = clip_checkpoint_get_config (checkpoint);
  g_assert_cmpstr (config->dialect, ==, "chinese-clip-original");
  g_assert_cmpuint (config->embed_dim, ==, 256);
  g_assert_cmpint (config->vision.kind, ==, CLIP_VISION_MODIFIED_RESNET);
  g_assert_cmpuint (config->vision.image_size, ==, 96);
  g_assert_cmpuint (config->vision.width, ==, 32);
  g_assert_cmpuint (config->vision.heads, ==, 16);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (config->vision.stage_layers[i], ==, 2);
  g_assert_cmpint (config->text.kind, ==, CLIP_TEXT_BERT);
  g_assert_cmpuint (config->text.width, ==, 192);
  g_assert_cmpuint (config->text.heads, ==, 4);
  g_assert_cmpuint (config->text.n_layers, ==, 4);
  g_assert_cmpuint (config->text.mlp_width, ==, 768);
  g_assert_cmpuint (config->text.vocab_size, ==, 3410);
  g_assert_cmpuint (config->text.context_length, ==, 52);
  g_assert_cmpuint (config->text.n_positions, ==, 52);
  g_assert_cmpuint (config->text.n_token_types, ==, 2);
  g_assert_cmpint (config->text.activation, ==, CLIP_ACTIVATION_GELU_ERF);
  g_assert_cmpfloat (config->text.eps, ==, 1e-12f);
  g_assert_cmpint (config->preprocess.mode, ==, CLIP_RESIZE_SHORTEST);
  g_assert_cmpint (
      config->preprocess.interpolation, ==, CLIP_INTERPOLATION_BICUBIC);
  g_assert_cmpint (config->preprocess.crop_rounding, ==, CLIP_CROP_HALF_EVEN);
  g_assert_cmpuint (config->preprocess.resize_size, ==, 96);
  g_assert_cmpuint (config->preprocess.crop_size, ==, 96);
  g_assert_cmpfloat (config->preprocess.mean[1], ==, 0.4578275f);
  g_assert_cmpfloat (config->preprocess.std[2], ==, 0.27577711f);
  g_assert_cmpint (config->tokenizer.kind, ==, CLIP_TOKENIZER_WORDPIECE);
  g_assert_cmpint (config->tokenizer.dialect, ==, CLIP_TOKENIZER_ORIGINAL);
  g_assert_cmpstr (config->tokenizer.vocab, ==, vocab);
}

static void
what_may_be_left_out_has_its_default (void)
{
  gchar *folder = new_folder ();
  g_autofree gchar *tokenizer =
      g_build_filename (folder, "tokenizer_config.json", NULL);
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  const ClipConfig *config;

  g_assert_cmpint (g_remove (tokenizer), ==, 0);
  test_checkpoint_edit (folder, CONFIG, "\"text_hidden_act\": \"gelu\",", "");
  test_checkpoint_write (folder, PREPROCESSOR,
      "{ \"size\": 64, \"crop_size\": 64, \"image_mean\": [0, 0.5, 1],"
      "  \"image_std\": [1, 1, 1] }");
  checkpoint = open_and_remove (folder);
  config = clip_checkpoint_get_config (checkpoint);
  g_assert_cmpint (config->text.activation, ==, CLIP_ACTIVATION_GELU_ERF);
  g_assert_cmpfloat (config->text.eps, ==, 1e-12f);
  /* 52 as Chinese-CLIP has it, but no more than there are positions. */
  g_assert_cmpuint (config->text.context_length, ==, 32);
  g_assert_cmpint (
      config->preprocess.interpolation, ==, CLIP_INTERPOLATION_BICUBIC);
  g_assert_cmpint (config->preprocess.mode, ==, CLIP_RESIZE_SHORTEST);
  g_assert_cmpfloat (config->preprocess.mean[1], ==, 0.5f);
}

static void
what_is_said_is_kept (void)
{
  gchar *folder = new_folder ();
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  const ClipConfig *config;

  test_checkpoint_edit (folder, CONFIG, "\"gelu\"", "\"gelu_new\"");
  test_checkpoint_edit (folder, CONFIG, "\"embed_dim\"",
      "\"text_context_length\": 20, \"text_layer_norm_eps\": 1e-5,"
      " \"text_pooling\": \"cls\", \"embed_dim\"");
  test_checkpoint_edit (
      folder, PREPROCESSOR, "\"resample\": 3", "\"resample\": 2");
  checkpoint = open_and_remove (folder);
  config = clip_checkpoint_get_config (checkpoint);
  g_assert_cmpint (config->text.activation, ==, CLIP_ACTIVATION_GELU_TANH);
  g_assert_cmpfloat (config->text.eps, ==, 1e-5f);
  g_assert_cmpuint (config->text.context_length, ==, 20);
  g_assert_cmpint (
      config->preprocess.interpolation, ==, CLIP_INTERPOLATION_BILINEAR);
}

/* model-spec 6.1: the three ways of writing "size", crops of both styles. */
static void
each_style_of_sizes_is_understood (void)
{
  static const struct {
    const gchar *size, *crop;
    ClipResizeMode mode;
    guint resize_size;
  } styles[] = {
    { "64", "64", CLIP_RESIZE_SHORTEST, 64 },
    { "72", "{ \"height\": 64, \"width\": 64 }", CLIP_RESIZE_SHORTEST, 72 },
    { "{ \"shortest_edge\": 80 }", "64", CLIP_RESIZE_SHORTEST, 80 },
    { "{ \"height\": 64, \"width\": 64 }", "64", CLIP_RESIZE_SQUASH, 64 },
    { "{ \"height\": 64, \"width\": 64 }", "null", CLIP_RESIZE_SQUASH, 64 },
    { "{ \"height\": 64, \"width\": 64 }", "7, \"do_center_crop\": false",
        CLIP_RESIZE_SQUASH, 64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (styles); i++) {
    gchar *folder = new_folder ();
    g_autofree gchar *text = g_strdup_printf (
        "{ \"size\": %s, \"crop_size\": %s, \"image_mean\": [0, 0, 0],"
        "  \"image_std\": [1, 1, 1] }",
        styles[i].size, styles[i].crop);
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    const ClipPreprocessConfig *preprocess;

    test_checkpoint_write (folder, PREPROCESSOR, text);
    checkpoint = open_and_remove (folder);
    preprocess = &clip_checkpoint_get_config (checkpoint)->preprocess;
    g_assert_cmpint (preprocess->mode, ==, styles[i].mode);
    g_assert_cmpuint (preprocess->resize_size, ==, styles[i].resize_size);
    g_assert_cmpuint (preprocess->crop_size, ==, 64);
  }
}

static void
a_configuration_of_megabytes_is_refused (void)
{
  gchar *folder = new_folder ();
  g_autofree gchar *blanks = g_strnfill (1024 * 1024, ' ');
  g_autofree gchar *text = g_strconcat ("{", blanks, "}", NULL);
  g_autoptr (GError) error = NULL;

  test_checkpoint_write (folder, CONFIG, text);
  g_assert_null (clip_checkpoint_open (folder, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "has 1048578 bytes"));
  test_checkpoint_remove (folder);
}

static void
activations_have_names (void)
{
  g_assert_cmpstr (
      clip_activation_get_name (CLIP_ACTIVATION_QUICK_GELU), ==, "quick-gelu");
  g_assert_cmpstr (
      clip_activation_get_name (CLIP_ACTIVATION_GELU_ERF), ==, "gelu");
  g_assert_cmpstr (
      clip_activation_get_name (CLIP_ACTIVATION_GELU_TANH), ==, "gelu-tanh");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/load/config/" name, function)
  ADD ("the-demo-model-says-what-its-files-say",
      the_demo_model_says_what_its_files_say);
  ADD ("what-may-be-left-out-has-its-default",
      what_may_be_left_out_has_its_default);
  ADD ("what-is-said-is-kept", what_is_said_is_kept);
  ADD ("each-style-of-sizes-is-understood", each_style_of_sizes_is_understood);
  ADD ("a-configuration-of-megabytes-is-refused",
      a_configuration_of_megabytes_is_refused);
  ADD ("activations-have-names", activations_have_names);
  for (guint i = 0; i < G_N_ELEMENTS (config_cases); i++) {
    g_autofree gchar *name =
        g_strdup_printf ("/load/config/refused/%u-%s", i, config_cases[i].name);
    g_test_add_data_func (name, &config_cases[i], a_case);
  }
  return g_test_run ();
}
