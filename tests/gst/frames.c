/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frames.h"

#include "support.h"

#include <math.h>
#include <string.h>

#define FRAME_DURATION (40 * GST_MSECOND)

/* Broad waves of different length in each channel, and a board of light and
 * dark: enough to see that rounding is not what an embedding is made of. No
 * two seeds are alike. */
static void
paint (GstVideoFrame *frame, guint seed)
{
  gint width = GST_VIDEO_FRAME_WIDTH (frame);
  gint height = GST_VIDEO_FRAME_HEIGHT (frame);

  for (gint y = 0; y < height; y++) {
    guint8 *row = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (frame, 0) +
                  y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);

    for (gint x = 0; x < width; x++) {
      gdouble u = (gdouble)x / width, v = (gdouble)y / height;
      gdouble light = ((gint)(6 * u) + (gint)(4 * v)) % 2 == 0 ? 170 : 80;

      row[3 * x] = (guint8)(light + 75 * sin (5 * u + seed));
      row[3 * x + 1] = (guint8)(light + 75 * sin (4 * v + 2 * u + 2 * seed));
      row[3 * x + 2] = (guint8)(light + 75 * cos (6 * u * v + 3 * seed));
    }
  }
}

static void
convert (GstVideoFrame *from, GstVideoFrame *to, GstVideoChromaMode chroma)
{
  GstVideoConverter *converter =
      gst_video_converter_new (&from->info, &to->info,
          gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
              GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE,
              GST_VIDEO_CONVERTER_OPT_CHROMA_MODE, GST_TYPE_VIDEO_CHROMA_MODE,
              chroma, NULL));

  gst_video_converter_frame (converter, from, to);
  gst_video_converter_free (converter);
}

static void
narrow (GstVideoFrame *argb, GstVideoFrame *rgb)
{
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (rgb); y++) {
    const guint16 *from =
        (const guint16 *)((guint8 *)GST_VIDEO_FRAME_PLANE_DATA (argb, 0) +
                          y * GST_VIDEO_FRAME_PLANE_STRIDE (argb, 0));
    guint8 *to = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (rgb, 0) +
                 y * GST_VIDEO_FRAME_PLANE_STRIDE (rgb, 0);

    for (gint x = 0; x < GST_VIDEO_FRAME_WIDTH (rgb); x++) {
      for (gint c = 0; c < 3; c++)
        to[3 * x + c] = (from[4 * x + 1 + c] * 255 + 32767) / 65535;
    }
  }
}

static GstBuffer *
map_new (const GstVideoInfo *like, GstVideoFormat format, GstVideoInfo *info,
    GstVideoFrame *frame)
{
  GstBuffer *buffer;

  gst_video_info_set_format (
      info, format, GST_VIDEO_INFO_WIDTH (like), GST_VIDEO_INFO_HEIGHT (like));
  info->fps_n = GST_VIDEO_INFO_FPS_N (like);
  info->fps_d = GST_VIDEO_INFO_FPS_D (like);
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  fail_unless (gst_video_frame_map (frame, info, buffer, GST_MAP_READWRITE));
  return buffer;
}

GstBuffer *
frames_new (const GstVideoInfo *info, guint seed)
{
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  g_autoptr (GstBuffer) painted = NULL;
  GstVideoFrame from, to;
  GstVideoInfo rgb;

  painted = map_new (info, GST_VIDEO_FORMAT_RGB, &rgb, &from);
  paint (&from, seed);
  gst_buffer_memset (buffer, 0, 0, gst_buffer_get_size (buffer));
  fail_unless (
      gst_video_frame_map (&to, (GstVideoInfo *)info, buffer, GST_MAP_WRITE));
  convert (&from, &to, GST_VIDEO_CHROMA_MODE_NONE);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);

  GST_BUFFER_PTS (buffer) = seed * FRAME_DURATION;
  GST_BUFFER_DURATION (buffer) = FRAME_DURATION;
  return buffer;
}

GstBuffer *
frames_to_rgb (const GstVideoInfo *info, GstBuffer *buffer,
    GstVideoChromaMode chroma, GstVideoInfo *rgb)
{
  GstVideoFrame from, between, to;
  GstVideoInfo argb;
  g_autoptr (GstBuffer) wide =
      map_new (info, GST_VIDEO_FORMAT_ARGB64, &argb, &between);
  GstBuffer *converted = map_new (info, GST_VIDEO_FORMAT_RGB, rgb, &to);

  fail_unless (
      gst_video_frame_map (&from, (GstVideoInfo *)info, buffer, GST_MAP_READ));
  convert (&from, &between, chroma);
  narrow (&between, &to);
  gst_video_frame_unmap (&from);
  gst_video_frame_unmap (&between);
  gst_video_frame_unmap (&to);
  return converted;
}

