/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/tower.h"

struct _ClipModel {
  ClipCheckpoint *checkpoint;
  gchar *id;
  gchar *family;
  gchar *activation;
  gchar *preprocessing;
  ClipModelInfo info;
};

static const ClipFit fits[] = {
  [CLIP_RESIZE_SHORTEST] = CLIP_FIT_SHORTEST,
  [CLIP_RESIZE_SQUASH] = CLIP_FIT_SQUASH,
  [CLIP_RESIZE_LONGEST] = CLIP_FIT_LONGEST,
};

static const ClipKernel kernels[] = {
  [CLIP_INTERPOLATION_BICUBIC] = CLIP_KERNEL_BICUBIC,
  [CLIP_INTERPOLATION_BILINEAR] = CLIP_KERNEL_BILINEAR,
};

static const gchar *const tokenizers[] = {
  [CLIP_TOKENIZER_NONE] = "none",
  [CLIP_TOKENIZER_WORDPIECE] = "wordpiece",
  [CLIP_TOKENIZER_BPE] = "bpe",
};

/* load/'s words for preprocessing into frame/'s: the two rooms do not know
 * each other. */
static ClipPreprocess
convert_preprocess (const ClipPreprocessConfig *config)
{
  ClipPreprocess preprocess = {
    .fit = fits[config->mode],
    .kernel = kernels[config->interpolation],
    .crop_floor = config->crop_rounding == CLIP_CROP_FLOOR,
    .resize_size = config->resize_size,
    .size = config->crop_size,
  };

  for (guint c = 0; c < 3; c++) {
    preprocess.mean[c] = config->mean[c];
    preprocess.std[c] = config->std[c];
  }
  return preprocess;
}

static void
clear_model (gpointer model)
{
  ClipModel *self = model;

  clip_checkpoint_free (self->checkpoint);
  g_free (self->id);
  g_free (self->family);
  g_free (self->activation);
  g_free (self->preprocessing);
}

void
clip_model_unref (ClipModel *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, clear_model);
}

ClipModel *
clip_model_ref (ClipModel *self)
{
  return g_atomic_rc_box_acquire (self);
}

/* "modified-resnet + bert" */
static gchar *
describe_family (const ClipConfig *config)
{
  const ClipVisionTower *vision = clip_vision_tower_find (config->vision.kind);
  const ClipTextTower *text = clip_text_tower_find (config->text.kind, NULL);

  return text != NULL ? g_strdup_printf ("%s + %s", vision->name, text->name)
                      : g_strdup (vision->name);
}

/* "relu + gelu" */
static gchar *
describe_activation (const ClipConfig *config)
{
  const gchar *vision = clip_activation_get_name (config->vision.activation);
  const gchar *text = clip_activation_get_name (config->text.activation);

  return config->text.kind != CLIP_TEXT_NONE
             ? g_strconcat (vision, " + ", text, NULL)
             : g_strdup (vision);
}

static const gchar *const fit_words[] = {
  [CLIP_RESIZE_SHORTEST] = "shortest side to",
  [CLIP_RESIZE_SQUASH] = "both sides to",
  [CLIP_RESIZE_LONGEST] = "longest side to",
};

static const gchar *const kernel_words[] = {
  [CLIP_INTERPOLATION_BICUBIC] = "bicubic",
  [CLIP_INTERPOLATION_BILINEAR] = "bilinear",
};

static void
append_channels (GString *words, const gchar *name, const gfloat channels[3])
{
  g_string_append_printf (words, ", %s", name);
  for (guint c = 0; c < 3; c++) {
    gchar number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf (words, " %s",
        g_ascii_formatd (number, sizeof number, "%.4f", channels[c]));
  }
}

/* "shortest side to 224, bicubic, crop 224, mean 0.4815 0.4578 0.4082, std …"
 */
static gchar *
describe_preprocessing (const ClipPreprocessConfig *config)
{
  GString *words = g_string_new (NULL);

  g_string_printf (words, "%s %u, %s", fit_words[config->mode],
      config->resize_size, kernel_words[config->interpolation]);
  if (config->mode == CLIP_RESIZE_SHORTEST)
    g_string_append_printf (words, ", crop %u", config->crop_size);
  append_channels (words, "mean", config->mean);
  append_channels (words, "std", config->std);
  return g_string_free (words, FALSE);
}

ClipModel *
clip_model_open (const gchar *path, GError **error)
{
  g_autoptr (ClipModel) self = g_atomic_rc_box_new0 (ClipModel);
  const ClipConfig *config = NULL;

  self->checkpoint = clip_checkpoint_open (path, error);
  if (self->checkpoint == NULL)
    return NULL;
  config = clip_checkpoint_get_config (self->checkpoint);
  self->family = describe_family (config);
  self->activation = describe_activation (config);
  self->preprocessing = describe_preprocessing (&config->preprocess);
  self->id = clip_checkpoint_identify (self->checkpoint, error);
  if (self->id == NULL)
    return NULL;
  self->info = (ClipModelInfo){
    .id = self->id,
    .family = self->family,
    .dialect = config->dialect,
    .tokenizer = tokenizers[config->tokenizer.kind],
    .source_precision = clip_checkpoint_get_source_precision (self->checkpoint),
    .activation = self->activation,
    .preprocessing = self->preprocessing,
    .image_size = config->vision.image_size,
    .embed_dim = config->embed_dim,
    .context_length =
        config->text.kind != CLIP_TEXT_NONE ? config->text.context_length : 0,
    .logit_scale = clip_checkpoint_get_logit_scale (self->checkpoint),
    .n_parameters = clip_checkpoint_get_n_parameters (self->checkpoint),
    .preprocess = convert_preprocess (&config->preprocess),
  };
  return g_steal_pointer (&self);
}

const ClipModelInfo *
clip_model_get_info (const ClipModel *self)
{
  return &self->info;
}

const ClipCheckpoint *
clip_model_get_checkpoint (const ClipModel *self)
{
  return self->checkpoint;
}

gchar *
clip_model_get_key (const gchar *path, GError **error)
{
  return clip_checkpoint_get_key (path, error);
}
