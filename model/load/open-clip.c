/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The dialect of open_clip: open_clip_config.json (model-spec 1.3). Its models
 * come in many architectures, so each key must be known: what none of ours
 * does is refused by name. */

#include "load/dialect.h"

#define SLOT(field) G_STRUCT_OFFSET (ClipConfig, field)

#define HEAD_WIDTH 64
#define MLP_RATIO 4.0
#define MAX_MLP_RATIO 64.0

#define MODEL "model_cfg"
#define VISION MODEL ".vision_cfg"
#define TEXT MODEL ".text_cfg"
#define PREPROCESS "preprocess_cfg"

/* clang-format off */
static const ClipNumberKey model_keys[] = {
  { "embed_dim", SLOT (embed_dim), { 1, CLIP_MAX_WIDTH } },
};

/* open_clip model.py, CLIPVisionCfg and CLIPTextCfg: the defaults */
static const ClipNumberKey vision_keys[] = {
  { "width", SLOT (vision.width), { 1, CLIP_MAX_WIDTH }, 768 },
  { "image_size", SLOT (vision.image_size), { 1, CLIP_MAX_SIDE }, 224 },
};

static const ClipNumberKey vision_transformer_keys[] = {
  { "layers", SLOT (vision.n_layers), { 1, CLIP_MAX_LAYERS }, 12 },
  { "patch_size", SLOT (vision.patch_size), { 1, CLIP_MAX_SIDE }, 16 },
};

static const ClipNumberKey text_keys[] = {
  { "context_length", SLOT (text.n_positions), { 2, CLIP_MAX_POSITIONS }, 77 },
  { "vocab_size", SLOT (text.vocab_size), { 4, CLIP_MAX_WORDS }, 49408 },
  { "width", SLOT (text.width), { 1, CLIP_MAX_WIDTH }, 512 },
  { "heads", SLOT (text.heads), { 1, CLIP_MAX_HEADS }, 8 },
  { "layers", SLOT (text.n_layers), { 1, CLIP_MAX_LAYERS }, 12 },
};

/* What a key may say besides null and false. */
typedef struct {
  const gchar *key;
  const gchar *word; /* NULL: anything, it is read or does not matter here */
} Known;

static const Known model_known[] = {
  { "embed_dim" }, { "quick_gelu" }, { "vision_cfg" }, { "text_cfg" },
  { "custom_text" }, { "init_logit_scale" }, { "output_dict" }, { NULL }
};

static const Known vision_known[] = {
  { "layers" }, { "width" }, { "head_width" }, { "mlp_ratio" },
  { "patch_size" }, { "image_size" }, { "patch_dropout" }, { "norm_kwargs" },
  { "pool_type", "tok" }, { "pos_embed_type", "learnable" }, { NULL }
};

static const Known text_known[] = {
  { "context_length" }, { "vocab_size" }, { "width" }, { "heads" },
  { "layers" }, { "mlp_ratio" }, { "norm_kwargs" }, { "pad_id" },
  { "pool_type", "argmax" }, { "proj_type", "linear" }, { NULL }
};

static const Known norm_known[] = { { "eps" }, { NULL } };

static const Known preprocess_known[] = {
  { "size" }, { "mode", "RGB" }, { "mean" }, { "std" }, { "interpolation" },
  { "resize_mode" }, { "fill_color" }, { NULL }
};
/* clang-format on */

/* A word of a configuration and what it means. */
typedef struct {
  const gchar *word; /* NULL ends a table */
  guint value;
} Word;

static const Word interpolations[] = {
  { "bicubic", CLIP_INTERPOLATION_BICUBIC },
  { "bilinear", CLIP_INTERPOLATION_BILINEAR },
  /* Of training; a picture is then asked with the first. */
  { "random", CLIP_INTERPOLATION_BICUBIC },
  { NULL },
};

static const Word resize_modes[] = {
  { "shortest", CLIP_RESIZE_SHORTEST },
  { "squash", CLIP_RESIZE_SQUASH },
  { "longest", CLIP_RESIZE_LONGEST },
  { NULL },
};

static gboolean
is_off (const json_t *value)
{
  return json_is_null (value) || json_is_false (value);
}

/* Each key of @section is known, or null or false. */
static gboolean
prove_known (const ClipDocument *section, const Known *known, GError **error)
{
  const gchar *key;
  json_t *value;

  json_object_foreach (section->root, key, value)
  {
    const gchar *word = json_string_value (value);
    const Known *row = known;

    while (row->key != NULL && !g_str_equal (row->key, key))
      row++;
    if (is_off (value) || (row->key != NULL && row->word == NULL))
      continue;
    if (row->key == NULL)
      return clip_document_refuse (section, key, error,
          "is not supported: only the plain towers of CLIP are");
    if (g_strcmp0 (word, row->word) != 0)
      return clip_document_refuse (section, key, error,
          "is '%.40s'; only '%s' is supported", word != NULL ? word : "…",
          row->word);
  }
  return TRUE;
}

