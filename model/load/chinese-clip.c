/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The dialect `chinese_clip_original`: the keys of the model configurations in
 * OFA-Sys/Chinese-CLIP, picture and text side in one file, with the tensor
 * names of its checkpoints. */

#include "load/dialect.h"

#define MAX_WIDTH 16384
#define MAX_LAYERS 256

/* Chinese-CLIP's training and its published tokenizer, context_length */
#define DEFAULT_CONTEXT_LENGTH 52

/* OFA-Sys/Chinese-CLIP modeling_bert.py, BertConfig */
#define DEFAULT_EPS 1e-12f
#define MAX_EPS 1e-2

/* ModifiedResNet: what the stem, the stages and the strides halve. */
#define REDUCTION 32

/* openai/CLIP model.py: heads = vision_width * 32 / 64 */
#define POOL_HEAD_WIDTH 64

typedef struct {
  const gchar *key;
  gsize slot; /* of a guint in ClipConfig */
  ClipRange range;
} NumberKey;

#define SLOT(field) G_STRUCT_OFFSET (ClipConfig, field)

static const NumberKey number_keys[] = {
  { "embed_dim", SLOT (embed_dim), { 1, MAX_WIDTH } },
  { "image_resolution", SLOT (vision.image_size), { 1, 4096 } },
  { "vision_width", SLOT (vision.width), { 1, MAX_WIDTH } },
  { "vocab_size", SLOT (text.vocab_size), { 4, 1 << 20 } },
  { "text_hidden_size", SLOT (text.width), { 1, MAX_WIDTH } },
  { "text_intermediate_size", SLOT (text.mlp_width), { 1, 4 * MAX_WIDTH } },
  { "text_max_position_embeddings", SLOT (text.n_positions), { 2, 65536 } },
  { "text_num_attention_heads", SLOT (text.heads), { 1, 1024 } },
  { "text_num_hidden_layers", SLOT (text.n_layers), { 1, MAX_LAYERS } },
  { "text_type_vocab_size", SLOT (text.n_token_types), { 1, 16 } },
};

static gboolean
read_numbers (const ClipDocument *document, ClipConfig *config, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (number_keys); i++) {
    const NumberKey *row = &number_keys[i];

    if (!clip_document_get_number (document, row->key,
            clip_document_get (document, row->key), &row->range,
            G_STRUCT_MEMBER_P (config, row->slot), error))
      return FALSE;
  }
  return TRUE;
}

/* vision_layers is a list for a ModifiedResNet, a number for a transformer. */
static gboolean
read_modified_resnet (
    const ClipDocument *document, ClipVisionConfig *vision, GError **error)
{
  static const gchar key[] = "vision_layers";
  const json_t *layers = clip_document_get (document, key);
  const ClipRange range = { 1, MAX_LAYERS };

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
  if (vision->image_size % REDUCTION != 0)
    return clip_document_refuse (document, "image_resolution", error,
        "is %u; a ModifiedResNet needs a multiple of %u", vision->image_size,
        REDUCTION);
  if (vision->width % (POOL_HEAD_WIDTH / REDUCTION) != 0)
    return clip_document_refuse (document, "vision_width", error,
        "is %u; a ModifiedResNet needs an even one", vision->width);
  vision->kind = CLIP_VISION_MODIFIED_RESNET;
  vision->heads = vision->width * REDUCTION / POOL_HEAD_WIDTH;
  vision->activation = CLIP_ACTIVATION_RELU;
  return TRUE;
}

static gboolean
read_eps (const ClipDocument *document, gfloat *eps, GError **error)
{
  static const gchar key[] = "text_layer_norm_eps";
  const json_t *value = clip_document_get (document, key);
  const gdouble found =
      value == NULL ? (gdouble)DEFAULT_EPS : json_number_value (value);

  /* Smaller ones would vanish in the 32 bits in which norms are computed. */
  if (!(found >= G_MINFLOAT && found <= MAX_EPS))
    return clip_document_refuse (
        document, key, error, "is not a number above 0 and up to %g", MAX_EPS);
  *eps = (gfloat)found;
  return TRUE;
}

static gboolean
read_bert (const ClipDocument *document, ClipTextConfig *text, GError **error)
{
  static const gchar context_key[] = "text_context_length";
  const json_t *length = clip_document_get (document, context_key);
  const ClipRange range = { 2, text->n_positions };
  const gchar *pooling =
      json_string_value (clip_document_get (document, "text_pooling"));

  if (text->width % text->heads != 0)
    return clip_document_refuse (document, "text_num_attention_heads", error,
        "is %u, which does not divide \"text_hidden_size\", %u", text->heads,
        text->width);
  if (pooling != NULL && !g_str_equal (pooling, "cls"))
    return clip_document_refuse (document, "text_pooling", error,
        "is '%.40s'; only 'cls' is supported", pooling);
  text->context_length = MIN (DEFAULT_CONTEXT_LENGTH, text->n_positions);
  if (length != NULL && !clip_document_get_number (document, context_key,
                            length, &range, &text->context_length, error))
    return FALSE;
  text->kind = CLIP_TEXT_BERT;
  return clip_activation_read (document, "text_hidden_act",
             CLIP_ACTIVATION_GELU_ERF, &text->activation, error) &&
         read_eps (document, &text->eps, error);
}

static gboolean
read (const ClipDocument *document, ClipConfig *config, GError **error)
{
  return read_numbers (document, config, error) &&
         read_modified_resnet (document, &config->vision, error) &&
         read_bert (document, &config->text, error);
}

const ClipDialect clip_dialect_chinese_clip_original = {
  .model_type = "chinese_clip_original",
  .name = "chinese-clip-original",
  .read = read,
  .crop_rounding = CLIP_CROP_HALF_EVEN,
  .tokenizer_kind = CLIP_TOKENIZER_WORDPIECE,
  .tokenizer_dialect = CLIP_TOKENIZER_ORIGINAL,
};
