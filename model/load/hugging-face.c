/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The dialects of Hugging Face: config.json of CLIPModel and ChineseCLIPModel
 * (model-spec 1.5). What is absent has the default of its class. */

#include "load/dialect.h"

#define SLOT(field) G_STRUCT_OFFSET (ClipConfig, field)

static const ClipNumberKey top_keys[] = {
  { "projection_dim", SLOT (embed_dim), { 1, CLIP_MAX_WIDTH }, 512 },
};

/* clang-format off */
static const ClipNumberKey vision_keys[] = {
  { "hidden_size", SLOT (vision.width), { 1, CLIP_MAX_WIDTH }, 768 },
  { "intermediate_size", SLOT (vision.mlp_width), { 1, 4 * CLIP_MAX_WIDTH },
    3072 },
  { "num_hidden_layers", SLOT (vision.n_layers), { 1, CLIP_MAX_LAYERS }, 12 },
  { "num_attention_heads", SLOT (vision.heads), { 1, CLIP_MAX_HEADS }, 12 },
  { "image_size", SLOT (vision.image_size), { 1, CLIP_MAX_SIDE }, 224 },
  { "patch_size", SLOT (vision.patch_size), { 1, CLIP_MAX_SIDE }, 32 },
};

static const ClipNumberKey clip_text_keys[] = {
  { "hidden_size", SLOT (text.width), { 1, CLIP_MAX_WIDTH }, 512 },
  { "intermediate_size", SLOT (text.mlp_width), { 1, 4 * CLIP_MAX_WIDTH },
    2048 },
  { "num_hidden_layers", SLOT (text.n_layers), { 1, CLIP_MAX_LAYERS }, 12 },
  { "num_attention_heads", SLOT (text.heads), { 1, CLIP_MAX_HEADS }, 8 },
  { "vocab_size", SLOT (text.vocab_size), { 4, CLIP_MAX_WORDS }, 49408 },
  { "max_position_embeddings", SLOT (text.n_positions),
    { 2, CLIP_MAX_POSITIONS }, 77 },
};

static const ClipNumberKey bert_keys[] = {
  { "hidden_size", SLOT (text.width), { 1, CLIP_MAX_WIDTH }, 768 },
  { "intermediate_size", SLOT (text.mlp_width), { 1, 4 * CLIP_MAX_WIDTH },
    3072 },
  { "num_hidden_layers", SLOT (text.n_layers), { 1, CLIP_MAX_LAYERS }, 12 },
  { "num_attention_heads", SLOT (text.heads), { 1, CLIP_MAX_HEADS }, 12 },
  { "vocab_size", SLOT (text.vocab_size), { 4, CLIP_MAX_WORDS }, 30522 },
  { "max_position_embeddings", SLOT (text.n_positions),
    { 2, CLIP_MAX_POSITIONS }, 512 },
  { "type_vocab_size", SLOT (text.n_token_types), { 1, CLIP_MAX_TYPES }, 2 },
};
/* clang-format on */

static const gchar *const heads_keys[2] = { "num_attention_heads",
  "hidden_size" };

/* The part of one tower. Old files have it twice: what is in the second,
 * completed with the defaults, replaces the first. */
static gboolean
enter (const ClipDocument *document, const gchar *old_name, const gchar *name,
    ClipDocument *section, GError **error)
{
  if (!clip_document_enter (document, old_name, section, error))
    return FALSE;
  return section->root != NULL ||
         clip_document_enter (document, name, section, error);
}

static gboolean
read_vision (const ClipDocument *document, ClipConfig *config, GError **error)
{
  static const gchar channels_key[] = "num_channels";
  static const ClipRange three = { 3, 3 };
  ClipVisionConfig *vision = &config->vision;
  ClipDocument section;
  const json_t *channels;
  guint n_channels;

  if (!enter (document, "vision_config_dict", "vision_config", &section, error))
    return FALSE;
  channels = clip_document_get (&section, channels_key);
  if (channels != NULL && !clip_document_get_number (&section, channels_key,
                              channels, &three, &n_channels, error))
    return FALSE;
  vision->kind = CLIP_VISION_TRANSFORMER;
  return clip_document_read_numbers (&section, vision_keys,
             G_N_ELEMENTS (vision_keys), config, error) &&
         clip_heads_prove (
             &section, heads_keys, vision->heads, vision->width, error) &&
         clip_patches_prove (&section, vision, error) &&
         clip_activation_read (&section, "hidden_act",
             CLIP_ACTIVATION_QUICK_GELU, &vision->activation, error) &&
         clip_eps_read (
             &section, "layer_norm_eps", CLIP_EPS, &vision->eps, error);
}

