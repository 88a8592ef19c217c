/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clipfilter in a harness, with the demonstration model: what goes in comes
 * out, and results are told as the header of gstclipfilter.c says. */
#include "frames.h"

#include <string.h>

#define RGB "video/x-raw,format=RGB,width=160,height=120,framerate=25/1"

static const GstStructure *
get_stats (GstElement *element, GValue *value)
{
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (element), "f");

  g_value_init (value, GST_TYPE_STRUCTURE);
  g_object_get_property (G_OBJECT (filter), "stats", value);
  return gst_value_get_structure (value);
}

GST_START_TEST (every_frame_carries_its_own_result)
{
  GstHarness *harness = frames_harness_new ("clipfilter threads=1 name=f", RGB);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, i);
    const GstStructure *entry = frames_get_result (buffer, 0);

    fail_if (entry == NULL);
    fail_unless_equals_uint64 (frames_get_uint64 (entry, "result"), i + 1);
    fail_unless_equals_uint64 (
        frames_get_uint64 (entry, "timestamp"), GST_BUFFER_PTS (buffer));
    fail_unless_equals_string (
        gst_structure_get_string (entry, "reason"), "encoded");
    fail_unless_equals_uint64 (frames_get_uint64 (entry, "age"), 0);
    fail_if (frames_get_result (buffer, 1) != NULL);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (fields_come_in_the_order_of_the_record)
{
  /* design: section 6; a harness is live, so utc is known; region
   * and attention are not. */
  static const gchar *const names[] = { "element", "source", "model",
    "precision", "result", "reason", "timestamp", "running-time", "stream-time",
    "duration", "utc", "source-timestamp", "age", "revision", "frame-width",
    "frame-height", "prompts", "embedding" };
  static const gchar *const prompt_names[] = { "index", "text", "similarity",
    "probability" };
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 name=f source-id=door attach-embedding=true", RGB);
  g_autoptr (GstBuffer) buffer = frames_pass (harness, 0);
  const GstStructure *entry = frames_get_result (buffer, 0);
  const GstStructure *prompt = frames_get_prompt (entry, 0);

  fail_unless_equals_int (gst_structure_n_fields (entry), G_N_ELEMENTS (names));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    fail_unless_equals_string (
        gst_structure_nth_field_name (entry, i), names[i]);
  for (guint i = 0; i < G_N_ELEMENTS (prompt_names); i++)
    fail_unless_equals_string (
        gst_structure_nth_field_name (prompt, i), prompt_names[i]);
  fail_unless_equals_string (gst_structure_get_string (entry, "element"), "f");
  fail_unless_equals_string (
      gst_structure_get_string (entry, "source"), "door");
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (buffers_leave_as_they_came)
{
  GstHarness *harness = frames_harness_new ("clipfilter threads=1 name=f", RGB);
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GstBuffer) copy = NULL;
  GstVideoInfo info;
  GstBuffer *in;
  GstMapInfo map;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 160, 120);
  in = frames_new (&info, 7);
  GST_BUFFER_DTS (in) = 11;
  GST_BUFFER_OFFSET (in) = 22;
  GST_BUFFER_OFFSET_END (in) = 33;
  GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_MARKER);
  copy = gst_buffer_copy_deep (in);
  out = gst_harness_push_and_pull (harness, in);

  fail_unless (gst_buffer_map (copy, &map, GST_MAP_READ));
  fail_unless_equals_uint64 (gst_buffer_get_size (out), map.size);
  fail_unless (gst_buffer_memcmp (out, 0, map.data, map.size) == 0);
  gst_buffer_unmap (copy, &map);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (out), GST_BUFFER_PTS (copy));
  fail_unless_equals_uint64 (GST_BUFFER_DTS (out), 11);
  fail_unless_equals_uint64 (
      GST_BUFFER_DURATION (out), GST_BUFFER_DURATION (copy));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (out), 22);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET_END (out), 33);
  fail_unless_equals_int (
      GST_BUFFER_FLAGS (out) & ~(guint)GST_BUFFER_FLAG_TAG_MEMORY,
      GST_BUFFER_FLAGS (copy) & ~(guint)GST_BUFFER_FLAG_TAG_MEMORY);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (frames_between_two_results_carry_the_newest)
{
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 name=f inference-interval=3", RGB);

  for (guint i = 0; i < 7; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, i);
    const GstStructure *entry = frames_get_result (buffer, 0);

    fail_unless_equals_uint64 (frames_get_uint64 (entry, "result"), i / 3 + 1);
    fail_unless_equals_string (gst_structure_get_string (entry, "reason"),
        i % 3 == 0 ? "encoded" : "carried");
    fail_unless_equals_uint64 (
        frames_get_uint64 (entry, "age"), i % 3 * 40 * GST_MSECOND);
    fail_unless_equals_uint64 (frames_get_uint64 (entry, "source-timestamp"),
        i / 3 * 120 * GST_MSECOND);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (gaps_are_not_encoded_and_counted)
{
  GstHarness *harness = frames_harness_new ("clipfilter threads=1 name=f", RGB);
  g_auto (GValue) value = G_VALUE_INIT;
  const GstStructure *stats, *skipped;
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 160, 120);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *in = frames_new (&info, i);
    g_autoptr (GstBuffer) out = NULL;

    /* The first has nothing to carry. */
    if (i != 1)
      GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_GAP);
    out = gst_harness_push_and_pull (harness, in);
    fail_unless ((frames_get_result (out, 0) != NULL) == (i > 0));
    fail_unless (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_GAP) == (i != 1));
  }
  stats = get_stats (harness->element, &value);
  skipped =
      gst_value_get_structure (gst_structure_get_value (stats, "skipped"));
  fail_unless_equals_uint64 (frames_get_uint64 (stats, "frames"), 3);
  fail_unless_equals_uint64 (frames_get_uint64 (stats, "encoded"), 1);
  fail_unless_equals_uint64 (frames_get_uint64 (skipped, "gap"), 2);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (each_result_is_one_event_before_its_buffer)
{
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 name=f inference-interval=2", RGB);
  guint64 n = 0;
  GstEvent *event;

  for (guint i = 0; i < 5; i++)
    gst_buffer_unref (frames_pass (harness, i));
  while ((event = gst_harness_try_pull_event (harness)) != NULL) {
    if (gst_event_has_name (event, "clipfilter-result")) {
      const GstStructure *structure = gst_event_get_structure (event);
      const GstStructure *entry = frames_get_entry (structure, 0);

      fail_unless (GST_EVENT_IS_SERIALIZED (event));
      fail_unless_equals_uint64 (frames_get_uint64 (entry, "result"), ++n);
      fail_unless_equals_uint64 (
          frames_get_uint64 (entry, "timestamp"), (n - 1) * 80 * GST_MSECOND);
      fail_if (frames_get_entry (structure, 1) != NULL);
    }
    gst_event_unref (event);
  }
  fail_unless_equals_uint64 (n, 3);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (a_flush_forgets_what_was_carried)
{
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 name=f inference-interval=100", RGB);
  GstSegment segment;

  gst_buffer_unref (frames_pass (harness, 0));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_harness_push_event (harness, gst_event_new_flush_start ()));
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE)));
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_segment (&segment)));
  {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, 50);
    const GstStructure *entry = frames_get_result (buffer, 0);

    fail_unless_equals_uint64 (frames_get_uint64 (entry, "result"), 2);
    fail_unless_equals_string (
        gst_structure_get_string (entry, "reason"), "encoded");
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (two_filters_append_to_one_list)
{
  GstHarness *harness =
      frames_harness_new ("clipfilter threads=1 name=a prompts=\"a cat\" ! "
                          "clipfilter threads=1 name=b",
          RGB);
  g_autoptr (GstBuffer) buffer = frames_pass (harness, 0);

  fail_unless_equals_string (
      gst_structure_get_string (frames_get_result (buffer, 0), "element"), "a");
  fail_unless_equals_string (
      gst_structure_get_string (frames_get_result (buffer, 1), "element"), "b");
  fail_if (frames_get_result (buffer, 2) != NULL);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (messages_have_the_same_fields_but_no_embedding)
{
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 name=f post-messages=all attach-embedding=true",
      RGB);
  g_autoptr (GstBuffer) buffer = frames_pass (harness, 0);
  g_autoptr (GstMessage) message =
      frames_pop_message (harness->element, GST_MESSAGE_ELEMENT, "clipfilter");
  g_autoptr (GstStructure) expected =
      gst_structure_copy (frames_get_result (buffer, 0));

  fail_unless (gst_structure_has_field (expected, "embedding"));
  gst_structure_remove_field (expected, "embedding");
  fail_if (message == NULL);
  fail_unless (gst_structure_is_equal (
      frames_get_entry (gst_message_get_structure (message), 0), expected));
  frames_harness_free (harness);
}
GST_END_TEST;

