/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Which frames are encoded, and why the others are not. */
#pragma once

#include <gst/gst.h>

typedef enum {
  GST_CLIP_SKIP_NONE,       /* encoded */
  GST_CLIP_SKIP_INTERVAL,   /* not every frame was asked for */
  GST_CLIP_SKIP_RATE,       /* not so many a second were asked for */
  GST_CLIP_SKIP_GAP,        /* nothing to see: GST_BUFFER_FLAG_GAP */
  GST_CLIP_SKIP_QOS,        /* too late downstream */
  GST_CLIP_SKIP_BUSY,       /* the encoder has enough of this stream */
  GST_CLIP_SKIP_UNCHANGED,  /* looks as the frame that was encoded */
  GST_CLIP_SKIP_UNREADABLE, /* memory does not fit the caps */
  GST_CLIP_SKIP_FAILED,     /* the encoder failed */
  GST_CLIP_SKIP_CANCELLED,  /* flushed, stopped or cut off while it waited */
  GST_CLIP_N_SKIPS
} GstClipSkip;

/* "interval", "rate" …; static. */
const gchar *gst_clip_skip_get_name (GstClipSkip skip);

typedef struct {
  guint64 n_frames;  /* since the segment began or a flush */
  gboolean limited;  /* @next holds */
  GstClockTime next; /* when the rate allows another */
} GstClipSchedule;

/* What is known of the next frame. */
typedef struct {
  guint interval;            /* 1 = every frame */
  GstClockTime period;       /* least time from one to the next; 0 = none */
  gboolean gap;              /* flagged as nothing to see */
  GstClockTime time;         /* running time, or the clock's */
  GstClockTime running_time; /* or GST_CLOCK_TIME_NONE */
  GstClockTime earliest;     /* frames before it are late; or NONE */
} GstClipDue;

/* Counts the frame.
 *
 * Returns: GST_CLIP_SKIP_NONE where it is due. */
GstClipSkip gst_clip_schedule_next (
    GstClipSchedule *schedule, const GstClipDue *due);

/* The frame that was due is used, so the rate counts it; one that is due and
 * cannot be used leaves its turn to the next. */
void gst_clip_schedule_take (GstClipSchedule *schedule, const GstClipDue *due);

/* From a QOS event: the running time that the next frame should have at least
 * to arrive downstream in time. */
GstClockTime gst_clip_schedule_get_earliest (
    GstClockTime timestamp, GstClockTimeDiff jitter);
