/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipstamp.h"

#include <time.h>

/* RFC 5905: NTP counts from 1900, Unix from 1970. */
#define NTP_TO_UNIX (G_GUINT64_CONSTANT (2208988800) * GST_SECOND)

static GstStaticCaps unix_caps = GST_STATIC_CAPS ("timestamp/x-unix");
static GstStaticCaps ntp_caps = GST_STATIC_CAPS ("timestamp/x-ntp");

void
gst_clip_stamp_set_times (
    GstClipStamp *stamp, const GstBuffer *buffer, const GstSegment *segment)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer);

  stamp->timestamp = pts;
  stamp->duration = GST_BUFFER_DURATION (buffer);
  stamp->running_time = GST_CLOCK_TIME_NONE;
  stamp->stream_time = GST_CLOCK_TIME_NONE;
  if (segment->format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (pts))
    return;
  stamp->running_time =
      gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
  stamp->stream_time =
      gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts);
}

/* Nanoseconds since @caps' epoch, or GST_CLOCK_TIME_NONE. */
static GstClockTime
get_reference (GstBuffer *buffer, GstStaticCaps *static_caps)
{
  g_autoptr (GstCaps) caps = gst_static_caps_get (static_caps);
  const GstReferenceTimestampMeta *meta =
      gst_buffer_get_reference_timestamp_meta (buffer, caps);

  return meta != NULL ? meta->timestamp : GST_CLOCK_TIME_NONE;
}

static GstClockTime
get_unix_time (const GstClipStamp *stamp, GstBuffer *buffer,
    const GstClockTimeDiff *offset)
{
  GstClockTime time = get_reference (buffer, &unix_caps);

  if (GST_CLOCK_TIME_IS_VALID (time))
    return time;
  time = get_reference (buffer, &ntp_caps);
  if (GST_CLOCK_TIME_IS_VALID (time) && time >= NTP_TO_UNIX)
    return time - NTP_TO_UNIX;
  if (offset != NULL && GST_CLOCK_TIME_IS_VALID (stamp->running_time))
    return stamp->running_time + *offset;
  return GST_CLOCK_TIME_NONE;
}

void
gst_clip_stamp_set_utc (
    GstClipStamp *stamp, GstBuffer *buffer, const GstClockTimeDiff *offset)
{
  GstClockTime time = get_unix_time (stamp, buffer, offset);
  time_t seconds = time / GST_SECOND;
  gchar date[GST_CLIP_UTC_SIZE];
  struct tm parts;

  stamp->utc[0] = '\0';
  if (!GST_CLOCK_TIME_IS_VALID (time) || gmtime_r (&seconds, &parts) == NULL ||
      strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
    return;
  g_snprintf (stamp->utc, sizeof stamp->utc, "%.20s.%03uZ", date,
      (guint)(time % GST_SECOND / GST_MSECOND));
}