static gboolean
read_word (const ClipDocument *section, const gchar *key, const Word *words,
    guint *value, GError **error)
{
  const json_t *found = clip_document_get (section, key);
  const gchar *word = json_string_value (found);

  if (found == NULL)
    return TRUE;
  for (; word != NULL && words->word != NULL; words++)
    if (g_str_equal (word, words->word)) {
      *value = words->value;
      return TRUE;
    }
  return clip_document_refuse (
      section, key, error, "is '%.40s', which is not known", word ? word : "…");
}

/* int (width * mlp_ratio), as open_clip has it. */
static gboolean
read_mlp (
    const ClipDocument *section, guint width, guint *mlp_width, GError **error)
{
  static const gchar key[] = "mlp_ratio";
  const json_t *value = clip_document_get (section, key);
  const gdouble ratio = value != NULL ? json_number_value (value) : MLP_RATIO;

  if (!(ratio * width >= 1 && ratio <= MAX_MLP_RATIO))
    return clip_document_refuse (section, key, error,
        "is not a number above 0 and up to %g", MAX_MLP_RATIO);
  *mlp_width = (guint)(ratio * width);
  return TRUE;
}

static gboolean
read_eps (const ClipDocument *document, const gchar *name, gfloat *eps,
    GError **error)
{
  ClipDocument norm;

  return clip_document_enter (document, name, &norm, error) &&
         prove_known (&norm, norm_known, error) &&
         clip_eps_read (&norm, "eps", CLIP_EPS, eps, error);
}

/* @channels: of the heads' input */
static gboolean
read_vision_heads (
    const ClipDocument *section, guint channels, guint *heads, GError **error)
{
  const ClipNumberKey key = { "head_width", 0, { 1, CLIP_MAX_WIDTH },
    HEAD_WIDTH };
  guint head_width;

  if (!clip_document_read_numbers (section, &key, 1, &head_width, error))
    return FALSE;
  if (channels % head_width != 0 || channels / head_width > CLIP_MAX_HEADS)
    return clip_document_refuse (section, key.key, error,
        "is %u, which does not divide the width, %u, into 1 to %d heads",
        head_width, channels, CLIP_MAX_HEADS);
  *heads = channels / head_width;
  return TRUE;
}

static gboolean
read_modified_resnet (const ClipDocument *section, const json_t *layers,
    ClipVisionConfig *vision, GError **error)
{
  static const ClipRange range = { 1, CLIP_MAX_LAYERS };

  if (json_array_size (layers) != G_N_ELEMENTS (vision->stage_layers))
    return clip_document_refuse (section, "layers", error,
        "has %" G_GSIZE_FORMAT " numbers; a ModifiedResNet has four stages",
        json_array_size (layers));
  for (guint i = 0; i < G_N_ELEMENTS (vision->stage_layers); i++)
    if (!clip_document_get_number (section, "layers",
            json_array_get (layers, i), &range, &vision->stage_layers[i],
            error))
      return FALSE;
  if (vision->image_size % CLIP_RESNET_REDUCTION != 0)
    return clip_document_refuse (section, "image_size", error,
        "is %u; a ModifiedResNet needs a multiple of %u", vision->image_size,
        CLIP_RESNET_REDUCTION);
  if (vision->width % 2 != 0)
    return clip_document_refuse (section, "width", error,
        "is %u; a ModifiedResNet needs an even one", vision->width);
  vision->kind = CLIP_VISION_MODIFIED_RESNET;
  vision->activation = CLIP_ACTIVATION_RELU;
  return read_vision_heads (
      section, vision->width * CLIP_RESNET_REDUCTION, &vision->heads, error);
}

static gboolean
read_vision (const ClipDocument *document, ClipConfig *config, GError **error)
{
  ClipVisionConfig *vision = &config->vision;
  ClipDocument section;
  const json_t *layers;

  if (!clip_document_enter (document, VISION, &section, error) ||
      !prove_known (&section, vision_known, error) ||
      !clip_document_read_numbers (
          &section, vision_keys, G_N_ELEMENTS (vision_keys), config, error))
    return FALSE;
  layers = clip_document_get (&section, "layers");
  if (json_is_array (layers))
    return read_modified_resnet (&section, layers, vision, error);
  vision->kind = CLIP_VISION_TRANSFORMER;
  return clip_document_read_numbers (&section, vision_transformer_keys,
             G_N_ELEMENTS (vision_transformer_keys), config, error) &&
         clip_patches_prove (&section, vision, error) &&
         read_vision_heads (&section, vision->width, &vision->heads, error) &&
         read_mlp (&section, vision->width, &vision->mlp_width, error) &&
         read_eps (document, VISION ".norm_kwargs", &vision->eps, error);
}

