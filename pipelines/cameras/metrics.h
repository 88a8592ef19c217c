/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What is known of the cameras, in Prometheus' text exposition format. */
#pragma once

#include "board.h"

/* What is one number for the whole program. */
typedef struct {
  gdouble cpu_seconds;
  guint64 n_dropped; /* records that could not be written fast enough */
} CameraTotals;

/* @views: (element-type CameraView): since the beginning, so that counters
 *   never go back
 *
 * Returns: (transfer full) */
gchar *camera_metrics_write (const GArray *views, const CameraTotals *totals);
