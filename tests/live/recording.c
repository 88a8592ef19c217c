/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "recording.h"

#include <gst/app/gstappsink.h>

#define LOOK_FOR_ERRORS (100 * GST_MSECOND)

/* Frames that differ in nothing but their number cost a decoder the same in
 * both: constant quality, and no frame that refers to a later one. */
static const RecordingCodec codecs[] = {
  { "mjpeg", "jpegenc quality=85", "rtpjpegpay name=pay0" },
  { "h264",
      "x264enc tune=zerolatency speed-preset=veryfast pass=quant quantizer=24 "
      "key-int-max=%d ! video/x-h264,profile=main",
      "rtph264pay name=pay0 config-interval=-1" },
};

const RecordingCodec *
recording_find_codec (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (g_str_equal (codecs[i].name, name))
      return &codecs[i];
  return NULL;
}

static GstElement *
parse (const RecordingOptions *options, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (options->codec->encoder, "%d", 2);
  g_autofree gchar *gop = g_strdup_printf ("%d", options->gop);
  g_autofree gchar *encoder = g_strjoinv (gop, parts);
  /* The file's own rate would only be in the way: its frames are shown as fast
   * as asked for. */
  g_autofree gchar *launch = g_strdup_printf (
      "filesrc name=file ! decodebin ! videoconvert ! videoscale "
      "add-borders=false ! video/x-raw,format=I420,width=%d,height=%d,"
      "pixel-aspect-ratio=1/1 ! capssetter caps=video/x-raw,framerate=%d/1 ! "
      "%s ! appsink name=frames sync=false max-buffers=8",
      options->width, options->height, options->rate, encoder);
  GstElement *pipeline =
      gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  g_autoptr (GstElement) file = NULL;

  if (pipeline == NULL)
    return NULL;
  gst_object_ref_sink (pipeline);
  file = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  g_object_set (file, "location", options->path, NULL);
  return pipeline;
}

/* Returns: FALSE when there are no more, because of @error or without one. */
static gboolean
take_frame (Recording *recording, GstAppSink *sink, GstBus *bus, GError **error)
{
  while (!gst_app_sink_is_eos (sink)) {
    g_autoptr (GstSample) sample =
        gst_app_sink_try_pull_sample (sink, LOOK_FOR_ERRORS);
    g_autoptr (GstMessage) message =
        gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

    if (message != NULL) {
      gst_message_parse_error (message, error, NULL);
      return FALSE;
    }
    if (sample == NULL)
      continue;
    if (recording->caps == NULL)
      recording->caps = gst_caps_ref (gst_sample_get_caps (sample));
    g_ptr_array_add (recording->frames,
        gst_buffer_copy_deep (gst_sample_get_buffer (sample)));
    return TRUE;
  }
  return FALSE;
}

static gboolean
record (Recording *recording, GstElement *pipeline,
    const RecordingOptions *options, GError **error)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "frames");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GError) problem = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (gint i = 0; i < options->n_frames; i++)
    if (!take_frame (recording, GST_APP_SINK (sink), bus, &problem))
      break;
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (problem == NULL && recording->frames->len == 0)
    g_set_error (
        &problem, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "no frame");
  if (problem == NULL)
    return TRUE;
  g_propagate_prefixed_error (
      error, g_steal_pointer (&problem), "'%s': ", options->path);
  return FALSE;
}

Recording *
recording_new (const RecordingOptions *options, GError **error)
{
  g_autoptr (GstElement) pipeline = parse (options, error);
  g_autoptr (Recording) recording = NULL;

  if (pipeline == NULL)
    return NULL;
  recording = g_new0 (Recording, 1);
  recording->duration = GST_SECOND / options->rate;
  recording->frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify)gst_buffer_unref);
  if (!record (recording, pipeline, options, error))
    return NULL;
  return g_steal_pointer (&recording);
}

void
recording_free (Recording *recording)
{
  gst_clear_caps (&recording->caps);
  g_ptr_array_unref (recording->frames);
  g_free (recording);
}

GstBuffer *
recording_get (const Recording *recording, guint64 number)
{
  guint i = number % recording->frames->len;
  GstBuffer *frame = gst_buffer_copy (g_ptr_array_index (recording->frames, i));

  GST_BUFFER_PTS (frame) = GST_BUFFER_DTS (frame) =
      number * recording->duration;
  GST_BUFFER_DURATION (frame) = recording->duration;
  return frame;
}
