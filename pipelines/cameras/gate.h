/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* In front of a video decoder: what need not or cannot be decoded in time is
 * dropped there, where it has cost nothing yet, and what a file has is held
 * back until its time. */
#pragma once

#include "plan.h"

typedef struct {
  gint64 last;       /* when the last packet came: monotonic, microseconds */
  guint64 keyframes; /* dropped: decode=keyframes */
  guint64 lag;       /* dropped: too far behind */
} CameraGateCounts;

typedef struct _CameraGate CameraGate;

/* @plan: its decode, rate and max-lag hold
 * @clipfilter: (nullable): whose results are fetched while nothing is decoded
 */
CameraGate *camera_gate_new (const CameraPlan *plan, GstElement *clipfilter);
void camera_gate_unref (CameraGate *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CameraGate, camera_gate_unref)

/* Stands before @decoder from now on, and as long as that lives. */
void camera_gate_guard (CameraGate *gate, GstElement *decoder);

/* Any thread. */
void camera_gate_get_counts (CameraGate *gate, CameraGateCounts *counts);

/* Any thread: nothing waits any more. */
void camera_gate_close (CameraGate *gate);

/* The rate changed. */
void camera_gate_set_period (CameraGate *gate, GstClockTime period);

/* --- for tests --- */

/* What the gate makes of the next packet.
 *
 * @time: its running time, or GST_CLOCK_TIME_NONE
 * @lag: how far it is behind the clock; 0 where unknown
 * @now: monotonic, microseconds
 *
 * Returns: whether it passes */
gboolean camera_gate_decide (CameraGate *gate, gboolean delta,
    GstClockTime time, GstClockTime lag, gint64 now);
