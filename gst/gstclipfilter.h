/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clipfilter: says what is in each frame, in the words of its prompts, and
 * passes the frame on untouched. */
#pragma once

#include "gstclipconstancy.h"
#include "gstclipencoding.h"
#include "gstclipframe.h"
#include "gstcliplatency.h"
#include "gstclipmodel.h"
#include "gstcliporientation.h"
#include "gstclipprompts.h"
#include "gstclipresult.h"
#include "gstclipschedule.h"
#include "gstclipsettings.h"
#include "gstclipstats.h"
#include "gstclipwatch.h"

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
  GstClockTime earliest; /* running time below which frames are late */
  gboolean map_utc;      /* the clock runs anew: map it at the next frame */

  GstClipInferenceMode mode; /* in use; AUTO until it is decided */
  gboolean live;             /* as upstream answered, when it was decided */
  GstClipLatency latency;    /* of frames that wait */

  GstClipPrompts prompts;   /* has a lock of its own */
  GstClipEncoding encoding; /* says what is whose, as the next */
  GstClipWatch watch;

  /* From start() to stop(). */
  GstClipModel model;

  /* The streaming thread's. */
  GstClipReader reader;
  GstClipOrientation orientation;
  gboolean has_size;         /* the preprocessor is ready for these caps */
  gboolean warned_of_buffer; /* since the caps came */
  gboolean warned_of_encoder;
  gboolean mode_decided; /* for this stream */
  GstClipSchedule schedule;
  GstClipReference reference; /* of the picture handed in last */
  GstClipConstancy constancy;
  guint64 n_results;
  GstClipResult *newest;  /* of this segment, or NULL */
  GstClipStamp last;      /* of the last frame: times and size alone */
  GstClockTime last_time; /* GstClipDue's, of it; or NONE */
  GstClockTime anchor;    /* the last running time there was, or NONE ... */
  GstClockTime anchor_arrival; /* ... and when its frame came, wall clock */
  gchar *best;                 /* prompt that was told last, or NULL */
  ClipPromptSet *prompt_set;   /* in use, or NULL */
  guint revision;              /* of it */
  GstClockTimeDiff utc_offset; /* UTC less running time, nanoseconds */
  gboolean has_utc_offset;
};

/* Asks upstream by a LATENCY query.
 *
 * @live: (out): FALSE where there is no answer
 *
 * Returns: whether there is an answer */
gboolean gst_clip_filter_ask_if_live (GstClipFilter *filter, gboolean *live);

/* Time goes on elsewhere: nothing of before is carried. */
void gst_clip_filter_reset_stream (GstClipFilter *filter);

/* Posts one warning and counts it. */
void gst_clip_filter_warn (
    GstClipFilter *filter, const gchar *what, const GError *error);
