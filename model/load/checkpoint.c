/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/checkpoint.h"

#include "clip-error.h"
#include "load/binder.h"
#include "load/dialect.h"
#include "load/identity.h"
#include "load/safetensors.h"
#include "load/towers.h"

#include <math.h>
#include <string.h>

#define WEIGHTS_FILE "model.safetensors"

struct _ClipCheckpoint {
  ClipFile *weights;
  ClipFile *vocabulary;
  GPtrArray *stored;  /* ClipStoredTensor; their file is @weights */
  GPtrArray *tensors; /* ClipTensor, in canonical order, over @stored */
  ClipTowers towers;  /* over @tensors */
  ClipConfig config;
  guint64 n_parameters;
  gfloat logit_scale;
};

/* A weights format, told by its first bytes. Some are known only so that the
 * error can say what to do. */
typedef struct {
  const gchar *magic; /* NULL for the last, which has none */
  gsize magic_size;
  GPtrArray *(*read) (const ClipFile *file, GError **error);
  const gchar *refusal;
} Format;

static const Format formats[] = {
  { "PK\3\4", 4, NULL,
      "is a PyTorch or zip archive; convert it to safetensors" },
  { "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46", 8, NULL,
      "is an old PyTorch file; convert it to safetensors" },
  { "GGUF", 4, NULL, "is a GGUF file; safetensors is supported" },
  { "version ", 8, NULL,
      "is a Git LFS pointer and not the file itself; fetch it with git lfs "
      "pull" },
  { NULL, 0, clip_safetensors_read },
};

#define MAX_MAGIC_SIZE 8

static GPtrArray *
read_weights (const ClipFile *file, GError **error)
{
  gchar head[MAX_MAGIC_SIZE] = { 0 };
  const Format *format = formats;

  if (!clip_file_read_at (
          file, 0, head, (gsize)MIN (file->size, sizeof head), error))
    return NULL;
  while (format->magic != NULL &&
         memcmp (head, format->magic, format->magic_size) != 0)
    format++;
  if (format->read != NULL)
    return format->read (file, error);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT, "'%s' %s", file->path,
      format->refusal);
  return NULL;
}

/* @path is a model's folder, or the weights inside it. */
static gboolean
locate (const gchar *path, gchar **folder, gchar **weights, GError **error)
{
  struct stat status;

  if (!clip_file_stat (path, &status, error))
    return FALSE;
  *folder =
      S_ISDIR (status.st_mode) ? g_strdup (path) : g_path_get_dirname (path);
  *weights = S_ISDIR (status.st_mode)
                 ? g_build_filename (path, WEIGHTS_FILE, NULL)
                 : g_strdup (path);
  return TRUE;
}

static gboolean
bind (ClipCheckpoint *checkpoint, const gchar *folder, GError **error)
{
  g_autofree gchar *config_path =
      g_build_filename (folder, CLIP_CONFIG_FILE, NULL);
  g_autoptr (ClipBinder) binder = clip_binder_new (checkpoint->stored);

  clip_towers_bind (&checkpoint->towers, &checkpoint->config, binder);
  checkpoint->tensors = clip_binder_finish (binder, config_path,
      checkpoint->weights->path, &checkpoint->n_parameters, error);
  return checkpoint->tensors != NULL;
}

static gboolean
read_logit_scale (ClipCheckpoint *checkpoint, GError **error)
{
  gfloat logarithm;

  if (!clip_tensor_read_f32 (checkpoint->towers.logit_scale, &logarithm, error))
    return FALSE;
  checkpoint->logit_scale = expf (logarithm);
  if (checkpoint->logit_scale > 0 && isfinite (checkpoint->logit_scale))
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
      "'%s': tensor 'logit_scale' is %g, whose exponential is no scale",
      checkpoint->weights->path, (gdouble)logarithm);
  return FALSE;
}

ClipCheckpoint *
clip_checkpoint_open (const gchar *path, GError **error)
{
  g_autoptr (ClipCheckpoint) checkpoint = g_new0 (ClipCheckpoint, 1);
  g_autofree gchar *folder = NULL;
  g_autofree gchar *weights = NULL;

  g_return_val_if_fail (path != NULL, NULL);

  if (!locate (path, &folder, &weights, error) ||
      !clip_config_read (folder, &checkpoint->config, error))
    return NULL;
  checkpoint->vocabulary =
      clip_file_open (checkpoint->config.tokenizer.vocab, error);
  if (checkpoint->vocabulary == NULL)
    return NULL;
  checkpoint->weights = clip_file_open (weights, error);
  if (checkpoint->weights == NULL)
    return NULL;
  checkpoint->stored = read_weights (checkpoint->weights, error);
  if (checkpoint->stored == NULL || !bind (checkpoint, folder, error) ||
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
  g_clear_pointer (&checkpoint->stored, g_ptr_array_unref);
  clip_file_free (checkpoint->vocabulary);
  clip_file_free (checkpoint->weights);
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
  return &checkpoint->towers.modified_resnet;
}

const ClipBertTensors *
clip_checkpoint_get_bert (const ClipCheckpoint *checkpoint)
{
  return &checkpoint->towers.bert;
}

/* No dialect so far has the other two towers. */
const ClipVisionTransformerTensors *
clip_checkpoint_get_vision_transformer (const ClipCheckpoint *checkpoint)
{
  return NULL;
}

const ClipTextTransformerTensors *
clip_checkpoint_get_text_transformer (const ClipCheckpoint *checkpoint)
{
  return NULL;
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
  return clip_identity_new (
      &checkpoint->config, checkpoint->tensors, checkpoint->vocabulary, error);
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

gchar *
clip_checkpoint_get_key (const gchar *path, GError **error)
{
  static const struct {
    const gchar *name;
    gboolean is_optional;
  } files[] = {
    { CLIP_CONFIG_FILE },
    { CLIP_PREPROCESSOR_FILE },
    { CLIP_VOCABULARY_FILE },
    { CLIP_TOKENIZER_FILE, TRUE },
  };
  g_autoptr (GString) key = g_string_new (NULL);
  g_autofree gchar *folder = NULL;
  g_autofree gchar *weights = NULL;
  struct stat status;

  g_return_val_if_fail (path != NULL, NULL);

  if (!locate (path, &folder, &weights, error) ||
      !clip_file_stat (weights, &status, error))
    return NULL;
  append_status (key, &status);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree gchar *name = g_build_filename (folder, files[i].name, NULL);
    g_autoptr (GError) problem = NULL;

    if (clip_file_stat (name, &status, &problem)) {
      append_status (key, &status);
    } else if (!files[i].is_optional ||
               !g_error_matches (problem, CLIP_ERROR, CLIP_ERROR_NOT_FOUND)) {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  }
  return g_string_free (g_steal_pointer (&key), FALSE);
}
