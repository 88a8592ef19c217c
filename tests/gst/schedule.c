/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Which frames are due: at most as many a second as were asked for, whatever
 * their timestamps do. Expected: what "the first at or after each multiple of
 * the period" means, counted by hand. */
#include "gst/gstclipschedule.h"
#include "filters.h"
#include "journal.h"

#define RGB_SIZE (40 * 30 * 3)

/* --- the rate alone --- */

typedef struct {
  GstClipSchedule schedule;
  GstClipDue due;
} Run;

static Run
begin_run (guint rate, guint interval)
{
  Run run = { .due.interval = interval,
    .due.period = GST_SECOND / rate,
    .due.earliest = GST_CLOCK_TIME_NONE };

  return run;
}

/* Whether the frame of @time is due; then it is taken. */
static gboolean
offer (Run *run, GstClockTime time)
{
  run->due.time = run->due.running_time = time;
  if (gst_clip_schedule_next (&run->schedule, &run->due) != GST_CLIP_SKIP_NONE)
    return FALSE;
  gst_clip_schedule_take (&run->schedule, &run->due);
  return TRUE;
}

GST_START_TEST (ten_a_second_of_25_are_the_first_behind_each_tenth)
{
  /* 0, 100, 200 … ms lie at or before these frames of 40 ms. */
  static const guint due[] = { 0, 3, 5, 8, 10, 13, 15, 18, 20, 23 };
  Run run = begin_run (10, 1);
  guint n = 0;

  for (guint i = 0; i < 25 * 60; i++) {
    gboolean expected = i % 25 == due[n % 10];

    fail_unless (offer (&run, i * 40 * GST_MSECOND) == expected, "frame %u", i);
    n += expected;
  }
  fail_unless_equals_int (n, 10 * 60);
}
GST_END_TEST;

GST_START_TEST (as_many_as_there_are_loses_none_to_rounding)
{
  static const guint rates[] = { 15, 24, 25, 30, 50, 60 };
  g_autoptr (GRand) random = g_rand_new_with_seed (5);

  for (guint r = 0; r < G_N_ELEMENTS (rates); r++) {
    Run run = begin_run (rates[r], 1);

    for (guint i = 0; i < 1000; i++) {
      /* Rounded down to whole milliseconds, as containers do. */
      guint64 time =
          gst_util_uint64_scale (i, GST_SECOND, rates[r]) / 1000000 * 1000000;

      fail_unless (offer (&run, time), "frame %u of %u a second", i, rates[r]);
    }
    /* A camera's clock trembles by a twentieth of a frame. */
    run = begin_run (rates[r], 1);
    for (guint i = 0; i < 1000; i++) {
      guint64 exact = gst_util_uint64_scale (i + 1, GST_SECOND, rates[r]);
      gint32 jitter = GST_SECOND / rates[r] / 20;

      fail_unless (
          offer (&run, exact + g_rand_int_range (random, -jitter, jitter)),
          "trembling frame %u of %u a second", i, rates[r]);
    }
  }
}
GST_END_TEST;

GST_START_TEST (the_mean_never_exceeds_the_rate)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (6);

  for (guint rate = 1; rate <= 40; rate++) {
    Run run = begin_run (rate, 1);
    GstClockTime time = 0;
    guint n = 0;

    /* Frames of any distance; the first is for free. */
    while (time < 100 * GST_SECOND) {
      n += offer (&run, time);
      time += g_rand_int_range (random, 1000000, 60000000);
    }
    fail_unless (n <= 100 * rate + 1, "%u at %u a second", n, rate);
    fail_unless (n >= 100 * MIN (rate, 20) / 2, "%u at %u a second", n, rate);
  }
}
GST_END_TEST;

