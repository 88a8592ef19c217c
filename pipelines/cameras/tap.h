/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What goes in and out of a clipfilter: counts frames, and tells of each
 * result once, by its event. */
#pragma once

#include "news.h"

typedef struct {
  guint64 frames;
  gint64 last_frame; /* monotonic, microseconds; 0 before the first */
} CameraTapCounts;

typedef struct _CameraTap CameraTap;

/* @name: the camera's
 * @listener: its result is called, from streaming threads; copied */
CameraTap *camera_tap_new (const gchar *name, const CameraListener *listener);
void camera_tap_unref (CameraTap *tap);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CameraTap, camera_tap_unref)

/* Counts go on where the last clipfilter left them. */
void camera_tap_attach (CameraTap *tap, GstElement *clipfilter);

/* Any thread. */
void camera_tap_get_counts (CameraTap *tap, CameraTapCounts *counts);
