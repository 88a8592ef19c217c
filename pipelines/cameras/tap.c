/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "tap.h"

#include "gst/gstcliprecord.h"

struct _CameraTap {
  gchar *name;
  CameraListener listener;
  GMutex lock;
  CameraTapCounts counts;
};

CameraTap *
camera_tap_new (const gchar *name, const CameraListener *listener)
{
  CameraTap *tap = g_atomic_rc_box_new0 (CameraTap);

  tap->name = g_strdup (name);
  tap->listener = *listener;
  g_mutex_init (&tap->lock);
  return tap;
}

static void
clear_tap (gpointer data)
{
  CameraTap *tap = data;

  g_free (tap->name);
  g_mutex_clear (&tap->lock);
}

void
camera_tap_unref (CameraTap *tap)
{
  g_atomic_rc_box_release_full (tap, clear_tap);
}

void
camera_tap_get_counts (CameraTap *tap, CameraTapCounts *counts)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&tap->lock);

  *counts = tap->counts;
}

static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  CameraTap *tap = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&tap->lock);

  tap->counts.frames++;
  tap->counts.last_frame = g_get_monotonic_time ();
  return GST_PAD_PROBE_OK;
}

/* How long ago, by the pipeline's clock, the frame was due that was encoded;
 * what the result itself says where there is no clock. */
static GstClockTime
get_age (GstPad *pad, const GstStructure *entry)
{
  g_autoptr (GstElement) clipfilter = gst_pad_get_parent_element (pad);
  guint64 age = 0, time = GST_CLOCK_TIME_NONE;
  GstClockTime now = GST_CLOCK_TIME_NONE;

  gst_structure_get_uint64 (entry, "age", &age);
  gst_structure_get_uint64 (entry, "running-time", &time);
  if (clipfilter != NULL && GST_STATE (clipfilter) == GST_STATE_PLAYING)
    now = gst_element_get_current_running_time (clipfilter);
  if (GST_CLOCK_TIME_IS_VALID (now) && GST_CLOCK_TIME_IS_VALID (time) &&
      now > time)
    age += now - time;
  return age;
}

static void
tell (CameraTap *tap, GstPad *pad, const GstStructure *entry)
{
  const GValue *prompts = gst_structure_get_value (entry, "prompts");
  g_autofree gchar *record = gst_clip_record_to_json (entry);
  CameraResult result = {
    .name = tap->name, .age = get_age (pad, entry), .record = record
  };

  if (prompts != NULL && gst_value_array_get_size (prompts) > 0) {
    const GstStructure *best =
        gst_value_get_structure (gst_value_array_get_value (prompts, 0));

    result.best = gst_structure_get_string (best, "text");
    gst_structure_get_double (best, "probability", &result.probability);
  }
  tap->listener.result (&result, tap->listener.data);
}

static GstPadProbeReturn
on_event (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  CameraTap *tap = data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  const GValue *entries;

  if (!gst_event_has_name (event, "clipfilter-result"))
    return GST_PAD_PROBE_OK;
  entries =
      gst_structure_get_value (gst_event_get_structure (event), "results");
  for (guint i = 0; i < gst_value_array_get_size (entries); i++)
    tell (tap, pad,
        gst_value_get_structure (gst_value_array_get_value (entries, i)));
  return GST_PAD_PROBE_OK;
}

static void
release_tap (gpointer tap)
{
  camera_tap_unref (tap);
}

void
camera_tap_attach (CameraTap *tap, GstElement *clipfilter)
{
  g_autoptr (GstPad) sink = gst_element_get_static_pad (clipfilter, "sink");
  g_autoptr (GstPad) src = gst_element_get_static_pad (clipfilter, "src");

  gst_pad_add_probe (sink, GST_PAD_PROBE_TYPE_BUFFER, on_frame,
      g_atomic_rc_box_acquire (tap), release_tap);
  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event,
      g_atomic_rc_box_acquire (tap), release_tap);
}