GST_START_TEST (time_that_jumps_makes_the_next_frame_due)
{
  Run run = begin_run (1, 1);

  fail_unless (offer (&run, 1000 * GST_SECOND));
  fail_if (offer (&run, 1000 * GST_SECOND + 40 * GST_MSECOND));
  /* A camera that counts from 0 again. */
  fail_unless (offer (&run, 0));
  fail_if (offer (&run, 40 * GST_MSECOND));
  fail_unless (offer (&run, GST_SECOND));
  /* One that was away for an hour does not catch up. */
  fail_unless (offer (&run, 3600 * GST_SECOND));
  fail_if (offer (&run, 3600 * GST_SECOND + 40 * GST_MSECOND));
  fail_if (offer (&run, 3600 * GST_SECOND + 800 * GST_MSECOND));
  fail_unless (offer (&run, 3601 * GST_SECOND));
}
GST_END_TEST;

GST_START_TEST (interval_and_rate_must_agree)
{
  Run run = begin_run (10, 4);

  /* Every fourth of 25 a second comes each 160 ms, more than 100. */
  for (guint i = 0; i < 100; i++)
    fail_unless (offer (&run, i * 40 * GST_MSECOND) == (i % 4 == 0));

  /* Every second comes each 80 ms: 0, 160 (behind 100), 240 (200), 320 (300),
   * 400; then again. */
  run = begin_run (10, 2);
  for (guint i = 0; i < 100; i++)
    fail_unless (offer (&run, i * 40 * GST_MSECOND) ==
                     (i % 10 == 0 || i % 10 == 4 || i % 10 == 6 || i % 10 == 8),
        "frame %u", i);
}
GST_END_TEST;

/* --- in the element --- */

GST_START_TEST (a_gap_leaves_its_turn_to_the_next)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "max-inference-rate=5/1", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  GString *journal = journal_new (harness);
  GstBuffer *gap = gst_buffer_new_memdup ((guint8[RGB_SIZE]){ 0 }, RGB_SIZE);

  for (guint i = 0; i < 5; i++)
    journal_pass (harness, i);
  GST_BUFFER_FLAG_SET (gap, GST_BUFFER_FLAG_GAP);
  GST_BUFFER_PTS (gap) = 200 * GST_MSECOND;
  gst_buffer_unref (gst_harness_push_and_pull (harness, gap));
  for (guint i = 6; i < 11; i++)
    journal_pass (harness, i);
  fail_unless_equals_uint64 (filters_get_skipped (filter, "rate"), 7);
  fail_unless_equals_uint64 (filters_get_skipped (filter, "gap"), 1);
  journal_end (harness, journal, "!1 e1 c1 c1 c1 c1 c1 !2 e2 c2 c2 c2 !3 e3 ");
}
GST_END_TEST;

GST_START_TEST (the_rate_can_change_between_two_frames)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "max-inference-rate=1/1", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  GString *journal = journal_new (harness);

  for (guint i = 0; i < 6; i++) {
    if (i == 2)
      gst_util_set_object_arg (G_OBJECT (filter), "max-inference-rate", "0/1");
    if (i == 4)
      gst_util_set_object_arg (G_OBJECT (filter), "max-inference-rate", "1/2");
    journal_pass (harness, i);
  }
  journal_end (harness, journal, "!1 e1 c1 !2 e2 !3 e3 !4 e4 c4 ");
}
GST_END_TEST;

GST_START_TEST (frames_without_time_are_counted_by_the_clock)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "max-inference-rate=1/1", FILTERS_RGB);
  GString *journal = journal_new (harness);

  for (guint i = 0; i < 6; i++) {
    gst_harness_set_time (harness, i * 500 * GST_MSECOND);
    gst_buffer_unref (gst_harness_push_and_pull (
        harness, gst_buffer_new_memdup ((guint8[RGB_SIZE]){ i }, RGB_SIZE)));
  }
  journal_end (harness, journal, "!1 e1 c1 !2 e2 c2 !3 e3 c3 ");
}
GST_END_TEST;

static GstBuffer *
pass_at (GstHarness *harness, GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new_memdup ((guint8[RGB_SIZE]){ 1 }, RGB_SIZE);

  GST_BUFFER_PTS (buffer) = pts;
  return gst_harness_push_and_pull (harness, buffer);
}

