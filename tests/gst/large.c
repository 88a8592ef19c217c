/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A first set of prompts that takes its time. */
#include "filters.h"

#define TWO "{} 1 | {} 2"
#define TEN TWO "| {} 3 | {} 4 | {} 5 | {} 6 | {} 7 | {} 8 | {} 9 | {}"

/* @model: (nullable): the demonstration model, which takes some seconds for ten
 *   thousand texts
 * @mode: of inference
 * @templates: for a thousand prompts. (transfer full) */
static GstHarness *
new_harness_of (const gchar *model, const gchar *mode, const gchar *templates)
{
  GstElement *filter =
      gst_object_ref_sink (gst_element_factory_make ("clipfilter", "f"));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GString) prompts = g_string_new ("0");
  GstHarness *harness;

  for (guint i = 1; i < 1000; i++)
    g_string_append_printf (prompts, "| %u", i);
  g_object_set (filter, "model", model, "threads", 1, "prompts", prompts->str,
      "templates", templates, "top-k", 1, NULL);
  gst_util_set_object_arg (G_OBJECT (filter), "inference-mode", mode);
  gst_element_set_bus (filter, bus);
  harness = gst_harness_new_with_element (filter, "sink", "src");
  gst_harness_set_src_caps_str (harness, FILTERS_RGB);
  gst_object_unref (filter);
  return harness;
}

static GstHarness *
new_harness (const gchar *mode, const gchar *templates)
{
  return new_harness_of (NULL, mode, templates);
}

static guint
get_revision (GstHarness *harness)
{
  g_autoptr (GstStructure) stats = filters_get_stats (harness->element);
  guint revision;

  fail_unless (gst_structure_get_uint (stats, "revision", &revision));
  return revision;
}

static gpointer
push_first_frame (gpointer harness)
{
  return GINT_TO_POINTER (frames_push (harness, 1));
}

/* Neither the start nor a stop waits for it, nor a flush for the frame that
 * does. */
GST_START_TEST (a_large_first_set_is_given_up_at_any_time)
{
  GstHarness *harness = new_harness ("wait", TEN);
  GstSegment segment;
  GThread *thread;

  thread = g_thread_new ("frame", push_first_frame, harness);
  g_usleep (20000);
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  fail_unless_equals_int (
      GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_FLUSHING);
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_segment (&segment));

  thread = g_thread_new ("frame", push_first_frame, harness);
  g_usleep (20000);
  gst_element_set_state (harness->element, GST_STATE_NULL);
  fail_unless_equals_int (
      GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_FLUSHING);
  fail_unless_equals_int (get_revision (harness), 0);
  fail_unless (
      frames_pop_message (harness->element, GST_MESSAGE_ERROR, NULL) == NULL);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (no_result_is_without_a_large_first_set)
{
  static const gchar *const modes[] = { "wait", "latest" };
  const gchar *mode = modes[__i__];
  gboolean waits = g_str_equal (mode, "wait");
  GstHarness *harness = new_harness (mode, TWO);
  gboolean found = FALSE;

  fail_unless_equals_int (get_revision (harness), 0);
  for (guint i = 0; !found; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, i % 9);
    const GstStructure *entry = frames_get_result (buffer, 0);

    found = entry != NULL;
    fail_unless (found || !waits);
    if (found)
      frames_get_prompt (entry, 0);
    else
      g_usleep (1000);
  }
  fail_unless_equals_int (get_revision (harness), 1);
  fail_unless ((filters_get_skipped (harness->element, "busy") > 0) == !waits);
  frames_harness_free (harness);
}
GST_END_TEST;

/* Nor behind the error of one that cannot be encoded. */
GST_START_TEST (no_result_is_without_a_first_set_that_failed)
{
  static const gchar *const modes[] = { "wait", "latest" };
  TestCheckpointSpec spec = filters_quick_spec ();
  gchar *folder = test_checkpoint_new_wordless (&spec);
  GstHarness *harness = new_harness_of (folder, modes[__i__], TWO);
  GstMessage *message = NULL;

  for (guint i = 0; i < 20; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, i % 9);

    fail_unless (frames_get_result (buffer, 0) == NULL);
    if (message == NULL)
      message = frames_pop_message (harness->element, GST_MESSAGE_ERROR, NULL);
    g_usleep (5000);
  }
  fail_if (message == NULL);
  gst_message_unref (message);
  fail_unless_equals_uint64 (
      filters_get_skipped (harness->element, "busy"), 20);
  frames_harness_free (harness);
  test_checkpoint_remove (folder);
}
GST_END_TEST;

static Suite *
large_suite (void)
{
  Suite *suite = suite_create ("large");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_test (tests, a_large_first_set_is_given_up_at_any_time);
  tcase_add_loop_test (tests, no_result_is_without_a_large_first_set, 0, 2);
  tcase_add_loop_test (
      tests, no_result_is_without_a_first_set_that_failed, 0, 2);
  return suite;
}

GST_CHECK_MAIN (large);
