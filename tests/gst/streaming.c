/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Video is sacred: whatever comes in goes out once, in order and unchanged;
 * which results it carries, and when they are told. */
#include "filters.h"
#include "journal.h"

#include <string.h>

#define RGB_SIZE (40 * 30 * 3)

/* --- every buffer --- */

#define N_RANDOM 10000
#define NOISE_SIZE (1 << 20)

/* Any time, or none. */
static GstClockTime
random_time (GRand *random)
{
  if (g_rand_int_range (random, 0, 8) == 0)
    return GST_CLOCK_TIME_NONE;
  return g_rand_int (random) * G_GUINT64_CONSTANT (1000);
}

static GstBuffer *
random_buffer (GRand *random, const guint8 *noise)
{
  static const guint flags[] = { GST_BUFFER_FLAG_LIVE,
    GST_BUFFER_FLAG_DECODE_ONLY, GST_BUFFER_FLAG_DISCONT,
    GST_BUFFER_FLAG_RESYNC, GST_BUFFER_FLAG_CORRUPTED, GST_BUFFER_FLAG_MARKER,
    GST_BUFFER_FLAG_HEADER, GST_BUFFER_FLAG_GAP, GST_BUFFER_FLAG_DROPPABLE,
    GST_BUFFER_FLAG_DELTA_UNIT, GST_BUFFER_FLAG_NON_DROPPABLE,
    GST_VIDEO_BUFFER_FLAG_INTERLACED, GST_VIDEO_BUFFER_FLAG_TFF };
  gint at = g_rand_int_range (random, 0, NOISE_SIZE - RGB_SIZE);
  GstBuffer *buffer = gst_buffer_new_memdup (noise + at, RGB_SIZE);

  GST_BUFFER_PTS (buffer) = random_time (random);
  GST_BUFFER_DTS (buffer) = random_time (random);
  GST_BUFFER_DURATION (buffer) = random_time (random);
  GST_BUFFER_OFFSET (buffer) = g_rand_int (random);
  GST_BUFFER_OFFSET_END (buffer) = g_rand_int (random);
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++) {
    if (g_rand_int_range (random, 0, 8) == 0)
      GST_BUFFER_FLAG_SET (buffer, flags[i]);
  }
  return buffer;
}

static void
assert_same (GstBuffer *found, GstBuffer *expected, guint number)
{
  const guint ignored = GST_BUFFER_FLAG_TAG_MEMORY;
  GstMapInfo map;

  fail_unless (
      GST_BUFFER_PTS (found) == GST_BUFFER_PTS (expected) &&
          GST_BUFFER_DTS (found) == GST_BUFFER_DTS (expected) &&
          GST_BUFFER_DURATION (found) == GST_BUFFER_DURATION (expected),
      "times of buffer %u", number);
  fail_unless (
      GST_BUFFER_OFFSET (found) == GST_BUFFER_OFFSET (expected) &&
          GST_BUFFER_OFFSET_END (found) == GST_BUFFER_OFFSET_END (expected),
      "offsets of buffer %u", number);
  fail_unless ((GST_BUFFER_FLAGS (found) & ~ignored) ==
                   (GST_BUFFER_FLAGS (expected) & ~ignored),
      "flags of buffer %u: %x, not %x", number, GST_BUFFER_FLAGS (found),
      GST_BUFFER_FLAGS (expected));
  fail_unless_equals_uint64 (gst_buffer_get_size (found), RGB_SIZE);
  fail_unless (gst_buffer_map (expected, &map, GST_MAP_READ));
  fail_unless (gst_buffer_memcmp (found, 0, map.data, map.size) == 0,
      "pixels of buffer %u", number);
  gst_buffer_unmap (expected, &map);
}

