/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "trend.h"

#include "bench/machine.h"

#include <malloc.h>
#include <math.h>

Trend
trend_fit (const GArray *points)
{
  const TrendPoint *p = (const TrendPoint *)points->data;
  gdouble n = points->len, x = 0, y = 0, xx = 0, xy = 0, rest = 0;
  Trend trend;

  for (guint i = 0; i < points->len; i++) {
    x += p[i].x / n;
    y += p[i].y / n;
  }
  for (guint i = 0; i < points->len; i++) {
    xx += (p[i].x - x) * (p[i].x - x);
    xy += (p[i].x - x) * (p[i].y - y);
  }
  trend.slope = xy / xx;
  for (guint i = 0; i < points->len; i++) {
    gdouble d = p[i].y - y - trend.slope * (p[i].x - x);

    rest += d * d;
  }
  trend.error = sqrt (rest / (n - 2) / xx);
  return trend;
}

gdouble
trend_get_memory (void)
{
  return machine_resident_mib () * 1024 * 1024;
}

gdouble
trend_get_heap (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return (gdouble)info.uordblks + info.hblkhd;
}
