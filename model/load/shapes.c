/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The architecture as OpenAI's builder infers it where no configuration exists:
 * from the shapes of the tensors (model-spec 1.6). What shapes cannot tell goes
 * by the publisher's rule. */

#include "load/dialect.h"

#include "clip-error.h"

#include <math.h>
#include <string.h>

/* openai/CLIP model.py, build_model: a head's width */
#define HEAD_WIDTH 64

/* open_clip's and Chinese-CLIP's configurations: head_width of ViT-H, g, bigG
 */
static const struct {
  guint width, head_width;
} wide_heads[] = { { 1280, 80 }, { 1408, 88 }, { 1664, 104 } };

/* A dimension of a tensor that tells a number of the configuration. */
typedef struct {
  const gchar *key;
  guint n_dims;
  guint dim;
  gsize slot; /* of a guint in ClipConfig */
  ClipRange range;
} Shape;

#define SLOT(field) G_STRUCT_OFFSET (ClipConfig, field)

/* clang-format off */
static const Shape resnet_shapes[] = {
  { "visual.conv3.weight", 4, 0, SLOT (vision.width), { 2, CLIP_MAX_WIDTH } },
  { "visual.attnpool.c_proj.weight", 2, 0, SLOT (embed_dim),
    { 1, CLIP_MAX_WIDTH } },
  { NULL }
};

static const Shape vision_shapes[] = {
  { "visual.conv1.weight", 4, 0, SLOT (vision.width), { 1, CLIP_MAX_WIDTH } },
  { "visual.conv1.weight", 4, 3, SLOT (vision.patch_size),
    { 1, CLIP_MAX_SIDE } },
  { "visual.proj", 2, 1, SLOT (embed_dim), { 1, CLIP_MAX_WIDTH } },
  { NULL }
};

static const Shape text_shapes[] = {
  { "token_embedding.weight", 2, 0, SLOT (text.vocab_size),
    { 4, CLIP_MAX_WORDS } },
  { "ln_final.weight", 1, 0, SLOT (text.width), { 1, CLIP_MAX_WIDTH } },
  { "positional_embedding", 2, 0, SLOT (text.n_positions),
    { 2, CLIP_MAX_POSITIONS } },
  { NULL }
};

static const Shape bert_shapes[] = {
  { "bert.embeddings.word_embeddings.weight", 2, 0, SLOT (text.vocab_size),
    { 4, CLIP_MAX_WORDS } },
  { "bert.embeddings.word_embeddings.weight", 2, 1, SLOT (text.width),
    { 1, CLIP_MAX_WIDTH } },
  { "bert.embeddings.position_embeddings.weight", 2, 0,
    SLOT (text.n_positions), { 2, CLIP_MAX_POSITIONS } },
  { "bert.embeddings.token_type_embeddings.weight", 2, 0,
    SLOT (text.n_token_types), { 1, CLIP_MAX_TYPES } },
  { NULL }
};
/* clang-format on */

static gboolean refuse (const ClipInventory *inventory, const gchar *key,
    GError **error, const gchar *format, ...) G_GNUC_PRINTF (4, 5);

static gboolean
refuse (const ClipInventory *inventory, const gchar *key, GError **error,
    const gchar *format, ...)
{
  g_autofree gchar *reason = NULL;
  va_list arguments;

  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL, "'%s': tensor '%s' %s",
      inventory->path, key, reason);
  return FALSE;
}

static gboolean
read_shape (const ClipInventory *inventory, const Shape *shape, guint *number,
    GError **error)
{
  const ClipStoredTensor *stored = clip_inventory_find (inventory, shape->key);
  g_autofree gchar *dims = NULL;

  if (stored == NULL)
    return refuse (inventory, shape->key, error,
        "is missing, and no configuration describes the model");
  dims = clip_dims_to_string (stored->dims, stored->n_dims);
  if (stored->n_dims != shape->n_dims)
    return refuse (inventory, shape->key, error,
        "has the shape %s; %u dimensions were expected", dims, shape->n_dims);
  if (stored->dims[shape->dim] < shape->range.min ||
      stored->dims[shape->dim] > shape->range.max)
    return refuse (inventory, shape->key, error,
        "has the shape %s; dimension %u must be %u to %u", dims, shape->dim + 1,
        shape->range.min, shape->range.max);
  *number = (guint)stored->dims[shape->dim];
  return TRUE;
}

