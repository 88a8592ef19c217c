/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Which way up a stream's frames are, as its tag image-orientation says. */
#pragma once

#include "frame/frame.h"

#include <gst/video/video.h>

/* Both GST_VIDEO_ORIENTATION_IDENTITY, that is 0, at first. */
typedef struct {
  GstVideoOrientationMethod of_stream; /* from tags of its own */
  GstVideoOrientationMethod of_all;    /* from tags of all streams; the stream's
                                          own word counts more */
  gboolean has_own;
} GstClipOrientation;

/* Returns: whether the tags of @event say it anew. */
gboolean gst_clip_orientation_take (
    GstClipOrientation *orientation, GstEvent *event);

/* How frames of @info are to be seen. */
ClipGeometry gst_clip_orientation_describe (
    const GstClipOrientation *orientation, const GstVideoInfo *info);
