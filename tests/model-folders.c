/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The folders of generated models: weights, configurations, vocabularies. */

#include "models.h"

gchar *
test_model_folder (void)
{
  g_autoptr (GError) error = NULL;
  gchar *folder = g_dir_make_tmp ("clip-model-XXXXXX", &error);

  g_assert_no_error (error);
  test_checkpoint_write (folder, "vocab.json", "{}\n");
  test_checkpoint_write (folder, "merges.txt", "#version: 0.2\n");
  test_checkpoint_write (folder, "vocab.txt", "[PAD]\n");
  return folder;
}

void
test_model_write (const gchar *folder, const gchar *name, GPtrArray *tensors,
    gboolean is_sparse)
{
  const TestCheckpointSpec spec = { .sparse = is_sparse };
  g_autofree gchar *path = g_build_filename (folder, name, NULL);

  test_tensors_write (path, &spec, tensors);
}

/* open_clip cuts off the fraction of the product, as ratios like 4.3637 need.
 */
static gdouble
ratio_of (guint mlp_width, guint width)
{
  return (mlp_width + 0.5) / width;
}

static gchar *
format_layers (const TestPictureSpec *vision)
{
  return vision->patch_size != 0
             ? g_strdup_printf ("%u", vision->layers[0])
             : g_strdup_printf ("[%u, %u, %u, %u]", vision->layers[0],
                   vision->layers[1], vision->layers[2], vision->layers[3]);
}

void
test_model_write_open_clip (
    const gchar *folder, const TestModelSpec *spec, const gchar *extra)
{
  const TestPictureSpec *vision = &spec->vision;
  const TestWordsSpec *text = &spec->text;
  const guint head_width =
      (vision->patch_size != 0 ? vision->width : 32 * vision->width) /
      vision->heads;
  g_autofree gchar *layers = format_layers (vision);
  g_autofree gchar *config = g_strdup_printf (
      "{ \"model_cfg\": { %s\"embed_dim\": %u,\n"
      "    \"vision_cfg\": { \"image_size\": %u, \"layers\": %s,\n"
      "      \"width\": %u, \"head_width\": %u, \"mlp_ratio\": %.6f,\n"
      "      \"patch_size\": %u },\n"
      "    \"text_cfg\": { \"context_length\": %u, \"vocab_size\": %u,\n"
      "      \"width\": %u, \"heads\": %u, \"layers\": %u,\n"
      "      \"mlp_ratio\": %.6f } },\n"
      "  \"preprocess_cfg\": {} }\n",
      extra, spec->embed_dim, vision->image_size, layers, vision->width,
      head_width, ratio_of (vision->mlp_width, vision->width),
      vision->patch_size, text->n_positions, text->vocab_size, text->width,
      text->heads, text->n_layers, ratio_of (text->mlp_width, text->width));

  test_checkpoint_write (folder, "open_clip_config.json", config);
}

void
test_model_write_hugging_face (const gchar *folder, const TestModelSpec *spec)
{
  const TestPictureSpec *vision = &spec->vision;
  const TestWordsSpec *text = &spec->text;
  g_autofree gchar *config = g_strdup_printf (
      "{ \"model_type\": \"%s\", \"projection_dim\": %u,\n"
      "  \"logit_scale_init_value\": 2.6592,\n"
      "  \"vision_config\": { \"hidden_size\": %u, \"image_size\": %u,\n"
      "    \"intermediate_size\": %u, \"num_attention_heads\": %u,\n"
      "    \"num_hidden_layers\": %u, \"patch_size\": %u,\n"
      "    \"projection_dim\": 7, \"num_channels\": 3 },\n"
      "  \"text_config\": { \"hidden_size\": %u, \"intermediate_size\": %u,\n"
      "    \"num_attention_heads\": %u, \"num_hidden_layers\": %u,\n"
      "    \"vocab_size\": %u, \"max_position_embeddings\": %u } }\n",
      text->is_bert ? "chinese_clip" : "clip", spec->embed_dim, vision->width,
      vision->image_size, vision->mlp_width, vision->heads, vision->layers[0],
      vision->patch_size, text->width, text->mlp_width, text->heads,
      text->n_layers, text->vocab_size, text->n_positions);

  test_checkpoint_write (folder, "config.json", config);
}
