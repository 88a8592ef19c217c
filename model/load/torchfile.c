/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/torchfile.h"

#include "clip-error.h"
#include "load/archive.h"
#include "load/state-dict.h"

#include <string.h>

#define MAX_PICKLE_SIZE (64 << 20)

static const gchar pickle_name[] = "data.pkl";
static const gchar order_name[] = "byteorder";
static const gchar little[] = "little";

/* What only archives of TorchScript have. */
static const gchar constants_name[] = "constants.pkl";

/* (transfer full): NULL with an error */
static guint8 *
read_member (
    ClipArchive *archive, const gchar *name, gsize *size, GError **error)
{
  g_autoptr (ClipStorage) member = clip_archive_locate (archive, name, error);

  if (member == NULL)
    return NULL;
  if (member->size > MAX_PICKLE_SIZE) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "'%s' has a member '%s' of %" G_GUINT64_FORMAT " bytes; at most %d are "
        "allowed",
        member->file->path, name, member->size, MAX_PICKLE_SIZE);
    return NULL;
  }
  *size = member->size;
  return clip_storage_read (member, error);
}

static gboolean
prove_order (const ClipFile *file, ClipArchive *archive, GError **error)
{
  g_autofree guint8 *order = NULL;
  gsize size = 0;

  if (!clip_archive_has (archive, order_name))
    return TRUE;
  order = read_member (archive, order_name, &size, error);
  if (order == NULL)
    return FALSE;
  if (size == strlen (little) && memcmp (order, little, size) == 0)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "'%s' was written on a big-endian machine, or does not say so plainly "
      "(its member '%s' is not '%s'); save it again on a little-endian one",
      file->path, order_name, little);
  return FALSE;
}

static ClipStorage *
locate (gpointer archive, const ClipPickleStorage *storage, GError **error)
{
  g_autofree gchar *name = g_strconcat ("data/", storage->key, NULL);

  return clip_archive_locate (archive, name, error);
}

GPtrArray *
clip_torchfile_read (const ClipFile *file, GError **error)
{
  g_autoptr (ClipArchive) archive = clip_archive_open (file, error);
  g_autofree guint8 *bytes = NULL;
  g_autoptr (ClipPickle) pickle = NULL;
  ClipPickleSource source = { file->path, pickle_name };
  const ClipStorages storages = { file, archive, locate };
  gsize size = 0;

  if (archive == NULL || !prove_order (file, archive, error))
    return NULL;
  source.is_script = clip_archive_has (archive, constants_name);
  bytes = read_member (archive, pickle_name, &size, error);
  if (bytes == NULL)
    return NULL;
  pickle = clip_pickle_read (&source, bytes, size, error);
  return pickle != NULL ? clip_state_dict_read (
                              &storages, clip_pickle_get_root (pickle), error)
                        : NULL;
}
