/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: W width, M MLP width, E embedding, P patch. */

#include "models.h"

#include <string.h>

const TestModelSpec test_model_clip = {
  .embed_dim = 24,
  .vision = { 32, 64, { 2 }, 8, 1, 96 },
  .text = { 128, 2, 2, 160, 64, 16, FALSE },
};

const TestModelSpec test_model_chinese = {
  .embed_dim = 24,
  .vision = { 32, 64, { 2 }, 8, 1, 256 },
  .text = { 128, 1, 2, 96, 64, 60, TRUE },
};

static void
free_tensor (gpointer data)
{
  TestTensor *tensor = data;

  g_free (tensor->name);
  g_free (tensor->source);
  g_free (tensor);
}

/* Unused dimensions are 0. */
static TestTensor *
add (GPtrArray *tensors, const gchar *prefix, const gchar *name,
    const guint64 dims[4])
{
  TestTensor *tensor = g_new0 (TestTensor, 1);

  tensor->name = g_strconcat (prefix, name, NULL);
  tensor->changed = -1;
  while (tensor->n_dims < 4 && dims[tensor->n_dims] != 0) {
    tensor->dims[tensor->n_dims] = dims[tensor->n_dims];
    tensor->n_dims++;
  }
  g_ptr_array_add (tensors, tensor);
  return tensor;
}

#define ADD(prefix, name, ...)                                                 \
  add (tensors, prefix, name, (const guint64[4]){ __VA_ARGS__ })

static void
add_norm (GPtrArray *tensors, const gchar *prefix, const gchar *name, guint64 W)
{
  g_autofree gchar *norm = g_strconcat (prefix, name, ".", NULL);

  ADD (norm, "weight", W);
  ADD (norm, "bias", W);
}

static void
add_blocks (GPtrArray *tensors, const gchar *tower, const guint numbers[3])
{
  const guint64 W = numbers[1], M = numbers[2];

  for (guint i = 0; i < numbers[0]; i++) {
    g_autofree gchar *block =
        g_strdup_printf ("%stransformer.resblocks.%u.", tower, i);

    ADD (block, "attn.in_proj_weight", 3 * W, W);
    ADD (block, "attn.in_proj_bias", 3 * W);
    ADD (block, "attn.out_proj.weight", W, W);
    ADD (block, "attn.out_proj.bias", W);
    add_norm (tensors, block, "ln_1", W);
    ADD (block, "mlp.c_fc.weight", M, W);
    ADD (block, "mlp.c_fc.bias", M);
    ADD (block, "mlp.c_proj.weight", W, M);
    ADD (block, "mlp.c_proj.bias", W);
    add_norm (tensors, block, "ln_2", W);
  }
}

static void
add_vision (GPtrArray *tensors, const TestModelSpec *spec)
{
  const TestPictureSpec *vision = &spec->vision;
  const guint64 W = vision->width, P = vision->patch_size,
                side = vision->image_size / P;

  ADD ("visual.", "class_embedding", W);
  ADD ("visual.", "positional_embedding", side * side + 1, W);
  ADD ("visual.", "proj", W, spec->embed_dim);
  ADD ("visual.", "conv1.weight", W, 3, P, P);
  add_norm (tensors, "visual.", "ln_pre", W);
  add_blocks (tensors, "visual.",
      (guint[3]){ vision->layers[0], vision->width, vision->mlp_width });
  add_norm (tensors, "visual.", "ln_post", W);
}

/* A ModifiedResNet and BERT are test_checkpoint_tensors()'s. */
static TestCheckpointSpec
as_checkpoint (const TestModelSpec *spec)
{
  const TestWordsSpec *text = &spec->text;

  return (TestCheckpointSpec){
    .embed_dim = spec->embed_dim,
    .vision = { spec->vision.image_size,
        { spec->vision.layers[0], spec->vision.layers[1],
            spec->vision.layers[2], spec->vision.layers[3] },
        spec->vision.width },
    .text = { text->n_layers, text->width, text->heads, text->mlp_width,
        text->vocab_size, text->n_positions, 2 },
  };
}

static void
add_from_checkpoint (
    GPtrArray *tensors, const TestModelSpec *spec, const gchar *prefix)
{
  TestCheckpointSpec checkpoint = as_checkpoint (spec);
  g_autoptr (GPtrArray) all = test_checkpoint_tensors (&checkpoint);

  for (guint i = all->len; i > 0; i--) {
    const TestTensor *tensor = g_ptr_array_index (all, i - 1);
    if (g_str_has_prefix (tensor->name, prefix))
      g_ptr_array_add (tensors, g_ptr_array_steal_index (all, i - 1));
  }
}

GPtrArray *
test_model_tensors (const TestModelSpec *spec)
{
  GPtrArray *tensors = g_ptr_array_new_with_free_func (free_tensor);
  const TestWordsSpec *text = &spec->text;
  const guint64 W = text->width;

  if (W != 0) {
    ADD ("", "text_projection", W, spec->embed_dim);
    ADD ("", "logit_scale", 0);
  }
  if (W != 0 && !text->is_bert) {
    ADD ("", "positional_embedding", text->n_positions, W);
    add_blocks (tensors, "",
        (guint[3]){ text->n_layers, text->width, text->mlp_width });
    ADD ("", "token_embedding.weight", text->vocab_size, W);
    add_norm (tensors, "", "ln_final", W);
  }
  if (W != 0 && text->is_bert)
    add_from_checkpoint (tensors, spec, "bert.");
  if (spec->vision.patch_size == 0)
    add_from_checkpoint (tensors, spec, "visual.");
  else
    add_vision (tensors, spec);
  return tensors;
}