GST_START_TEST (ten_thousand_random_buffers_leave_as_they_came)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autofree guint8 *noise = g_malloc (NOISE_SIZE);
  GstHarness *harness = filters_harness_new (
      filters_folder, "inference-interval=100", FILTERS_RGB);

  for (guint i = 0; i < NOISE_SIZE; i++)
    noise[i] = (guint8)g_rand_int (random);
  for (guint i = 0; i < N_RANDOM; i++) {
    GstBuffer *buffer = random_buffer (random, noise);
    g_autoptr (GstBuffer) expected = gst_buffer_copy_deep (buffer);
    GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
    g_autoptr (GstBuffer) found = gst_harness_push_and_pull (harness, buffer);

    fail_if (found == NULL);
    assert_same (found, expected, i);
    fail_unless (gst_buffer_peek_memory (found, 0) == memory);
    fail_unless_equals_int (gst_harness_buffers_in_queue (harness), 0);
  }
  fail_unless_equals_int (gst_harness_buffers_received (harness), N_RANDOM);
  frames_harness_free (harness);
}
GST_END_TEST;

/* A reference that stays would make the next element copy the frame, and keep
 * a camera's pool empty. */
GST_START_TEST (no_reference_to_a_frame_stays_behind)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, "inference-interval=2", FILTERS_RGB);

  for (guint i = 0; i < 4; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, i);

    fail_unless_equals_int (GST_MINI_OBJECT_REFCOUNT_VALUE (buffer), 1);
    fail_unless_equals_int (
        GST_MINI_OBJECT_REFCOUNT_VALUE (gst_buffer_peek_memory (buffer, 0)), 1);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

/* A pool gives up a buffer whose memory was exchanged. */
GST_START_TEST (a_frame_of_several_memories_keeps_them)
{
  GstHarness *harness = filters_harness_new (filters_folder, "", FILTERS_RGB);
  GstBuffer *buffer = gst_buffer_new ();
  GstMemory *memories[2];

  for (guint i = 0; i < G_N_ELEMENTS (memories); i++) {
    memories[i] = gst_allocator_alloc (NULL, RGB_SIZE / 2, NULL);
    gst_buffer_append_memory (buffer, memories[i]);
  }
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  buffer = gst_harness_push_and_pull (harness, buffer);
  fail_if (frames_get_result (buffer, 0) == NULL);
  fail_unless_equals_int (gst_buffer_n_memory (buffer), 2);
  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    fail_unless (gst_buffer_peek_memory (buffer, i) == memories[i]);
  fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_TAG_MEMORY));
  gst_buffer_unref (buffer);
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- what leaves in which order --- */

static void
pass_gap (GstHarness *harness)
{
  GstBuffer *buffer = gst_buffer_new_memdup ((guint8[RGB_SIZE]){ 0 }, RGB_SIZE);

  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  gst_buffer_unref (gst_harness_push_and_pull (harness, buffer));
}

GST_START_TEST (each_result_is_told_once_right_before_its_frame)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, "inference-interval=3", FILTERS_RGB);
  GString *journal = journal_new (harness);

  for (guint i = 0; i < 7; i++)
    journal_pass (harness, i);
  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
  journal_end (harness, journal, "!1 e1 c1 c1 !2 e2 c2 c2 !3 e3 EOS ");
}
GST_END_TEST;

GST_START_TEST (the_interval_can_change_between_two_frames)
{
  GstHarness *harness = filters_harness_new (filters_folder, "", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  GString *journal = journal_new (harness);

  for (guint i = 0; i < 6; i++) {
    if (i == 2)
      g_object_set (filter, "inference-interval", 4, NULL);
    journal_pass (harness, i);
  }
  journal_end (harness, journal, "!1 e1 !2 e2 c2 c2 !3 e3 c3 ");
}
GST_END_TEST;

GST_START_TEST (gaps_pass_and_are_not_encoded)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, "inference-interval=2", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  GString *journal = journal_new (harness);

  pass_gap (harness);
  journal_pass (harness, 1);
  journal_pass (harness, 2);
  fail_unless (gst_harness_push_event (
      harness, gst_event_new_gap (0, 40 * GST_MSECOND)));
  journal_pass (harness, 3);
  pass_gap (harness);
  journal_pass (harness, 5);
  journal_pass (harness, 6);
  fail_unless_equals_uint64 (filters_get_skipped (filter, "gap"), 2);
  fail_unless_equals_uint64 (filters_get_skipped (filter, "interval"), 3);
  journal_end (harness, journal, "- - !1 e1 GAP c1 c1 c1 !2 e2 ");
}
GST_END_TEST;