/* A harness is live, but what most tests ask for is a frame's own result. */
static void
wait_for_results (GstElement *bin)
{
  GstIterator *filters =
      gst_bin_iterate_all_by_element_factory_name (GST_BIN (bin), "clipfilter");
  GValue filter = G_VALUE_INIT;

  while (gst_iterator_next (filters, &filter) == GST_ITERATOR_OK) {
    gst_util_set_object_arg (
        g_value_get_object (&filter), "inference-mode", "wait");
    g_value_reset (&filter);
  }
  g_value_unset (&filter);
  gst_iterator_free (filters);
}

GstHarness *
frames_harness_new (const gchar *launch, const gchar *caps)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstElement *element = gst_parse_bin_from_description (launch, TRUE, &error);
  GstHarness *harness;

  fail_if (element == NULL, "%s", error != NULL ? error->message : launch);
  if (strstr (launch, "inference-mode") == NULL)
    wait_for_results (element);
  gst_element_set_bus (element, bus);
  harness = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  if (caps != NULL)
    gst_harness_set_src_caps_str (harness, caps);
  return harness;
}

void
frames_harness_close (GstHarness *harness)
{
  gst_element_set_bus (harness->element, NULL);
  gst_harness_teardown (harness);
}

void
frames_harness_free (GstHarness *harness)
{
  frames_harness_close (harness);
  frames_wait_for_workers ();
}

void
frames_wait_for_workers (void)
{
  /* Ten seconds, far more than an inference. */
  for (guint i = 0; i < 10000 && test_has_worker (); i++)
    g_usleep (1000);
  fail_if (test_has_worker (), "a worker stays when its last user is gone");
}

gchar *
frames_caps (const gchar *format, guint width, guint height)
{
  return g_strdup_printf (
      "video/x-raw,format=%s,width=%u,height=%u,framerate=25/1", format, width,
      height);
}

GstFlowReturn
frames_push (GstHarness *harness, guint seed)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (harness->srcpad);
  GstVideoInfo info;

  fail_unless (gst_video_info_from_caps (&info, caps));
  return gst_harness_push (harness, frames_new (&info, seed));
}

GstBuffer *
frames_pass (GstHarness *harness, guint seed)
{
  frames_push (harness, seed);
  return gst_harness_pull (harness);
}

const GstStructure *
frames_get_entry (const GstStructure *structure, guint index)
{
  const GValue *results = gst_structure_get_value (structure, "results");

  if (results == NULL || index >= gst_value_array_get_size (results))
    return NULL;
  return gst_value_get_structure (gst_value_array_get_value (results, index));
}

const GstStructure *
frames_get_result (GstBuffer *buffer, guint index)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "clipfilter");

  if (meta == NULL)
    return NULL;
  return frames_get_entry (gst_custom_meta_get_structure (meta), index);
}

const GstStructure *
frames_get_prompt (const GstStructure *entry, guint index)
{
  const GValue *prompts = gst_structure_get_value (entry, "prompts");

  fail_if (prompts == NULL);
  fail_unless (index < gst_value_array_get_size (prompts));
  return gst_value_get_structure (gst_value_array_get_value (prompts, index));
}

guint64
frames_get_uint64 (const GstStructure *structure, const gchar *name)
{
  guint64 value = 0;

  fail_unless (
      gst_structure_get_uint64 (structure, name, &value), "no field %s", name);
  return value;
}

GstMessage *
frames_pop_message (GstElement *element, GstMessageType type, const gchar *name)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (element);
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus, type)) != NULL) {
    if (name == NULL || gst_message_has_name (message, name))
      return message;
    gst_message_unref (message);
  }
  return NULL;
}

gdouble
frames_get_cosine (GBytes *a, GBytes *b)
{
  gsize size = g_bytes_get_size (a);
  const guint8 *x = g_bytes_get_data (a, NULL);
  const guint8 *y = g_bytes_get_data (b, NULL);
  gdouble xy = 0, xx = 0, yy = 0;

  fail_unless_equals_uint64 (size, g_bytes_get_size (b));
  for (gsize i = 0; i < size; i += sizeof (gfloat)) {
    gdouble p = GST_READ_FLOAT_LE (x + i), q = GST_READ_FLOAT_LE (y + i);

    xy += p * q;
    xx += p * p;
    yy += q * q;
  }
  return xy / sqrt (xx * yy);
}