/* Frames of 500 s while the clock stands at 0. */
GST_START_TEST (one_frame_without_time_is_no_jump)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "inference-mode=wait inference-interval=4", FILTERS_RGB);
  GString *journal = journal_new (harness);

  for (guint n = 0; n < 4; n++)
    gst_buffer_unref (pass_at (
        harness, n == 1 ? GST_CLOCK_TIME_NONE
                        : (guint64)500 * GST_SECOND + n * GST_MSECOND));
  journal_end (harness, journal, "!1 e1 c1 c1 c1 ");
}
GST_END_TEST;

/* The clock is chosen when a pipeline begins to play, and counts from anywhere:
 * a frame that came before is not of a time long past. */
GST_START_TEST (a_frame_without_time_before_playing_is_no_jump)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "inference-mode=wait inference-interval=4", FILTERS_RGB);
  GString *journal = journal_new (harness);

  gst_harness_set_time (harness, 1000 * GST_SECOND);
  gst_element_set_state (harness->element, GST_STATE_PAUSED);
  gst_buffer_unref (pass_at (harness, GST_CLOCK_TIME_NONE));
  gst_element_set_base_time (harness->element, 1000 * GST_SECOND);
  gst_element_set_state (harness->element, GST_STATE_PLAYING);
  for (guint n = 1; n < 4; n++)
    gst_buffer_unref (pass_at (harness, GST_CLOCK_TIME_NONE));
  journal_end (harness, journal, "!1 e1 c1 c1 c1 ");
}
GST_END_TEST;

/* reliability: R18. What was before the jump has no age in the new time. */
GST_START_TEST (nothing_is_carried_when_time_jumps_back)
{
  static const gchar *const modes[] = { "wait", "latest" };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree gchar *properties =
        g_strdup_printf ("inference-mode=%s max-inference-rate=1/100 "
                         "max-age=50000000000",
            modes[i]);
    GstHarness *harness =
        filters_harness_new (filters_folder, properties, FILTERS_RGB);
    guint64 source = 0;

    for (guint n = 0; source == 0; n++) {
      g_autoptr (GstBuffer) buffer = pass_at (harness, 500 * GST_SECOND);
      const GstStructure *entry = frames_get_result (buffer, 0);

      fail_if (n == 10000, "no result ever came");
      if (entry != NULL)
        source = frames_get_uint64 (entry, "source-timestamp");
      else
        g_usleep (1000);
    }
    fail_unless_equals_uint64 (source, 500 * GST_SECOND);
    for (guint n = 0; source == 500 * GST_SECOND; n++) {
      g_autoptr (GstBuffer) buffer = pass_at (harness, n * GST_MSECOND);
      const GstStructure *entry = frames_get_result (buffer, 0);

      fail_if (n == 10000, "no result ever came");
      if (entry != NULL) {
        source = frames_get_uint64 (entry, "source-timestamp");
        fail_unless (source <= n * GST_MSECOND);
      }
      g_usleep (1000);
    }
    frames_harness_free (harness);
  }
}
GST_END_TEST;

static Suite *
schedule_suite (void)
{
  Suite *suite = suite_create ("schedule");
  TCase *alone = tcase_create ("alone");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, alone);
  tcase_add_test (alone, ten_a_second_of_25_are_the_first_behind_each_tenth);
  tcase_add_test (alone, as_many_as_there_are_loses_none_to_rounding);
  tcase_add_test (alone, the_mean_never_exceeds_the_rate);
  tcase_add_test (alone, time_that_jumps_makes_the_next_frame_due);
  tcase_add_test (alone, interval_and_rate_must_agree);
  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, a_gap_leaves_its_turn_to_the_next);
  tcase_add_test (tests, the_rate_can_change_between_two_frames);
  tcase_add_test (tests, frames_without_time_are_counted_by_the_clock);
  tcase_add_test (tests, nothing_is_carried_when_time_jumps_back);
  tcase_add_test (tests, one_frame_without_time_is_no_jump);
  tcase_add_test (tests, a_frame_without_time_before_playing_is_no_jump);
  return suite;
}

GST_CHECK_MAIN (schedule);
