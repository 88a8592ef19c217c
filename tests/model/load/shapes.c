/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The architecture told from tensors alone, as OpenAI's builder does, and what
 * they do not tell. */

#include "opening.h"

static TestTensor *
find (GPtrArray *tensors, const gchar *name)
{
  return test_tensors_find (tensors, name);
}

static gchar *
write_bare (GPtrArray *tensors)
{
  gchar *folder = test_model_folder ();

  add_scalar (tensors, "input_resolution");
  test_model_write (folder, WEIGHTS, tensors, TRUE);
  return folder;
}

static void
what_is_not_stored_goes_by_the_publisher (void)
{
  g_autoptr (ClipCheckpoint) openai =
      open_and_remove (new_openai (&test_model_clip));
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_chinese);
  g_autoptr (ClipCheckpoint) chinese = NULL;
  const ClipConfig *config = clip_checkpoint_get_config (openai);
  gchar *folder = test_model_folder ();

  g_assert_cmpstr (config->dialect, ==, "openai");
  g_assert_cmpint (config->vision.activation, ==, CLIP_ACTIVATION_QUICK_GELU);
  g_assert_cmpint (config->text.activation, ==, CLIP_ACTIVATION_QUICK_GELU);
  g_assert_cmpfloat (config->vision.eps, ==, 1e-5f);
  g_assert_cmpfloat (config->text.eps, ==, 1e-5f);
  g_assert_cmpuint (config->vision.heads, ==, 1);
  g_assert_cmpuint (config->text.heads, ==, 2);
  g_assert_cmpuint (config->text.context_length, ==, 16);
  g_assert_cmpint (config->preprocess.mode, ==, CLIP_RESIZE_SHORTEST);
  g_assert_cmpint (config->preprocess.crop_rounding, ==, CLIP_CROP_HALF_EVEN);
  g_assert_cmpint (config->tokenizer.dialect, ==, CLIP_TOKENIZER_ORIGINAL);

  test_model_write (folder, WEIGHTS, tensors, TRUE);
  chinese = open_and_remove (folder);
  config = clip_checkpoint_get_config (chinese);
  g_assert_cmpstr (config->dialect, ==, "chinese-clip-original");
  g_assert_cmpint (config->vision.activation, ==, CLIP_ACTIVATION_QUICK_GELU);
  g_assert_cmpint (config->text.activation, ==, CLIP_ACTIVATION_GELU_ERF);
  g_assert_cmpfloat (config->vision.eps, ==, 1e-5f);
  g_assert_cmpfloat (config->text.eps, ==, 1e-12f);
  g_assert_cmpuint (config->text.heads, ==, 2);
  g_assert_cmpuint (config->text.context_length, ==, 52);
  g_assert_cmpuint (config->text.n_positions, ==, 60);
  g_assert_cmpint (config->preprocess.mode, ==, CLIP_RESIZE_SQUASH);
  g_assert_cmpfloat (config->preprocess.mean[0], ==, 0.48145466f);
  g_assert_cmpfloat (config->preprocess.std[2], ==, 0.27577711f);
  g_assert_cmpint (config->tokenizer.dialect, ==, CLIP_TOKENIZER_ORIGINAL);
}

/* OpenAI's and open_clip's models have the same names and not the same
 * activation. */
static void
an_activation_is_never_guessed (void)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  gchar *folder = test_model_folder ();

  test_model_write (folder, WEIGHTS, tensors, TRUE);
  REFUSED (
      folder, WEIGHTS, "does not tell its activation", "open_clip_config.json");
  /* openai/CLIP, convert_weights */
  test_tensors_halve (tensors);
  folder = test_model_folder ();
  test_model_write (folder, WEIGHTS, tensors, TRUE);
  checkpoint = open_and_remove (folder);
  g_assert_cmpstr (
      clip_checkpoint_get_config (checkpoint)->dialect, ==, "openai");
}

/* Pruned by machine: TinyCLIP-auto. */
static void
each_block_has_the_mlp_of_its_tensors (void)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  const ClipVisionTransformerTensors *vision;
  const ClipConfig *config;

  find (tensors, "visual.transformer.resblocks.1.mlp.c_fc.weight")->dims[0] =
      112;
  find (tensors, "visual.transformer.resblocks.1.mlp.c_fc.bias")->dims[0] = 112;
  find (tensors, "visual.transformer.resblocks.1.mlp.c_proj.weight")->dims[1] =
      112;
  checkpoint = open_and_remove (write_bare (tensors));
  config = clip_checkpoint_get_config (checkpoint);
  vision = clip_checkpoint_get_vision_transformer (checkpoint);
  g_assert_cmpuint (config->vision.mlp_width, ==, 112);
  g_assert_cmpuint (
      clip_tensor_get_dim (vision->blocks[0].fc.weight, 0), ==, 96);
  g_assert_cmpuint (
      clip_tensor_get_dim (vision->blocks[1].fc.weight, 0), ==, 112);
  g_assert_cmpuint (
      clip_tensor_get_dim (vision->blocks[1].proj.weight, 1), ==, 112);
}

static void
an_mlp_must_fit_in_itself (void)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);

  find (tensors, "transformer.resblocks.1.mlp.c_fc.weight")->dims[0] = 112;
  REFUSED (write_bare (tensors), "is not a whole model",
      "'transformer.resblocks.1.mlp.c_fc.bias' has the shape [160] instead of "
      "[112 (MLP)]",
      "'transformer.resblocks.1.mlp.c_proj.weight' has the shape [128, 160]");
}

