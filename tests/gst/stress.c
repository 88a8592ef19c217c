/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Whatever an application does at any moment while frames come: nothing hangs,
 * and afterwards all is as before. Whether it was done cleanly is for the
 * sanitizers to say. */
#include "filters.h"

static const gchar *const modes[] = { "wait", "latest" };

static GstHarness *
new_harness (const gchar *mode)
{
  g_autofree gchar *properties = g_strdup_printf (
      "inference-mode=%s unchanged-threshold=0.01 prompts=\"a | b\"", mode);

  return filters_harness_new (filters_folder, properties, FILTERS_RGB);
}

/* Frames in a thread of their own. */
typedef struct {
  GstHarness *harness;
  GThread *thread;
  GMutex lock; /* held for each of them, as a source's stream lock is */
  gint stop;   /* atomic */
  guint n;
} Frames;

static gpointer
push_frames (gpointer user_data)
{
  Frames *frames = user_data;
  g_autoptr (GstCaps) caps = gst_caps_from_string (FILTERS_RGB);
  GstVideoInfo info;

  fail_unless (gst_video_info_from_caps (&info, caps));
  while (!g_atomic_int_get (&frames->stop)) {
    GstBuffer *buffer = frames_new (&info, frames->n++ % 4);

    g_mutex_lock (&frames->lock);
    gst_harness_push (frames->harness, buffer);
    g_mutex_unlock (&frames->lock);
  }
  return NULL;
}

static void
start_frames (Frames *frames, GstHarness *harness)
{
  *frames = (Frames){ .harness = harness };
  g_mutex_init (&frames->lock);
  gst_harness_set_drop_buffers (harness, TRUE);
  frames->thread = g_thread_new ("frames", push_frames, frames);
}

static void
stop_frames (Frames *frames)
{
  g_atomic_int_set (&frames->stop, TRUE);
  g_thread_join (frames->thread);
  fail_unless (frames->n > 0);
  g_mutex_clear (&frames->lock);
  gst_harness_set_drop_buffers (frames->harness, FALSE);
}

static void
begin_segment (GstHarness *harness)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
}

/* As a source does it: its frames are interrupted, then stand still. */
static void
flush (Frames *frames)
{
  gst_harness_push_event (frames->harness, gst_event_new_flush_start ());
  g_mutex_lock (&frames->lock);
  gst_harness_push_event (frames->harness, gst_event_new_flush_stop (TRUE));
  begin_segment (frames->harness);
  g_mutex_unlock (&frames->lock);
}

static void
begin_stream (GstHarness *harness)
{
  gst_harness_push_event (harness, gst_event_new_stream_start ("again"));
  gst_harness_set_src_caps_str (harness, FILTERS_RGB);
  begin_segment (harness);
}

/* Frames have results again, of now. */
static void
assert_works (GstHarness *harness)
{
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  begin_stream (harness);
  for (guint i = 0; i < 10000; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, 100 + i);
    const GstStructure *entry = frames_get_result (buffer, 0);

    if (entry != NULL) {
      fail_unless (frames_get_uint64 (entry, "source-timestamp") >=
                   100 * 40 * GST_MSECOND);
      return;
    }
    g_usleep (1000);
  }
  fail ("no result ever came");
}

GST_START_TEST (flushes_at_any_moment)
{
  GstHarness *harness = new_harness (modes[__i__]);
  Frames frames;
  g_autoptr (GRand) random = g_rand_new_with_seed (9);
  guint n = filters_get_rounds (500, 10000); /* in each of two modes */

  start_frames (&frames, harness);
  for (guint i = 0; i < n; i++) {
    g_usleep (g_rand_int_range (random, 0, 2000));
    flush (&frames);
  }
  stop_frames (&frames);
  assert_works (harness);
  frames_harness_free (harness);
}
GST_END_TEST;

/* The frames go on while pads lose the events before them, all or the first of
 * them, which GStreamer says of whoever feeds them: here the test, on purpose.
 */
static void
heed_warning (const gchar *domain, GLogLevelFlags level, const gchar *message,
    gpointer user_data)
{
  fail_if (strstr (message, "Got data flow before") == NULL &&
               strstr (message, "Sticky event misordering") == NULL,
      "%s", message);
}

GST_START_TEST (states_at_any_moment)
{
  GstHarness *harness = new_harness (modes[__i__]);
  Frames frames;
  g_autoptr (GRand) random = g_rand_new_with_seed (10);
  guint handler =
      g_log_set_handler ("GStreamer", G_LOG_LEVEL_WARNING, heed_warning, NULL);

  start_frames (&frames, harness);
  for (guint i = 0; i < 40; i++) {
    static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY,
      GST_STATE_PAUSED };

    g_usleep (g_rand_int_range (random, 0, 4000));
    gst_element_set_state (harness->element, states[i % G_N_ELEMENTS (states)]);
    gst_element_set_state (harness->element, GST_STATE_PLAYING);
  }
  stop_frames (&frames);
  g_log_remove_handler ("GStreamer", handler);
  assert_works (harness);
  frames_harness_free (harness);
}
GST_END_TEST;

