/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/storage.h"

#include "clip-error.h"

#include <libdeflate.h>

/* Read at a time: small enough to stay in the cache. */
#define CHUNK_SIZE 65536

ClipStorage *
clip_storage_new (const ClipFile *file, const gchar *name)
{
  ClipStorage *storage = g_atomic_rc_box_new0 (ClipStorage);

  storage->file = file;
  storage->name = g_strdup (name);
  g_mutex_init (&storage->proving);
  return storage;
}

ClipStorage *
clip_storage_ref (ClipStorage *storage)
{
  return g_atomic_rc_box_acquire (storage);
}

static void
clear (gpointer data)
{
  ClipStorage *storage = data;

  g_mutex_clear (&storage->proving);
  g_free (storage->name);
}

void
clip_storage_unref (ClipStorage *storage)
{
  if (storage != NULL)
    g_atomic_rc_box_release_full (storage, clear);
}

gboolean
clip_storage_is_proven (const ClipStorage *storage)
{
  return !storage->has_crc || g_atomic_int_get (&storage->is_proven);
}

gboolean
clip_storage_compare (ClipStorage *storage, guint32 crc, GError **error)
{
  if (crc == storage->crc) {
    g_atomic_int_set (&storage->is_proven, TRUE);
    return TRUE;
  }
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_READ,
      "'%s' is damaged: the CRC-32 of its member '%s' is %08x instead of "
      "%08x; fetch the file again",
      storage->file->path, storage->name, crc, storage->crc);
  return FALSE;
}

gboolean
clip_storage_prove (ClipStorage *storage, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&storage->proving);
  g_autofree guint8 *chunk = NULL;
  guint32 crc = 0;

  if (clip_storage_is_proven (storage))
    return TRUE;
  chunk = g_malloc (CHUNK_SIZE);
  for (guint64 at = 0; at < storage->size; at += CHUNK_SIZE) {
    const gsize n = MIN (CHUNK_SIZE, storage->size - at);

    if (!clip_file_read_at (
            storage->file, storage->offset + at, chunk, n, error))
      return FALSE;
    crc = libdeflate_crc32 (crc, chunk, n);
  }
  return clip_storage_compare (storage, crc, error);
}

guint8 *
clip_storage_read (ClipStorage *storage, GError **error)
{
  g_autofree guint8 *bytes = NULL;

  if (!clip_storage_prove (storage, error))
    return NULL;
  bytes = g_malloc (storage->size + 1);
  return clip_file_read_at (
             storage->file, storage->offset, bytes, storage->size, error)
             ? g_steal_pointer (&bytes)
             : NULL;
}
