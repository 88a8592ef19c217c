/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Bytes of a file that several tensors can lie in, with a checksum that is
 * proven when they are first read. */
#pragma once

#include "load/file.h"

typedef struct {
  const ClipFile *file; /* belongs to the checkpoint */
  gchar *name;          /* in the file, for messages */
  guint64 offset, size; /* bytes, proven to lie inside the file */
  gboolean has_crc;     /* old files have none */
  guint32 crc;          /* CRC-32 as in zip archives */
  GMutex proving;       /* held while it is read for that */
  gint is_proven;       /* atomic */
} ClipStorage;

/* (transfer full): to be filled */
ClipStorage *clip_storage_new (const ClipFile *file, const gchar *name);
ClipStorage *clip_storage_ref (ClipStorage *storage);
void clip_storage_unref (ClipStorage *storage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipStorage, clip_storage_unref)

/* Reads all of it once, piece by piece, where that has not been done. Any
 * thread, several at a time.
 *
 * Returns: FALSE with CLIP_ERROR_READ, also where the checksum differs */
gboolean clip_storage_prove (ClipStorage *storage, GError **error);

/* Whether nothing has to be read any more for that. */
gboolean clip_storage_is_proven (const ClipStorage *storage);

/* Proves it for whoever has read all of it.
 *
 * @crc: what that came to
 *
 * Returns: FALSE with CLIP_ERROR_READ where it is another */
gboolean clip_storage_compare (
    ClipStorage *storage, guint32 crc, GError **error);

/* All of it, proven.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_READ */
guint8 *clip_storage_read (ClipStorage *storage, GError **error);