static void
pruned_heads_are_named (void)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);

  find (tensors, "transformer.resblocks.1.attn.in_proj_weight")->dims[0] = 192;
  find (tensors, "transformer.resblocks.1.attn.in_proj_bias")->dims[0] = 192;
  find (tensors, "transformer.resblocks.1.attn.out_proj.weight")->dims[1] = 64;
  REFUSED (write_bare (tensors),
      "'transformer.resblocks.1.attn.in_proj_weight' has the shape [192, 128] "
      "instead of [384 (query, key, value), 128 (width)]");
}

/* A tensor's dimension, and what is said about it. */
static void
shapes_that_tell_nothing_are_named (void)
{
  static const struct {
    const gchar *tensor;
    guint dim;
    guint64 size;
    const gchar *message;
  } rows[] = {
    { "visual.positional_embedding", 0, 18,
        "'visual.positional_embedding' has 18 rows, which are not one more" },
    { "visual.positional_embedding", 0, 1, "dimension 1 must be 2 to" },
    { "visual.conv1.weight", 0, 96,
        "'visual.conv1.weight' is 96 wide, which is no multiple of 64" },
    { "visual.conv1.weight", 0, 0, "dimension 1 must be 1 to 16384" },
    { "visual.conv1.weight", 3, 4097, "dimension 4 must be 1 to" },
    { "visual.conv1.weight", 3, 16,
        "'visual.conv1.weight' has the shape [64, 3, 8, 16] instead of [64 "
        "(width), 3, 16 (patch), 16 (patch)]" },
    { "visual.proj", 1, 25, "'text_projection' has the shape [128, 24]" },
    { "ln_final.weight", 0, 96, "is 96 wide, which is no multiple of 64" },
    { "ln_final.weight", 0, 20000, "dimension 1 must be 1 to 16384" },
    { "positional_embedding", 0, 1, "dimension 1 must be 2 to 65536" },
    { "token_embedding.weight", 0, 2000000, "dimension 1 must be 4 to" },
    { "visual.transformer.resblocks.0.mlp.c_fc.weight", 0, 70000,
        "dimension 1 must be 1 to 65536" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);

    find (tensors, rows[i].tensor)->dims[rows[i].dim] = rows[i].size;
    REFUSED (write_bare (tensors), WEIGHTS, rows[i].message);
  }
}

static void
what_is_missing_is_named (void)
{
  static const gchar *const names[] = { "visual.conv1.weight", "visual.proj",
    "visual.positional_embedding", "token_embedding.weight", "ln_final.weight",
    "positional_embedding", "visual.class_embedding", "ln_final.bias",
    "visual.transformer.resblocks.0.mlp.c_fc.weight",
    "transformer.resblocks.1.attn.out_proj.bias", "logit_scale" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);

    g_ptr_array_remove (tensors, find (tensors, names[i]));
    REFUSED (write_bare (tensors), WEIGHTS, names[i]);
  }
}

static void
a_gap_between_blocks_is_named (void)
{
  TestModelSpec spec = test_model_clip;
  g_autoptr (GPtrArray) tensors = NULL;

  spec.vision.layers[0] = 3;
  tensors = test_model_tensors (&spec);
  g_ptr_array_remove (tensors,
      find (tensors, "visual.transformer.resblocks.1.mlp.c_fc.weight"));
  REFUSED (
      write_bare (tensors), "'visual.transformer.resblocks.1.", "is not known");
}

static void
a_resnet_is_told_too (void)
{
  static const struct {
    const gchar *tensor;
    guint64 size; /* of the first dimension */
    const gchar *message;
  } rows[] = {
    { "visual.attnpool.positional_embedding", 6, "6 rows, which are not one" },
    { "visual.conv3.weight", 11, "an even one" },
    { "visual.attnpool.c_proj.weight", 20000,
        "dimension 1 must be 1 to 16384" },
  };
  const TestModelSpec spec = { 24, { 96, 12, { 1, 2, 1, 1 }, 0, 6, 0 },
    test_model_clip.text };
  g_autoptr (ClipCheckpoint) checkpoint = open_and_remove (new_openai (&spec));
  const ClipConfig *config = clip_checkpoint_get_config (checkpoint);

  g_assert_cmpint (config->vision.kind, ==, CLIP_VISION_MODIFIED_RESNET);
  g_assert_cmpuint (config->vision.image_size, ==, 96);
  g_assert_cmpuint (config->vision.stage_layers[1], ==, 2);
  g_assert_cmpuint (config->vision.heads, ==, 6);
  g_assert_nonnull (clip_checkpoint_get_text_transformer (checkpoint));
  g_assert_null (clip_checkpoint_get_vision_transformer (checkpoint));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) tensors = test_model_tensors (&spec);

    find (tensors, rows[i].tensor)->dims[0] = rows[i].size;
    REFUSED (write_bare (tensors), WEIGHTS, rows[i].message);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/load/shapes/" name, function)
  ADD ("what-is-not-stored-goes-by-the-publisher",
      what_is_not_stored_goes_by_the_publisher);
  ADD ("an-activation-is-never-guessed", an_activation_is_never_guessed);
  ADD ("each-block-has-the-mlp-of-its-tensors",
      each_block_has_the_mlp_of_its_tensors);
  ADD ("an-mlp-must-fit-in-itself", an_mlp_must_fit_in_itself);
  ADD ("pruned-heads-are-named", pruned_heads_are_named);
  ADD (
      "shapes-that-tell-nothing-are-named", shapes_that_tell_nothing_are_named);
  ADD ("what-is-missing-is-named", what_is_missing_is_named);
  ADD ("a-gap-between-blocks-is-named", a_gap_between_blocks_is_named);
  ADD ("a-resnet-is-told-too", a_resnet_is_told_too);
  return g_test_run ();
}
