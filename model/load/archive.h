/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The zip archive that PyTorch writes (model-spec 4.2): members below one
 * folder, the one that holds data.pkl; what is read of them is stored and
 * neither compressed nor encrypted. A member's name is compared, and never a
 * path. */
#pragma once

#include "load/storage.h"

typedef struct _ClipArchive ClipArchive;

/* Reads the directory and proves that it and the members agree.
 *
 * @file: must outlive the archive
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_FORMAT, the rule and the
 *   member named, or CLIP_ERROR_READ */
ClipArchive *clip_archive_open (const ClipFile *file, GError **error);
void clip_archive_free (ClipArchive *archive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipArchive, clip_archive_free)

/* @name: below the archive's folder: "data/0" */
gboolean clip_archive_has (const ClipArchive *archive, const gchar *name);

/* Where a member lies in the file. The members asked for so far do not overlap.
 *
 * @name: as clip_archive_has()
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_FORMAT or CLIP_ERROR_READ */
ClipStorage *clip_archive_locate (
    ClipArchive *archive, const gchar *name, GError **error);
