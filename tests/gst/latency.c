/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a pipeline is told of the time that frames stay in clipfilter. */
#include "gst/gstcliplatency.h"
#include "filters.h"
#include "journal.h"

#define UPSTREAM (30 * GST_MSECOND)

/* --- the estimate alone --- */

GST_START_TEST (the_estimate_stands_until_frames_say_otherwise)
{
  GstClipLatency latency;

  gst_clip_latency_seed (&latency, 100);
  for (guint i = 0; i < 1000; i++)
    fail_if (gst_clip_latency_note (&latency, 76 + i % 49)); /* 76 … 124 */
  fail_unless_equals_uint64 (latency.reported, 100);
}
GST_END_TEST;

GST_START_TEST (a_change_by_more_than_a_quarter_is_told_once)
{
  static const struct {
    GstClockTime time;
    gboolean told;
  } rows[] = { { 125, FALSE }, { 126, TRUE }, { 75, FALSE }, { 74, TRUE },
    { 1000, TRUE }, { 1, TRUE } };

  for (guint r = 0; r < G_N_ELEMENTS (rows); r++) {
    GstClipLatency latency;
    guint n = 0;

    gst_clip_latency_seed (&latency, 100);
    for (guint i = 0; i < 200; i++)
      n += gst_clip_latency_note (&latency, rows[r].time);
    fail_unless_equals_int (n, rows[r].told ? 1 : 0);
    fail_unless_equals_uint64 (
        latency.reported, rows[r].told ? rows[r].time : 100);
  }
}
GST_END_TEST;

GST_START_TEST (it_is_true_for_95_of_100_frames)
{
  GstClipLatency latency;

  /* Of 64, 3 are more than 5 of 100. */
  gst_clip_latency_seed (&latency, 100);
  for (guint i = 0; i < 64 * 20; i++)
    gst_clip_latency_note (&latency, i % 64 < 3 ? 500 : 100);
  for (guint i = 0; i < 64; i++)
    fail_if (gst_clip_latency_note (&latency, i < 3 ? 500 : 100));
  fail_unless_equals_uint64 (latency.reported, 100);
  for (guint i = 0; i < 64; i++)
    gst_clip_latency_note (&latency, i % 16 == 0 ? 500 : 100);
  fail_unless_equals_uint64 (latency.reported, 500);
}
GST_END_TEST;

GST_START_TEST (a_load_that_ends_is_forgotten)
{
  GstClipLatency latency;
  guint n = 0;

  gst_clip_latency_seed (&latency, 100);
  for (guint i = 0; i < 64; i++)
    gst_clip_latency_note (&latency, 300);
  fail_unless_equals_uint64 (latency.reported, 300);
  for (guint i = 0; i < 64; i++)
    n += gst_clip_latency_note (&latency, 100);
  fail_unless_equals_uint64 (latency.reported, 100);
  fail_unless_equals_int (n, 1);
}
GST_END_TEST;

/* --- the query --- */

static GstHarness *
new_harness (const gchar *mode, gboolean live)
{
  g_autofree gchar *properties = g_strdup_printf ("inference-mode=%s", mode);
  GstHarness *harness = filters_harness_new (filters_folder, properties, NULL);

  gst_harness_set_upstream_latency (harness, UPSTREAM);
  gst_harness_set_live (harness, live);
  gst_harness_set_src_caps_str (harness, FILTERS_RGB);
  return harness;
}

typedef struct {
  gboolean live;
  GstClockTime min, max;
} Answer;

static Answer
ask (GstHarness *harness)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  Answer answer;

  fail_unless (gst_pad_peer_query (harness->sinkpad, query));
  gst_query_parse_latency (query, &answer.live, &answer.min, &answer.max);
  return answer;
}

