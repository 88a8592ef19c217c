/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Whether something grows: a straight line through points. */
#pragma once

#include <glib.h>

typedef struct {
  gdouble x, y;
} TrendPoint;

typedef struct {
  gdouble slope; /* y for each x */
  gdouble error; /* its standard error, as if points were independent */
} Trend;

/* The line of least squares.
 *
 * @points: (element-type TrendPoint): three or more, of more than one x */
Trend trend_fit (const GArray *points);

/* What this process holds: bytes in memory (VmRSS of /proc/self/status), and
 * bytes that were allocated and not freed (0 under a sanitizer). */
gdouble trend_get_memory (void);
gdouble trend_get_heap (void);
