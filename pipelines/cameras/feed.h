/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* One connection to a camera: a pipeline from its address to a clipfilter
 * that outlives it. */
#pragma once

#include "gate.h"

/* A clipfilter as @plan wants it, whose state no pipeline changes.
 *
 * Returns: (transfer full): in NULL; NULL with an error as camera_feed_new() */
GstElement *camera_feed_make_filter (const CameraPlan *plan, GError **error);

/* Connects @plan's camera with @clipfilter, once the pipeline plays; frames of
 * files come in real time, those of live sources at once. Sound is neither
 * asked for nor decoded, and a decoder on a graphics card is not chosen.
 *
 * @clipfilter: in no pipeline; its state stays its owner's
 *
 * Returns: (transfer full): a pipeline in NULL; NULL with an error that says
 *   what is missing. */
GstElement *camera_feed_new (const CameraPlan *plan, CameraGate *gate,
    GstElement *clipfilter, GError **error);

/* Takes @clipfilter out and lets go of the rest, which ends in a thread of its
 * own; nothing waits for it.
 *
 * @pipeline: (transfer full) */
void camera_feed_leave (GstElement *pipeline, GstElement *clipfilter);

/* Waits for what camera_feed_leave() left, for @seconds at most.
 *
 * Returns: FALSE when something is still there. */
gboolean camera_feed_wait_for_all (guint seconds);
