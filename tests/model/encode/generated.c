/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: W width, M MLP width, E embedding, P patch. */

#include "generated.h"

#include "checkpoints.h"

#include <glib/gstdio.h>

#define MLP_RATIO 4

const Generated generated_ab = {
  .embed_dim = 32,
  .is_quick = TRUE,
  .image_size = 32,
  .patch_size = 8,
  .vision_width = 128,
  .vision_layers = 2,
  .head_width = 64,
  .context_length = 16,
  .vocab_size = 64,
  .text_width = 128,
  .text_layers = 2,
  .text_heads = 2,
};

const Generated generated_d = {
  .embed_dim = 40,
  .image_size = 56,
  .patch_size = 14,
  .vision_width = 160,
  .vision_layers = 2,
  .head_width = 80,
  .context_length = 8,
  .vocab_size = 16,
  .text_width = 16,
  .text_layers = 1,
  .text_heads = 1,
};

const Generated generated_c = {
  .embed_dim = 24,
  .is_quick = TRUE,
  .image_size = 16,
  .patch_size = 8,
  .vision_width = 64,
  .vision_layers = 1,
  .head_width = 64,
  .context_length = 10,
  .vocab_size = 64,
  .text_width = 192,
  .text_layers = 1,
  .text_heads = 3,
};

static void
free_tensor (gpointer data)
{
  TestTensor *tensor = data;

  g_free (tensor->name);
  g_free (tensor);
}

/* Unused dimensions are 0. */
static void
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
}

#define ADD(prefix, name, ...)                                                 \
  add (tensors, prefix, name, (const guint64[4]){ __VA_ARGS__ })

static void
add_blocks (GPtrArray *tensors, const gchar *stack, guint n, guint64 W)
{
  const guint64 M = MLP_RATIO * W;

  for (guint i = 0; i < n; i++) {
    g_autofree gchar *block =
        g_strdup_printf ("%stransformer.resblocks.%u.", stack, i);

    ADD (block, "ln_1.weight", W);
    ADD (block, "ln_1.bias", W);
    ADD (block, "attn.in_proj_weight", 3 * W, W);
    ADD (block, "attn.in_proj_bias", 3 * W);
    ADD (block, "attn.out_proj.weight", W, W);
    ADD (block, "attn.out_proj.bias", W);
    ADD (block, "ln_2.weight", W);
    ADD (block, "ln_2.bias", W);
    ADD (block, "mlp.c_fc.weight", M, W);
    ADD (block, "mlp.c_fc.bias", M);
    ADD (block, "mlp.c_proj.weight", W, M);
    ADD (block, "mlp.c_proj.bias", W);
  }
}

static GPtrArray *
list_tensors (const Generated *model)
{
  GPtrArray *tensors = g_ptr_array_new_with_free_func (free_tensor);
  guint64 W = model->vision_width, P = model->patch_size;
  guint64 grid = model->image_size / P;

  ADD ("visual.", "conv1.weight", W, 3, P, P);
  ADD ("visual.", "class_embedding", W);
  ADD ("visual.", "positional_embedding", grid * grid + 1, W);
  ADD ("visual.", "ln_pre.weight", W);
  ADD ("visual.", "ln_pre.bias", W);
  add_blocks (tensors, "visual.", model->vision_layers, W);
  ADD ("visual.", "ln_post.weight", W);
  ADD ("visual.", "ln_post.bias", W);
  ADD ("visual.", "proj", W, model->embed_dim);

  W = model->text_width;
  ADD ("", "token_embedding.weight", model->vocab_size, W);
  ADD ("", "positional_embedding", model->context_length, W);
  add_blocks (tensors, "", model->text_layers, W);
  ADD ("", "ln_final.weight", W);
  ADD ("", "ln_final.bias", W);
  ADD ("", "text_projection", W, model->embed_dim);
  ADD ("", "logit_scale", 0);
  return tensors;
}

static void
write_config (const gchar *folder, const Generated *model)
{
  g_autofree gchar *config = g_strdup_printf (
      "{ \"model_cfg\": { \"embed_dim\": %u, \"quick_gelu\": %s,\n"
      "  \"vision_cfg\": { \"image_size\": %u, \"layers\": %u, \"width\": %u,\n"
      "    \"head_width\": %u, \"patch_size\": %u },\n"
      "  \"text_cfg\": { \"context_length\": %u, \"vocab_size\": %u,\n"
      "    \"width\": %u, \"heads\": %u, \"layers\": %u } } }\n",
      model->embed_dim, model->is_quick ? "true" : "false", model->image_size,
      model->vision_layers, model->vision_width, model->head_width,
      model->patch_size, model->context_length, model->vocab_size,
      model->text_width, model->text_heads, model->text_layers);

  test_checkpoint_write (folder, "open_clip_config.json", config);
}

gchar *
generated_new (const Generated *model)
{
  const TestCheckpointSpec spec = { .dtype = CLIP_DTYPE_F32,
    .rounded_to = CLIP_DTYPE_F32 };
  g_autoptr (GPtrArray) tensors = list_tensors (model);
  g_autoptr (GError) error = NULL;
  gchar *folder = g_dir_make_tmp ("clip-model-XXXXXX", &error);
  g_autofree gchar *written =
      g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *weights =
      g_build_filename (folder, "open_clip_model.safetensors", NULL);

  g_assert_no_error (error);
  write_config (folder, model);

  /* No text is read here, so the vocabulary has no words. */
  test_checkpoint_write (folder, "vocab.json", "{}\n");
  test_checkpoint_write (folder, "merges.txt", "#version: 0.2\n");
  test_checkpoint_write_tensors (folder, &spec, tensors);
  g_assert_cmpint (g_rename (written, weights), ==, 0);
  return folder;
}
