/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/config.h"

#include "clip-error.h"
#include "load/dialect.h"

/* Those of config.json. */
static const ClipDialect *const dialects[] = {
  &clip_dialect_chinese_clip_original,
  &clip_dialect_hugging_face_clip,
  &clip_dialect_hugging_face_chinese_clip,
};

/* openai/CLIP clip.py, _transform */
static const gfloat default_mean[3] = { 0.48145466f, 0.4578275f, 0.40821073f };
static const gfloat default_std[3] = { 0.26862954f, 0.26130258f, 0.27577711f };

static const gchar *const activation_names[] = {
  [CLIP_ACTIVATION_NONE] = "none",
  [CLIP_ACTIVATION_RELU] = "relu",
  [CLIP_ACTIVATION_QUICK_GELU] = "quick-gelu",
  [CLIP_ACTIVATION_GELU_ERF] = "gelu",
  [CLIP_ACTIVATION_GELU_TANH] = "gelu-tanh",
};

const gchar *
clip_activation_get_name (ClipActivation activation)
{
  g_return_val_if_fail (activation < G_N_ELEMENTS (activation_names), NULL);

  return activation_names[activation];
}

static const ClipDialect *
find_dialect (const ClipDocument *document, GError **error)
{
  static const gchar key[] = "model_type";
  const gchar *model_type =
      json_string_value (clip_document_get (document, key));

  if (model_type == NULL) {
    clip_document_refuse (document, key, error, "is missing");
    return NULL;
  }
  for (guint i = 0; i < G_N_ELEMENTS (dialects); i++)
    if (g_str_equal (model_type, dialects[i]->model_type))
      return dialects[i];
  clip_document_refuse (document, key, error,
      "is '%.40s'; supported are '%s' (a Chinese-CLIP model under its original "
      "names), '%s' and '%s'",
      model_type, dialects[0]->model_type, dialects[1]->model_type,
      dialects[2]->model_type);
  return NULL;
}

/* The dialect of Hugging Face's tensor names: config.json says which. */
static const ClipDialect *
find_hugging_face (const gchar *folder, const ClipInventory *inventory,
    ClipDocument **document, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, CLIP_CONFIG_FILE, NULL);
  const ClipDialect *dialect;

  *document = clip_document_open (path, error);
  if (*document == NULL)
    return NULL;
  dialect = find_dialect (*document, error);
  if (dialect == NULL)
    return NULL;
  if (dialect == &clip_dialect_chinese_clip_original ||
      (inventory->text != CLIP_TEXT_NONE && inventory->text != dialect->text)) {
    clip_document_refuse (*document, "model_type", error,
        "is '%s', and the tensors of '%s' are called as those of '%s' are",
        dialect->model_type, inventory->path,
        inventory->text == CLIP_TEXT_BERT
            ? clip_dialect_hugging_face_chinese_clip.model_type
            : clip_dialect_hugging_face_clip.model_type);
    return NULL;
  }
  return dialect;
}

/* The dialect of canonical names. A folder can hold the same model twice, so a
 * configuration of Hugging Face's may belong to another file.
 *
 * @document: (out): NULL where the tensors alone tell the model */
static const ClipDialect *
find_canonical (const gchar *folder, const ClipInventory *inventory,
    ClipDocument **document, GError **error)
{
  const gboolean is_chinese = inventory->text == CLIP_TEXT_BERT;
  const ClipDialect *dialect;

  if (!is_chinese && !clip_document_open_optional (
                         folder, CLIP_OPEN_CLIP_CONFIG_FILE, document, error))
    return NULL;
  if (*document != NULL)
    return &clip_dialect_open_clip;
  if (!is_chinese)
    return &clip_dialect_openai;
  if (!clip_document_open_optional (folder, CLIP_CONFIG_FILE, document, error))
    return NULL;
  if (*document == NULL)
    return &clip_dialect_chinese_clip_original;
  dialect = find_dialect (*document, error);
  if (dialect == NULL || dialect == &clip_dialect_chinese_clip_original)
    return dialect;
  g_clear_pointer (document, clip_document_free);
  return &clip_dialect_chinese_clip_original;
}

static void
set_preprocess (ClipConfig *config, const ClipDialect *dialect)
{
  ClipPreprocessConfig *preprocess = &config->preprocess;

  preprocess->mode = dialect->resize_mode;
  preprocess->interpolation = CLIP_INTERPOLATION_BICUBIC;
  preprocess->crop_rounding = dialect->crop_rounding;
  preprocess->resize_size = config->vision.image_size;
  preprocess->crop_size = config->vision.image_size;
  for (guint i = 0; i < G_N_ELEMENTS (default_mean); i++) {
    preprocess->mean[i] = default_mean[i];
    preprocess->std[i] = default_std[i];
  }
}

gboolean
clip_config_read (const gchar *folder, const ClipInventory *inventory,
    ClipConfig *config, gchar **path, GError **error)
{
  g_autoptr (ClipDocument) document = NULL;
  const ClipDialect *dialect =
      inventory->naming == CLIP_NAMING_HUGGING_FACE
          ? find_hugging_face (folder, inventory, &document, error)
          : find_canonical (folder, inventory, &document, error);

  if (dialect == NULL)
    return FALSE;
  config->dialect = dialect->name;
  *path = document != NULL ? g_strdup (document->path) : NULL;
  if (document != NULL ? !dialect->read (document, config, error)
                       : !clip_shapes_read (inventory, config, error))
    return FALSE;
  if (inventory->text == CLIP_TEXT_NONE)
    config->text = (ClipTextConfig){ .kind = CLIP_TEXT_NONE };
  set_preprocess (config, dialect);
  if (document != NULL &&
      !dialect->read_preprocess (dialect, document, config, error))
    return FALSE;
  return clip_tokenizer_files_locate (folder, dialect,
      document != NULL && dialect->model_type != NULL, config, error);
}

void
clip_config_clear (ClipConfig *config)
{
  g_clear_pointer (&config->tokenizer.vocab, g_free);
  g_clear_pointer (&config->tokenizer.merges, g_free);
}
