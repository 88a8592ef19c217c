/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Elements that share a model: what the first of them decides for all, what
 * stays each one's own, and who comes first. */
#include "filters.h"
#include "journal.h"

#include <stdio.h>
#include <string.h>

static GstHarness *
new_harness (const gchar *properties)
{
  return filters_harness_new (filters_folder, properties, FILTERS_RGB);
}

/* --- the model's own --- */

/* One warning that names @property and both values, or none where @property is
 * NULL. */
static void
assert_warned (GstHarness *harness, const gchar *property, const gchar *wanted,
    const gchar *actual)
{
  g_autoptr (GstMessage) message =
      frames_pop_message (harness->element, GST_MESSAGE_WARNING, NULL);
  g_autoptr (GstMessage) more =
      frames_pop_message (harness->element, GST_MESSAGE_WARNING, NULL);
  g_autoptr (GError) warning = NULL;

  fail_unless (more == NULL);
  fail_unless ((message != NULL) == (property != NULL));
  if (property == NULL)
    return;
  gst_message_parse_warning (message, &warning, NULL);
  fail_unless (strstr (warning->message, property) != NULL &&
                   strstr (warning->message, wanted) != NULL &&
                   strstr (warning->message, actual) != NULL,
      "%s", warning->message);
}

GST_START_TEST (the_first_opener_decides_and_others_are_warned_once)
{
  GstHarness *opener = new_harness ("batch-timeout=5000000");
  GstHarness *other = new_harness ("batch-timeout=7000000");
  GstHarness *equal = new_harness ("batch-timeout=5000000");
  GstHarness *silent = new_harness ("");
  GstHarness *greedy = new_harness ("threads=2");
  GstHarness *all[] = { opener, other, equal, silent, greedy };

  assert_warned (opener, NULL, NULL, NULL);
  assert_warned (other, "batch-timeout", "7000000", "5000000");
  assert_warned (equal, NULL, NULL, NULL);
  assert_warned (silent, NULL, NULL, NULL);
  /* Either way: of two CPUs or of one. */
  assert_warned (greedy, "threads", "2", "1");
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    fail_unless_equals_uint64 (
        filters_get_count (all[i], "batch-timeout"), 5000000);
    frames_harness_close (all[i]);
  }
}
GST_END_TEST;

GST_START_TEST (another_instance_decides_for_itself)
{
  GstHarness *opener = new_harness ("batch-timeout=5000000");
  GstHarness *other =
      new_harness ("batch-timeout=7000000 model-instance-id=other");
  GstHarness *joins = new_harness ("model-instance-id=other");
  GstHarness *empty = new_harness ("model-instance-id=\"\"");

  assert_warned (other, NULL, NULL, NULL);
  fail_unless_equals_uint64 (
      filters_get_count (opener, "batch-timeout"), 5000000);
  fail_unless_equals_uint64 (
      filters_get_count (other, "batch-timeout"), 7000000);
  fail_unless_equals_uint64 (
      filters_get_count (joins, "batch-timeout"), 7000000);
  fail_unless_equals_uint64 (
      filters_get_count (empty, "batch-timeout"), 5000000);
  frames_harness_close (opener);
  frames_harness_close (other);
  frames_harness_close (joins);
  frames_harness_close (empty);
}
GST_END_TEST;

/* --- batches --- */

/* What the log says an element's last picture took, and with how many. */
typedef struct {
  GstElement *filter;
  guint64 time; /* nanoseconds */
  guint batch;
} Encoded;

static void
note_line (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message,
    gpointer user_data)
{
  Encoded *encoded = user_data;
  const gchar *text;
  guint h, m, s, ns;

  if (object != G_OBJECT (encoded->filter) ||
      !g_str_equal (gst_debug_category_get_name (category), "clipfilter-perf"))
    return;
  text = strstr (gst_debug_message_get (message), "encoded in ");
  if (text != NULL && sscanf (text, "encoded in %u:%u:%u.%u in a batch of %u",
                          &h, &m, &s, &ns, &encoded->batch) == 5)
    encoded->time = ((h * 60 + m) * 60 + s) * GST_SECOND + ns;
}

/* Pushes frames that are not due, one of which picks up the result. */
static void
wait_until_encoded (GstHarness *harness, guint64 n)
{
  g_autoptr (GstElement) filter = filters_get (harness);

  g_object_set (filter, "inference-interval", G_MAXUINT, NULL);
  for (guint i = 0; filters_get_count (harness, "encoded") < n; i++) {
    fail_unless (i < 30000, "nothing was encoded for half a minute");
    g_usleep (1000);
    journal_pass (harness, 100);
  }
  g_object_set (filter, "inference-interval", 1, NULL);
}