static gboolean
read_text (const ClipDocument *document, ClipConfig *config, GError **error)
{
  static const gchar *const heads_keys[2] = { "heads", "width" };
  ClipTextConfig *text = &config->text;
  ClipDocument section;

  if (!clip_document_enter (document, TEXT, &section, error) ||
      !prove_known (&section, text_known, error) ||
      !clip_document_read_numbers (
          &section, text_keys, G_N_ELEMENTS (text_keys), config, error))
    return FALSE;
  text->kind = CLIP_TEXT_TRANSFORMER;
  text->context_length = text->n_positions;
  return clip_heads_prove (
             &section, heads_keys, text->heads, text->width, error) &&
         read_mlp (&section, text->width, &text->mlp_width, error) &&
         read_eps (document, TEXT ".norm_kwargs", &text->eps, error);
}

static gboolean
read (const ClipDocument *document, ClipConfig *config, GError **error)
{
  ClipDocument model;
  gboolean is_quick;

  if (!clip_document_enter (document, MODEL, &model, error))
    return FALSE;
  if (model.root == NULL)
    return clip_document_refuse (document, MODEL, error, "is missing");
  if (!prove_known (&model, model_known, error) ||
      !clip_document_read_numbers (
          &model, model_keys, G_N_ELEMENTS (model_keys), config, error) ||
      !clip_document_get_boolean (
          &model, "quick_gelu", FALSE, &is_quick, error) ||
      !read_vision (document, config, error) ||
      !read_text (document, config, error))
    return FALSE;
  config->text.activation =
      is_quick ? CLIP_ACTIVATION_QUICK_GELU : CLIP_ACTIVATION_GELU_ERF;
  if (config->vision.kind == CLIP_VISION_TRANSFORMER)
    config->vision.activation = config->text.activation;
  return TRUE;
}

/* A number, or a list of two equal ones. */
static gboolean
read_size (const ClipDocument *section, guint image_size, GError **error)
{
  static const gchar key[] = "size";
  static const ClipRange range = { 1, CLIP_MAX_SIDE };
  const json_t *value = clip_document_get (section, key);
  guint size;

  if (value == NULL)
    return TRUE;
  if (json_array_size (value) == 2 &&
      json_equal (json_array_get (value, 0), json_array_get (value, 1)))
    value = json_array_get (value, 0);
  if (!clip_document_get_number (section, key, value, &range, &size, error))
    return FALSE;
  if (size != image_size)
    return clip_document_refuse (section, key, error,
        "is %u, and \"" VISION ".image_size\" is %u", size, image_size);
  return TRUE;
}

static gboolean
read_preprocess (const ClipDialect *dialect, const ClipDocument *document,
    ClipConfig *config, GError **error)
{
  static const gchar fill_key[] = "fill_color";
  static const ClipRange black = { 0, 0 };
  ClipPreprocessConfig *preprocess = &config->preprocess;
  guint mode = preprocess->mode, interpolation = preprocess->interpolation;
  ClipDocument section;
  const json_t *fill;
  guint colour;

  if (!clip_document_enter (document, PREPROCESS, &section, error) ||
      !prove_known (&section, preprocess_known, error) ||
      !read_size (&section, config->vision.image_size, error) ||
      !read_word (&section, "resize_mode", resize_modes, &mode, error) ||
      !read_word (
          &section, "interpolation", interpolations, &interpolation, error))
    return FALSE;
  preprocess->mode = mode;
  preprocess->interpolation = interpolation;
  fill = clip_document_get (&section, fill_key);
  /* Nothing else is padded. */
  if (fill != NULL && mode == CLIP_RESIZE_LONGEST &&
      !clip_document_get_number (
          &section, fill_key, fill, &black, &colour, error))
    return FALSE;
  return (clip_document_get (&section, "mean") == NULL ||
             clip_channels_read (
                 &section, "mean", -10, preprocess->mean, error)) &&
         (clip_document_get (&section, "std") == NULL ||
             clip_channels_read (
                 &section, "std", 1e-4, preprocess->std, error));
}

const ClipDialect clip_dialect_open_clip = {
  .name = "open-clip",
  .text = CLIP_TEXT_TRANSFORMER,
  .read = read,
  .read_preprocess = read_preprocess,
  .crop_rounding = CLIP_CROP_HALF_EVEN,
  .resize_mode = CLIP_RESIZE_SHORTEST,
  .tokenizer_dialect = CLIP_TOKENIZER_ORIGINAL,
};
