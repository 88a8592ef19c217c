/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A part of a larger picture that is not cut out yet: GstVideoCropMeta. */
#include "filters.h"
#include "pipelines.h"

/* videocrop of GStreamer 1.22 cuts these. */
static const gchar *const cropped_formats[] = { "I420", "NV12", "YUY2", "UYVY",
  "AYUV", "Y444", "Y42B", "Y41B", "RGB", "BGRx", "RGB16", "GRAY8",
  "GRAY16_LE" };

/* As sinks do that show a part of what they are given. */
static GstPadProbeReturn
offer_crop (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  gst_query_add_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL);
  return GST_PAD_PROBE_HANDLED;
}

typedef struct {
  gchar *embedding; /* serialized */
  gboolean has_crop;
} Cropped;

static void
note_embedding (GstBuffer *buffer, gpointer user_data)
{
  Cropped *cropped = user_data;
  const GstStructure *entry = frames_get_result (buffer, 0);

  fail_if (entry == NULL);
  g_free (cropped->embedding);
  cropped->embedding =
      gst_value_serialize (gst_structure_get_value (entry, "embedding"));
  cropped->has_crop = gst_buffer_get_video_crop_meta (buffer) != NULL;
}

static Cropped
encode_cropped (const gchar *format, gboolean offered)
{
  g_autoptr (GstElement) pipeline = pipelines_parse (
      "videotestsrc num-buffers=1 ! "
      "video/x-raw,format=%s,width=96,height=64 ! videocrop left=44 top=12 ! "
      "clipfilter threads=1 precision=f32 attach-embedding=true model=%s ! "
      "fakesink name=sink",
      format, filters_folder);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  Cropped cropped = { 0 };

  if (offered)
    gst_pad_add_probe (
        pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, offer_crop, NULL, NULL);
  pipelines_watch (pipeline, "sink", note_embedding, &cropped);
  pipelines_run (pipeline);
  return cropped;
}

/* videocrop leaves the cut to a sink that can do it, whatever lies between. */
GST_START_TEST (a_crop_is_seen_before_it_is_made)
{
  if (!pipelines_load ("coreelements videotestsrc videocrop"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (cropped_formats); i++) {
    Cropped made = encode_cropped (cropped_formats[i], FALSE);
    Cropped left = encode_cropped (cropped_formats[i], TRUE);

    fail_unless (left.has_crop && !made.has_crop, "%s", cropped_formats[i]);
    fail_unless (
        g_str_equal (left.embedding, made.embedding), "%s", cropped_formats[i]);
    g_free (made.embedding);
    g_free (left.embedding);
  }
}
GST_END_TEST;

/* Without pixels of whole bytes there is no place to begin at, and a region
 * outside of the picture is none. */
GST_START_TEST (a_crop_that_cannot_be_seen_is_one_warning)
{
  static const struct {
    GstVideoFormat format;
    guint x;
  } rows[] = { { GST_VIDEO_FORMAT_v210, 6 }, { GST_VIDEO_FORMAT_RGB, 49 },
    { GST_VIDEO_FORMAT_BGR, G_MAXUINT } };
  GstHarness *harness = filters_harness_new (filters_folder, "", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstVideoInfo info, whole;
    GstBuffer *buffer;

    gst_video_info_set_format (&info, rows[i].format, 48, 32);
    gst_video_info_set_format (&whole, rows[i].format, 96, 32);
    gst_harness_set_src_caps (harness, gst_video_info_to_caps (&info));
    for (guint k = 0; k < 2; k++) {
      g_autoptr (GstMessage) warning = NULL;
      GstVideoCropMeta *crop;

      buffer =
          gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&whole), NULL);
      gst_buffer_add_video_meta (
          buffer, GST_VIDEO_FRAME_FLAG_NONE, rows[i].format, 96, 32);
      crop = gst_buffer_add_video_crop_meta (buffer);
      crop->x = rows[i].x;
      crop->y = 0;
      crop->width = 48;
      crop->height = 32;
      buffer = gst_harness_push_and_pull (harness, buffer);
      warning =
          frames_pop_message (harness->element, GST_MESSAGE_WARNING, NULL);
      fail_if (frames_get_result (buffer, 0) != NULL);
      fail_unless ((warning != NULL) == (k == 0));
      gst_buffer_unref (buffer);
    }
  }
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
crop_suite (void)
{
  Suite *suite = suite_create ("crop");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, a_crop_is_seen_before_it_is_made);
  tcase_add_test (tests, a_crop_that_cannot_be_seen_is_one_warning);
  return suite;
}

GST_CHECK_MAIN (crop);