static gboolean
read_shapes (const ClipInventory *inventory, const Shape *shapes,
    ClipConfig *config, GError **error)
{
  for (const Shape *shape = shapes; shape->key != NULL; shape++)
    if (!read_shape (
            inventory, shape, G_STRUCT_MEMBER_P (config, shape->slot), error))
      return FALSE;
  return TRUE;
}

/* The side of the square that all rows but the first make up. */
static gboolean
read_side (const ClipInventory *inventory, const gchar *key, guint *side,
    GError **error)
{
  const Shape shape = { key, 2, 0, 0,
    { 2, CLIP_MAX_SIDE * CLIP_MAX_SIDE + 1 } };
  guint rows = 0;

  if (!read_shape (inventory, &shape, &rows, error))
    return FALSE;
  *side = (guint)lround (sqrt (rows - 1));
  if (*side * *side + 1 != rows)
    return refuse (inventory, key, error,
        "has %u rows, which are not one more than a square", rows);
  return TRUE;
}

static gboolean
read_image_size (const ClipInventory *inventory, const gchar *key, guint patch,
    ClipVisionConfig *vision, GError **error)
{
  guint side;

  if (!read_side (inventory, key, &side, error))
    return FALSE;
  if (side > CLIP_MAX_SIDE / patch)
    return refuse (inventory, key, error,
        "is for pictures of %u times %u pixels a side; at most %d are "
        "supported",
        side, patch, CLIP_MAX_SIDE);
  vision->image_size = side * patch;
  return TRUE;
}

static guint
find_vision_head_width (guint width)
{
  for (guint i = 0; i < G_N_ELEMENTS (wide_heads); i++)
    if (wide_heads[i].width == width)
      return wide_heads[i].head_width;
  return HEAD_WIDTH;
}

/* @heads: (inout): the width of one, then their number
 * @width: that of the tensor @key */
static gboolean
read_heads (const ClipInventory *inventory, const gchar *key, guint width,
    guint *heads, GError **error)
{
  if (width % *heads != 0)
    return refuse (inventory, key, error,
        "is %u wide, which is no multiple of %u, the width of a head; models "
        "with other heads need a configuration beside them",
        width, *heads);
  *heads = width / *heads;
  return TRUE;
}

/* How many blocks there are, and the widest of their MLPs.
 *
 * @fc: of the tensor whose rows are as many as the MLP is wide */
static gboolean
read_blocks (const ClipInventory *inventory, const gchar *prefix,
    const gchar *fc, guint numbers[2], GError **error)
{
  const guint n_blocks = clip_inventory_count (inventory, prefix, fc);

  if (n_blocks == 0 || n_blocks > CLIP_MAX_LAYERS) {
    g_autofree gchar *key = g_strconcat (prefix, "0", fc, NULL);
    return refuse (inventory, key, error,
        "and its like number %u; a model has 1 to %d layers", n_blocks,
        CLIP_MAX_LAYERS);
  }
  numbers[0] = n_blocks;
  numbers[1] = 0;
  for (guint i = 0; i < n_blocks; i++) {
    g_autofree gchar *key = g_strdup_printf ("%s%u%s", prefix, i, fc);
    const Shape shape = { key, 2, 0, 0, { 1, 4 * CLIP_MAX_WIDTH } };
    guint width = 0;

    if (!read_shape (inventory, &shape, &width, error))
      return FALSE;
    numbers[1] = MAX (numbers[1], width);
  }
  return TRUE;
}

