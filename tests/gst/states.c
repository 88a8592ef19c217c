/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* States up and down, in any order, while the encoder works, and while an
 * application looks on; nothing stays behind. */
#include "filters.h"

#include "support.h"

static GstElement *
make (const gchar *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  fail_if (element == NULL, "no element '%s'", factory);
  return gst_object_ref_sink (element);
}

/* --- walks --- */

/* Every state from every other, upwards and downwards, twice. */
static const GstState walks[][12] = {
  { GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED,
      GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED,
      GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL },
  { GST_STATE_PLAYING, GST_STATE_NULL, GST_STATE_PAUSED, GST_STATE_NULL,
      GST_STATE_READY, GST_STATE_NULL, GST_STATE_PLAYING, GST_STATE_READY,
      GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_NULL },
  { GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_READY, GST_STATE_PLAYING,
      GST_STATE_PAUSED, GST_STATE_NULL, GST_STATE_NULL, GST_STATE_PAUSED,
      GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PLAYING, GST_STATE_NULL },
};

/* @works: what any state above READY is expected to give */
static void
walk (GstElement *element, guint n_walks, gboolean works)
{
  for (guint w = 0; w < n_walks; w++) {
    for (guint i = 0; i < G_N_ELEMENTS (walks[w]); i++) {
      GstState state = walks[w][i];
      GstStateChangeReturn found = gst_element_set_state (element, state);

      fail_unless ((found != GST_STATE_CHANGE_FAILURE) ==
                       (works || state <= GST_STATE_READY),
          "walk %u, step %u to %s: %s", w, i,
          gst_element_state_get_name (state),
          gst_element_state_change_return_get_name (found));
    }
  }
}

GST_START_TEST (any_order_of_states_works)
{
  static const struct {
    const gchar *launch; /* with "%s" the generated model */
    guint n_walks;
    gboolean works;
  } rows[] = {
    { "clipfilter threads=1 model=%s", 3, TRUE },
    /* The demonstration model takes longer to open. */
    { "clipfilter threads=1", 1, TRUE },
    { "clipfilter model=/no/such/model", 3, FALSE },
    { "clipfilter threads=1 model=%s prompts-file=/no/such/file", 3, FALSE },
    { "clippublish", 3, FALSE },
    { "clippublish location=/dev/null", 3, TRUE },
    { "clippublish location=/no/such/filters_folder/file", 3, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (GStrv) parts = g_strsplit (rows[i].launch, "%s", 2);
    g_autofree gchar *launch = g_strjoinv (filters_folder, parts);
    g_autoptr (GError) error = NULL;
    GstElement *element = gst_parse_launch (launch, &error);

    fail_if (error != NULL, "%s", launch);
    gst_object_ref_sink (element);
    walk (element, rows[i].n_walks, rows[i].works);
    gst_object_unref (element);
  }
}
GST_END_TEST;

/* --- nothing stays behind --- */

/* Workers end by themselves, soon after the last user left. */
static void
wait_for_entries (const gchar *path, guint expected)
{
  guint n;

  for (guint i = 0; (n = test_count_entries (path)) > expected; i++) {
    fail_if (i == 10000, "%s: %u instead of %u", path, n, expected);
    g_usleep (1000);
  }
}

static void
begin (GstHarness *harness)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_stream_start ("again"));
  gst_harness_set_src_caps_str (harness, FILTERS_RGB);
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
}

static guint64
pass_first (GstHarness *harness, gfloat *value)
{
  g_autoptr (GstBuffer) buffer = frames_pass (harness, 3);
  const GstStructure *entry = frames_get_result (buffer, 0);
  GstBuffer *embedding =
      gst_value_get_buffer (gst_structure_get_value (entry, "embedding"));

  gst_buffer_extract (embedding, 0, value, sizeof *value);
  return frames_get_uint64 (entry, "result");
}

GST_START_TEST (many_times_up_and_down_leave_nothing)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "attach-embedding=true", FILTERS_RGB);
  guint n_cycles = filters_get_rounds (100, 10000);
  gfloat value, again;
  guint n_threads = 0, n_files = 0;

  for (guint i = 0; i < n_cycles; i++) {
    fail_unless_equals_uint64 (
        pass_first (harness, i > 0 ? &again : &value), 1);
    fail_unless (
        i == 0 || again == value, "cycle %u: %.9g, not %.9g", i, again, value);
    gst_element_set_state (harness->element, GST_STATE_NULL);
    if (i == n_cycles / 10) {
      n_threads = test_count_entries ("/proc/self/task");
      n_files = test_count_entries ("/proc/self/fd");
    }
    gst_harness_play (harness);
    begin (harness);
  }
  gst_element_set_state (harness->element, GST_STATE_NULL);
  wait_for_entries ("/proc/self/task", n_threads);
  wait_for_entries ("/proc/self/fd", n_files);
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- while the encoder works --- */

/* Attempts to find the frame with the encoder, and the machine with time. */
#define N_ATTEMPTS 5

/* What an application may notice: the promise of a state change. */
#define NOTICEABLE (50 * 1000)

