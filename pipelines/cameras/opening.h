/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Brings pipelines up in threads of their own: loading a model, encoding
 * prompts and reaching an address take their time. */
#pragma once

#include <gst/gst.h>

/* In the main loop's thread: all was tried; a failure is on the bus. */
typedef void (*CameraOpened) (GstElement *pipeline, gpointer data);

/* @pipeline: to be PLAYING
 * @clipfilter: in it, and of a state of its own: to be PAUSED at least */
void camera_opening_begin (GstElement *pipeline, GstElement *clipfilter,
    CameraOpened opened, gpointer data);

/* How many are under way in this process. */
guint camera_opening_get_n (void);

/* Whether another may begin: a few at once, not counting those that have taken
 * more than five seconds, for which nobody waits. */
gboolean camera_opening_has_turn (void);
