/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* One model as each publisher writes it down: the same values arrive, and what
 * the names and the configuration tell is understood. */

#include "load/identity.h"
#include "opening.h"
#include "support.h"

#include <string.h>

/* The values of model-spec 9, by canonical name and order, both as floats and
 * as they are stored. */
static void
assert_values (const ClipTensor *tensor, const gchar *canonical)
{
  const gsize n = clip_tensor_get_n_elements (tensor);
  g_autofree gfloat *values = g_new (gfloat, n);
  g_autofree gfloat *raw = g_new (gfloat, n);
  g_autoptr (GError) error = NULL;

  clip_tensor_read_f32 (tensor, values, &error);
  g_assert_no_error (error);
  g_assert_cmpint (clip_tensor_get_dtype (tensor), ==, CLIP_DTYPE_F32);
  clip_tensor_read_raw (tensor, raw, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < n; i++) {
    const gfloat expected = test_tensor_value (
        canonical, clip_tensor_get_n_dims (tensor), (guint32)i);

    if (values[i] != expected || raw[i] != expected)
      g_error ("%s[%" G_GSIZE_FORMAT "] is %g and %g, expected %g", canonical,
          i, (gdouble)values[i], (gdouble)raw[i], (gdouble)expected);
  }
}

static void
assert_affine (const ClipAffineTensors *affine, const gchar *prefix,
    const gchar *name, const gchar *separator)
{
  g_autofree gchar *weight =
      g_strconcat (prefix, name, separator, "weight", NULL);
  g_autofree gchar *bias = g_strconcat (prefix, name, separator, "bias", NULL);

  assert_values (affine->weight, weight);
  assert_values (affine->bias, bias);
}

static void
assert_blocks (
    const ClipBlockTensors *blocks, guint n_blocks, const gchar *tower)
{
  for (guint i = 0; i < n_blocks; i++) {
    g_autofree gchar *prefix =
        g_strdup_printf ("%stransformer.resblocks.%u.", tower, i);

    assert_affine (&blocks[i].ln_1, prefix, "ln_1", ".");
    assert_affine (&blocks[i].qkv, prefix, "attn.in_proj", "_");
    assert_affine (&blocks[i].out, prefix, "attn.out_proj", ".");
    assert_affine (&blocks[i].ln_2, prefix, "ln_2", ".");
    assert_affine (&blocks[i].fc, prefix, "mlp.c_fc", ".");
    assert_affine (&blocks[i].proj, prefix, "mlp.c_proj", ".");
  }
}

static void
assert_vision (const ClipCheckpoint *checkpoint)
{
  const ClipVisionTransformerTensors *tower =
      clip_checkpoint_get_vision_transformer (checkpoint);

  assert_values (tower->conv1, "visual.conv1.weight");
  assert_values (tower->class_embedding, "visual.class_embedding");
  assert_values (tower->positional_embedding, "visual.positional_embedding");
  assert_affine (&tower->ln_pre, "visual.", "ln_pre", ".");
  g_assert_cmpuint (tower->n_blocks, ==, 2);
  assert_blocks (tower->blocks, tower->n_blocks, "visual.");
  assert_affine (&tower->ln_post, "visual.", "ln_post", ".");
  g_assert_cmpuint (clip_tensor_get_dim (tower->proj, 0), ==, 64);
  g_assert_cmpuint (clip_tensor_get_dim (tower->proj, 1), ==, 24);
  assert_values (tower->proj, "visual.proj");
  g_assert_null (clip_checkpoint_get_modified_resnet (checkpoint));
}

static void
assert_text (const ClipCheckpoint *checkpoint)
{
  const ClipTextTransformerTensors *tower =
      clip_checkpoint_get_text_transformer (checkpoint);

  assert_values (tower->token_embedding, "token_embedding.weight");
  assert_values (tower->positional_embedding, "positional_embedding");
  g_assert_cmpuint (tower->n_blocks, ==, 2);
  assert_blocks (tower->blocks, tower->n_blocks, "");
  assert_affine (&tower->ln_final, "", "ln_final", ".");
  g_assert_cmpuint (clip_tensor_get_dim (tower->text_projection, 0), ==, 128);
  assert_values (tower->text_projection, "text_projection");
  g_assert_null (clip_checkpoint_get_bert (checkpoint));
}

