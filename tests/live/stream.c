/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "stream.h"

Stream *
stream_new (const gchar *name, gchar *launch)
{
  Stream *stream = g_new0 (Stream, 1);

  stream->name = name;
  stream->launch = launch;
  g_mutex_init (&stream->lock);
  return stream;
}

void
stream_free (Stream *stream)
{
  stream_stop (stream);
  g_mutex_clear (&stream->lock);
  g_free (stream->launch);
  g_free (stream);
}

/* --- what goes by --- */

static void
note_frame (StreamCounts *counts)
{
  gint64 now = g_get_monotonic_time ();

  counts->frames++;
  if (counts->last_frame != 0)
    counts->longest = MAX (counts->longest, now - counts->last_frame);
  counts->last_frame = now;
}

static void
note_result (StreamCounts *counts, const GstStructure *structure)
{
  const GValue *results = gst_structure_get_value (structure, "results");
  const GstStructure *entry =
      gst_value_get_structure (gst_value_array_get_value (results, 0));

  counts->results++;
  if (counts->first_result != 0)
    return;
  counts->first_result = g_get_monotonic_time ();
  gst_structure_get_int (entry, "frame-width", &counts->width);
}

static GstPadProbeReturn
arrive (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Stream *stream = user_data;

  g_mutex_lock (&stream->lock);
  if (stream->counts.first_frame == 0)
    stream->counts.first_frame = g_get_monotonic_time ();
  stream->counts.arrived++;
  g_mutex_unlock (&stream->lock);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
leave (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Stream *stream = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

  g_mutex_lock (&stream->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    note_frame (&stream->counts);
  else if (gst_event_has_name (event, "clipfilter-result"))
    note_result (&stream->counts, gst_event_get_structure (event));
  g_mutex_unlock (&stream->lock);
  return GST_PAD_PROBE_OK;
}

static void
watch (Stream *stream, const gchar *name, GstPadProbeType type,
    GstPadProbeCallback callback)
{
  g_autoptr (GstElement) element = stream_get (stream, name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "sink");

  gst_pad_add_probe (pad, type, callback, stream, NULL);
}

/* --- starts --- */

void
stream_start (Stream *stream)
{
  g_autoptr (GError) error = NULL;
  StreamCounts *counts = &stream->counts;

  stream->pipeline = gst_parse_launch (stream->launch, &error);
  if (error != NULL)
    g_error ("%s: %s", stream->launch, error->message);
  gst_object_ref_sink (stream->pipeline);
  counts->last_frame = counts->first_frame = counts->first_result = 0;
  counts->width = 0;
  watch (stream, "f", GST_PAD_PROBE_TYPE_BUFFER, arrive);
  watch (stream, "sink",
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, leave);
  stream->started = g_get_monotonic_time ();
  gst_element_set_state (stream->pipeline, GST_STATE_PLAYING);
}

void
stream_stop (Stream *stream)
{
  if (stream->pipeline == NULL)
    return;
  gst_element_set_state (stream->pipeline, GST_STATE_NULL);
  gst_clear_object (&stream->pipeline);
}

GstElement *
stream_get (Stream *stream, const gchar *name)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (stream->pipeline), name);

  if (element == NULL)
    g_error ("%s: no element '%s'", stream->launch, name);
  return element;
}

StreamCounts
stream_get_counts (Stream *stream)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&stream->lock);

  return stream->counts;
}

void
stream_forget (Stream *stream)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&stream->lock);

  stream->counts.longest = 0;
}

gchar *
stream_pop_end (Stream *stream, gint64 patience)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (stream->pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus,
      MAX (patience, 0) * GST_USECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *details = NULL;

  if (message == NULL)
    return NULL;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return g_strdup ("the end");
  gst_message_parse_error (message, &error, &details);
  return g_strdup_printf ("%s (%s)", error->message, details);
}
