/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/weights.h"

#include "clip-error.h"
#include "load/safetensors.h"
#include "load/shards.h"
#include "load/torchfile.h"

#include <string.h>

/* What is looked for in a folder, the best first (model-spec 4.1). */
static const gchar *const names[] = {
  "model.safetensors",
  ("model.safetensors" CLIP_SHARDS_INDEX_SUFFIX),
  "open_clip_model.safetensors",
  "pytorch_model.bin",
  "open_clip_pytorch_model.bin",
};

static gboolean
read_safetensors (ClipWeights *weights, GError **error)
{
  weights->stored = clip_safetensors_read (weights->files->pdata[0], error);
  return weights->stored != NULL;
}

static gboolean
read_torchfile (ClipWeights *weights, GError **error)
{
  weights->stored = clip_torchfile_read (weights->files->pdata[0], error);
  return weights->stored != NULL;
}

static gboolean
read_legacy_torchfile (ClipWeights *weights, GError **error)
{
  weights->stored =
      clip_torchfile_read_legacy (weights->files->pdata[0], error);
  return weights->stored != NULL;
}

/* A weights format, told by its first bytes. Some are known only so that the
 * error can say what to do. */
typedef struct {
  const gchar *magic; /* NULL for the last, which has none */
  gsize magic_size;
  gsize magic_at;
  /* Fills @stored, and adds to @files what else it opens. */
  gboolean (*read) (ClipWeights *weights, GError **error);
  const gchar *refusal;
} Format;

static const Format formats[] = {
  { "PK\3\4", 4, 0, read_torchfile },
  { CLIP_TORCHFILE_LEGACY_MAGIC, sizeof CLIP_TORCHFILE_LEGACY_MAGIC - 1, 0,
      read_legacy_torchfile },
  { "ustar", 5, 257, NULL,
      "is a tar archive, as PyTorch wrote them before 0.1.10; load it there and "
      "save it again with a PyTorch of today, or as safetensors" },
  { "GGUF", 4, 0, NULL, "is a GGUF file; safetensors is supported" },
  { "version ", 8, 0, NULL,
      "is a Git LFS pointer and not the file itself; fetch it with git lfs "
      "pull" },
  { NULL, 0, 0, read_safetensors },
};

#define HEAD_SIZE (257 + 5)

static const Format index_format = { .read = clip_shards_read };
static const Format pickle_format = {
  .refusal = "is a pickle that was saved without PyTorch; load it in PyTorch "
             "and save its tensors with torch.save, or as safetensors",
};

/* Where a pickle has something, safetensors has the upper half of a number
 * below 2^32. */
static gboolean
is_pickle (const gchar head[8])
{
  static const gchar zeros[4] = { 0 };

  return head[0] == '\x80' && memcmp (head + 4, zeros, sizeof zeros) != 0;
}

static const Format *
find_format (const gchar head[HEAD_SIZE])
{
  const Format *format = formats;

  if (clip_shards_is_index (head))
    return &index_format;
  while (format->magic != NULL && memcmp (head + format->magic_at,
                                      format->magic, format->magic_size) != 0)
    format++;
  return format->magic == NULL && is_pickle (head) ? &pickle_format : format;
}

gboolean
clip_weights_locate (
    const gchar *path, gchar **folder, gchar **weights, GError **error)
{
  struct stat status;

  if (!clip_file_stat (path, &status, error))
    return FALSE;
  if (!S_ISDIR (status.st_mode)) {
    *folder = g_path_get_dirname (path);
    *weights = g_strdup (path);
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *candidate = g_build_filename (path, names[i], NULL);

    if (g_file_test (candidate, G_FILE_TEST_EXISTS)) {
      *folder = g_strdup (path);
      *weights = g_steal_pointer (&candidate);
      return TRUE;
    }
  }
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
      "'%s/%s' does not exist, and the folder has no other weights: looked for "
      "were also %s, %s, %s and %s; a file of another name can be given itself",
      path, names[0], names[1], names[2], names[3], names[4]);
  return FALSE;
}

ClipWeights *
clip_weights_open (const gchar *path, GError **error)
{
  g_autoptr (ClipWeights) weights = g_new0 (ClipWeights, 1);
  ClipFile *file = clip_file_open (path, error);
  gchar head[HEAD_SIZE] = { 0 };
  const Format *format;

  weights->files =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_file_free);
  if (file == NULL)
    return NULL;
  g_ptr_array_add (weights->files, file);
  if (!clip_file_read_at (
          file, 0, head, (gsize)MIN (file->size, sizeof head), error))
    return NULL;
  format = find_format (head);
  if (format->read == NULL) {
    g_set_error (
        error, CLIP_ERROR, CLIP_ERROR_FORMAT, "'%s' %s", path, format->refusal);
    return NULL;
  }
  return format->read (weights, error) ? g_steal_pointer (&weights) : NULL;
}

void
clip_weights_free (ClipWeights *weights)
{
  if (weights == NULL)
    return;
  g_clear_pointer (&weights->stored, g_ptr_array_unref);
  g_clear_pointer (&weights->files, g_ptr_array_unref);
  g_free (weights);
}

const gchar *
clip_weights_get_path (const ClipWeights *weights)
{
  const ClipFile *file = g_ptr_array_index (weights->files, 0);

  return file->path;
}