/* Query, key and value one below the other, projections turned. */
static void
each_naming_brings_the_same_values (void)
{
  gchar *folders[] = { new_open_clip (&test_model_clip, ""),
    new_hugging_face (&test_model_clip) };

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autoptr (ClipCheckpoint) checkpoint = open_and_remove (folders[i]);

    assert_vision (checkpoint);
    assert_text (checkpoint);
  }
}

/* What is turned is turned as it is stored, too. */
static void
a_projection_in_half_precision_arrives_as_it_is (void)
{
  const TestCheckpointSpec half = { .dtype = CLIP_DTYPE_F16,
    .rounded_to = CLIP_DTYPE_F16 };
  g_autoptr (GPtrArray) tensors =
      test_model_tensors_hugging_face (&test_model_clip);
  gchar *folder = test_model_folder ();
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  const ClipTensor *proj;
  gfloat values[64 * 24], converted[64 * 24];
  guint16 raw[64 * 24];

  test_model_write_hugging_face (folder, &test_model_clip);
  test_checkpoint_write_tensors (folder, &half, tensors);
  checkpoint = open_and_remove (folder);
  proj = clip_checkpoint_get_vision_transformer (checkpoint)->proj;
  g_assert_cmpuint (
      clip_tensor_get_n_elements (proj), ==, G_N_ELEMENTS (values));
  g_assert_true (clip_tensor_read_f32 (proj, values, NULL));
  g_assert_true (clip_tensor_read_raw (proj, raw, NULL));
  clip_dtype_to_f32 (CLIP_DTYPE_F16, raw, converted, G_N_ELEMENTS (values));
  g_assert_cmpmem (values, sizeof values, converted, sizeof converted);
  /* Half precision has 11 bits, the values are below 1/8. */
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    g_assert_cmpfloat_with_epsilon (
        values[i], test_tensor_value ("visual.proj", 2, i), 0x1p-15f);
}

/* The files that are read stay open. (transfer full) */
static gfloat *
read_all (const ClipTensor *tensor)
{
  gfloat *values = g_new (gfloat, clip_tensor_get_n_elements (tensor));

  g_assert_true (clip_tensor_read_f32 (tensor, values, NULL));
  return values;
}

static void
assert_same (const ClipTensor *a, const ClipTensor *b)
{
  g_autofree gfloat *a_values = read_all (a);
  g_autofree gfloat *b_values = read_all (b);

  g_assert_cmpmem (a_values, clip_tensor_get_n_elements (a) * sizeof *a_values,
      b_values, clip_tensor_get_n_elements (b) * sizeof *b_values);
}

static void
bert_has_the_same_values_by_either_name (void)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_chinese);
  gchar *folder = test_model_folder ();
  g_autoptr (ClipCheckpoint) original = NULL;
  g_autoptr (ClipCheckpoint) other = NULL;
  const ClipBertTensors *a, *b;

  test_tensors_prefix (tensors, "", "module.");
  test_model_write (folder, WEIGHTS, tensors, FALSE);
  original = open_and_remove (folder);
  other = open_and_remove (new_hugging_face (&test_model_chinese));
  a = clip_checkpoint_get_bert (original);
  b = clip_checkpoint_get_bert (other);
  assert_vision (original);
  assert_vision (other);
  assert_values (b->word_embeddings, "bert.embeddings.word_embeddings.weight");
  assert_same (a->word_embeddings, b->word_embeddings);
  assert_same (a->position_embeddings, b->position_embeddings);
  assert_same (a->token_type_embeddings, b->token_type_embeddings);
  assert_same (a->ln.weight, b->ln.weight);
  assert_same (a->blocks[0].qkv.weight, b->blocks[0].qkv.weight);
  assert_same (a->blocks[0].ln_2.bias, b->blocks[0].ln_2.bias);
  assert_same (a->text_projection, b->text_projection);
  assert_values (b->text_projection, "text_projection");
}

