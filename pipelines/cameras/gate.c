/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gate.h"

/* While it catches up, a key frame passes at least this often, however far
 * behind its time is: a camera with a wrong clock is seen, too. */
#define PATIENCE (2 * G_USEC_PER_SEC)

/* How soon a wait is over when the gate is closed or the clock jumps. */
#define LONGEST_STEP (G_USEC_PER_SEC / 10)

struct _CameraGate {
  GstPad *outlet; /* clipfilter's sink pad */

  gboolean asked, paced; /* whether the source was asked if it is live; the
                            streaming thread's */

  GMutex lock; /* of all below */
  GCond cond;
  gboolean closed;
  gboolean keyframes;
  GstClockTime period;  /* 0 = each key frame is wanted */
  GstClockTime max_lag; /* 0 = any */
  CameraGateCounts counts;

  gboolean catching_up;
  gboolean dropped;         /* since the last that passed, for lag */
  gint64 origin;            /* when @origin_time was, until the clock runs: */
  GstClockTime origin_time; /* monotonic, microseconds; 0 before */
  gint64 last_passed;       /* monotonic, microseconds; 0 before the first */
  GstClockTime passed_time; /* its running time, or NONE */
};

CameraGate *
camera_gate_new (const CameraPlan *plan, GstElement *clipfilter)
{
  CameraGate *gate = g_atomic_rc_box_new0 (CameraGate);

  if (clipfilter != NULL)
    gate->outlet = gst_element_get_static_pad (clipfilter, "sink");
  g_mutex_init (&gate->lock);
  g_cond_init (&gate->cond);
  gate->keyframes = plan->keyframes;
  gate->period = camera_plan_get_period (plan);
  gate->max_lag = (GstClockTime)(plan->max_lag * GST_SECOND);
  gate->passed_time = GST_CLOCK_TIME_NONE;
  return gate;
}

static void
clear_gate (gpointer data)
{
  CameraGate *gate = data;

  gst_clear_object (&gate->outlet);
  g_mutex_clear (&gate->lock);
  g_cond_clear (&gate->cond);
}

void
camera_gate_unref (CameraGate *gate)
{
  g_atomic_rc_box_release_full (gate, clear_gate);
}

void
camera_gate_get_counts (CameraGate *gate, CameraGateCounts *counts)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);

  *counts = gate->counts;
}

void
camera_gate_close (CameraGate *gate)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);

  gate->closed = TRUE;
  g_cond_broadcast (&gate->cond);
}

void
camera_gate_set_period (CameraGate *gate, GstClockTime period)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);

  gate->period = period;
}

/* Key frames need no other: those that come twice as often as results are
 * wanted, as in M-JPEG, can be left out as well. Half a period, so that
 * clipfilter finds one when the rate allows it. */
static gboolean
is_too_soon (const CameraGate *gate, GstClockTime time)
{
  return GST_CLOCK_TIME_IS_VALID (time) &&
         GST_CLOCK_TIME_IS_VALID (gate->passed_time) &&
         time >= gate->passed_time &&
         time - gate->passed_time < gate->period / 2;
}

static gboolean
is_late (CameraGate *gate, gboolean delta, GstClockTime lag, gint64 now)
{
  gboolean far;

  if (gate->max_lag == 0)
    return FALSE;
  far = lag > (gate->catching_up ? gate->max_lag / 2 : gate->max_lag);
  if (delta)
    gate->catching_up = gate->catching_up || far;
  else
    gate->catching_up = far && now - gate->last_passed < PATIENCE;
  return gate->catching_up;
}

gboolean
camera_gate_decide (CameraGate *gate, gboolean delta, GstClockTime time,
    GstClockTime lag, gint64 now)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);

  gate->counts.last = now;
  if (gate->keyframes && (delta || is_too_soon (gate, time))) {
    gate->counts.keyframes++;
    return FALSE;
  }
  if (is_late (gate, delta, lag, now)) {
    gate->counts.lag++;
    gate->dropped = TRUE;
    return FALSE;
  }
  gate->last_passed = now;
  gate->passed_time = time;
  return TRUE;
}

static gboolean
take_dropped (CameraGate *gate)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);
  gboolean dropped = gate->dropped;

  gate->dropped = FALSE;
  return dropped;
}