GST_START_TEST (a_frame_waits_for_another_elements_and_shares_its_time)
{
  static const gchar properties[] =
      "inference-mode=latest batch-timeout=60000000000 unchanged-threshold=0 "
      "prompts=\"a | b\"";
  GstHarness *opener = new_harness (properties);
  GstHarness *partner = new_harness (properties);
  Encoded encoded = { filters_get (partner), 0, 0 };

  /* One alone has nobody to wait for, two have each other. */
  journal_pass (opener, 1);
  wait_until_encoded (opener, 1);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (note_line, &encoded, NULL);
  gst_debug_set_threshold_for_name ("clipfilter-perf", GST_LEVEL_LOG);
  journal_pass (partner, 2);
  /* Some hundred times what the picture takes. */
  g_usleep (50000);
  journal_pass (partner, 3);
  fail_unless_equals_uint64 (filters_get_count (partner, "encoded"), 0);
  journal_pass (opener, 4);
  wait_until_encoded (partner, 1);
  gst_debug_remove_log_function (note_line);
  fail_unless_equals_int (encoded.batch, 2);
  fail_unless_equals_uint64 (
      filters_get_count (partner, "last-encode-time"), encoded.time / 2);
  gst_object_unref (encoded.filter);
  frames_harness_close (opener);
  frames_harness_close (partner);
}
GST_END_TEST;

/* Another element that has no frame is not waited for at an end, however long
 * frames may wait for it. */
GST_START_TEST (an_end_waits_for_no_other_elements_frame)
{
  static const gchar properties[] =
      "inference-mode=latest batch-timeout=3600000000000 prompts=\"a | b\"";
  GstHarness *idle = new_harness (properties);
  GstHarness *harness = new_harness (properties);
  GString *journal;

  journal_pass (idle, 1);
  wait_until_encoded (idle, 1);
  journal = journal_new (harness);
  journal_pass (harness, 2);
  /* Some hundred times what the picture takes. */
  g_usleep (50000);
  journal_pass (harness, 3);
  fail_unless_equals_uint64 (filters_get_count (harness, "encoded"), 0);
  fail_unless (gst_harness_push_event (
      harness, gst_event_new_segment_done (GST_FORMAT_TIME, GST_SECOND)));
  journal_pass (harness, 4);
  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
  frames_harness_close (idle);
  journal_end (harness, journal, "- - !1 DONE e1 !2 EOS ");
}
GST_END_TEST;

/* --- who comes first --- */

/* A frame that waits for its result, in a thread of its own. */
typedef struct {
  GstHarness *harness;
  GThread *thread;
  gint64 end; /* microseconds */
} Waiting;

static gpointer
wait_for_result (gpointer user_data)
{
  Waiting *waiting = user_data;

  journal_pass (waiting->harness, 1);
  waiting->end = g_get_monotonic_time ();
  return NULL;
}

static void
begin_frame (Waiting *waiting)
{
  waiting->thread = g_thread_new ("frame", wait_for_result, waiting);
  while (filters_get_count (waiting->harness, "pending") == 0)
    g_usleep (1000);
}

/* All three meet in the queue behind the first one's frame, and end.
 *
 * Returns: FALSE where a busy machine let that end before the others came */
static gboolean
meet (Waiting *frames)
{
  gboolean met;

  for (guint i = 0; i < 3; i++)
    begin_frame (&frames[i]);
  met = filters_get_count (frames[0].harness, "pending") > 0;
  for (guint i = 0; i < 3; i++)
    g_thread_join (frames[i].thread);
  return met;
}

GST_START_TEST (priority_decides_who_comes_first_from_the_next_frame_on)
{
  gchar *folder = filters_new_slow_model ();
  Waiting frames[3];

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    frames[i] = (Waiting){ filters_harness_new (
        folder, "inference-mode=wait prompts=\"a | b\"", FILTERS_RGB) };
    journal_pass (frames[i].harness, 0);
  }
  for (guint round = 0; round < 2; round++) {
    guint first = 1 + round, attempts = 0;
    g_autoptr (GstElement) filter = filters_get (frames[first].harness);

    g_object_set (filter, "priority", 7, NULL);
    while (!meet (frames))
      fail_unless (++attempts < 20, "frames never waited at the same time");
    fail_unless (frames[first].end < frames[3 - first].end);
    g_object_set (filter, "priority", 0, NULL);
  }
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    frames_harness_close (frames[i].harness);
  frames_wait_for_workers ();
  test_checkpoint_remove (folder);
}
GST_END_TEST;

GST_START_TEST (no_picture_is_lost_when_priority_changes)
{
  GstHarness *harness = new_harness ("inference-mode=latest prompts=\"a | b\"");
  g_autoptr (GstElement) filter = filters_get (harness);

  for (guint i = 0; i < 500; i++) {
    g_object_set (filter, "priority", i % 8, NULL);
    journal_pass (harness, i);
  }
  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
  fail_unless (filters_get_count (harness, "encoded") > 1);
  fail_unless_equals_uint64 (filters_get_skipped (filter, "cancelled"), 0);
  fail_unless_equals_uint64 (filters_get_count (harness, "frames"),
      filters_get_count (harness, "encoded") +
          filters_get_skipped (filter, "busy"));
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
sharing_suite (void)
{
  Suite *suite = suite_create ("sharing");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, the_first_opener_decides_and_others_are_warned_once);
  tcase_add_test (tests, another_instance_decides_for_itself);
  tcase_add_test (
      tests, a_frame_waits_for_another_elements_and_shares_its_time);
  tcase_add_test (tests, an_end_waits_for_no_other_elements_frame);
  tcase_add_test (
      tests, priority_decides_who_comes_first_from_the_next_frame_on);
  tcase_add_test (tests, no_picture_is_lost_when_priority_changes);
  return suite;
}

GST_CHECK_MAIN (sharing);