/* "module." before all, "text." before the text side, and both. */
static void
prefixes_of_training_are_cut_off (void)
{
  static const gchar *const text_parts[] = { "transformer.", "token_embedding.",
    "positional_embedding", "ln_final.", "text_projection" };

  for (guint form = 1; form < 4; form++) {
    g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    gchar *folder = test_model_folder ();

    if (form & 1)
      test_tensors_prefix (tensors, "", "module.");
    for (guint i = 0; form & 2 && i < G_N_ELEMENTS (text_parts); i++) {
      g_autofree gchar *from =
          g_strconcat (form & 1 ? "module." : "", text_parts[i], NULL);
      test_tensors_prefix (tensors, from, form & 1 ? "module.text." : "text.");
    }
    test_model_write_open_clip (folder, &test_model_clip, "");
    test_model_write (folder, WEIGHTS, tensors, FALSE);
    checkpoint = open_and_remove (folder);
    assert_vision (checkpoint);
    assert_text (checkpoint);
  }
}

static void
a_tensor_with_and_without_prefix_is_refused (void)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);
  gchar *folder = test_model_folder ();

  add_scalar (tensors, "text.logit_scale");
  test_model_write_open_clip (folder, &test_model_clip, "");
  test_model_write (folder, WEIGHTS, tensors, TRUE);
  REFUSED (folder, WEIGHTS, "'text.logit_scale' twice");
}

static gchar *
identify_and_remove (gchar *folder)
{
  g_autoptr (ClipCheckpoint) checkpoint = open_and_remove (folder);
  g_autoptr (GError) error = NULL;
  gchar *id = clip_checkpoint_identify (checkpoint, &error);

  g_assert_no_error (error);
  return id;
}

/* The file's form is no part of the id; activation, and what is cut off where,
 * are. */
static void
an_id_is_of_the_model_and_not_of_its_form (void)
{
  g_autofree gchar *openai =
      identify_and_remove (new_openai (&test_model_clip));
  g_autofree gchar *quick = identify_and_remove (
      new_open_clip (&test_model_clip, "\"quick_gelu\": true, "));
  g_autofree gchar *gelu =
      identify_and_remove (new_open_clip (&test_model_clip, ""));
  g_autofree gchar *hugging_face =
      identify_and_remove (new_hugging_face (&test_model_clip));

  g_assert_cmpstr (openai, ==, quick);
  g_assert_cmpstr (openai, !=, gelu);
  g_assert_cmpstr (openai, !=, hugging_face);
  g_assert_true (g_str_has_prefix (openai, "vit-64x2-8-32-"));
}

/* As identify, with the facts in which the two publishers differ made equal. */
static void
tensors_of_each_naming_have_one_digest (void)
{
  gchar *folders[] = { new_openai (&test_model_clip),
    new_hugging_face (&test_model_clip) };
  g_autofree gchar *first = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autoptr (ClipCheckpoint) checkpoint = open_and_remove (folders[i]);
    ClipConfig *config = (ClipConfig *)clip_checkpoint_get_config (checkpoint);
    g_autofree gchar *id = NULL;

    config->preprocess.crop_rounding = CLIP_CROP_FLOOR;
    config->tokenizer.dialect = CLIP_TOKENIZER_ORIGINAL;
    id = clip_checkpoint_identify (checkpoint, NULL);
    if (first != NULL)
      g_assert_cmpstr (id, ==, first);
    else
      first = g_steal_pointer (&id);
  }
}

