/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How long frames stay that wait for their result: what a pipeline is told, so
 * that its sinks wait as long. */
#pragma once

#include <gst/gst.h>

#define GST_CLIP_LATENCY_WINDOW 64

typedef struct {
  GstClockTime window[GST_CLIP_LATENCY_WINDOW];
  guint n;    /* of them measured */
  guint next; /* the oldest's place */
  GstClockTime reported;
} GstClipLatency;

/* Begins anew with an estimate. */
void gst_clip_latency_seed (GstClipLatency *latency, GstClockTime estimate);

/* A frame stayed so long.
 *
 * Returns: TRUE where @reported was no longer true and has changed */
gboolean gst_clip_latency_note (GstClipLatency *latency, GstClockTime time);
