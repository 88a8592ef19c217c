/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What is told of a scene without the model: that it did not change, and that a
 * camera is in trouble. Frames are 40 ms apart. */
#include "filters.h"
#include "journal.h"

#include <string.h>

#define RGB_SIZE (40 * 30 * 3)
#define FRAME_DURATION (40 * GST_MSECOND)

/* A plain grey; each cell of it has that level, however it is resized. */
static GstBuffer *
pass_grey (GstHarness *harness, guint number, guint8 level)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, RGB_SIZE, NULL);

  gst_buffer_memset (buffer, 0, level, RGB_SIZE);
  GST_BUFFER_PTS (buffer) = number * FRAME_DURATION;
  return gst_harness_push_and_pull (harness, buffer);
}

static void
drop_grey (GstHarness *harness, guint number, guint8 level)
{
  gst_buffer_unref (pass_grey (harness, number, level));
}

/* The same picture at any time. */
static GstBuffer *
pass_still (GstHarness *harness, guint number)
{
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 40, 30);
  buffer = frames_new (&info, 7);
  GST_BUFFER_PTS (buffer) = number * FRAME_DURATION;
  return gst_harness_push_and_pull (harness, buffer);
}

static void
drop_still (GstHarness *harness, guint number)
{
  gst_buffer_unref (pass_still (harness, number));
}

/* --- unchanged --- */

GST_START_TEST (frames_alike_are_encoded_when_nothing_was_asked_for)
{
  GstHarness *harness = filters_harness_new (filters_folder, "", FILTERS_RGB);
  GString *journal = journal_new (harness);

  for (guint i = 0; i < 3; i++)
    drop_still (harness, i);
  journal_end (harness, journal, "!1 e1 !2 e2 !3 e3 ");
}
GST_END_TEST;

