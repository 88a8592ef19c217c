/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Whole pipelines for the suites of gst/, from the few plugin files that a test
 * names, so that no other plugin of the machine is ever looked at. */
#pragma once

#include "frames.h"

/* Loads plugins into this process: names as in "libgst<name>.so", with blanks
 * between them.
 *
 * Returns: FALSE where one is not installed; that has been said as a reason to
 *   skip the test. */
gboolean pipelines_load (const gchar *plugins);

/* Says that the running test is skipped, and why. */
void pipelines_skip (const gchar *format, ...) G_GNUC_PRINTF (1, 2);

/* Fails the test with the parser's words. (transfer full) */
GstElement *pipelines_parse (const gchar *format, ...) G_GNUC_PRINTF (1, 2);

/* Plays to the end and stops; an error on the bus fails the test. */
void pipelines_run (GstElement *pipeline);

typedef void (*PipelinesFrameFunc) (GstBuffer *buffer, gpointer user_data);

/* Calls @func in the streaming thread with each buffer that reaches the element
 * @name. */
void pipelines_watch (GstElement *pipeline, const gchar *name,
    PipelinesFrameFunc func, gpointer user_data);
