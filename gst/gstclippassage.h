/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* One frame's way through clipfilter: in the streaming thread, from its arrival
 * to its departure with the newest result. */
#pragma once

#include "gstclipfilter.h"

/* @buffer: writable; its memory is only read
 *
 * Returns: GST_FLOW_FLUSHING where a flush or a state change came while it
 *   waited; GST_FLOW_OK in all other cases, whatever happened to inference. */
GstFlowReturn gst_clip_passage_run (GstClipFilter *self, GstBuffer *buffer);

/* For the present stream, if it was not: by a LATENCY query upstream. */
void gst_clip_passage_decide_mode (GstClipFilter *self);

/* Sends the events of results that are ready, frame or no frame. */
void gst_clip_passage_collect (GstClipFilter *self);

/* The stream ends, or a segment that was sought: waits for what the encoder has
 * of it, sends the events. */
void gst_clip_passage_finish (GstClipFilter *self);