GST_START_TEST (frames_that_wait_add_to_what_is_live)
{
  static const struct {
    const gchar *mode;
    gboolean live, adds;
  } rows[] = {
    { "wait", TRUE, TRUE },
    { "wait", FALSE, FALSE },
    { "latest", TRUE, FALSE },
    { "latest", FALSE, FALSE },
    { "auto", TRUE, FALSE },
    { "auto", FALSE, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstHarness *harness = new_harness (rows[i].mode, rows[i].live);
    GstClockTime upstream = rows[i].live ? UPSTREAM : 0;

    /* Before the first frame by the self-test, after it by the frames. */
    for (guint n = 0; n < 20; n++) {
      Answer answer = ask (harness);

      fail_unless (answer.live == rows[i].live);
      fail_unless_equals_uint64 (
          answer.min - upstream, filters_get_count (harness, "latency"));
      fail_unless ((answer.min > upstream) == rows[i].adds, "%s", rows[i].mode);
      journal_pass (harness, n);
    }
    frames_harness_free (harness);
  }
}
GST_END_TEST;

static gboolean
answer_bounded (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_latency (query, TRUE, UPSTREAM, 2 * UPSTREAM);
  return TRUE;
}

GST_START_TEST (a_most_that_is_bounded_grows_alike)
{
  GstHarness *harness = new_harness ("wait", TRUE);
  Answer answer;

  fail_unless (!GST_CLOCK_TIME_IS_VALID (ask (harness).max));
  gst_pad_set_query_function (harness->srcpad, answer_bounded);
  answer = ask (harness);
  fail_unless (answer.min > UPSTREAM);
  fail_unless_equals_uint64 (answer.max, answer.min + UPSTREAM);
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- when the load changes --- */

typedef struct {
  GstHarness *harness;
  gint stop; /* atomic */
} Load;

static gpointer
press (gpointer user_data)
{
  Load *load = user_data;

  for (guint i = 0; !g_atomic_int_get (&load->stop); i++)
    journal_pass (load->harness, i % 100);
  return NULL;
}

/* Passes frames until the pipeline is told. */
static void
pass_until_told (GstHarness *harness)
{
  for (guint i = 0; i < 100000; i++) {
    g_autoptr (GstMessage) message = NULL;

    journal_pass (harness, i % 100);
    message = frames_pop_message (harness->element, GST_MESSAGE_LATENCY, NULL);
    if (message != NULL)
      return;
  }
  fail ("the load was never told");
}

GST_START_TEST (others_that_load_the_encoder_are_told_to_the_pipeline)
{
  GstHarness *harness = new_harness ("wait", TRUE);
  Load loads[4] = { { NULL } };
  GThread *threads[G_N_ELEMENTS (loads)];
  Answer before, after;

  /* Until there are measured times instead of the estimate. */
  for (guint i = 0; i < 64; i++)
    journal_pass (harness, i);
  while (TRUE) {
    g_autoptr (GstMessage) message =
        frames_pop_message (harness->element, GST_MESSAGE_LATENCY, NULL);

    if (message == NULL)
      break;
  }
  before = ask (harness);
  for (guint i = 0; i < G_N_ELEMENTS (loads); i++) {
    loads[i].harness = new_harness ("wait", TRUE);
    threads[i] = g_thread_new ("load", press, &loads[i]);
  }
  pass_until_told (harness);
  after = ask (harness);
  for (guint i = 0; i < G_N_ELEMENTS (loads); i++) {
    g_atomic_int_set (&loads[i].stop, TRUE);
    g_thread_join (threads[i]);
    gst_element_set_bus (loads[i].harness->element, NULL);
    gst_harness_teardown (loads[i].harness);
  }
  fail_unless (after.min != before.min);
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
latency_suite (void)
{
  Suite *suite = suite_create ("latency");
  TCase *alone = tcase_create ("alone");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, alone);
  tcase_add_test (alone, the_estimate_stands_until_frames_say_otherwise);
  tcase_add_test (alone, a_change_by_more_than_a_quarter_is_told_once);
  tcase_add_test (alone, it_is_true_for_95_of_100_frames);
  tcase_add_test (alone, a_load_that_ends_is_forgotten);
  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, frames_that_wait_add_to_what_is_live);
  tcase_add_test (tests, a_most_that_is_bounded_grows_alike);
  tcase_add_test (tests, others_that_load_the_encoder_are_told_to_the_pipeline);
  return suite;
}

GST_CHECK_MAIN (latency);