GST_START_TEST (what_changes_slowly_is_noticed_in_the_end)
{
  /* 2.55 levels of 255. */
  GstHarness *harness = filters_harness_new (
      filters_folder, "unchanged-threshold=0.01", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  GString *journal = journal_new (harness);

  /* A level a frame: no frame differs from the one before it by more. */
  for (guint i = 0; i < 8; i++)
    drop_grey (harness, i, 100 + i);
  fail_unless_equals_uint64 (filters_get_skipped (filter, "unchanged"), 5);
  journal_end (
      harness, journal, "!1 e1 !2 u2 !3 u3 !4 e4 !5 u5 !6 u6 !7 e7 !8 u8 ");
}
GST_END_TEST;

GST_START_TEST (after_max_unchanged_it_is_encoded_anyway)
{
  static const gchar *const properties[] = { "max-unchanged=120000000",
    "max-unchanged=0 max-age=120000000",
    "max-unchanged=120000000 max-age=3600000000000" };

  for (guint p = 0; p < G_N_ELEMENTS (properties); p++) {
    g_autofree gchar *all =
        g_strconcat ("unchanged-threshold=0.01 ", properties[p], NULL);
    GstHarness *harness =
        filters_harness_new (filters_folder, all, FILTERS_RGB);
    GString *journal = journal_new (harness);

    for (guint i = 0; i < 7; i++)
      drop_still (harness, i);
    journal_end (
        harness, journal, "!1 e1 !2 u2 !3 u3 !4 e4 !5 u5 !6 u6 !7 e7 ");
  }
}
GST_END_TEST;

GST_START_TEST (an_unchanged_frame_says_what_was_encoded)
{
  GstHarness *harness = filters_harness_new (filters_folder,
      "unchanged-threshold=0.01 attach-embedding=true", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstStructure) stats = NULL;
  g_autoptr (GstBuffer) encoded = pass_grey (harness, 0, 100);
  g_autoptr (GstBuffer) unchanged = pass_grey (harness, 1, 102);
  const GstStructure *entry = frames_get_result (unchanged, 0);

  fail_unless_equals_string (
      gst_structure_get_string (entry, "reason"), "unchanged");
  fail_unless_equals_uint64 (frames_get_uint64 (entry, "result"), 2);
  fail_unless_equals_uint64 (
      frames_get_uint64 (entry, "timestamp"), FRAME_DURATION);
  fail_unless_equals_uint64 (frames_get_uint64 (entry, "source-timestamp"), 0);
  fail_unless_equals_uint64 (frames_get_uint64 (entry, "age"), FRAME_DURATION);
  fail_unless (gst_value_compare (gst_structure_get_value (entry, "embedding"),
                   gst_structure_get_value (frames_get_result (encoded, 0),
                       "embedding")) == GST_VALUE_EQUAL);
  stats = filters_get_stats (filter);
  fail_unless_equals_uint64 (frames_get_uint64 (stats, "encoded"), 1);
  fail_unless_equals_uint64 (frames_get_uint64 (stats, "saved-encode-time"),
      frames_get_uint64 (stats, "last-encode-time"));
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (unchanged_frames_are_told_in_latest_too)
{
  GstHarness *harness = filters_harness_new (filters_folder,
      "inference-mode=latest unchanged-threshold=0.01", FILTERS_RGB);
  guint64 number = 0;
  const gchar *reason = "";

  for (guint i = 0; !g_str_equal (reason, "unchanged"); i++) {
    g_autoptr (GstBuffer) buffer = pass_still (harness, i % 100);
    const GstStructure *entry = frames_get_result (buffer, 0);

    fail_if (i == 10000, "no frame was unchanged");
    if (entry == NULL) {
      g_usleep (1000);
      continue;
    }
    number++;
    reason = g_intern_string (gst_structure_get_string (entry, "reason"));
    fail_unless_equals_uint64 (frames_get_uint64 (entry, "result"), number);
    fail_unless_equals_uint64 (
        frames_get_uint64 (entry, "source-timestamp"), 0);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (a_flush_forgets_what_was_encoded)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "unchanged-threshold=0.01", FILTERS_RGB);
  GString *journal = journal_new (harness);

  drop_still (harness, 0);
  drop_still (harness, 1);
  journal_flush (harness);
  drop_still (harness, 2);
  journal_end (harness, journal, "!1 e1 !2 u2 !3 e3 ");
}
GST_END_TEST;

/* --- trouble --- */

static void
assert_trouble (GstHarness *harness, const gchar *name, gboolean active,
    GstClockTime duration)
{
  g_autoptr (GstMessage) message = frames_pop_message (
      harness->element, GST_MESSAGE_ELEMENT, "clipfilter-trouble");
  const GstStructure *structure;
  gboolean found = FALSE;

  if (name == NULL) {
    fail_if (message != NULL);
    return;
  }
  fail_if (message == NULL, "nothing of %s", name);
  structure = gst_message_get_structure (message);
  fail_unless_equals_string (
      gst_structure_get_string (structure, "trouble"), name);
  fail_unless (gst_structure_get_boolean (structure, "active", &found));
  fail_unless (found == active);
  fail_unless_equals_string (
      gst_structure_get_string (structure, "source"), "door");
  if (GST_CLOCK_TIME_IS_VALID (duration))
    fail_unless_equals_uint64 (
        frames_get_uint64 (structure, "duration"), duration);
}

#define TROUBLE "source-id=door trouble-after=200000000 "

GST_START_TEST (a_covered_lens_is_told_once_and_when_it_is_over)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, TROUBLE, FILTERS_RGB);

  for (guint i = 0; i < 20; i++) {
    /* Dark and trembling, as sensors do: never the same, never anything. */
    drop_grey (harness, i, 20 + i % 2);
    if (i == 5)
      assert_trouble (harness, "blank", TRUE, 200 * GST_MSECOND);
    else
      assert_trouble (harness, NULL, FALSE, 0);
  }
  journal_pass (harness, 20);
  assert_trouble (harness, "blank", FALSE, 800 * GST_MSECOND);
  journal_pass (harness, 21);
  assert_trouble (harness, NULL, FALSE, 0);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (a_frozen_picture_is_told_once_and_when_it_is_over)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, TROUBLE, FILTERS_RGB);

  for (guint i = 0; i < 20; i++) {
    drop_still (harness, i);
    /* Frame 1 is the first like the one before it. */
    if (i == 6)
      assert_trouble (harness, "frozen", TRUE, 200 * GST_MSECOND);
    else
      assert_trouble (harness, NULL, FALSE, 0);
  }
  journal_pass (harness, 20);
  assert_trouble (harness, "frozen", FALSE, 760 * GST_MSECOND);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (a_moving_picture_is_no_trouble_nor_is_a_short_one)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, TROUBLE, FILTERS_RGB);

  for (guint i = 0; i < 30; i++) {
    journal_pass (harness, i);
    assert_trouble (harness, NULL, FALSE, 0);
  }
  /* 160 ms, then something to see, and so on. */
  for (guint i = 30; i < 60; i++) {
    if (i % 6 == 0)
      journal_pass (harness, i);
    else
      drop_grey (harness, i, 20);
    assert_trouble (harness, NULL, FALSE, 0);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (trouble_is_not_looked_for_when_not_asked_for)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, "trouble-after=0", FILTERS_RGB);

  for (guint i = 0; i < 1000; i++)
    drop_grey (harness, i, 20);
  assert_trouble (harness, NULL, FALSE, 0);
  frames_harness_free (harness);
}
GST_END_TEST;