GST_START_TEST (nothing_is_carried_over_a_flush_or_a_segment)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "inference-interval=100", FILTERS_RGB);
  GString *journal = journal_new (harness);

  journal_pass (harness, 0);
  journal_pass (harness, 1);
  journal_flush (harness);
  /* Not even by a frame that has none of its own. */
  pass_gap (harness);
  journal_begin_segment (harness, 1);
  journal_pass (harness, 2);
  journal_pass (harness, 3);
  journal_begin_segment (harness, 1);
  pass_gap (harness);
  journal_flush (harness);
  journal_pass (harness, 4);
  journal_end (harness, journal, "!1 e1 c1 - !2 e2 c2 - !3 e3 ");
}
GST_END_TEST;

/* --- what an entry says of time --- */

GST_START_TEST (age_is_running_time)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "inference-interval=100", FILTERS_RGB);

  journal_begin_segment (harness, 2);
  for (guint i = 0; i < 4; i++) {
    /* Frame 250 + i lies i times 40 ms behind the segment's start. */
    g_autoptr (GstBuffer) buffer = frames_pass (harness, 250 + i);
    const GstStructure *entry = frames_get_result (buffer, 0);

    fail_unless_equals_uint64 (frames_get_uint64 (entry, "timestamp"),
        10 * GST_SECOND + i * 40 * GST_MSECOND);
    fail_unless_equals_uint64 (
        frames_get_uint64 (entry, "source-timestamp"), 10 * GST_SECOND);
    fail_unless_equals_uint64 (frames_get_uint64 (entry, "stream-time"),
        100 * GST_SECOND + i * 40 * GST_MSECOND);
    fail_unless_equals_uint64 (frames_get_uint64 (entry, "running-time"),
        5 * GST_SECOND + i * 20 * GST_MSECOND);
    fail_unless_equals_uint64 (
        frames_get_uint64 (entry, "age"), i * 20 * GST_MSECOND);
    fail_unless_equals_uint64 (
        frames_get_uint64 (entry, "duration"), 40 * GST_MSECOND);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (a_frame_before_the_encoded_one_has_age_0)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "inference-interval=100", FILTERS_RGB);
  g_autoptr (GstBuffer) late = NULL;

  journal_pass (harness, 10);
  late = frames_pass (harness, 9);
  fail_unless_equals_uint64 (
      frames_get_uint64 (frames_get_result (late, 0), "age"), 0);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (frames_without_time_have_results_without_time)
{
  static const gchar *const absent[] = { "timestamp", "running-time",
    "stream-time", "duration", "source-timestamp", "age" };
  GstHarness *harness =
      filters_harness_new (filters_folder, "inference-interval=2", FILTERS_RGB);
  GString *journal = journal_new (harness);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (GstBuffer) buffer = gst_harness_push_and_pull (
        harness, gst_buffer_new_memdup ((guint8[RGB_SIZE]){ i }, RGB_SIZE));
    const GstStructure *entry = frames_get_result (buffer, 0);

    fail_if (GST_BUFFER_PTS_IS_VALID (buffer));
    for (guint k = 0; k < G_N_ELEMENTS (absent); k++)
      fail_if (gst_structure_has_field (entry, absent[k]), "%s", absent[k]);
  }
  journal_end (harness, journal, "!1 e1 c1 !2 e2 ");
}
GST_END_TEST;

/* --- late frames --- */

