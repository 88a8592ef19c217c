/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clipfilter: says what is in each frame, in the words of its prompts, and
 * passes the frame on untouched. */
#pragma once

#include "gstclipconstancy.h"
#include "gstclipframe.h"
#include "gstclipmodel.h"
#include "gstcliporientation.h"
#include "gstclipprompts.h"
#include "gstclipresult.h"
#include "gstclipschedule.h"
#include "gstclipsettings.h"
#include "gstclipstats.h"

#include <gst/base/gstbasetransform.h>

#define GST_TYPE_CLIP_FILTER (gst_clip_filter_get_type ())
G_DECLARE_FINAL_TYPE (
    GstClipFilter, gst_clip_filter, GST, CLIP_FILTER, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (clipfilter)

struct _GstClipFilter {
  GstBaseTransform parent;

  /* Under the object lock. */
  GstClipSettings settings;
  GstClipStats stats;
  ClipRequest *request;  /* the picture that the streaming thread waits for */
  gboolean stopping;     /* no new request: on the way to READY */
  gboolean flushing;     /* no new request: between FLUSH_START and _STOP */
  GstClockTime earliest; /* running time below which frames are late */
  gboolean map_utc;      /* the clock runs anew: map it at the next frame */

  GstClipPrompts prompts; /* has a lock of its own */

  /* From start() to stop(). */
  GstClipModel model;

  /* The streaming thread's. */
  GstClipReader reader;
  GstClipOrientation orientation;
  gboolean has_size;         /* the preprocessor is ready for these caps */
  gboolean warned_of_buffer; /* since the caps came */
  gboolean warned_of_encoder;
  gboolean asked_if_live;
  gboolean live;
  GstClipSchedule schedule;
  GstClipConstancy constancy;
  guint64 n_results;
  GstClipResult *newest;       /* of this segment, or NULL */
  gchar *best;                 /* prompt that was told last, or NULL */
  ClipPromptSet *prompt_set;   /* in use, or NULL */
  guint revision;              /* of it */
  GstClockTimeDiff utc_offset; /* UTC less running time, nanoseconds */
  gboolean has_utc_offset;
};

/* Posts one warning and counts it. */
void gst_clip_filter_warn (
    GstClipFilter *filter, const gchar *what, const GError *error);