static gboolean
read_modified_resnet (
    const ClipInventory *inventory, ClipConfig *config, GError **error)
{
  ClipVisionConfig *vision = &config->vision;

  if (!read_shapes (inventory, resnet_shapes, config, error) ||
      !read_image_size (inventory, "visual.attnpool.positional_embedding",
          CLIP_RESNET_REDUCTION, vision, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (vision->stage_layers); i++) {
    g_autofree gchar *prefix = g_strdup_printf ("visual.layer%u.", i + 1);
    const guint n = clip_inventory_count (inventory, prefix, ".conv1.weight");

    if (n == 0 || n > CLIP_MAX_LAYERS)
      return refuse (inventory, prefix, error,
          "has %u bottlenecks; a stage has 1 to %d", n, CLIP_MAX_LAYERS);
    vision->stage_layers[i] = n;
  }
  if (vision->width % 2 != 0)
    return refuse (inventory, resnet_shapes[0].key, error,
        "is for a width of %u; a ModifiedResNet needs an even one",
        vision->width);
  vision->heads = vision->width * CLIP_RESNET_REDUCTION / HEAD_WIDTH;
  vision->activation = CLIP_ACTIVATION_RELU;
  return TRUE;
}

static gboolean
read_vision_transformer (
    const ClipInventory *inventory, ClipConfig *config, GError **error)
{
  ClipVisionConfig *vision = &config->vision;
  guint numbers[2];

  if (!read_shapes (inventory, vision_shapes, config, error) ||
      !read_image_size (inventory, "visual.positional_embedding",
          vision->patch_size, vision, error))
    return FALSE;
  vision->heads = find_vision_head_width (vision->width);
  if (!read_heads (inventory, vision_shapes[0].key, vision->width,
          &vision->heads, error) ||
      !read_blocks (inventory, "visual.transformer.resblocks.",
          ".mlp.c_fc.weight", numbers, error))
    return FALSE;
  vision->n_layers = numbers[0];
  vision->mlp_width = numbers[1];
  vision->activation = CLIP_ACTIVATION_QUICK_GELU;
  vision->eps = CLIP_EPS;
  return TRUE;
}

static gboolean
read_text (const ClipInventory *inventory, ClipConfig *config, GError **error)
{
  const gboolean is_bert = inventory->text == CLIP_TEXT_BERT;
  ClipTextConfig *text = &config->text;
  guint numbers[2];

  text->heads = HEAD_WIDTH;
  if (!read_shapes (
          inventory, is_bert ? bert_shapes : text_shapes, config, error) ||
      !read_heads (inventory, is_bert ? bert_shapes[1].key : text_shapes[1].key,
          text->width, &text->heads, error) ||
      !read_blocks (inventory,
          is_bert ? "bert.encoder.layer." : "transformer.resblocks.",
          is_bert ? ".intermediate.dense.weight" : ".mlp.c_fc.weight", numbers,
          error))
    return FALSE;
  text->n_layers = numbers[0];
  text->mlp_width = numbers[1];
  text->context_length =
      is_bert ? MIN (CLIP_CHINESE_CONTEXT_LENGTH, text->n_positions)
              : text->n_positions;
  text->activation =
      is_bert ? CLIP_ACTIVATION_GELU_ERF : CLIP_ACTIVATION_QUICK_GELU;
  text->eps = is_bert ? CLIP_BERT_EPS : CLIP_EPS;
  return TRUE;
}

/* The same names are used by OpenAI, whose models have one activation, and by
 * open_clip, whose models have another or not. OpenAI's say their sizes, or
 * have norms in 32 bits and all else in 16 (model.py, convert_weights); a
 * picture side of convolutions has no such activation. */
static gboolean
prove_openai (const ClipInventory *inventory, GError **error)
{
  const gboolean is_resnet = inventory->vision == CLIP_VISION_MODIFIED_RESNET;
  const ClipStoredTensor *norm = clip_inventory_find (
      inventory, inventory->text == CLIP_TEXT_NONE ? "visual.ln_post.weight"
                                                   : "ln_final.weight");
  const ClipStoredTensor *conv =
      clip_inventory_find (inventory, "visual.conv1.weight");

  if (inventory->text == CLIP_TEXT_BERT ||
      (is_resnet && inventory->text == CLIP_TEXT_NONE) ||
      clip_inventory_find (inventory, "input_resolution") != NULL ||
      (norm != NULL && norm->dtype == CLIP_DTYPE_F32 && conv != NULL &&
          conv->dtype == CLIP_DTYPE_F16))
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
      "'%s' does not tell its activation: it has the tensor names of OpenAI "
      "and open_clip, no sizes, and not OpenAI's precisions; put the model's "
      "%s beside it",
      inventory->path, CLIP_OPEN_CLIP_CONFIG_FILE);
  return FALSE;
}

gboolean
clip_shapes_read (
    const ClipInventory *inventory, ClipConfig *config, GError **error)
{
  config->vision.kind = inventory->vision;
  config->text.kind = inventory->text;
  if (!prove_openai (inventory, error))
    return FALSE;
  if (inventory->vision == CLIP_VISION_MODIFIED_RESNET
          ? !read_modified_resnet (inventory, config, error)
          : !read_vision_transformer (inventory, config, error))
    return FALSE;
  return inventory->text == CLIP_TEXT_NONE ||
         read_text (inventory, config, error);
}

const ClipDialect clip_dialect_openai = {
  .name = "openai",
  .text = CLIP_TEXT_TRANSFORMER,
  .crop_rounding = CLIP_CROP_HALF_EVEN,
  .resize_mode = CLIP_RESIZE_SHORTEST,
  .tokenizer_dialect = CLIP_TOKENIZER_ORIGINAL,
};
