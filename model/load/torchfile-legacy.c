/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Five pickles one behind the other: a magic number, the version of the form,
 * the machine it was written on, what was saved, and the keys of the storages.
 * Then each storage in the order of the keys: the number of its elements, 64
 * bits, and the elements. Nothing is aligned. */

#include "load/torchfile.h"

#include "clip-error.h"
#include "load/state-dict.h"

#define FORMAT "file of PyTorch before 1.6"

#define MAX_PICKLES_SIZE (64 << 20)
#define VERSION 1001

typedef struct {
  const ClipFile *file;
  guint8 *bytes; /* of the pickles, and some more */
  gsize size;
  gsize at;
  GPtrArray *pickles;   /* ClipPickle */
  GHashTable *storages; /* key to ClipStorage */
} Legacy;

static void
clear_legacy (Legacy *legacy)
{
  g_clear_pointer (&legacy->pickles, g_ptr_array_unref);
  g_clear_pointer (&legacy->storages, g_hash_table_unref);
  g_clear_pointer (&legacy->bytes, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Legacy, clear_legacy)

/* Returns: what the next pickle describes, NULL with an error */
static const ClipPickleValue *
read_pickle (Legacy *legacy, const gchar *name, GError **error)
{
  const ClipPickleSource source = { legacy->file->path, name, .is_legacy = TRUE,
    .has_followers = TRUE };
  ClipPickle *pickle = clip_pickle_read (
      &source, legacy->bytes + legacy->at, legacy->size - legacy->at, error);

  if (pickle == NULL)
    return NULL;
  legacy->at += clip_pickle_get_size (pickle);
  g_ptr_array_add (legacy->pickles, pickle);
  return clip_pickle_get_root (pickle);
}

static gboolean
read_head (Legacy *legacy, GError **error)
{
  const ClipPickleValue *version, *machine, *is_little = NULL;

  version = read_pickle (legacy, "the pickle of the version", error);
  if (version == NULL)
    return FALSE;
  if (version->kind != CLIP_PICKLE_INTEGER || version->integer != VERSION)
    return clip_file_refuse (
        legacy->file, FORMAT, error, "its version is not %d", VERSION);
  machine = read_pickle (legacy, "the pickle of the machine", error);
  if (machine == NULL)
    return FALSE;
  if (machine->kind == CLIP_PICKLE_DICT)
    is_little = clip_pickle_value_get (machine, "little_endian");
  if (is_little == NULL || is_little->kind != CLIP_PICKLE_BOOLEAN ||
      !is_little->integer)
    return clip_file_refuse (legacy->file, FORMAT, error,
        "it was not written on a little-endian machine");
  return TRUE;
}

/* @pickle: that names the storages
 * @offset: (inout): in the file */
static gboolean
add_storage (Legacy *legacy, const ClipPickle *pickle,
    const ClipPickleValue *key, guint64 *offset, GError **error)
{
  g_autofree gchar *name =
      key->kind == CLIP_PICKLE_STRING ? g_strndup (key->string, key->n) : NULL;
  const ClipPickleStorage *storage =
      name != NULL ? clip_pickle_find_storage (pickle, name) : NULL;
  ClipStorage *located;
  guint64 n;

  if (storage == NULL || g_hash_table_contains (legacy->storages, name))
    return clip_file_refuse (legacy->file, FORMAT, error,
        "a key of its storages is none, or is there twice");
  if (legacy->file->size - *offset < sizeof n)
    return clip_file_refuse (
        legacy->file, FORMAT, error, "it ends before storage '%s'", name);
  if (!clip_file_read_at (legacy->file, *offset, &n, sizeof n, error))
    return FALSE;
  *offset += sizeof n;
  if (n != storage->n_elements)
    return clip_file_refuse (legacy->file, FORMAT, error,
        "storage '%s' has %" G_GUINT64_FORMAT " elements, and is described as "
        "having %" G_GUINT64_FORMAT,
        name, n, storage->n_elements);
  if (n > (legacy->file->size - *offset) / storage->type->size)
    return clip_file_refuse (
        legacy->file, FORMAT, error, "it ends inside storage '%s'", name);
  located = clip_storage_new (legacy->file, name);
  located->offset = *offset;
  located->size = n * storage->type->size;
  *offset += located->size;
  g_hash_table_insert (legacy->storages, located->name, located);
  return TRUE;
}

static ClipStorage *
locate (gpointer container, const ClipPickleStorage *storage, GError **error)
{
  Legacy *legacy = container;
  ClipStorage *located = g_hash_table_lookup (legacy->storages, storage->key);

  if (located != NULL)
    return clip_storage_ref (located);
  clip_file_refuse (legacy->file, FORMAT, error,
      "it does not hold storage '%s'", storage->key);
  return NULL;
}

static GPtrArray *
read_tensors (Legacy *legacy, GError **error)
{
  const ClipStorages storages = { legacy->file, legacy, locate };
  const ClipPickleValue *root, *keys;
  const ClipPickle *pickle;
  guint64 offset;

  root = read_pickle (legacy, "the pickle of the tensors", error);
  if (root == NULL)
    return NULL;
  pickle = legacy->pickles->pdata[legacy->pickles->len - 1];
  keys = read_pickle (legacy, "the pickle of the keys", error);
  if (keys == NULL)
    return NULL;
  if (keys->kind != CLIP_PICKLE_LIST) {
    clip_file_refuse (legacy->file, FORMAT, error,
        "the keys of its storages are not in a list");
    return NULL;
  }
  offset = legacy->at;
  for (guint i = 0; i < keys->n; i++)
    if (!add_storage (legacy, pickle, keys->items[i], &offset, error))
      return NULL;
  if (offset != legacy->file->size) {
    clip_file_refuse (legacy->file, FORMAT, error,
        "%" G_GUINT64_FORMAT " bytes follow the last storage",
        legacy->file->size - offset);
    return NULL;
  }
  return clip_state_dict_read (&storages, root, error);
}

GPtrArray *
clip_torchfile_read_legacy (const ClipFile *file, GError **error)
{
  g_auto (Legacy) legacy = { file };

  legacy.at = sizeof CLIP_TORCHFILE_LEGACY_MAGIC - 1;
  legacy.size = (gsize)MIN (file->size, MAX_PICKLES_SIZE);
  legacy.bytes = g_malloc (legacy.size);
  legacy.pickles =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_pickle_free);
  legacy.storages = g_hash_table_new_full (
      g_str_hash, g_str_equal, NULL, (GDestroyNotify)clip_storage_unref);
  if (!clip_file_read_at (file, 0, legacy.bytes, legacy.size, error) ||
      !read_head (&legacy, error))
    return NULL;
  return read_tensors (&legacy, error);
}
