/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Pictures of one stream on their way to the encoder and back: a frame is read
 * into the stream's slot, handed in, and collected as a result. All in the
 * streaming thread, but for what interrupts it. */
#pragma once

#include "gstclipresult.h"
#include "gstclipschedule.h"

#include "serve/serve.h"

#include <gst/gst.h>

/* One with the encoder, one ahead, so that it need not wait for frames. */
#define GST_CLIP_PICTURES 2

typedef struct {
  ClipRequest *request;
  GstClockTime timestamp;       /* of the frame, as its running time */
  GstClockTime running_time;    /* or GST_CLOCK_TIME_NONE */
  GstClockTime time;            /* as GstClipDue's */
  GstClockTime begun;           /* wall clock: from when on it is encoded */
  GstClockTime preprocess_time; /* nanoseconds */
  gboolean changed;             /* it differs from the picture before it */
} GstClipPicture;

typedef struct {
  /* Changed by the streaming thread under the object lock, so that others may
   * look at the requests. */
  GstClipPicture pictures[GST_CLIP_PICTURES]; /* oldest first */
  guint n_pictures;
  gboolean stopping; /* no new request: on the way to READY */
  gboolean flushing; /* no new request: between FLUSH_START and _STOP */

  /* The streaming thread's. */
  GstClockTime preprocess_time; /* of the picture in the slot */
  GstClockTime encode_time;     /* of the picture encoded last; 0: none */
} GstClipEncoding;

struct _GstClipFilter;

/* Whether another picture is welcome: none is with the encoder, or it will be
 * idle before the next frame comes.
 *
 * @interval: until the next frame */
gboolean gst_clip_encoding_has_credit (
    struct _GstClipFilter *self, GstClockTime interval);

/* The frame, resized, into the slot.
 *
 * Returns: GST_CLIP_SKIP_NONE or _UNREADABLE */
GstClipSkip gst_clip_encoding_read (
    struct _GstClipFilter *self, GstBuffer *buffer);

/* Hands in what is in the slot; there is room for it.
 *
 * @time: as GstClipDue's
 *
 * Returns: GST_CLIP_SKIP_NONE or _CANCELLED */
GstClipSkip gst_clip_encoding_submit (
    struct _GstClipFilter *self, const GstClipStamp *stamp, GstClockTime time);

gboolean gst_clip_encoding_is_done (struct _GstClipFilter *self);

/* The oldest picture's result, waited for, becomes the newest.
 *
 * Returns: GST_CLIP_SKIP_NONE, _FAILED or _CANCELLED */
GstClipSkip gst_clip_encoding_collect (struct _GstClipFilter *self);

/* Gives up what is under way, and counts it. */
void gst_clip_encoding_drop (struct _GstClipFilter *self);

/* Under the object lock: whether the streaming thread must not wait. */
gboolean gst_clip_encoding_is_interrupted (const struct _GstClipFilter *self);

/* From any thread. @flag: stopping or flushing; wakes the streaming thread
 * where it waits, and keeps it from waiting until resumed. */
void gst_clip_encoding_interrupt (struct _GstClipFilter *self, gboolean *flag);
void gst_clip_encoding_resume (struct _GstClipFilter *self, gboolean *flag);
