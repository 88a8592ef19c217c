/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipschedule.h"

static const gchar *const skip_names[] = {
  [GST_CLIP_SKIP_NONE] = "none",
  [GST_CLIP_SKIP_INTERVAL] = "interval",
  [GST_CLIP_SKIP_GAP] = "gap",
  [GST_CLIP_SKIP_QOS] = "qos",
  [GST_CLIP_SKIP_UNREADABLE] = "unreadable",
  [GST_CLIP_SKIP_FAILED] = "failed",
  [GST_CLIP_SKIP_CANCELLED] = "cancelled",
};

const gchar *
gst_clip_skip_get_name (GstClipSkip skip)
{
  return skip_names[skip];
}

GstClipSkip
gst_clip_schedule_next (GstClipSchedule *schedule, const GstClipDue *due)
{
  guint64 index = schedule->n_frames++;

  if (index % due->interval != 0)
    return GST_CLIP_SKIP_INTERVAL;
  if (due->gap)
    return GST_CLIP_SKIP_GAP;
  if (GST_CLOCK_TIME_IS_VALID (due->earliest) &&
      GST_CLOCK_TIME_IS_VALID (due->running_time) &&
      due->running_time < due->earliest)
    return GST_CLIP_SKIP_QOS;
  return GST_CLIP_SKIP_NONE;
}

GstClockTime
gst_clip_schedule_get_earliest (GstClockTime timestamp, GstClockTimeDiff jitter)
{
  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    return GST_CLOCK_TIME_NONE;
  if (jitter < 0)
    return timestamp - MIN (timestamp, (GstClockTime)-jitter);
  /* Twice the lateness, as GstBaseTransform and the decoders do: time to
   * catch up. */
  return timestamp + 2 * jitter;
}
