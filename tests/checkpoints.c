/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: w width of a ModifiedResNet, W of BERT, M MLP width, E embedding. */

#include "checkpoints.h"

#include <glib/gstdio.h>

const TestCheckpointSpec test_checkpoint_a = {
  .embed_dim = 32,
  .vision = { .image_size = 64, .layers = { 2, 1, 1, 1 }, .width = 16 },
  .text = { .n_layers = 2,
      .width = 128,
      .heads = 2,
      .mlp_width = 256,
      .vocab_size = 64,
      .n_positions = 32,
      .n_token_types = 2 },
  .dtype = CLIP_DTYPE_F32,
  .rounded_to = CLIP_DTYPE_F32,
};

const TestCheckpointSpec test_checkpoint_c = {
  .embed_dim = 24,
  .vision = { .image_size = 96, .layers = { 1, 1, 1, 1 }, .width = 12 },
  .text = { .n_layers = 1,
      .width = 64,
      .heads = 2,
      .mlp_width = 96,
      .vocab_size = 64,
      .n_positions = 16,
      .n_token_types = 2 },
  .dtype = CLIP_DTYPE_F32,
  .rounded_to = CLIP_DTYPE_F32,
};

static void
free_tensor (gpointer data)
{
  TestTensor *tensor = data;

  g_free (tensor->name);
  g_free (tensor->source);
  g_free (tensor);
}

/* Takes ownership of @name; unused dimensions are 0. */
static void
add (GPtrArray *tensors, gchar *name, const guint64 dims[4])
{
  TestTensor *tensor = g_new0 (TestTensor, 1);

  tensor->name = name;
  tensor->changed = -1;
  while (tensor->n_dims < 4 && dims[tensor->n_dims] != 0) {
    tensor->dims[tensor->n_dims] = dims[tensor->n_dims];
    tensor->n_dims++;
  }
  g_ptr_array_add (tensors, tensor);
}

#define ADD(name, ...)                                                         \
  add (tensors, g_strdup (name), (const guint64[4]){ __VA_ARGS__ })

static void
add_norm (GPtrArray *tensors, const gchar *prefix, guint64 n)
{
  add (tensors, g_strconcat (prefix, ".weight", NULL), (guint64[4]){ n });
  add (tensors, g_strconcat (prefix, ".bias", NULL), (guint64[4]){ n });
}

static void
add_linear (GPtrArray *tensors, const gchar *prefix, guint64 out, guint64 in)
{
  add (tensors, g_strconcat (prefix, ".weight", NULL), (guint64[4]){ out, in });
  add (tensors, g_strconcat (prefix, ".bias", NULL), (guint64[4]){ out });
}

/* A convolution and its BatchNorm. */
static void
add_conv (GPtrArray *tensors, const gchar *conv, const gchar *bn,
    const guint64 dims[4])
{
  add (tensors, g_strconcat (conv, ".weight", NULL), dims);
  add_norm (tensors, bn, dims[0]);
  add (tensors, g_strconcat (bn, ".running_mean", NULL),
      (guint64[4]){ dims[0] });
  add (
      tensors, g_strconcat (bn, ".running_var", NULL), (guint64[4]){ dims[0] });
}

static void
add_bottleneck (GPtrArray *tensors, const gchar *block, guint64 in, guint64 p)
{
  const guint64 dims[3][4] = { { p, in, 1, 1 }, { p, p, 3, 3 },
    { 4 * p, p, 1, 1 } };

  for (guint i = 0; i < 3; i++) {
    g_autofree gchar *conv = g_strdup_printf ("%s.conv%u", block, i + 1);
    g_autofree gchar *bn = g_strdup_printf ("%s.bn%u", block, i + 1);
    add_conv (tensors, conv, bn, dims[i]);
  }
  if (g_str_has_suffix (block, ".0")) {
    g_autofree gchar *conv = g_strconcat (block, ".downsample.0", NULL);
    g_autofree gchar *bn = g_strconcat (block, ".downsample.1", NULL);
    add_conv (tensors, conv, bn, (const guint64[4]){ 4 * p, in, 1, 1 });
  }
}