static void
published_sizes_have_their_names (void)
{
  static const struct {
    ClipVisionConfig vision;
    const gchar *name;
  } rows[] = {
    { { CLIP_VISION_TRANSFORMER, 224, 768, .patch_size = 32, .n_layers = 12 },
        "vit-b-32-" },
    { { CLIP_VISION_TRANSFORMER, 336, 1024, .patch_size = 14, .n_layers = 24 },
        "vit-l-14-336-" },
    { { CLIP_VISION_TRANSFORMER, 224, 1280, .patch_size = 14, .n_layers = 32 },
        "vit-h-14-" },
    { { CLIP_VISION_TRANSFORMER, 224, 1664, .patch_size = 14, .n_layers = 48 },
        "vit-bigg-14-" },
    { { CLIP_VISION_TRANSFORMER, 240, 896, .patch_size = 16, .n_layers = 12 },
        "vit-896x12-16-240-" },
  };
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const ClipConfig config = { .vision = rows[i].vision };
    g_autofree gchar *id = clip_identity_new (&config, none, NULL, 0, NULL);
    const gsize size = strlen (rows[i].name);

    g_assert_cmpmem (id, size, rows[i].name, size);
    g_assert_cmpuint (strlen (id), ==, size + 12);
  }
}

/* laion's folders hold both; the configuration is that of the names. */
static void
one_of_two_pairs_is_taken (void)
{
  gchar *folder = new_open_clip (&test_model_clip, "");
  g_autofree gchar *open_clip =
      g_build_filename (folder, OPEN_CLIP_WEIGHTS, NULL);
  g_autoptr (GPtrArray) tensors =
      test_model_tensors_hugging_face (&test_model_clip);
  g_autoptr (ClipCheckpoint) taken = NULL;
  g_autoptr (ClipCheckpoint) named = NULL;

  test_model_write_hugging_face (folder, &test_model_clip);
  test_model_write (folder, WEIGHTS, tensors, TRUE);
  /* Neither is read where there are safetensors. */
  test_checkpoint_write (folder, "pytorch_model.bin", "PK");
  test_checkpoint_write (folder, "open_clip_pytorch_model.bin", "PK");
  taken = open_model (folder);
  named = open_model (open_clip);
  g_assert_cmpstr (
      clip_checkpoint_get_config (taken)->dialect, ==, "hugging-face-clip");
  g_assert_cmpstr (
      clip_checkpoint_get_config (named)->dialect, ==, "open-clip");
  remove_file (folder, WEIGHTS);
  g_clear_pointer (&taken, clip_checkpoint_free);
  taken = open_and_remove (folder);
  g_assert_cmpstr (
      clip_checkpoint_get_config (taken)->dialect, ==, "open-clip");
}

/* Chinese-CLIP's folders hold the original beside config.json of the other. */
static void
a_configuration_of_the_other_naming_is_not_read (void)
{
  gchar *folder = new_hugging_face (&test_model_chinese);
  g_autofree gchar *path = g_build_filename (folder, "original.pt", NULL);
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_chinese);
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  const ClipConfig *config;

  test_model_write (folder, "original.pt", tensors, TRUE);
  test_checkpoint_write (folder, "preprocessor_config.json", "{}");
  checkpoint = open_model (path);
  config = clip_checkpoint_get_config (checkpoint);
  g_assert_cmpstr (config->dialect, ==, "chinese-clip-original");
  g_assert_cmpint (config->tokenizer.dialect, ==, CLIP_TOKENIZER_ORIGINAL);
  test_checkpoint_remove (folder);
}

