/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A pipeline that is watched from outside, and built anew for each start. */
#pragma once

#include <gst/gst.h>

typedef struct {
  guint64 arrived; /* frames at "f", over all starts */
  guint64 frames;  /* at the sink */
  guint64 results; /* told by events */
  gint64 longest;  /* between two frames since stream_forget(); microseconds */

  /* Of this start, monotonic, microseconds; 0: not yet. */
  gint64 last_frame, first_frame, first_result;
  gint width; /* of the frame that the first result is of */
} StreamCounts;

typedef struct {
  const gchar *name;
  gchar *launch;
  GstElement *pipeline; /* NULL: stopped */
  gint64 started;
  GMutex lock;
  StreamCounts counts;
} Stream;

/* @launch: (transfer full): as in gst-launch, with a clipfilter or any other
 *   element named "f" and a sink named "sink"
 *
 * Returns: (transfer full): stopped */
Stream *stream_new (const gchar *name, gchar *launch);
void stream_free (Stream *stream);

/* Plays from now on. A launch line that cannot be parsed ends the program. */
void stream_start (Stream *stream);
void stream_stop (Stream *stream);

/* Returns: (transfer full): an element of the running pipeline */
GstElement *stream_get (Stream *stream, const gchar *name);

StreamCounts stream_get_counts (Stream *stream);

/* Begins a new longest pause. */
void stream_forget (Stream *stream);

/* The next error or end that the pipeline posted or posts.
 *
 * @patience: how long one is waited for, microseconds
 *
 * Returns: (transfer full) (nullable): its words */
gchar *stream_pop_end (Stream *stream, gint64 patience);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stream, stream_free)