static void
add_modified_resnet (
    GPtrArray *tensors, const TestVisionSpec *spec, guint embed_dim)
{
  const guint64 w = spec->width, c = 32 * w, g = spec->image_size / 32;
  guint64 in = w;

  add_conv (tensors, "visual.conv1", "visual.bn1",
      (const guint64[4]){ w / 2, 3, 3, 3 });
  add_conv (tensors, "visual.conv2", "visual.bn2",
      (const guint64[4]){ w / 2, w / 2, 3, 3 });
  add_conv (tensors, "visual.conv3", "visual.bn3",
      (const guint64[4]){ w, w / 2, 3, 3 });
  for (guint i = 0; i < 4; i++)
    for (guint j = 0; j < spec->layers[i]; j++) {
      g_autofree gchar *block = g_strdup_printf ("visual.layer%u.%u", i + 1, j);
      add_bottleneck (tensors, block, in, w << i);
      in = 4 * (w << i);
    }
  ADD ("visual.attnpool.positional_embedding", g * g + 1, c);
  add_linear (tensors, "visual.attnpool.q_proj", c, c);
  add_linear (tensors, "visual.attnpool.k_proj", c, c);
  add_linear (tensors, "visual.attnpool.v_proj", c, c);
  add_linear (tensors, "visual.attnpool.c_proj", embed_dim, c);
}

static void
add_bert_layer (GPtrArray *tensors, const TestTextSpec *spec, guint index)
{
  const guint64 W = spec->width, M = spec->mlp_width;
  const struct {
    const gchar *name;
    guint64 out, in; /* in: 0 for a norm */
  } parts[] = {
    { "attention.self.query", W, W },
    { "attention.self.key", W, W },
    { "attention.self.value", W, W },
    { "attention.output.dense", W, W },
    { "attention.output.LayerNorm", W, 0 },
    { "intermediate.dense", M, W },
    { "output.dense", W, M },
    { "output.LayerNorm", W, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    g_autofree gchar *prefix =
        g_strdup_printf ("bert.encoder.layer.%u.%s", index, parts[i].name);
    if (parts[i].in != 0)
      add_linear (tensors, prefix, parts[i].out, parts[i].in);
    else
      add_norm (tensors, prefix, parts[i].out);
  }
}

GPtrArray *
test_checkpoint_tensors (const TestCheckpointSpec *spec)
{
  GPtrArray *tensors = g_ptr_array_new_with_free_func (free_tensor);
  const TestTextSpec *text = &spec->text;

  add_modified_resnet (tensors, &spec->vision, spec->embed_dim);
  ADD ("bert.embeddings.word_embeddings.weight", text->vocab_size, text->width);
  ADD ("bert.embeddings.position_embeddings.weight", text->n_positions,
      text->width);
  ADD ("bert.embeddings.token_type_embeddings.weight", text->n_token_types,
      text->width);
  add_norm (tensors, "bert.embeddings.LayerNorm", text->width);
  for (guint i = 0; i < text->n_layers; i++)
    add_bert_layer (tensors, text, i);
  ADD ("text_projection", text->width, spec->embed_dim);
  ADD ("logit_scale", 0);
  return tensors;
}

TestTensor *
test_tensors_find (GPtrArray *tensors, const gchar *name)
{
  for (guint i = 0; i < tensors->len; i++) {
    TestTensor *tensor = g_ptr_array_index (tensors, i);
    if (g_str_equal (tensor->name, name))
      return tensor;
  }
  g_error ("the generated model has no tensor '%s'", name);
}

void
test_checkpoint_write (
    const gchar *folder, const gchar *name, const gchar *content)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, content, -1, &error);
  g_assert_no_error (error);
}

void
test_checkpoint_edit (
    const gchar *folder, const gchar *name, const gchar *from, const gchar *to)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autofree gchar *content = NULL;
  g_autofree gchar *changed = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) parts = NULL;

  g_file_get_contents (path, &content, NULL, &error);
  g_assert_no_error (error);
  parts = g_strsplit (content, from, -1);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  changed = g_strjoinv (to, parts);
  test_checkpoint_write (folder, name, changed);
}

