/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* News and the file of cameras as lines of JSON, from one process to another.
 * The line of a result is followed by its record, which thus passes through
 * without being read. */
#pragma once

#include "news.h"

/* All (transfer full), with newlines. */
gchar *camera_lines_write_result (const CameraResult *result);
gchar *camera_lines_write_status (const CameraStatus *status);
gchar *camera_lines_write_sentence (const gchar *name, const gchar *sentence);
gchar *camera_lines_write_cpu (gdouble seconds);
gchar *camera_lines_write_file (const gchar *text);

typedef struct {
  const CameraListener *listener;
  void (*cpu) (gdouble seconds, gpointer data); /* of the process */
  gpointer data;                                /* for @cpu */
  struct json_t *result; /* whose record has not come yet; NULL at first */
} CameraLineReader;

/* Forgets a result whose record will not come. */
void camera_lines_clear (CameraLineReader *reader);

/* Tells the listener of the news in one line.
 *
 * @line: without its newline
 *
 * Returns: FALSE when it is no news; nothing is told then. */
gboolean camera_lines_read (CameraLineReader *reader, const gchar *line);

/* Returns: (transfer full): the text; NULL when it is no file */
gchar *camera_lines_read_file (const gchar *line);
