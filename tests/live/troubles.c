/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "soak.h"

static void
seek (Soak *soak, Stream *stream)
{
  static const struct {
    gdouble rate;
    GstSeekFlags flags;
  } kinds[] = {
    { 1, GST_SEEK_FLAG_FLUSH },
    { 2, GST_SEEK_FLAG_FLUSH },
    { -1, GST_SEEK_FLAG_FLUSH },
    { 1, GST_SEEK_FLAG_NONE },
    { 0.5, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE },
  };
  guint kind = g_rand_int_range (soak->random, 0, G_N_ELEMENTS (kinds));
  gdouble rate = kinds[kind].rate;
  gint64 at = g_rand_int_range (soak->random, 1000, 2000) * GST_SECOND;

  /* One that does not flush would wait for a sink that prerolls. */
  if (gst_element_get_state (stream->pipeline, NULL, NULL, 0) ==
      GST_STATE_CHANGE_ASYNC)
    return;
  if (!gst_element_seek (stream->pipeline, rate, GST_FORMAT_TIME,
          kinds[kind].flags, GST_SEEK_TYPE_SET, rate > 0 ? at : 0,
          GST_SEEK_TYPE_SET, rate > 0 ? 10000 * GST_SECOND : at))
    soak_fault (soak, "%s: a seek was refused", stream->name);
}

static void
flush (Soak *soak, Stream *stream)
{
  g_autoptr (GstElement) source = stream_get (stream, "source");

  gst_element_send_event (source, gst_event_new_flush_start ());
  g_usleep (g_rand_int_range (soak->random, 0, 2000));
  gst_element_send_event (source, gst_event_new_flush_stop (FALSE));
}

/* Delayed: where the filter changes while a frame of before is on its way to
 * it, the stream would end with "not negotiated", with identity as with
 * clipfilter.
 */
static void
change_caps (Soak *soak, Stream *stream)
{
  static const gchar *const formats[] = { "I420", "NV12", "RGB", "BGRx", "YUY2",
    "GRAY8" };
  g_autoptr (GstElement) filter = stream_get (stream, "caps");
  g_autoptr (GstCaps) caps =
      gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING,
          formats[g_rand_int_range (soak->random, 0, G_N_ELEMENTS (formats))],
          "width", G_TYPE_INT, g_rand_int_range (soak->random, 1, 200),
          "height", G_TYPE_INT, g_rand_int_range (soak->random, 1, 200),
          "framerate", GST_TYPE_FRACTION, 50, 1, NULL);

  g_object_set (filter, "caps", caps, NULL);
}

/* As few texts as will do: whoever keeps one for ever is not to be excused. */
static void
change_prompts (Soak *soak, Stream *stream)
{
  g_autoptr (GstElement) filter = stream_get (stream, "f");
  g_autofree gchar *prompts = g_strdup_printf (
      "a | b | number %d", g_rand_int_range (soak->random, 0, 50));

  if (!soak->control)
    g_object_set (filter, "prompts", prompts, NULL);
}

static void
change_properties (Soak *soak, Stream *stream)
{
  static const gchar *const values[][2] = { { "inference-interval", "1" },
    { "inference-interval", "3" }, { "max-inference-rate", "0/1" },
    { "max-inference-rate", "10/1" }, { "top-k", "0" }, { "top-k", "1" },
    { "max-age", "0" }, { "max-age", "1000000" },
    { "unchanged-threshold", "0" }, { "unchanged-threshold", "0.5" },
    { "max-unchanged", "0" }, { "max-unchanged", "1000000000" },
    { "trouble-after", "0" }, { "trouble-after", "100000000" },
    { "qos", "true" }, { "qos", "false" }, { "attach-embedding", "true" },
    { "attach-embedding", "false" }, { "post-messages", "none" },
    { "post-messages", "all" }, { "source-id", "here" },
    { "source-id", "there" } };
  g_autoptr (GstElement) filter = stream_get (stream, "f");
  guint i = g_rand_int_range (soak->random, 0, G_N_ELEMENTS (values));
  g_autoptr (GstStructure) stats = NULL;

  if (soak->control)
    return;
  gst_util_set_object_arg (G_OBJECT (filter), values[i][0], values[i][1]);
  g_object_get (filter, "stats", &stats, NULL);
}

static void
restart (Soak *soak, Stream *stream)
{
  static const GstState states[] = { GST_STATE_READY, GST_STATE_PAUSED };

  if (g_rand_int_range (soak->random, 0, 3) == 0) {
    stream_stop (stream);
    stream_start (stream);
    return;
  }
  gst_element_set_state (
      stream->pipeline, states[g_rand_int_range (soak->random, 0, 2)]);
  gst_element_set_state (stream->pipeline, GST_STATE_PLAYING);
}

static void
kill_server (Soak *soak, Stream *stream)
{
  if (soak->server_due != 0)
    return;
  server_kill (&soak->server);
  soak->server_due = g_get_monotonic_time () +
                     g_rand_int_range (soak->random, 0, 3 * G_USEC_PER_SEC);
}

#define CAPS "video/x-raw,format=I420,width=64,height=48,framerate=50/1"

const SoakPart soak_parts[SOAK_N_PARTS] = {
  { "live", "videotestsrc is-live=true ! " CAPS, "" },
  { "file", "videotestsrc pattern=ball ! " CAPS, "inference-mode=wait" },
  { "prompts", "videotestsrc is-live=true pattern=ball ! " CAPS, "",
      change_prompts, G_USEC_PER_SEC / 10 },
  { "properties", "videotestsrc is-live=true pattern=ball ! " CAPS, "",
      change_properties, G_USEC_PER_SEC / 20 },
  { "seeks", "videotestsrc pattern=ball ! " CAPS, "inference-mode=wait", seek,
      G_USEC_PER_SEC / 10, TRUE },
  { "flushes", "videotestsrc name=source is-live=true pattern=snow ! " CAPS, "",
      flush, G_USEC_PER_SEC / 20, TRUE },
  { "caps",
      "videotestsrc is-live=true ! capsfilter name=caps "
      "caps-change-mode=delayed caps=" CAPS,
      "", change_caps, G_USEC_PER_SEC / 20, TRUE },
  { "restarts", "videotestsrc is-live=true ! " CAPS, "", restart,
      G_USEC_PER_SEC / 2, TRUE },
  { "camera", "rtspsrc location=%s protocols=tcp latency=100 ! decodebin", "",
      kill_server, 10 * G_USEC_PER_SEC, TRUE, TRUE },
};
