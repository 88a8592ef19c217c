/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a run came to, as lines of JSON. */
#pragma once

#include "board.h"

/* A line for each camera, then one for all.
 *
 * @views: (element-type CameraView)
 * @cpu_seconds: of the process and its workers, in the same time
 *
 * Returns: (transfer full): with newlines */
gchar *camera_summary_write (const GArray *views, gdouble cpu_seconds);
