/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/checkpoint.h"

#include "clip-error.h"
#include "load/binder.h"
#include "load/dialect.h"
#include "load/identity.h"
#include "load/shards.h"
#include "load/towers.h"

#include <math.h>

struct _ClipCheckpoint {
  ClipWeights *weights;
  ClipInventory *inventory; /* over @weights */
  ClipFile *tokenizer[2]; /* vocabulary and merges, NULL where there is none */
  GPtrArray *tensors;     /* ClipTensor, in canonical order, over @weights */
  ClipTowers towers;      /* over @tensors */
  ClipConfig config;
  guint64 n_parameters;
  gfloat logit_scale;
};

static gboolean
open_tokenizer (ClipCheckpoint *checkpoint, GError **error)
{
  const ClipTokenizerConfig *tokenizer = &checkpoint->config.tokenizer;
  const gchar *const paths[] = { tokenizer->vocab, tokenizer->merges };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    if (paths[i] != NULL) {
      checkpoint->tokenizer[i] = clip_file_open (paths[i], error);
      if (checkpoint->tokenizer[i] == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
bind (ClipCheckpoint *checkpoint, const gchar *config_path, GError **error)
{
  g_autoptr (ClipBinder) binder = clip_binder_new (checkpoint->inventory);

  clip_towers_bind (
      &checkpoint->towers, &checkpoint->config, config_path == NULL, binder);
  checkpoint->tensors = clip_binder_finish (
      binder, config_path, &checkpoint->n_parameters, error);
  return checkpoint->tensors != NULL;
}

static gboolean
read_logit_scale (ClipCheckpoint *checkpoint, GError **error)
{
  gfloat logarithm;

  checkpoint->logit_scale = 1;
  if (checkpoint->towers.logit_scale == NULL)
    return TRUE;
  if (!clip_tensor_read_f32 (checkpoint->towers.logit_scale, &logarithm, error))
    return FALSE;
  checkpoint->logit_scale = expf (logarithm);
  if (checkpoint->logit_scale > 0 && isfinite (checkpoint->logit_scale))
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
      "'%s': tensor 'logit_scale' is %g, whose exponential is no scale",
      checkpoint->inventory->path, (gdouble)logarithm);
  return FALSE;
}

ClipCheckpoint *
clip_checkpoint_open (const gchar *path, GError **error)
{
  g_autoptr (ClipCheckpoint) checkpoint = g_new0 (ClipCheckpoint, 1);
  g_autofree gchar *folder = NULL;
  g_autofree gchar *weights = NULL;
  g_autofree gchar *config_path = NULL;

  g_return_val_if_fail (path != NULL, NULL);

  if (!clip_weights_locate (path, &folder, &weights, error))
    return NULL;
  checkpoint->weights = clip_weights_open (weights, error);
  if (checkpoint->weights == NULL)
    return NULL;
  checkpoint->inventory =
      clip_inventory_new (clip_weights_get_path (checkpoint->weights),
          checkpoint->weights->stored, error);
  if (checkpoint->inventory == NULL ||
      !clip_config_read (folder, checkpoint->inventory, &checkpoint->config,
          &config_path, error) ||
      !bind (checkpoint, config_path, error) ||
      !open_tokenizer (checkpoint, error) ||
      !read_logit_scale (checkpoint, error))
    return NULL;
  return g_steal_pointer (&checkpoint);
}

void
clip_checkpoint_free (ClipCheckpoint *checkpoint)
{
  if (checkpoint == NULL)
    return;
  clip_towers_clear (&checkpoint->towers);
  g_clear_pointer (&checkpoint->tensors, g_ptr_array_unref);
  clip_inventory_free (checkpoint->inventory);
  clip_weights_free (checkpoint->weights);
  for (guint i = 0; i < G_N_ELEMENTS (checkpoint->tokenizer); i++)
    clip_file_free (checkpoint->tokenizer[i]);
  clip_config_clear (&checkpoint->config);
  g_free (checkpoint);
}

const ClipConfig *
clip_checkpoint_get_config (const ClipCheckpoint *checkpoint)
{
  return &checkpoint->config;
}

const ClipModifiedResNetTensors *
clip_checkpoint_get_modified_resnet (const ClipCheckpoint *checkpoint)
{
  return checkpoint->config.vision.kind == CLIP_VISION_MODIFIED_RESNET
             ? &checkpoint->towers.modified_resnet
             : NULL;
}

const ClipVisionTransformerTensors *
clip_checkpoint_get_vision_transformer (const ClipCheckpoint *checkpoint)
{
  return checkpoint->config.vision.kind == CLIP_VISION_TRANSFORMER
             ? &checkpoint->towers.vision_transformer
             : NULL;
}

const ClipTextTransformerTensors *
clip_checkpoint_get_text_transformer (const ClipCheckpoint *checkpoint)
{
  return checkpoint->config.text.kind == CLIP_TEXT_TRANSFORMER
             ? &checkpoint->towers.text_transformer
             : NULL;
}

const ClipBertTensors *
clip_checkpoint_get_bert (const ClipCheckpoint *checkpoint)
{
  return checkpoint->config.text.kind == CLIP_TEXT_BERT
             ? &checkpoint->towers.bert
             : NULL;
}

gfloat
clip_checkpoint_get_logit_scale (const ClipCheckpoint *checkpoint)
{
  return checkpoint->logit_scale;
}

guint64
clip_checkpoint_get_n_parameters (const ClipCheckpoint *checkpoint)
{
  return checkpoint->n_parameters;
}

const gchar *
clip_checkpoint_get_source_precision (const ClipCheckpoint *checkpoint)
{
  static const gchar *const names[] = {
    [CLIP_DTYPE_F32] = "f32",
    [CLIP_DTYPE_F16] = "f16",
    [CLIP_DTYPE_BF16] = "bf16",
    [CLIP_DTYPE_F64] = "f64",
  };
  guint64 n_elements[G_N_ELEMENTS (names)] = { 0 };
  guint most = 0;

  for (guint i = 0; i < checkpoint->tensors->len; i++) {
    const ClipTensor *tensor = g_ptr_array_index (checkpoint->tensors, i);
    n_elements[clip_tensor_get_dtype (tensor)] +=
        clip_tensor_get_n_elements (tensor);
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (n_elements[i] > n_elements[most])
      most = i;
  return names[most];
}

gchar *
clip_checkpoint_identify (const ClipCheckpoint *checkpoint, GError **error)
{
  return clip_identity_new (&checkpoint->config, checkpoint->tensors,
      (const ClipFile *const *)checkpoint->tokenizer,
      G_N_ELEMENTS (checkpoint->tokenizer), error);
}

static void
append_status (GString *key, const struct stat *status)
{
  g_string_append_printf (key,
      "%s%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GINT64_FORMAT
      ".%09ld:%" G_GINT64_FORMAT,
      key->len > 0 ? "," : "", (guint64)status->st_dev, (guint64)status->st_ino,
      (gint64)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
      (gint64)status->st_size);
}

/* A file that may be absent; anything else that keeps it from being opened is
 * an error. */
static gboolean
append_optional (GString *key, const gchar *path, GError **error)
{
  g_autoptr (GError) problem = NULL;
  struct stat status;

  if (clip_file_stat (path, &status, &problem)) {
    append_status (key, &status);
  } else if (!g_error_matches (problem, CLIP_ERROR, CLIP_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  return TRUE;
}

/* Files of @folder by name. */
static gboolean
append_all (GString *key, const gchar *folder, const gchar *const *names,
    GError **error)
{
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree gchar *path = g_build_filename (folder, names[i], NULL);

    if (!append_optional (key, path, error))
      return FALSE;
  }
  return TRUE;
}

/* What was opened is known only to who reads, so that each file that could be
 * counts. */
gchar *
clip_checkpoint_get_key (const gchar *path, GError **error)
{
  static const gchar *const configs[] = { CLIP_CONFIG_FILE,
    CLIP_OPEN_CLIP_CONFIG_FILE, CLIP_PREPROCESSOR_FILE, CLIP_TOKENIZER_FILE,
    NULL };
  g_autoptr (GString) key = g_string_new (NULL);
  g_autofree gchar *folder = NULL;
  g_autofree gchar *weights = NULL;
  g_auto (GStrv) shards = NULL;
  struct stat status;

  g_return_val_if_fail (path != NULL, NULL);

  if (!clip_weights_locate (path, &folder, &weights, error) ||
      !clip_file_stat (weights, &status, error))
    return NULL;
  append_status (key, &status);
  shards = clip_shards_list (weights);
  for (guint i = 0; shards[i] != NULL; i++)
    if (!append_optional (key, shards[i], error))
      return NULL;
  if (!append_all (key, folder, configs, error) ||
      !append_all (key, folder, clip_tokenizer_files_get_names (), error))
    return NULL;
  return g_string_free (g_steal_pointer (&key), FALSE);
}