static void
wait_for_trouble (GstHarness *harness)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (harness->element);

  /* A minute: any machine has told it by then. */
  for (guint i = 0; i < 6000; i++) {
    g_autoptr (GstMessage) message =
        gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);

    if (message != NULL &&
        gst_message_has_name (message, "clipfilter-trouble")) {
      gst_bus_post (bus, g_steal_pointer (&message));
      return;
    }
    g_usleep (10000);
  }
  fail ("no trouble was told");
}

GST_START_TEST (frames_that_do_not_come_are_told)
{
  static const gchar *const modes[] = { "wait", "latest" };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree gchar *properties =
        g_strconcat (TROUBLE, "inference-mode=", modes[i], NULL);
    GstHarness *harness =
        filters_harness_new (filters_folder, properties, FILTERS_RGB);

    /* None at all, then none any more. */
    for (guint n = 0; n < 2; n++) {
      wait_for_trouble (harness);
      assert_trouble (harness, "no-frames", TRUE, GST_CLOCK_TIME_NONE);
      journal_pass (harness, n);
      assert_trouble (harness, "no-frames", FALSE, GST_CLOCK_TIME_NONE);
    }
    frames_harness_free (harness);
  }
}
GST_END_TEST;

/* A camera that came to an end and is asked for again. */
GST_START_TEST (frames_that_do_not_come_after_an_end_are_told)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, TROUBLE, FILTERS_RGB);

  journal_pass (harness, 0);
  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
  while (frames_pop_message (
      harness->element, GST_MESSAGE_ELEMENT, "clipfilter-trouble"))
    continue;
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_stream_start ("again")));
  wait_for_trouble (harness);
  assert_trouble (harness, "no-frames", TRUE, GST_CLOCK_TIME_NONE);
  frames_harness_free (harness);
}
GST_END_TEST;

/* An application that takes its time to hear that frames are missing. */
typedef struct {
  gint heard;    /* atomic, as the next */
  gint released; /* it may go on */
} SlowListener;

static gboolean
is_active (GstMessage *message)
{
  gboolean active = FALSE;

  fail_unless (gst_structure_get_boolean (
      gst_message_get_structure (message), "active", &active));
  return active;
}

static GstBusSyncReply
listen_slowly (GstBus *bus, GstMessage *message, gpointer user_data)
{
  SlowListener *listener = user_data;

  if (gst_message_has_name (message, "clipfilter-trouble") &&
      is_active (message)) {
    g_atomic_int_set (&listener->heard, TRUE);
    while (!g_atomic_int_get (&listener->released))
      g_usleep (1000);
  }
  return GST_BUS_PASS;
}