static gboolean
read_clip (const ClipDocument *document, ClipConfig *config, GError **error)
{
  ClipTextConfig *text = &config->text;
  ClipDocument section;

  if (!clip_document_read_numbers (
          document, top_keys, G_N_ELEMENTS (top_keys), config, error) ||
      !read_vision (document, config, error) ||
      !enter (document, "text_config_dict", "text_config", &section, error) ||
      !clip_document_read_numbers (&section, clip_text_keys,
          G_N_ELEMENTS (clip_text_keys), config, error))
    return FALSE;
  text->kind = CLIP_TEXT_TRANSFORMER;
  text->context_length = text->n_positions;
  return clip_heads_prove (
             &section, heads_keys, text->heads, text->width, error) &&
         clip_activation_read (&section, "hidden_act",
             CLIP_ACTIVATION_QUICK_GELU, &text->activation, error) &&
         clip_eps_read (
             &section, "layer_norm_eps", CLIP_EPS, &text->eps, error);
}

static gboolean
read_chinese_clip (
    const ClipDocument *document, ClipConfig *config, GError **error)
{
  static const gchar positions_key[] = "position_embedding_type";
  ClipTextConfig *text = &config->text;
  ClipDocument section;
  const gchar *positions;

  if (!clip_document_read_numbers (
          document, top_keys, G_N_ELEMENTS (top_keys), config, error) ||
      !read_vision (document, config, error) ||
      !enter (document, "text_config_dict", "text_config", &section, error) ||
      !clip_document_read_numbers (
          &section, bert_keys, G_N_ELEMENTS (bert_keys), config, error))
    return FALSE;
  positions = json_string_value (clip_document_get (&section, positions_key));
  if (positions != NULL && !g_str_equal (positions, "absolute"))
    return clip_document_refuse (&section, positions_key, error,
        "is '%.40s'; only 'absolute' is supported", positions);
  text->kind = CLIP_TEXT_BERT;
  text->context_length = MIN (CLIP_CHINESE_CONTEXT_LENGTH, text->n_positions);
  return clip_heads_prove (
             &section, heads_keys, text->heads, text->width, error) &&
         clip_activation_read (&section, "hidden_act", CLIP_ACTIVATION_GELU_ERF,
             &text->activation, error) &&
         clip_eps_read (
             &section, "layer_norm_eps", CLIP_BERT_EPS, &text->eps, error);
}

const ClipDialect clip_dialect_hugging_face_clip = {
  .name = "hugging-face-clip",
  .model_type = "clip",
  .text = CLIP_TEXT_TRANSFORMER,
  .read = read_clip,
  .read_preprocess = clip_preprocessor_read,
  .crop_rounding = CLIP_CROP_FLOOR,
  .resize_mode = CLIP_RESIZE_SHORTEST,
  .plain_size_mode = CLIP_RESIZE_SHORTEST,
  .tokenizer_dialect = CLIP_TOKENIZER_HUGGING_FACE,
};

const ClipDialect clip_dialect_hugging_face_chinese_clip = {
  .name = "hugging-face-chinese-clip",
  .model_type = "chinese_clip",
  .text = CLIP_TEXT_BERT,
  .read = read_chinese_clip,
  .read_preprocess = clip_preprocessor_read,
  .crop_rounding = CLIP_CROP_FLOOR,
  .resize_mode = CLIP_RESIZE_SQUASH,
  .plain_size_mode = CLIP_RESIZE_SQUASH,
  .tokenizer_dialect = CLIP_TOKENIZER_HUGGING_FACE,
};