/* Passes frames until one has been compared with @revision. */
static GstBuffer *
pass_until_revision (GstHarness *harness, guint revision)
{
  for (guint i = 0; i < 10000; i++) {
    GstBuffer *buffer = frames_pass (harness, 1);
    guint found = 0;

    gst_structure_get_uint (frames_get_result (buffer, 0), "revision", &found);
    if (found == revision)
      return buffer;
    gst_buffer_unref (buffer);
    g_usleep (1000);
  }
  fail ("revision %u never came", revision);
  return NULL;
}

GST_START_TEST (prompts_change_between_two_frames)
{
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 name=f inference-interval=100000 prompts=\"one | two\"",
      RGB);
  g_autoptr (GstElement) filter =
      gst_bin_get_by_name (GST_BIN (harness->element), "f");
  g_autoptr (GstBuffer) initial = frames_pass (harness, 0);
  g_autoptr (GstBuffer) changed = NULL;
  g_autoptr (GstMessage) before = NULL;
  g_autoptr (GstMessage) after = NULL;
  const GstStructure *entry;
  guint revision = 0;

  before = frames_pop_message (
      harness->element, GST_MESSAGE_ELEMENT, "clipfilter-prompts");
  fail_if (before == NULL);
  g_object_set (
      filter, "prompts", "a dog, \"quoted\" | 猫 \\| 狗 | three", NULL);
  changed = pass_until_revision (harness, 2);
  after = frames_pop_message (
      harness->element, GST_MESSAGE_ELEMENT, "clipfilter-prompts");
  fail_if (after == NULL);
  fail_unless (gst_structure_get_uint (
      gst_message_get_structure (after), "revision", &revision));
  fail_unless_equals_int (revision, 2);

  /* The frame of before, compared with the new texts. */
  entry = frames_get_result (changed, 0);
  fail_unless_equals_uint64 (frames_get_uint64 (entry, "result"), 1);
  fail_unless_equals_string (
      gst_structure_get_string (entry, "reason"), "carried");
  for (guint i = 0; i < 3; i++) {
    static const gchar *const texts[] = { "a dog, \"quoted\"", "猫 | 狗",
      "three" };
    const GstStructure *prompt = frames_get_prompt (entry, i);
    guint index = 3;

    fail_unless (gst_structure_get_uint (prompt, "index", &index));
    fail_unless (index < 3);
    fail_unless_equals_string (
        gst_structure_get_string (prompt, "text"), texts[index]);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (bad_prompts_are_one_warning_and_the_old_ones_stay)
{
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 name=f prompts=\"one | two\"", RGB);
  g_autoptr (GstElement) filter =
      gst_bin_get_by_name (GST_BIN (harness->element), "f");
  g_autoptr (GstBus) bus = gst_element_get_bus (harness->element);
  g_autoptr (GstMessage) warning = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GError) error = NULL;

  g_object_set (filter, "prompts-file", "/no/such/file", NULL);
  warning =
      gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_WARNING);
  fail_if (warning == NULL);
  gst_message_parse_warning (warning, &error, NULL);
  fail_unless (g_error_matches (
      error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND));
  fail_if (strstr (error->message, "/no/such/file") == NULL);

  buffer = frames_pass (harness, 0);
  frames_get_prompt (frames_get_result (buffer, 0), 1);
  g_object_set (filter, "prompts", "three", NULL);
  gst_buffer_unref (pass_until_revision (harness, 2));
  fail_if (
      frames_pop_message (harness->element, GST_MESSAGE_WARNING, NULL) != NULL);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (missing_model_is_one_error_and_can_be_put_right)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("clipfilter", NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  g_object_set (element, "model", "/no/such/model", "threads", 1, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = frames_pop_message (element, GST_MESSAGE_ERROR, NULL);
  fail_if (message == NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (
      error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND));
  fail_if (strstr (error->message, "/no/such/model") == NULL);
  fail_if (frames_pop_message (element, GST_MESSAGE_ERROR, NULL) != NULL);

  g_object_set (element, "model", NULL, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  frames_wait_for_workers ();
}
GST_END_TEST;

GST_START_TEST (a_buffer_too_short_passes_with_one_warning)
{
  GstHarness *harness = frames_harness_new ("clipfilter threads=1 name=f", RGB);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (
        harness, gst_buffer_new_allocate (NULL, 160 * 120 * 3 - 1, NULL));

    fail_if (out == NULL);
    fail_if (frames_get_result (out, 0) != NULL);
  }
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstMessage) warning =
        frames_pop_message (harness->element, GST_MESSAGE_WARNING, NULL);

    fail_unless ((warning != NULL) == (i == 0));
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (caps_that_cannot_be_read_are_refused)
{
  static const struct {
    const gchar *caps;
    gboolean accepted;
  } rows[] = {
    { "video/x-raw,format=NV12,width=1,height=1,framerate=0/1", TRUE },
    { "video/x-raw(meta:GstVideoOverlayComposition),format=I420,width=64,"
      "height=64,framerate=25/1",
        TRUE },
    { "video/x-raw,format=I420,width=64,height=64,framerate=25/1,"
      "interlace-mode=interleaved",
        TRUE },
    { "video/x-raw(memory:DMABuf),format=NV12,width=64,height=64,"
      "framerate=25/1",
        FALSE },
    { "video/x-raw(format:Interlaced),format=I420,width=64,height=64,"
      "framerate=25/1,interlace-mode=alternate",
        FALSE },
    { "video/x-raw,format=I420,width=64,height=64,framerate=25/1,"
      "interlace-mode=alternate",
        FALSE },
    { "audio/x-raw,format=S16LE,rate=8000,channels=1", FALSE },
    { "video/x-h264", FALSE },
  };
  GstHarness *harness = frames_harness_new ("clipfilter threads=1 name=f", RGB);
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (harness->element, "sink");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (rows[i].caps);

    fail_unless (gst_pad_query_accept_caps (pad, caps) == rows[i].accepted,
        "%s", rows[i].caps);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
clipfilter_suite (void)
{
  Suite *suite = suite_create ("clipfilter");
  TCase *tests = tcase_create ("demo-model");

  suite_add_tcase (suite, tests);
  tcase_add_test (tests, every_frame_carries_its_own_result);
  tcase_add_test (tests, fields_come_in_the_order_of_the_record);
  tcase_add_test (tests, buffers_leave_as_they_came);
  tcase_add_test (tests, frames_between_two_results_carry_the_newest);
  tcase_add_test (tests, gaps_are_not_encoded_and_counted);
  tcase_add_test (tests, each_result_is_one_event_before_its_buffer);
  tcase_add_test (tests, a_flush_forgets_what_was_carried);
  tcase_add_test (tests, two_filters_append_to_one_list);
  tcase_add_test (tests, messages_have_the_same_fields_but_no_embedding);
  tcase_add_test (tests, prompts_change_between_two_frames);
  tcase_add_test (tests, bad_prompts_are_one_warning_and_the_old_ones_stay);
  tcase_add_test (tests, missing_model_is_one_error_and_can_be_put_right);
  tcase_add_test (tests, a_buffer_too_short_passes_with_one_warning);
  tcase_add_test (tests, caps_that_cannot_be_read_are_refused);
  return suite;
}

GST_CHECK_MAIN (clipfilter);
