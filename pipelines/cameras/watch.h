/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Files that people edit while the program runs. */
#pragma once

#include <glib.h>

typedef struct _CameraWatch CameraWatch;

/* @changed: called in the main loop when a file has changed and nothing more
 *   happened to any for a moment, or for two seconds something has */
CameraWatch *camera_watch_new (void (*changed) (gpointer data), gpointer data);
void camera_watch_free (CameraWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CameraWatch, camera_watch_free)

/* @paths: (element-type filename): which to watch from now on, and where they
 *   lead if they are links; they need not exist */
void camera_watch_set (CameraWatch *watch, const GPtrArray *paths);