static void
other_architectures_are_named (void)
{
  static const struct {
    const gchar *tensor, *message;
  } rows[] = {
    { "logit_bias", "'logit_bias' belongs to SigLIP" },
    { "visual.trunk.norm.weight", "a timm picture tower" },
    { "text.transformer.embeddings.word_embeddings.weight",
        "a Hugging Face text tower" },
    { "text_decoder.ln_final.weight", "CoCa" },
    { "visual.attn_pool.query", "a pool by attention" },
    { "visual.transformer.resblocks.0.gate", "gate' is not known" },
    { "visual.transformer.resblocks.0.ln_1.gamma", "gamma' is not known" },
    { "visual.transformer.resblocks.0.attn.Wqkv.weight",
        "Wqkv.weight' is not known" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gchar *folder = new_open_clip (&test_model_clip, "");
    g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);

    add_scalar (tensors, rows[i].tensor);
    test_model_write (folder, OPEN_CLIP_WEIGHTS, tensors, TRUE);
    REFUSED (folder, OPEN_CLIP_WEIGHTS, rows[i].message);
  }
}

static void
tensors_of_no_model_are_named (void)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (&test_model_clip);
  gchar *folder = test_model_folder ();

  g_ptr_array_set_size (tensors, 0);
  test_model_write (folder, WEIGHTS, tensors, TRUE);
  REFUSED (folder, "no picture side", "0 tensors");
  folder = test_model_folder ();
  add_scalar (tensors, "lm_head.weight");
  test_model_write (folder, WEIGHTS, tensors, TRUE);
  REFUSED (folder, "no picture side", "'lm_head.weight'");
}

static void
a_picture_side_alone_opens (void)
{
  TestModelSpec spec = test_model_clip;
  gchar *(*const make[]) (
      const TestModelSpec *) = { new_openai, new_hugging_face };

  spec.text.width = 0;
  for (guint i = 0; i < G_N_ELEMENTS (make); i++) {
    gchar *folder = make[i](&spec);
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    g_autofree gchar *id = NULL;
    const ClipConfig *config;

    if (i > 0)
      test_model_write_hugging_face (folder, &test_model_clip);
    remove_file (folder, "vocab.json");
    remove_file (folder, "merges.txt");
    checkpoint = open_and_remove (folder);
    config = clip_checkpoint_get_config (checkpoint);
    assert_vision (checkpoint);
    g_assert_cmpint (config->text.kind, ==, CLIP_TEXT_NONE);
    g_assert_cmpint (config->tokenizer.kind, ==, CLIP_TOKENIZER_NONE);
    g_assert_null (config->tokenizer.vocab);
    g_assert_null (clip_checkpoint_get_text_transformer (checkpoint));
    g_assert_null (clip_checkpoint_get_bert (checkpoint));
    g_assert_cmpfloat (clip_checkpoint_get_logit_scale (checkpoint), ==, 1);
    id = clip_checkpoint_identify (checkpoint, NULL);
    g_assert_nonnull (id);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/load/dialects/" name, function)
  ADD (
      "each-naming-brings-the-same-values", each_naming_brings_the_same_values);
  ADD ("a-projection-in-half-precision-arrives-as-it-is",
      a_projection_in_half_precision_arrives_as_it_is);
  ADD ("bert-has-the-same-values-by-either-name",
      bert_has_the_same_values_by_either_name);
  ADD ("prefixes-of-training-are-cut-off", prefixes_of_training_are_cut_off);
  ADD ("a-tensor-with-and-without-prefix-is-refused",
      a_tensor_with_and_without_prefix_is_refused);
  ADD ("an-id-is-of-the-model-and-not-of-its-form",
      an_id_is_of_the_model_and_not_of_its_form);
  ADD ("tensors-of-each-naming-have-one-digest",
      tensors_of_each_naming_have_one_digest);
  ADD ("published-sizes-have-their-names", published_sizes_have_their_names);
  ADD ("one-of-two-pairs-is-taken", one_of_two_pairs_is_taken);
  ADD ("a-configuration-of-the-other-naming-is-not-read",
      a_configuration_of_the_other_naming_is_not_read);
  ADD ("other-architectures-are-named", other_architectures_are_named);
  ADD ("tensors-of-no-model-are-named", tensors_of_no_model_are_named);
  ADD ("a-picture-side-alone-opens", a_picture_side_alone_opens);
  return g_test_run ();
}
