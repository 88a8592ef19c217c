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
