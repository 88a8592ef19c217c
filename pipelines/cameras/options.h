/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the command line says. */
#pragma once

#include <glib.h>

typedef struct {
  gchar **paths;  /* one: the file of cameras */
  gchar *json;    /* where records go, or NULL */
  gchar *metrics; /* where they are served, or NULL */
  gboolean keyframes;
  gboolean check;
  gboolean summary;
  gint seconds;      /* 0 = until it is interrupted */
  gint warm_up;      /* seconds that the summary leaves out */
  gint interval;     /* of plain lines, seconds */
  gint longest_wait; /* seconds */
  gboolean quiet;
  guint processes; /* 0 = all in this one */
  gboolean worker; /* this is one of @processes ... */
  guint share;     /* ... and takes this share, from 0 */
} CameraOptions;

/* Ends the program after --help.
 *
 * Returns: FALSE with an error that is a sentence. */
gboolean camera_options_parse (
    CameraOptions *options, int *argc, char ***argv, GError **error);

void camera_options_clear (CameraOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CameraOptions, camera_options_clear)
