/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* From a GstBuffer of any raw video format to the view that frame/ reads. One
 * for each stream; the pixels are only ever mapped for reading. */
#pragma once

#include "frame/frame.h"

#include <gst/video/video.h>

typedef struct _GstClipReader GstClipReader;

/* One unpacked row becomes RGB triplets. */
typedef void (*GstClipConvertRow) (GstClipReader *reader, guint8 *rgb);

struct _GstClipReader {
  GstVideoInfo info;    /* of the caps */
  GstVideoInfo natural; /* the same size and format without padding */
  ClipLayout layout;
  ClipColour colour;

  GstClipConvertRow convert; /* layout ROWS only, as all that follows */
  guint8 *unpacked;          /* four components a pixel, 8 or 16 bits each */
  guint16 *components[3];    /* Y, U, V of a row, of colour.depth bits */
  guint8 levels[256];        /* R, G or B as stored -> 0 … 255 */

  GstVideoFrame frame; /* while mapped */
};

void gst_clip_reader_clear (GstClipReader *reader);

/* Prepares for a format; the only call that allocates. */
void gst_clip_reader_set_info (GstClipReader *reader, const GstVideoInfo *info);

/* @view: (out caller-allocates): valid until gst_clip_reader_unmap()
 *
 * Returns: FALSE where the buffer cannot be mapped, or is smaller than its
 *   caps or its GstVideoMeta say; nothing is mapped then. */
gboolean gst_clip_reader_map (
    GstClipReader *reader, GstBuffer *buffer, ClipFrame *view);
void gst_clip_reader_unmap (GstClipReader *reader);
