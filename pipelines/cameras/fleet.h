/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* All cameras of one process. */
#pragma once

#include "news.h"

typedef struct _CameraFleet CameraFleet;

/* In the main loop's thread, as all of these.
 *
 * @longest_wait: seconds at most between two tries
 * @listener: copied */
CameraFleet *camera_fleet_new (
    guint longest_wait, const CameraListener *listener);

/* What the file says now: cameras begin, change and end; those of which it
 * says what it said before go on undisturbed.
 *
 * @plans: (element-type CameraPlan) */
void camera_fleet_set (CameraFleet *fleet, const GPtrArray *plans);

/* Tells every status now, which is told once a second otherwise. */
void camera_fleet_tell (CameraFleet *fleet);

/* Ends all and waits some seconds for them.
 *
 * Returns: FALSE when a camera does not end; the process then has to end
 *   without it, by _exit(). */
gboolean camera_fleet_free (CameraFleet *fleet);
