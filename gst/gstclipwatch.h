/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Tells the application of trouble with a camera, once when it has lasted and
 * once when it is over, as element message "clipfilter-trouble". */
#pragma once

#include "gstclipscene.h"

#define GST_CLIP_TROUBLE_MESSAGE "clipfilter-trouble"

typedef struct {
  GstClipScene scene; /* the streaming thread's */

  /* Under the object lock. */
  GstClipSpell absence;
  GstClockTime last_frame; /* when it came or was first due, system clock */
  gboolean ended;          /* none is to come: EOS */
  GstClockID timer;        /* NULL while not PLAYING */
  GQueue untold;           /* of GstStructure, in the order of their events */
  gboolean telling;        /* a thread posts them */
} GstClipWatch;

struct _GstClipFilter;

/* Looks for absent frames from now on, and no longer. */
void gst_clip_watch_start (struct _GstClipFilter *self);
void gst_clip_watch_stop (struct _GstClipFilter *self);

/* The element stops: all trouble that was told is over. */
void gst_clip_watch_close (struct _GstClipFilter *self);

/* A frame came, whatever it shows. */
void gst_clip_watch_frame (struct _GstClipFilter *self);

/* A stream begins, whose frames are due from now on. */
void gst_clip_watch_begin (struct _GstClipFilter *self);

/* No more of them are due until another stream begins. */
void gst_clip_watch_end (struct _GstClipFilter *self);

/* What a frame shows.
 *
 * @time: as GstClipDue's */
void gst_clip_watch_picture (struct _GstClipFilter *self,
    const ClipSignature *signature, GstClockTime time, GstClockTime patience);
