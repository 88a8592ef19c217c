/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a viewer sees is what the model sees: frames that a tag turns, against
 * videoflip, and pixels that are not square. */
#include "pipelines.h"

#define WIDTH 200
#define HEIGHT 120

/* The two passes of the resize come in the other order, which rounds. */
#define MIN_COSINE 0.9995

/* --- embeddings --- */

/* @buffer: (transfer full) */
static GBytes *
encode (GstHarness *harness, const gchar *caps, GstBuffer *buffer)
{
  g_autoptr (GstBuffer) out = NULL;
  const GstStructure *entry;
  GstBuffer *embedding;
  gpointer data;
  gsize size;

  if (caps != NULL)
    gst_harness_set_src_caps_str (harness, caps);
  out = gst_harness_push_and_pull (harness, buffer);
  entry = frames_get_result (out, 0);
  fail_if (entry == NULL);
  embedding =
      gst_value_get_buffer (gst_structure_get_value (entry, "embedding"));
  gst_buffer_extract_dup (embedding, 0, -1, &data, &size);
  return g_bytes_new_take (data, size);
}

static GstHarness *
new_harness (void)
{
  return frames_harness_new (
      "clipfilter threads=1 precision=f32 attach-embedding=true", NULL);
}

/* (transfer full): no side of it is like another */
static GstBuffer *
new_frame (gint width, gint height)
{
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, width, height);
  return frames_new (&info, 3);
}

/* --- turns --- */

typedef struct {
  const gchar *tag, *direction;
} Turn;

/* As gst_video_orientation_from_tag() has them. */
static const Turn turns[] = { { "rotate-0", "identity" },
  { "rotate-90", "90r" }, { "rotate-180", "180" }, { "rotate-270", "90l" },
  { "flip-rotate-0", "horiz" }, { "flip-rotate-90", "ur-ll" },
  { "flip-rotate-180", "vert" }, { "flip-rotate-270", "ul-lr" } };

static void
tag (GstHarness *harness, GstTagScope scope, const gchar *value)
{
  GstTagList *tags = gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION, value, NULL);

  gst_tag_list_set_scope (tags, scope);
  fail_unless (gst_harness_push_event (harness, gst_event_new_tag (tags)));
}

static void
begin_stream (GstHarness *harness, const gchar *caps)
{
  g_autoptr (GstCaps) parsed = gst_caps_from_string (caps);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_stream_start ("next")));
  fail_unless (gst_harness_push_event (harness, gst_event_new_caps (parsed)));
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_segment (&segment)));
}

static GBytes *
encode_flipped (GstHarness *harness, const gchar *direction)
{
  g_autofree gchar *launch =
      g_strdup_printf ("videoflip video-direction=%s", direction);
  g_autofree gchar *caps = frames_caps ("RGB", WIDTH, HEIGHT);
  GstHarness *flip = gst_harness_new_parse (launch);
  g_autoptr (GstCaps) flipped = NULL;
  g_autofree gchar *flipped_caps = NULL;
  GstBuffer *buffer;

  gst_harness_set_src_caps_str (flip, caps);
  buffer = gst_harness_push_and_pull (flip, new_frame (WIDTH, HEIGHT));
  flipped = gst_pad_get_current_caps (flip->sinkpad);
  flipped_caps = gst_caps_to_string (flipped);
  gst_harness_teardown (flip);
  return encode (harness, flipped_caps, buffer);
}

GST_START_TEST (frames_are_turned_as_their_tag_says)
{
  g_autofree gchar *caps = frames_caps ("RGB", WIDTH, HEIGHT);
  GstHarness *plain, *tagged;

  if (!pipelines_load ("coreelements videofilter"))
    return;
  plain = new_harness ();
  tagged = new_harness ();
  gst_harness_set_src_caps_str (tagged, caps);
  for (guint i = 0; i < G_N_ELEMENTS (turns); i++) {
    g_autoptr (GBytes) expected = encode_flipped (plain, turns[i].direction);
    g_autoptr (GBytes) found = NULL;
    gdouble cosine;

    tag (tagged, GST_TAG_SCOPE_STREAM, turns[i].tag);
    found = encode (tagged, NULL, new_frame (WIDTH, HEIGHT));
    cosine = frames_get_cosine (expected, found);
    fail_unless (cosine >= MIN_COSINE, "%s: %.6f", turns[i].tag, cosine);
  }
  /* The worker is gone when the last of the two is. */
  gst_element_set_bus (plain->element, NULL);
  gst_harness_teardown (plain);
  frames_harness_free (tagged);
}
GST_END_TEST;

GST_START_TEST (a_streams_own_tag_counts_until_the_next_stream)
{
  g_autofree gchar *caps = frames_caps ("RGB", WIDTH, HEIGHT);
  GstHarness *harness = new_harness ();
  g_autoptr (GBytes) upright =
      encode (harness, caps, new_frame (WIDTH, HEIGHT));
  g_autoptr (GBytes) turned = NULL;
  g_autoptr (GBytes) by_both = NULL;
  g_autoptr (GBytes) next = NULL;

  tag (harness, GST_TAG_SCOPE_GLOBAL, "rotate-180");
  turned = encode (harness, NULL, new_frame (WIDTH, HEIGHT));
  tag (harness, GST_TAG_SCOPE_STREAM, "rotate-0");
  by_both = encode (harness, NULL, new_frame (WIDTH, HEIGHT));
  tag (harness, GST_TAG_SCOPE_STREAM, "rotate-180");
  begin_stream (harness, caps);
  next = encode (harness, NULL, new_frame (WIDTH, HEIGHT));
  fail_if (g_bytes_equal (upright, turned));
  fail_unless (g_bytes_equal (upright, by_both));
  fail_unless (g_bytes_equal (upright, next));
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- pixels --- */

/* The same scene twice as wide, and stored in half its columns. */
GST_START_TEST (pixels_are_squared_first)
{
  g_autofree gchar *wide_caps = frames_caps ("RGB", 2 * WIDTH, HEIGHT);
  g_autofree gchar *caps = frames_caps ("RGB", WIDTH, HEIGHT);
  g_autofree gchar *stretched_caps =
      g_strdup_printf ("%s,pixel-aspect-ratio=2/1", caps);
  GstHarness *harness = new_harness ();
  g_autoptr (GBytes) wide =
      encode (harness, wide_caps, new_frame (2 * WIDTH, HEIGHT));
  g_autoptr (GBytes) stretched =
      encode (harness, stretched_caps, new_frame (WIDTH, HEIGHT));
  g_autoptr (GBytes) narrow = encode (harness, caps, new_frame (WIDTH, HEIGHT));

  /* Columns between are interpolated, so that edges are a little softer. */
  fail_unless (frames_get_cosine (wide, stretched) > 0.99, "%.6f",
      frames_get_cosine (wide, stretched));
  fail_unless (frames_get_cosine (wide, narrow) < 0.97, "%.6f",
      frames_get_cosine (wide, narrow));
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
orientation_suite (void)
{
  Suite *suite = suite_create ("orientation");
  TCase *tests = tcase_create ("demo-model");

  suite_add_tcase (suite, tests);
  tcase_add_test (tests, frames_are_turned_as_their_tag_says);
  tcase_add_test (tests, a_streams_own_tag_counts_until_the_next_stream);
  tcase_add_test (tests, pixels_are_squared_first);
  return suite;
}

GST_CHECK_MAIN (orientation);