static GstClockTime
get_running_time (GstPad *pad, GstBuffer *buffer)
{
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;

  if (event == NULL)
    return GST_CLOCK_TIME_NONE;
  gst_event_parse_segment (event, &segment);
  if (segment->format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_DTS_OR_PTS (buffer));
}

/* Before it plays, the decoder does not know when the clock began. */
static GstClockTime
get_clock_time (GstElement *decoder)
{
  if (decoder == NULL || GST_STATE (decoder) != GST_STATE_PLAYING)
    return GST_CLOCK_TIME_NONE;
  return gst_element_get_current_running_time (decoder);
}

/* The clock's running time; until it runs, what has gone by since the first
 * packet, since a pipeline that waits to play drops no slower than one that
 * does. */
static GstClockTime
get_pace (CameraGate *gate, GstElement *decoder, GstClockTime time)
{
  GstClockTime clock = get_clock_time (decoder);
  gint64 now = g_get_monotonic_time ();

  if (GST_CLOCK_TIME_IS_VALID (clock))
    return clock;
  if (gate->origin == 0) {
    gate->origin = now;
    gate->origin_time = time;
  }
  return gate->origin_time + (GstClockTime)(now - gate->origin) * 1000;
}

static gboolean
is_paced (CameraGate *gate, GstPad *pad)
{
  if (!gate->asked) {
    g_autoptr (GstQuery) query = gst_query_new_latency ();
    gboolean live = FALSE;

    if (gst_pad_peer_query (pad, query))
      gst_query_parse_latency (query, &live, NULL, NULL);
    gate->asked = TRUE;
    gate->paced = !live;
  }
  return gate->paced;
}

/* A file is no faster than a camera: each packet waits for its time. */
static void
pace (CameraGate *gate, GstPad *pad, GstElement *decoder, GstClockTime time)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (!is_paced (gate, pad) || !GST_CLOCK_TIME_IS_VALID (time))
    return;
  locker = g_mutex_locker_new (&gate->lock);
  while (!gate->closed) {
    GstClockTime now = get_pace (gate, decoder, time);

    if (now >= time)
      return;
    g_cond_wait_until (&gate->cond, &gate->lock,
        g_get_monotonic_time () +
            MIN ((gint64)((time - now) / 1000) + 1, LONGEST_STEP));
  }
}

/* Where nothing is decoded no frame comes that would fetch the result of the
 * one before; clipfilter takes a gap for the occasion, too. */
static void
fetch_result (CameraGate *gate, const GstBuffer *buffer)
{
  GstClockTime time = GST_BUFFER_DTS_OR_PTS (buffer);
  g_autoptr (GstEvent) segment = NULL;

  if (gate->outlet == NULL || !GST_CLOCK_TIME_IS_VALID (time))
    return;
  segment = gst_pad_get_sticky_event (gate->outlet, GST_EVENT_SEGMENT, 0);
  if (segment != NULL)
    gst_pad_send_event (
        gate->outlet, gst_event_new_gap (time, GST_CLOCK_TIME_NONE));
}

static GstPadProbeReturn
on_packet (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  CameraGate *gate = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GstElement) decoder = gst_pad_get_parent_element (pad);
  GstClockTime time = get_running_time (pad, buffer);
  GstClockTime clock, lag = 0;

  pace (gate, pad, decoder, time);
  clock = get_clock_time (decoder);
  if (GST_CLOCK_TIME_IS_VALID (time) && GST_CLOCK_TIME_IS_VALID (clock) &&
      clock > time)
    lag = clock - time;
  if (!camera_gate_decide (gate,
          GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT), time,
          lag, g_get_monotonic_time ())) {
    fetch_result (gate, buffer);
    return GST_PAD_PROBE_DROP;
  }
  if (take_dropped (gate)) {
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    GST_PAD_PROBE_INFO_DATA (info) = buffer;
  }
  return GST_PAD_PROBE_OK;
}

static void
release_gate (gpointer gate)
{
  camera_gate_unref (gate);
}

void
camera_gate_guard (CameraGate *gate, GstElement *decoder)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (decoder, "sink");

  if (pad != NULL)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_packet,
        g_atomic_rc_box_acquire (gate), release_gate);
}
