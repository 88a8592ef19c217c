/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* auto, wait and latest: which is used where, and what holds in each. */
#include "filters.h"
#include "journal.h"

#include <string.h>

#define SMALL "video/x-raw,format=RGB,width=20,height=30,framerate=25/1"
#define FRAME_DURATION (40 * GST_MSECOND)

/* --- auto --- */

static gboolean
refuse (GstPad *pad, GstObject *parent, GstQuery *query)
{
  return FALSE;
}

static void
assert_mode (GstHarness *harness, const gchar *expected)
{
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstStructure) stats = filters_get_stats (filter);

  fail_unless_equals_string (
      gst_structure_get_string (stats, "mode"), expected);
}

GST_START_TEST (auto_is_latest_unless_upstream_says_it_is_not_live)
{
  static const struct {
    const gchar *mode;
    gboolean answers, live;
    const gchar *expected;
  } rows[] = {
    { "auto", TRUE, TRUE, "latest" },
    { "auto", TRUE, FALSE, "wait" },
    { "auto", FALSE, FALSE, "latest" },
    { "wait", TRUE, TRUE, "wait" },
    { "latest", TRUE, FALSE, "latest" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *properties =
        g_strdup_printf ("inference-mode=%s", rows[i].mode);
    GstHarness *harness =
        filters_harness_new (filters_folder, properties, NULL);

    gst_harness_set_live (harness, rows[i].live);
    if (!rows[i].answers)
      gst_pad_set_query_function (harness->srcpad, refuse);
    gst_harness_set_src_caps_str (harness, FILTERS_RGB);
    assert_mode (harness, rows[i].expected);
    frames_harness_free (harness);
  }
}
GST_END_TEST;

GST_START_TEST (upstream_is_asked_for_each_stream_even_of_the_same_caps)
{
  GstHarness *harness =
      filters_harness_new (filters_folder, "inference-mode=auto", FILTERS_RGB);

  journal_pass (harness, 0);
  assert_mode (harness, "latest");
  gst_harness_set_live (harness, FALSE);
  journal_pass (harness, 1);
  assert_mode (harness, "latest");
  journal_begin_stream (harness);
  journal_pass (harness, 2);
  assert_mode (harness, "wait");
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (auto_is_the_default)
{
  g_autoptr (GstElement) filter =
      gst_object_ref_sink (gst_element_factory_make ("clipfilter", NULL));
  GParamSpec *pspec = g_object_class_find_property (
      G_OBJECT_GET_CLASS (filter), "inference-mode");
  gint mode;

  g_object_get (filter, "inference-mode", &mode, NULL);
  fail_unless_equals_string (
      g_enum_get_value (G_PARAM_SPEC_ENUM (pspec)->enum_class, mode)
          ->value_nick,
      "auto");
  /* Who cannot be told to be live must be found in the words. */
  fail_if (strstr (g_param_spec_get_blurb (pspec), "appsrc") == NULL);
  fail_if (strstr (g_param_spec_get_blurb (pspec), "shmsrc") == NULL);
}
GST_END_TEST;

/* design: section 5.19. What is private to a place, as models and prompts, is
 * not for other places. */
GST_START_TEST (presets_have_rates_mode_and_threads_only)
{
  g_autoptr (GstElement) filter =
      gst_object_ref_sink (gst_element_factory_make ("clipfilter", NULL));
  g_auto (GStrv) names = gst_preset_get_property_names (GST_PRESET (filter));
  static const gchar *const expected[] = { "inference-interval",
    "max-inference-rate", "inference-mode", "threads", NULL };

  for (guint i = 0; expected[i] != NULL; i++)
    fail_unless (g_strv_contains ((const gchar *const *)names, expected[i]),
        "%s", expected[i]);
  for (guint i = 0; names[i] != NULL; i++)
    fail_unless (g_strv_contains (expected, names[i]) ||
                     g_str_equal (names[i], "precision"),
        "%s", names[i]);
}
GST_END_TEST;

/* --- max-age --- */

GST_START_TEST (results_older_than_max_age_are_not_carried)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "inference-interval=6 max-age=100000000", FILTERS_RGB);
  GString *journal = journal_new (harness);

  for (guint i = 0; i < 8; i++)
    journal_pass (harness, i);
  journal_end (harness, journal, "!1 e1 c1 c1 - - - !2 e2 c2 ");
}
GST_END_TEST;

/* --- events --- */

static GstPadProbeReturn
note_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GString *order = user_data;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    g_string_append_printf (order, "%" G_GUINT64_FORMAT " ",
        GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info)) / FRAME_DURATION);
  } else {
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);

    if (!gst_event_has_name (event, "clipfilter-result"))
      g_string_append_printf (order, "%s ", GST_EVENT_TYPE_NAME (event));
  }
  return GST_PAD_PROBE_OK;
}

static void
push_tags (GstHarness *harness)
{
  fail_unless (gst_harness_push_event (
      harness, gst_event_new_tag (
                   gst_tag_list_new (GST_TAG_TITLE, "front door", NULL))));
}

static void
play_all_events (GstHarness *harness)
{
  journal_begin_stream (harness);
  push_tags (harness);
  journal_pass (harness, 0);
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_gap (0, GST_SECOND)));
  journal_pass (harness, 1);
  gst_harness_set_src_caps_str (harness, SMALL);
  journal_pass (harness, 2);
  gst_harness_set_src_caps_str (harness, FILTERS_RGB);
  push_tags (harness);
  journal_pass (harness, 3);
  journal_begin_segment (harness, 1);
  journal_pass (harness, 254);
  journal_flush (harness);
  journal_pass (harness, 5);
  journal_begin_stream (harness);
  journal_pass (harness, 6);
  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
}

GST_START_TEST (events_and_frames_keep_their_order_in_every_mode)
{
  static const gchar *const modes[] = { "auto", "wait", "latest" };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree gchar *properties =
        g_strdup_printf ("inference-mode=%s", modes[i]);
    GstHarness *harness =
        filters_harness_new (filters_folder, properties, FILTERS_RGB);
    g_autoptr (GString) order = g_string_new (NULL);
    g_autoptr (GstPad) pad =
        gst_element_get_static_pad (harness->element, "src");

    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
            GST_PAD_PROBE_TYPE_EVENT_FLUSH,
        note_event, order, NULL);
    play_all_events (harness);
    fail_unless_equals_string (order->str,
        "stream-start segment tag 0 gap 1 caps segment 2 caps segment tag 3 segment 254 "
        "flush-start flush-stop segment 5 stream-start segment 6 eos ");
    frames_harness_free (harness);
  }
}
GST_END_TEST;

static Suite *
modes_suite (void)
{
  Suite *suite = suite_create ("modes");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, auto_is_latest_unless_upstream_says_it_is_not_live);
  tcase_add_test (
      tests, upstream_is_asked_for_each_stream_even_of_the_same_caps);
  tcase_add_test (tests, auto_is_the_default);
  tcase_add_test (tests, presets_have_rates_mode_and_threads_only);
  tcase_add_test (tests, results_older_than_max_age_are_not_carried);
  tcase_add_test (tests, events_and_frames_keep_their_order_in_every_mode);
  return suite;
}

GST_CHECK_MAIN (modes);
