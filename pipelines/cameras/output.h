/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Lines of many threads into one file or pipe: each whole, in the order in
 * which they came, written by a thread of its own so that a slow reader holds
 * up no camera. */
#pragma once

#include <glib.h>

typedef struct _CameraOutput CameraOutput;

/* @path: a file, to which lines are added, or "-" for standard output
 *
 * Returns: (transfer full): NULL with G_FILE_ERROR. */
CameraOutput *camera_output_new (const gchar *path, GError **error);

/* Writes what is waiting, for @seconds at most, and closes. */
void camera_output_free (CameraOutput *output, guint seconds);

/* Any thread; never waits. What finds 16 MiB waiting is dropped and counted.
 *
 * @line: one line or several, with their newlines */
void camera_output_add (CameraOutput *output, const gchar *line);

/* Lines that were dropped so far. */
guint64 camera_output_get_n_dropped (CameraOutput *output);

/* A file is opened anew by its name, as log files are moved away. */
void camera_output_reopen (CameraOutput *output);

/* What went wrong since this was asked last; once until something could be
 * written again. A full disk is tried again once a second.
 *
 * @broken: (out): nobody reads any more, and never will
 *
 * Returns: (transfer full): a sentence, or NULL */
gchar *camera_output_take_failure (CameraOutput *output, gboolean *broken);