static void
report_late (GstHarness *harness)
{
  /* A frame of 1 s came 200 ms too late: those before 1.4 s would, too. */
  GstEvent *event = gst_event_new_qos (
      GST_QOS_TYPE_UNDERFLOW, 0.5, 200 * GST_MSECOND, GST_SECOND);

  fail_unless (gst_harness_push_upstream_event (harness, event));
}

GST_START_TEST (late_frames_are_skipped_where_that_helps)
{
  static const struct {
    const gchar *properties;
    gboolean live;
    const gchar *order;
  } rows[] = {
    { "", TRUE, "!1 e1 c1 !2 e2 " },
    { "qos=false", TRUE, "!1 e1 !2 e2 !3 e3 " },
    /* The results of a file do not depend on the machine's speed. */
    { "", FALSE, "!1 e1 !2 e2 !3 e3 " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstHarness *harness =
        filters_harness_new (filters_folder, rows[i].properties, NULL);
    g_autoptr (GstElement) filter = filters_get (harness);
    GString *journal = journal_new (harness);

    gst_harness_set_live (harness, rows[i].live);
    gst_harness_set_src_caps_str (harness, FILTERS_RGB);
    journal_pass (harness, 25);
    report_late (harness);
    journal_pass (harness, 30); /* 1.2 s */
    journal_pass (harness, 35); /* 1.4 s */
    fail_unless_equals_uint64 (
        filters_get_skipped (filter, "qos"), i == 0 ? 1 : 0);
    journal_end (harness, journal, rows[i].order);
  }
}
GST_END_TEST;

GST_START_TEST (stats_account_for_every_frame)
{
  static const gchar *const reasons[] = { "interval", "rate", "gap", "qos",
    "busy", "unchanged", "unreadable", "failed", "cancelled" };
  GstHarness *harness =
      filters_harness_new (filters_folder, "inference-interval=2", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstStructure) stats = NULL;
  guint64 sum = 0;

  for (guint i = 0; i < 9; i++)
    journal_pass (harness, i);
  pass_gap (harness);
  pass_gap (harness);
  gst_buffer_unref (gst_harness_push_and_pull (
      harness, gst_buffer_new_memdup ((guint8[RGB_SIZE]){ 0 }, 1)));
  gst_buffer_unref (gst_harness_push_and_pull (
      harness, gst_buffer_new_memdup ((guint8[RGB_SIZE]){ 0 }, 1)));

  stats = filters_get_stats (filter);
  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    sum += filters_get_skipped (filter, reasons[i]);
  fail_unless_equals_uint64 (filters_get_skipped (filter, "gap"), 1);
  fail_unless_equals_uint64 (filters_get_skipped (filter, "unreadable"), 1);
  fail_unless_equals_uint64 (frames_get_uint64 (stats, "encoded"), 5);
  fail_unless_equals_uint64 (frames_get_uint64 (stats, "frames"), 13);
  fail_unless_equals_uint64 (sum + 5, 13);
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
streaming_suite (void)
{
  Suite *suite = suite_create ("streaming");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, ten_thousand_random_buffers_leave_as_they_came);
  tcase_add_test (tests, no_reference_to_a_frame_stays_behind);
  tcase_add_test (tests, a_frame_of_several_memories_keeps_them);
  tcase_add_test (tests, each_result_is_told_once_right_before_its_frame);
  tcase_add_test (tests, the_interval_can_change_between_two_frames);
  tcase_add_test (tests, gaps_pass_and_are_not_encoded);
  tcase_add_test (tests, nothing_is_carried_over_a_flush_or_a_segment);
  tcase_add_test (tests, age_is_running_time);
  tcase_add_test (tests, a_frame_before_the_encoded_one_has_age_0);
  tcase_add_test (tests, frames_without_time_have_results_without_time);
  tcase_add_test (tests, late_frames_are_skipped_where_that_helps);
  tcase_add_test (tests, stats_account_for_every_frame);
  return suite;
}

GST_CHECK_MAIN (streaming);
