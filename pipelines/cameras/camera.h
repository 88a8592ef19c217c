/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* One camera: connected, watched, and connected again when it is lost. Its
 * clipfilter stays open meanwhile, with model and prompts. */
#pragma once

#include "news.h"
#include "plan.h"

typedef struct _Camera Camera;

/* All of these in the main loop's thread.
 *
 * @longest_wait: seconds at most between two tries
 * @listener: copied */
Camera *camera_new (
    CameraPlan *plan, guint longest_wait, const CameraListener *listener);

/* Ends it; what still runs ends in threads of its own.
 *
 * @camera: (transfer full) */
void camera_end (Camera *camera);

/* Whether it wants camera_start() to be called, at @now (monotonic
 * microseconds) or before. */
gboolean camera_is_due (const Camera *camera, gint64 now);

/* Negative where @a has been due for longer. */
gint camera_compare_due (const Camera *a, const Camera *b);

void camera_start (Camera *camera);

/* What the file says of it now. */
void camera_change (Camera *camera, CameraPlan *plan);

/* Once a second: notices what does not come, and tells the status. */
void camera_tick (Camera *camera, gint64 now);
