/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipschedule.h"

/* Of the period: how much earlier a frame may come. Timestamps are rounded and
 * cameras tremble; without it, 25 a second of 25 frames would lose some. */
#define EARLINESS 8

/* Periods: what lies further ahead is of a time that no longer runs. */
#define HORIZON 2

static const gchar *const skip_names[] = {
  [GST_CLIP_SKIP_NONE] = "none",
  [GST_CLIP_SKIP_INTERVAL] = "interval",
  [GST_CLIP_SKIP_RATE] = "rate",
  [GST_CLIP_SKIP_GAP] = "gap",
  [GST_CLIP_SKIP_QOS] = "qos",
  [GST_CLIP_SKIP_BUSY] = "busy",
  [GST_CLIP_SKIP_UNCHANGED] = "unchanged",
  [GST_CLIP_SKIP_UNREADABLE] = "unreadable",
  [GST_CLIP_SKIP_FAILED] = "failed",
  [GST_CLIP_SKIP_CANCELLED] = "cancelled",
};

const gchar *
gst_clip_skip_get_name (GstClipSkip skip)
{
  return skip_names[skip];
}

static gboolean
is_allowed (const GstClipSchedule *schedule, const GstClipDue *due)
{
  if (due->period == 0 || !schedule->limited)
    return TRUE;
  return due->time + due->period / EARLINESS >= schedule->next ||
         schedule->next - due->time > HORIZON * due->period;
}

GstClipSkip
gst_clip_schedule_next (GstClipSchedule *schedule, const GstClipDue *due)
{
  guint64 index = schedule->n_frames++;

  if (index % due->interval != 0)
    return GST_CLIP_SKIP_INTERVAL;
  if (!is_allowed (schedule, due))
    return GST_CLIP_SKIP_RATE;
  if (due->gap)
    return GST_CLIP_SKIP_GAP;
  if (GST_CLOCK_TIME_IS_VALID (due->earliest) &&
      GST_CLOCK_TIME_IS_VALID (due->running_time) &&
      due->running_time < due->earliest)
    return GST_CLIP_SKIP_QOS;
  return GST_CLIP_SKIP_NONE;
}

/* Next to a grid, so that the mean is the rate, whichever the frames' own is;
 * from where the grid was left, it begins anew. */
void
gst_clip_schedule_take (GstClipSchedule *schedule, const GstClipDue *due)
{
  GstClockTime next = schedule->next + due->period;
  gboolean near_grid =
      schedule->limited && next > due->time &&
      next - due->time <= due->period + due->period / EARLINESS;

  schedule->next = near_grid ? next : due->time + due->period;
  schedule->limited = due->period != 0;
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