/* Another set of values each time. */
static void
set_all (GstElement *filter, guint i)
{
  g_autofree gchar *prompts = g_strdup_printf ("a | b | number %u", i % 7);

  gst_util_set_object_arg (
      G_OBJECT (filter), "max-inference-rate", i % 2 ? "0/1" : "1000/1");
  g_object_set (filter, "prompts", prompts, "inference-interval", 1 + i % 3,
      "top-k", i % 4, "max-age", (guint64)(i % 3) * GST_SECOND,
      "unchanged-threshold", i % 5 / 100.0, "trouble-after",
      (guint64)(i % 3) * GST_SECOND, "qos", i % 2, "attach-embedding", i % 2,
      "post-messages", i % 3, "priority", i % 8, "source-id", prompts, NULL);
}

GST_START_TEST (properties_and_queries_at_any_moment)
{
  GstHarness *harness = new_harness (modes[__i__]);
  g_autoptr (GstElement) filter = filters_get (harness);
  guint rounds = filters_get_rounds (1000, 50000); /* of eleven properties */
  Frames frames;

  start_frames (&frames, harness);
  for (guint i = 0; i < rounds; i++) {
    g_autoptr (GstStructure) stats = filters_get_stats (filter);
    g_autoptr (GstMessage) message = NULL;

    set_all (filter, i);
    gst_harness_query_latency (harness);
    gst_harness_push_upstream_event (
        harness, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 0.5,
                     (GstClockTimeDiff)(i % 5) - 2, GST_SECOND + i));
    message = frames_pop_message (harness->element, GST_MESSAGE_ANY, NULL);
  }
  stop_frames (&frames);
  set_all (filter, 0);
  assert_works (harness);
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- elements that share a model --- */

#define N_STREAMS 16

typedef struct {
  guint seed;
  const gchar *mode;
} Life;

static gpointer
live (gpointer user_data)
{
  const Life *life = user_data;
  g_autoptr (GRand) random = g_rand_new_with_seed (life->seed);
  guint rounds = filters_get_rounds (7, 125);

  for (guint i = 0; i < rounds; i++) {
    GstHarness *harness = new_harness (life->mode);
    guint n = g_rand_int_range (random, 0, 20);

    for (guint k = 0; k < n; k++) {
      g_autoptr (GstBuffer) buffer = frames_pass (harness, k);

      fail_unless (g_str_equal (life->mode, "latest") ||
                   frames_get_result (buffer, 0) != NULL);
    }
    /* With pictures under way, or when they are all back. */
    if (i % 2 == 0)
      gst_harness_push_event (harness, gst_event_new_eos ());
    frames_harness_close (harness);
  }
  return NULL;
}

GST_START_TEST (elements_that_share_a_model_come_and_go)
{
  Life lives[N_STREAMS];
  GThread *threads[N_STREAMS];

  for (guint i = 0; i < N_STREAMS; i++) {
    lives[i] = (Life){ i, modes[i % G_N_ELEMENTS (modes)] };
    threads[i] = g_thread_new ("life", live, &lives[i]);
  }
  for (guint i = 0; i < N_STREAMS; i++)
    g_thread_join (threads[i]);
  frames_wait_for_workers ();
}
GST_END_TEST;

/* Ends beside frames of its own and words that change. */
typedef struct {
  GstHarness *harness;
  gboolean is_last; /* the thread of the frame lets the element go */
} End;

static gpointer
push_last_frame (gpointer user_data)
{
  const End *end = user_data;

  frames_push (end->harness, 1);
  if (end->is_last)
    frames_harness_close (end->harness);
  return NULL;
}

static gpointer
change_words (gpointer filter)
{
  for (guint i = 0; i < 4; i++)
    g_object_set (filter, "prompts", i % 2 ? "a | b" : "c", NULL);
  gst_object_unref (filter);
  return NULL;
}

static void
end_beside (guint round)
{
  End end = { new_harness (modes[round % G_N_ELEMENTS (modes)]),
    round % 3 == 0 };
  GThread *words =
      g_thread_new ("words", change_words, filters_get (end.harness));
  GThread *frame = g_thread_new ("frame", push_last_frame, &end);

  if (round % 2 == 0)
    g_thread_yield ();
  if (!end.is_last)
    gst_element_set_state (end.harness->element, GST_STATE_NULL);
  g_thread_join (frame);
  g_thread_join (words);
  if (!end.is_last)
    frames_harness_close (end.harness);
}

GST_START_TEST (one_ends_while_the_other_encodes)
{
  guint rounds = filters_get_rounds (50, 5000);
  GstHarness *harness = new_harness ("wait");
  Frames frames;

  start_frames (&frames, harness);
  for (guint i = 0; i < rounds; i++)
    end_beside (i);
  stop_frames (&frames);
  assert_works (harness);
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
stress_suite (void)
{
  Suite *suite = suite_create ("stress");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_loop_test (tests, flushes_at_any_moment, 0, G_N_ELEMENTS (modes));
  tcase_add_loop_test (tests, states_at_any_moment, 0, G_N_ELEMENTS (modes));
  tcase_add_loop_test (
      tests, properties_and_queries_at_any_moment, 0, G_N_ELEMENTS (modes));
  tcase_add_test (tests, elements_that_share_a_model_come_and_go);
  tcase_add_test (tests, one_ends_while_the_other_encodes);
  return suite;
}

GST_CHECK_MAIN (stress);
