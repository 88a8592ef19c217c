/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The frame that carries a result: who says it, and when. */
#pragma once

#include <gst/gst.h>

#define GST_CLIP_UTC_SIZE 32

/* Times may be GST_CLOCK_TIME_NONE, strings NULL where not said otherwise. */
typedef struct {
  const gchar *element; /* never NULL, as model and precision */
  const gchar *source;
  const gchar *model;
  const gchar *precision;
  const gchar *reason; /* gst_clip_result_get_reason() */
  GstClockTime timestamp, running_time, stream_time, duration;
  gchar utc[GST_CLIP_UTC_SIZE]; /* ISO 8601 with milliseconds, or empty */
  gint width, height;
  guint top_k; /* prompts told at most; 0 = all */
  gboolean attach_embedding;
} GstClipStamp;

/* @segment: in which @buffer lies */
void gst_clip_stamp_set_times (
    GstClipStamp *stamp, const GstBuffer *buffer, const GstSegment *segment);

/* From the buffer's reference timestamp (Unix or NTP), else from the running
 * time and @offset.
 *
 * @offset: (nullable): UTC less running time; NULL where unknown */
void gst_clip_stamp_set_utc (
    GstClipStamp *stamp, GstBuffer *buffer, const GstClockTimeDiff *offset);
