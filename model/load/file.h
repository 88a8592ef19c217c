/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A file of a model, held open: what was proven about it stays readable when
 * another file takes its name. Only read(), never mapped: a file that shrinks
 * is an error, not a signal. */
#pragma once

#include <glib.h>
#include <sys/stat.h>

typedef struct {
  gchar *path;
  gint fd;
  guint64 size;
  struct stat status; /* when it was opened */
} ClipFile;

/* Opens regular files only, and never waits for one.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NOT_FOUND or _OPEN, or with
 *   CLIP_ERROR_FORMAT where the file is empty */
ClipFile *clip_file_open (const gchar *path, GError **error);
void clip_file_free (ClipFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipFile, clip_file_free)

/* Any thread, several at a time.
 *
 * Returns: FALSE with CLIP_ERROR_READ where the file ends before, was changed
 *   since it was opened, or the device fails */
gboolean clip_file_read_at (const ClipFile *file, guint64 offset, gpointer dst,
    gsize size, GError **error);

/* As stat(), and only files and folders are let through.
 *
 * Returns: FALSE with CLIP_ERROR_NOT_FOUND or CLIP_ERROR_OPEN */
gboolean clip_file_stat (
    const gchar *path, struct stat *status, GError **error);

/* "'model.pt' is not a valid archive of PyTorch: it has 2 ends"
 *
 * @format: what it is not: "archive of PyTorch"
 * @rule: which rule it breaks, as for printf
 *
 * Returns: FALSE with CLIP_ERROR_FORMAT */
gboolean clip_file_refuse (const ClipFile *file, const gchar *format,
    GError **error, const gchar *rule, ...) G_GNUC_PRINTF (4, 5);