static void
stop (GstHarness *harness)
{
  gst_element_set_state (harness->element, GST_STATE_NULL);
}

static void
flush (GstHarness *harness)
{
  fail_unless (gst_harness_push_event (harness, gst_event_new_flush_start ()));
}

GST_START_TEST (null_does_not_wait_for_the_encoder)
{
  g_autofree gchar *slow = filters_new_slow_model ();
  GstHarness *harness = filters_harness_new (slow, "", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  gint64 fastest = G_MAXINT64;

  for (guint i = 0; i < N_ATTEMPTS && fastest > NOTICEABLE; i++) {
    FiltersInterruption found;

    gst_buffer_unref (frames_pass (harness, 0));
    found = filters_interrupt (harness, stop);
    fail_unless (found.flow == GST_FLOW_FLUSHING || found.flow == GST_FLOW_OK);
    if (filters_get_skipped (filter, "cancelled") == 1)
      fastest = MIN (fastest, found.time);
    gst_harness_play (harness);
    begin (harness);
  }
  fail_if (fastest == G_MAXINT64, "no frame was with the encoder");
  fail_unless (
      fastest <= NOTICEABLE, "%" G_GINT64_FORMAT " microseconds", fastest);
  frames_harness_free (harness);
  test_checkpoint_remove (g_steal_pointer (&slow));
}
GST_END_TEST;

GST_START_TEST (a_flush_frees_the_frame_that_waits)
{
  g_autofree gchar *slow = filters_new_slow_model ();
  GstHarness *harness = filters_harness_new (slow, "", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  gint64 fastest = G_MAXINT64;

  for (guint i = 0; i < N_ATTEMPTS && fastest > NOTICEABLE; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, 0);
    FiltersInterruption found = filters_interrupt (harness, flush);

    fail_if (frames_get_result (buffer, 0) == NULL);
    fail_unless (found.flow == GST_FLOW_FLUSHING || found.flow == GST_FLOW_OK);
    if (found.flow == GST_FLOW_FLUSHING)
      fastest = MIN (fastest, found.time);
    fail_unless (
        gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE)));
    begin (harness);
    while (gst_harness_buffers_in_queue (harness) > 0)
      gst_buffer_unref (gst_harness_pull (harness));
  }
  fail_if (filters_get_skipped (filter, "cancelled") == 0);
  fail_unless (
      fastest <= NOTICEABLE, "%" G_GINT64_FORMAT " microseconds", fastest);
  frames_harness_free (harness);
  test_checkpoint_remove (g_steal_pointer (&slow));
}
GST_END_TEST;

/* --- while an application looks on --- */

static void
touch_properties (GstElement *element)
{
  guint n;
  g_autofree GParamSpec **properties =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT;

    if (g_str_equal (properties[i]->name, "parent"))
      continue;
    g_value_init (&value, properties[i]->value_type);
    g_object_get_property (G_OBJECT (element), properties[i]->name, &value);
    if ((properties[i]->flags & G_PARAM_WRITABLE) &&
        !g_str_equal (properties[i]->name, "name"))
      g_object_set_property (G_OBJECT (element), properties[i]->name, &value);
  }
}

static GstBusSyncReply
look (GstBus *bus, GstMessage *message, gpointer user_data)
{
  guint *n_errors = user_data;

  touch_properties (GST_ELEMENT (GST_MESSAGE_SRC (message)));
  *n_errors += GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
  gst_message_unref (message);
  return GST_BUS_DROP;
}

/* A handler of errors that asks the element what it was told: where a message
 * is posted under a lock, this test never ends. */
GST_START_TEST (properties_can_be_used_while_an_error_is_handled)
{
  static const gchar *const rows[][3] = {
    { "clipfilter", "model", "/no/such/model" },
    { "clipfilter", "prompts-file", "/no/such/file" },
    { "clipfilter", "templates", "no place for a prompt" },
    { "clippublish", "location", NULL },
    { "clippublish", "location", "/no/such/filters_folder/file" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstElement) element = make (rows[i][0]);
    g_autoptr (GstBus) bus = gst_bus_new ();
    guint n_errors = 0;

    gst_bus_set_sync_handler (bus, look, &n_errors, NULL);
    gst_element_set_bus (element, bus);
    if (g_str_equal (rows[i][0], "clipfilter"))
      g_object_set (element, "model", filters_folder, "threads", 1, NULL);
    g_object_set (element, rows[i][1], rows[i][2], NULL);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PLAYING),
        GST_STATE_CHANGE_FAILURE);
    fail_unless_equals_int (n_errors, 1);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_element_set_bus (element, NULL);
  }
}
GST_END_TEST;

static Suite *
states_suite (void)
{
  Suite *suite = suite_create ("states");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, any_order_of_states_works);
  tcase_add_test (tests, many_times_up_and_down_leave_nothing);
  tcase_add_test (tests, null_does_not_wait_for_the_encoder);
  tcase_add_test (tests, a_flush_frees_the_frame_that_waits);
  tcase_add_test (tests, properties_can_be_used_while_an_error_is_handled);
  return suite;
}

GST_CHECK_MAIN (states);