/* The next message of trouble. (transfer full) */
static GstMessage *
pop_trouble (GstBus *bus)
{
  for (;;) {
    /* A minute, as above. */
    g_autoptr (GstMessage) message =
        gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_ELEMENT);

    fail_if (message == NULL, "no trouble was told");
    if (gst_message_has_name (message, "clipfilter-trouble"))
      return g_steal_pointer (&message);
  }
}

/* The frame that ends it neither waits for who hears of the beginning nor
 * overtakes the message. */
GST_START_TEST (the_end_of_trouble_is_told_behind_its_beginning)
{
  SlowListener listener = { FALSE, FALSE };
  GstHarness *harness = filters_harness_new (
      filters_folder, "trouble-after=3600000000000", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstBus) bus = gst_element_get_bus (harness->element);

  gst_bus_set_sync_handler (bus, listen_slowly, &listener, NULL);
  g_object_set (filter, "trouble-after", 100 * GST_MSECOND, NULL);
  for (guint i = 0; !g_atomic_int_get (&listener.heard); i++) {
    fail_unless (i < 60000, "no trouble was told");
    g_usleep (1000);
  }
  /* Once is enough. */
  g_object_set (filter, "trouble-after", 3600 * GST_SECOND, NULL);
  journal_pass (harness, 0);
  g_atomic_int_set (&listener.released, TRUE);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstMessage) message = pop_trouble (bus);

    fail_unless_equals_int (is_active (message), i == 0);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

/* Who was told that a lens is covered hears of its end, also when the camera is
 * looked at no longer. */
GST_START_TEST (trouble_is_over_when_the_element_stops)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, TROUBLE, FILTERS_RGB);

  for (guint i = 0; i < 20; i++)
    drop_grey (harness, i, 20 + i % 2);
  assert_trouble (harness, "blank", TRUE, 200 * GST_MSECOND);
  gst_element_set_state (harness->element, GST_STATE_READY);
  assert_trouble (harness, "blank", FALSE, 760 * GST_MSECOND);
  assert_trouble (harness, NULL, FALSE, 0);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (a_file_or_an_end_is_no_trouble)
{
  for (guint i = 0; i < 2; i++) {
    GstHarness *harness =
        filters_harness_new (filters_folder, "trouble-after=50000000", NULL);

    gst_harness_set_live (harness, i == 1);
    gst_harness_set_src_caps_str (harness, FILTERS_RGB);
    if (i == 1) {
      fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
      /* What was told before it. */
      while (frames_pop_message (
          harness->element, GST_MESSAGE_ELEMENT, "clipfilter-trouble"))
        continue;
    }
    g_usleep (500000);
    assert_trouble (harness, NULL, FALSE, 0);
    frames_harness_free (harness);
  }
}
GST_END_TEST;

static Suite *
scene_suite (void)
{
  Suite *suite = suite_create ("scene");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, frames_alike_are_encoded_when_nothing_was_asked_for);
  tcase_add_test (tests, what_changes_slowly_is_noticed_in_the_end);
  tcase_add_test (tests, after_max_unchanged_it_is_encoded_anyway);
  tcase_add_test (tests, an_unchanged_frame_says_what_was_encoded);
  tcase_add_test (tests, unchanged_frames_are_told_in_latest_too);
  tcase_add_test (tests, a_flush_forgets_what_was_encoded);
  tcase_add_test (tests, a_covered_lens_is_told_once_and_when_it_is_over);
  tcase_add_test (tests, a_frozen_picture_is_told_once_and_when_it_is_over);
  tcase_add_test (tests, a_moving_picture_is_no_trouble_nor_is_a_short_one);
  tcase_add_test (tests, trouble_is_not_looked_for_when_not_asked_for);
  tcase_add_test (tests, frames_that_do_not_come_are_told);
  tcase_add_test (tests, frames_that_do_not_come_after_an_end_are_told);
  tcase_add_test (tests, the_end_of_trouble_is_told_behind_its_beginning);
  tcase_add_test (tests, trouble_is_over_when_the_element_stops);
  tcase_add_test (tests, a_file_or_an_end_is_no_trouble);
  return suite;
}

GST_CHECK_MAIN (scene);
