/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Where the table and sentences are shown: on a terminal the table is redrawn
 * in place, with sentences above it; elsewhere it is printed now and then, and
 * sentences go to stderr. */
#pragma once

#include "board.h"

#include <stdio.h>

typedef struct _CameraScreen CameraScreen;

/* @stream: where the table goes, or NULL for none; stays open
 * @interval: seconds between two tables where there is no terminal */
CameraScreen *camera_screen_new (FILE *stream, guint interval);

/* Leaves the table as it is. */
void camera_screen_free (CameraScreen *screen);

/* Once a second.
 *
 * @views: (element-type CameraView)
 * @cpus: that are busy with it; negative where unknown */
void camera_screen_show (
    CameraScreen *screen, const GArray *views, gdouble cpus);

/* @name: (nullable): the camera */
void camera_screen_say (
    CameraScreen *screen, const gchar *name, const gchar *sentence);
