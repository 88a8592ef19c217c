/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The dialect `chinese_clip_original`: the keys of the model configurations in
 * OFA-Sys/Chinese-CLIP, picture and text side in one file, with the tensor
 * names of its checkpoints. */

#include "load/dialect.h"

/* openai/CLIP model.py: heads = vision_width * 32 / 64 */
#define POOL_HEAD_WIDTH 64

#define SLOT(field) G_STRUCT_OFFSET (ClipConfig, field)

/* clang-format off */
static const ClipNumberKey number_keys[] = {
  { "embed_dim", SLOT (embed_dim), { 1, CLIP_MAX_WIDTH } },
  { "image_resolution", SLOT (vision.image_size), { 1, CLIP_MAX_SIDE } },
  { "vision_width", SLOT (vision.width), { 1, CLIP_MAX_WIDTH } },
  { "vocab_size", SLOT (text.vocab_size), { 4, CLIP_MAX_WORDS } },
  { "text_hidden_size", SLOT (text.width), { 1, CLIP_MAX_WIDTH } },
  { "text_intermediate_size", SLOT (text.mlp_width),
    { 1, 4 * CLIP_MAX_WIDTH } },
  { "text_max_position_embeddings", SLOT (text.n_positions),
    { 2, CLIP_MAX_POSITIONS } },
  { "text_num_attention_heads", SLOT (text.heads), { 1, CLIP_MAX_HEADS } },
  { "text_num_hidden_layers", SLOT (text.n_layers), { 1, CLIP_MAX_LAYERS } },
  { "text_type_vocab_size", SLOT (text.n_token_types), { 1, CLIP_MAX_TYPES } },
};
/* clang-format on */

/* vision_layers is a list for a ModifiedResNet, a number for a transformer. */
static gboolean
read_modified_resnet (
    const ClipDocument *document, ClipVisionConfig *vision, GError **error)
{
  static const gchar key[] = "vision_layers";
  const json_t *layers = clip_document_get (document, key);
  const ClipRange range = { 1, CLIP_MAX_LAYERS };

  if (!json_is_array (layers))
    return clip_document_refuse (document, key, error,
        layers == NULL ? "is missing"
                       : "is not a list; only a ModifiedResNet, whose list has "
                         "one number a stage, is supported");
  if (json_array_size (layers) != G_N_ELEMENTS (vision->stage_layers))
    return clip_document_refuse (document, key, error,
        "has %" G_GSIZE_FORMAT " numbers; a ModifiedResNet has four stages",
        json_array_size (layers));
  for (guint i = 0; i < G_N_ELEMENTS (vision->stage_layers); i++)
    if (!clip_document_get_number (document, key, json_array_get (layers, i),
            &range, &vision->stage_layers[i], error))
      return FALSE;
  if (vision->image_size % CLIP_RESNET_REDUCTION != 0)
    return clip_document_refuse (document, "image_resolution", error,
        "is %u; a ModifiedResNet needs a multiple of %u", vision->image_size,
        CLIP_RESNET_REDUCTION);
  if (vision->width % (POOL_HEAD_WIDTH / CLIP_RESNET_REDUCTION) != 0)
    return clip_document_refuse (document, "vision_width", error,
        "is %u; a ModifiedResNet needs an even one", vision->width);
  vision->kind = CLIP_VISION_MODIFIED_RESNET;
  vision->heads = vision->width * CLIP_RESNET_REDUCTION / POOL_HEAD_WIDTH;
  vision->activation = CLIP_ACTIVATION_RELU;
  return TRUE;
}

static gboolean
read_bert (const ClipDocument *document, ClipTextConfig *text, GError **error)
{
  static const gchar context_key[] = "text_context_length";
  static const gchar *const heads_keys[2] = { "text_num_attention_heads",
    "text_hidden_size" };
  const json_t *length = clip_document_get (document, context_key);
  const ClipRange range = { 2, text->n_positions };
  const gchar *pooling =
      json_string_value (clip_document_get (document, "text_pooling"));

  if (!clip_heads_prove (document, heads_keys, text->heads, text->width, error))
    return FALSE;
  if (pooling != NULL && !g_str_equal (pooling, "cls"))
    return clip_document_refuse (document, "text_pooling", error,
        "is '%.40s'; only 'cls' is supported", pooling);
  text->context_length = MIN (CLIP_CHINESE_CONTEXT_LENGTH, text->n_positions);
  if (length != NULL && !clip_document_get_number (document, context_key,
                            length, &range, &text->context_length, error))
    return FALSE;
  text->kind = CLIP_TEXT_BERT;
  return clip_activation_read (document, "text_hidden_act",
             CLIP_ACTIVATION_GELU_ERF, &text->activation, error) &&
         clip_eps_read (
             document, "text_layer_norm_eps", CLIP_BERT_EPS, &text->eps, error);
}

static gboolean
read (const ClipDocument *document, ClipConfig *config, GError **error)
{
  return clip_document_read_numbers (document, number_keys,
             G_N_ELEMENTS (number_keys), config, error) &&
         read_modified_resnet (document, &config->vision, error) &&
         read_bert (document, &config->text, error);
}

const ClipDialect clip_dialect_chinese_clip_original = {
  .name = "chinese-clip-original",
  .model_type = "chinese_clip_original",
  .text = CLIP_TEXT_BERT,
  .read = read,
  .read_preprocess = clip_preprocessor_read,
  .crop_rounding = CLIP_CROP_HALF_EVEN,
  .resize_mode = CLIP_RESIZE_SQUASH,
  .plain_size_mode = CLIP_RESIZE_SHORTEST,
  .tokenizer_dialect = CLIP_TOKENIZER_ORIGINAL,
};
