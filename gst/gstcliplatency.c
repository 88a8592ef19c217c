/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstcliplatency.h"

#include <stdlib.h>

/* Percent of the frames that stay no longer than reported. */
#define QUANTILE 95

/* Percent by which it may be wrong until a pipeline is disturbed. */
#define TOLERANCE 25

/* Fewer say nothing against the estimate. */
#define MIN_SAMPLES 8

void
gst_clip_latency_seed (GstClipLatency *latency, GstClockTime estimate)
{
  *latency = (GstClipLatency){ .reported = estimate };
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const GstClockTime *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

static GstClockTime
get_quantile (const GstClipLatency *latency)
{
  GstClipLatency sorted = *latency;

  qsort (sorted.window, sorted.n, sizeof *sorted.window, compare);
  return sorted.window[(QUANTILE * sorted.n + 99) / 100 - 1];
}

gboolean
gst_clip_latency_note (GstClipLatency *latency, GstClockTime time)
{
  GstClockTime found, difference;

  latency->window[latency->next] = time;
  latency->next = (latency->next + 1) % GST_CLIP_LATENCY_WINDOW;
  latency->n = MIN (latency->n + 1, GST_CLIP_LATENCY_WINDOW);
  if (latency->n < MIN_SAMPLES)
    return FALSE;
  found = get_quantile (latency);
  difference = MAX (found, latency->reported) - MIN (found, latency->reported);
  if (difference * 100 <= latency->reported * TOLERANCE)
    return FALSE;
  latency->reported = found;
  return TRUE;
}
