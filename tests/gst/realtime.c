/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Live pipelines as people build them, with an encoder that is far slower than
 * the frames come: no frame is lost, nobody who asks waits, and every result
 * arrives whatever stands behind clipfilter. */
#include "filters.h"
#include "pipelines.h"

/* --- frames --- */

static void
count_frame (GstBuffer *buffer, gpointer user_data)
{
  guint *n = user_data;

  (*n)++;
}

GST_START_TEST (every_frame_of_a_camera_is_shown)
{
  g_autofree gchar *slow = filters_new_slow_model ();
  g_autoptr (GstElement) pipeline = NULL, filter = NULL;
  guint n_in = 0, n_out = 0;

  if (!pipelines_load ("coreelements videotestsrc"))
    return;
  pipeline = pipelines_parse (
      "videotestsrc is-live=true num-buffers=50 ! "
      "video/x-raw,format=I420,width=64,height=48,framerate=50/1 ! "
      "clipfilter name=f threads=1 model=%s ! fakesink name=sink sync=true "
      "qos=true",
      slow);
  filter = gst_bin_get_by_name (GST_BIN (pipeline), "f");
  pipelines_watch (pipeline, "f", count_frame, &n_in);
  pipelines_watch (pipeline, "sink", count_frame, &n_out);
  pipelines_run (pipeline);
  fail_unless (n_in > 0);
  fail_unless_equals_int (n_out, n_in);
  fail_unless (filters_get_skipped (filter, "busy") > 0);
  test_checkpoint_remove (g_steal_pointer (&slow));
}
GST_END_TEST;

/* --- questions --- */

static GstQuery *
ask_allocation (void)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (FILTERS_RGB);

  return gst_query_new_allocation (caps, FALSE);
}

static GstQuery *
ask_caps (void)
{
  return gst_query_new_caps (NULL);
}

static GstQuery *
ask_accept_caps (void)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (FILTERS_RGB);

  return gst_query_new_accept_caps (caps);
}

/* GStreamer lets a serialized one wait for the frame before it, which in "wait"
 * is what the mode is for. */
static const struct {
  GstQuery *(*make) (void);
  gboolean upstream;
  gboolean serialized;
} questions[] = {
  { gst_query_new_latency, TRUE, FALSE },
  { ask_caps, TRUE, FALSE },
  { ask_caps, FALSE, FALSE },
  { ask_accept_caps, FALSE, FALSE },
  { ask_allocation, FALSE, TRUE },
};

typedef struct {
  GstHarness *harness;
  gint stop; /* atomic */
} Camera;

static gpointer
push_frames (gpointer user_data)
{
  Camera *camera = user_data;

  for (guint i = 0; !g_atomic_int_get (&camera->stop); i++)
    gst_buffer_unref (frames_pass (camera->harness, i % 4));
  return NULL;
}

/* Milliseconds, and how many answers took no longer than that. */
typedef struct {
  gdouble most;
  guint n;
} Bin;

static void
ask (GstHarness *harness, guint kind, Bin *bins, guint n_bins)
{
  g_autoptr (GstQuery) query = questions[kind].make ();
  gint64 begin = g_get_monotonic_time ();
  gdouble took;

  fail_unless (
      gst_pad_peer_query (
          questions[kind].upstream ? harness->sinkpad : harness->srcpad, query),
      "%s", GST_QUERY_TYPE_NAME (query));
  took = (g_get_monotonic_time () - begin) / 1e3;
  for (guint i = 0; i < n_bins; i++) {
    if (took <= bins[i].most) {
      bins[i].n++;
      return;
    }
  }
}

GST_START_TEST (whoever_asks_is_answered_while_frames_come)
{
  static const gchar *const modes[] = { "wait", "latest" };
  const gboolean waits = __i__ == 0;
  g_autofree gchar *properties =
      g_strdup_printf ("inference-mode=%s", modes[__i__]);
  g_autofree gchar *slow = filters_new_slow_model ();
  GstHarness *harness = filters_harness_new (slow, properties, FILTERS_RGB);
  Camera camera = { .harness = harness };
  GThread *thread = g_thread_new ("camera", push_frames, &camera);
  Bin bins[] = { { 0.1 }, { 1 }, { 10 }, { 100 }, { G_MAXDOUBLE } };
  guint n = filters_get_rounds (2000, 10000);

  for (guint i = 0; i < n; i++) {
    guint kind = i % G_N_ELEMENTS (questions);

    if (!waits || !questions[kind].serialized)
      ask (harness, kind, bins, G_N_ELEMENTS (bins));
    if (i % 100 == 0)
      g_usleep (1000);
  }
  g_atomic_int_set (&camera.stop, TRUE);
  g_thread_join (thread);
  g_print ("# %s:", modes[__i__]);
  for (guint i = 0; i < G_N_ELEMENTS (bins); i++)
    g_print (" %u in <= %g ms", bins[i].n, bins[i].most);
  g_print ("\n");
  frames_harness_free (harness);
  test_checkpoint_remove (g_steal_pointer (&slow));
}
GST_END_TEST;

/* --- results --- */

static const struct {
  const gchar *plugins;
  const gchar *elements;
} ways[] = {
  { "", "queue leaky=upstream max-size-buffers=1" },
  { " videorate", "videorate ! video/x-raw,framerate=5/1" },
  { " videoconvertscale jpeg", "videoconvert ! jpegenc" },
  { " vpx", "vp8enc deadline=1 cpu-used=16" },
  { " x264", "x264enc tune=zerolatency" },
  { " x264", "x264enc" }, /* frames that come out much later */
  { " compositor", "compositor" },
};

typedef struct {
  guint n;
  guint64 last;
} Told;

static GstPadProbeReturn
note_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  Told *told = user_data;

  if (!gst_event_has_name (event, "clipfilter-result"))
    return GST_PAD_PROBE_OK;
  told->last = frames_get_uint64 (
      frames_get_entry (gst_event_get_structure (event), 0), "result");
  told->n++;
  fail_unless_equals_uint64 (told->last, told->n);
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (each_result_is_told_once_behind)
{
  g_autofree gchar *plugins =
      g_strconcat ("coreelements videotestsrc", ways[__i__].plugins, NULL);
  g_autoptr (GstElement) pipeline = NULL, filter = NULL, sink = NULL;
  g_autoptr (GstStructure) stats = NULL;
  g_autoptr (GstPad) pad = NULL;
  Told told = { 0 };

  if (!pipelines_load (plugins))
    return;
  pipeline = pipelines_parse (
      "videotestsrc is-live=true num-buffers=40 pattern=ball ! "
      "video/x-raw,format=I420,width=64,height=48,framerate=50/1 ! "
      "clipfilter name=f threads=1 model=%s ! %s ! fakesink name=sink",
      filters_folder, ways[__i__].elements);
  filter = gst_bin_get_by_name (GST_BIN (pipeline), "f");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note_event, &told, NULL);
  pipelines_run (pipeline);
  stats = filters_get_stats (filter);
  fail_unless (told.n > 0);
  fail_unless_equals_uint64 (told.n, frames_get_uint64 (stats, "encoded"));
}
GST_END_TEST;

static Suite *
realtime_suite (void)
{
  Suite *suite = suite_create ("realtime");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, every_frame_of_a_camera_is_shown);
  tcase_add_loop_test (tests, whoever_asks_is_answered_while_frames_come, 0, 2);
  tcase_add_loop_test (
      tests, each_result_is_told_once_behind, 0, G_N_ELEMENTS (ways));
  return suite;
}

GST_CHECK_MAIN (realtime);