static void
write_config (const gchar *folder, const TestCheckpointSpec *spec)
{
  const TestVisionSpec *vision = &spec->vision;
  const TestTextSpec *text = &spec->text;
  g_autofree gchar *config = g_strdup_printf (
      "{\n  \"model_type\": \"chinese_clip_original\",\n"
      "  \"embed_dim\": %u,\n  \"image_resolution\": %u,\n"
      "  \"vision_layers\": [%u, %u, %u, %u],\n  \"vision_width\": %u,\n"
      "  \"vision_patch_size\": null,\n  \"vocab_size\": %u,\n"
      "  \"text_hidden_act\": \"gelu\",\n  \"text_hidden_size\": %u,\n"
      "  \"text_intermediate_size\": %u,\n"
      "  \"text_max_position_embeddings\": %u,\n"
      "  \"text_num_attention_heads\": %u,\n"
      "  \"text_num_hidden_layers\": %u,\n  \"text_type_vocab_size\": %u\n}\n",
      spec->embed_dim, vision->image_size, vision->layers[0], vision->layers[1],
      vision->layers[2], vision->layers[3], vision->width, text->vocab_size,
      text->width, text->mlp_width, text->n_positions, text->heads,
      text->n_layers, text->n_token_types);

  test_checkpoint_write (folder, "config.json", config);
}

static void
write_preprocessor (const gchar *folder, guint image_size)
{
  g_autofree gchar *config = g_strdup_printf (
      "{\n  \"do_resize\": true,\n  \"size\": { \"shortest_edge\": %u },\n"
      "  \"resample\": 3,\n  \"do_center_crop\": true,\n"
      "  \"crop_size\": { \"height\": %u, \"width\": %u },\n"
      "  \"do_rescale\": true,\n"
      "  \"rescale_factor\": 0.00392156862745098,\n"
      "  \"do_normalize\": true,\n"
      "  \"image_mean\": [0.48145466, 0.4578275, 0.40821073],\n"
      "  \"image_std\": [0.26862954, 0.26130258, 0.27577711]\n}\n",
      image_size, image_size, image_size);

  test_checkpoint_write (folder, "preprocessor_config.json", config);
}

/* The marks of BERT, letters, their continuations, digits, then whatever fills
 * the table. [CLS] is 2 and [SEP] 3, as model-spec.md's model B has them. */
static void
write_vocab (const gchar *folder, guint vocab_size)
{
  static const gchar *const marks[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]",
    "[MASK]" };
  const guint letters = G_N_ELEMENTS (marks), pieces = letters + 26,
              digits = pieces + 26, fill = digits + 10;
  GString *vocab = g_string_new (NULL);
  g_autofree gchar *content = NULL;

  for (guint i = 0; i < vocab_size; i++)
    if (i < letters)
      g_string_append_printf (vocab, "%s\n", marks[i]);
    else if (i < pieces)
      g_string_append_printf (vocab, "%c\n", 'a' + i - letters);
    else if (i < digits)
      g_string_append_printf (vocab, "##%c\n", 'a' + i - pieces);
    else if (i < fill)
      g_string_append_printf (vocab, "%c\n", '0' + i - digits);
    else
      g_string_append_printf (vocab, "word%u\n", i);
  content = g_string_free (vocab, FALSE);
  test_checkpoint_write (folder, "vocab.txt", content);
}

gchar *
test_checkpoint_new (const TestCheckpointSpec *spec)
{
  g_autoptr (GError) error = NULL;
  gchar *folder = g_dir_make_tmp ("clip-model-XXXXXX", &error);
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (spec);

  g_assert_no_error (error);
  write_config (folder, spec);
  write_preprocessor (folder, spec->vision.image_size);
  test_checkpoint_write (
      folder, "tokenizer_config.json", "{ \"do_lower_case\": true }\n");
  write_vocab (folder, spec->text.vocab_size);
  test_checkpoint_write_tensors (folder, spec, tensors);
  return folder;
}

gchar *
test_checkpoint_new_wordless (const TestCheckpointSpec *spec)
{
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (spec);
  g_autofree gfloat *values = NULL;
  gchar *folder = test_checkpoint_new (spec);
  TestTensor *words =
      test_tensors_find (tensors, "bert.embeddings.word_embeddings.weight");

  words->values = values = g_new0 (gfloat, test_tensor_count (words));
  test_checkpoint_write_tensors (folder, spec, tensors);
  return folder;
}

void
test_checkpoint_remove (gchar *folder)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_dir_close (dir);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (folder);
}
