/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Video encoded once, to be sent again and again at no cost. */
#pragma once

#include <gst/gst.h>

typedef struct {
  const gchar *name;    /* "mjpeg" */
  const gchar *encoder; /* as in gst-launch; %d: frames from key to key */
  const gchar *payloader;
} RecordingCodec;

/* Returns: NULL where there is none of that name. */
const RecordingCodec *recording_find_codec (const gchar *name);

typedef struct {
  const RecordingCodec *codec;
  const gchar *path; /* anything that decodebin knows */
  gint width, height;
  gint rate; /* frames a second, whatever the file says */
  gint n_frames;
  gint gop; /* frames from key frame to key frame */
} RecordingOptions;

typedef struct {
  GstCaps *caps;
  GPtrArray *frames;     /* element-type GstBuffer: one encoded frame each */
  GstClockTime duration; /* of a frame */
} Recording;

/* Decodes, resizes and encodes the first frames of a file, fewer where it is
 * shorter; waits until all are there.
 *
 * Returns: (transfer full): NULL where an element is missing or the file cannot
 *   be read; the error says which */
Recording *recording_new (const RecordingOptions *options, GError **error);
void recording_free (Recording *recording);

/* Frame @number of the recording played without end.
 *
 * Returns: (transfer full): its time is @number frames after 0 */
GstBuffer *recording_get (const Recording *recording, guint64 number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Recording, recording_free)