/* model-spec.md section 3, left column to right: beginnings, then what stands
 * between, each where it is found first. */
static const struct {
  const gchar *canonical, *hugging_face;
} spellings[] = {
  { "visual.transformer.resblocks.", "vision_model.encoder.layers." },
  { "visual.conv1.", "vision_model.embeddings.patch_embedding." },
  { "visual.class_embedding", "vision_model.embeddings.class_embedding" },
  { "visual.positional_embedding",
      "vision_model.embeddings.position_embedding.weight" },
  { "visual.ln_pre.", "vision_model.pre_layrnorm." },
  { "visual.ln_post.", "vision_model.post_layernorm." },
  { "visual.proj", "visual_projection.weight" },
  { "transformer.resblocks.", "text_model.encoder.layers." },
  { "token_embedding.", "text_model.embeddings.token_embedding." },
  { "positional_embedding",
      "text_model.embeddings.position_embedding.weight" },
  { "ln_final.", "text_model.final_layer_norm." },
  { "text_projection", "text_projection.weight" },
  { "bert.", "text_model." },
}, inner_spellings[] = {
  { ".ln_1.", ".layer_norm1." },
  { ".ln_2.", ".layer_norm2." },
  { ".attn.out_proj.", ".self_attn.out_proj." },
  { ".mlp.c_fc.", ".mlp.fc1." },
  { ".mlp.c_proj.", ".mlp.fc2." },
};

static gchar *
spell (const gchar *canonical)
{
  g_autofree gchar *name = g_strdup (canonical);

  for (guint i = 0; i < G_N_ELEMENTS (spellings); i++)
    if (g_str_has_prefix (canonical, spellings[i].canonical)) {
      g_free (name);
      name = g_strconcat (spellings[i].hugging_face,
          canonical + strlen (spellings[i].canonical), NULL);
      break;
    }
  for (guint i = 0; i < G_N_ELEMENTS (inner_spellings); i++)
    if (strstr (name, inner_spellings[i].canonical) != NULL) {
      g_auto (GStrv) parts = g_strsplit (name, inner_spellings[i].canonical, 2);
      return g_strjoinv (inner_spellings[i].hugging_face, parts);
    }
  return g_steal_pointer (&name);
}

static void
add_stacked (GPtrArray *tensors, const TestTensor *tensor, const gchar *in_proj)
{
  static const gchar *const letters[] = { "q", "k", "v" };
  const guint64 W = tensor->dims[0] / 3;
  const gsize n = tensor->n_dims == 2 ? W * tensor->dims[1] : W;
  g_autofree gchar *prefix = g_strndup (tensor->name, in_proj - tensor->name);
  g_autofree gchar *block = spell (prefix);

  for (guint i = 0; i < G_N_ELEMENTS (letters); i++) {
    g_autofree gchar *name = g_strdup_printf (".self_attn.%s_proj.%s",
        letters[i], tensor->n_dims == 2 ? "weight" : "bias");
    TestTensor *part = add (tensors, block, name,
        (const guint64[4]){ W, tensor->n_dims == 2 ? tensor->dims[1] : 0 });

    part->source = g_strdup (tensor->name);
    part->first = i * n;
  }
}

static void
add_spelt (GPtrArray *tensors, const TestTensor *tensor)
{
  const gboolean is_transposed = g_str_equal (tensor->name, "visual.proj") ||
                                 g_str_equal (tensor->name, "text_projection");
  g_autofree gchar *name = spell (tensor->name);
  TestTensor *spelt = add (tensors, "", name, tensor->dims);

  spelt->source = g_strdup (tensor->name);
  spelt->is_transposed = is_transposed;
  if (is_transposed) {
    spelt->dims[0] = tensor->dims[1];
    spelt->dims[1] = tensor->dims[0];
  }
}

GPtrArray *
test_model_tensors_hugging_face (const TestModelSpec *spec)
{
  GPtrArray *tensors = g_ptr_array_new_with_free_func (free_tensor);
  g_autoptr (GPtrArray) canonical = test_model_tensors (spec);

  for (guint i = 0; i < canonical->len; i++) {
    const TestTensor *tensor = g_ptr_array_index (canonical, i);
    const gchar *in_proj = strstr (tensor->name, ".attn.in_proj_");

    if (in_proj != NULL)
      add_stacked (tensors, tensor, in_proj);
    else
      add_spelt (tensors, tensor);
  }
  return tensors;
}

void
test_tensors_halve (GPtrArray *tensors)
{
  for (guint i = 0; i < tensors->len; i++) {
    TestTensor *tensor = g_ptr_array_index (tensors, i);
    const gchar *name = tensor->name;

    tensor->is_half = strstr (name, "ln_") == NULL &&
                      strstr (name, "bn") == NULL &&
                      strstr (name, "downsample.1") == NULL &&
                      strstr (name, "embedding") == NULL &&
                      strstr (name, "logit_scale") == NULL;
  }
}

void
test_tensors_prefix (
    GPtrArray *tensors, const gchar *canonical_prefix, const gchar *prefix)
{
  for (guint i = 0; i < tensors->len; i++) {
    TestTensor *tensor = g_ptr_array_index (tensors, i);

    if (!g_str_has_prefix (tensor->name, canonical_prefix))
      continue;
    if (tensor->source == NULL)
      tensor->source = g_strdup (tensor->name);
    g_free (tensor->name);
    tensor->name = g_strconcat (prefix, tensor->source, NULL);
  }
}
