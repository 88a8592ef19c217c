/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Live pipelines without a queue of the user's: frames keep their number,
 * results reach whoever waits for them at the other end, each once. */
#include "filters.h"
#include "pipelines.h"

#include <string.h>

/* A hundred a second, so that a test is over soon. */
#define SOURCE                                                                 \
  "videotestsrc is-live=true num-buffers=%u pattern=ball name=source ! "       \
  "video/x-raw,format=I420,width=64,height=48,framerate=100/1 ! "              \
  "clipfilter name=f threads=1 model=%s prompts=\"a | b\""
#define N_FRAMES 50u

/* What arrives at the end of a pipeline. */
typedef struct {
  guint n_frames, n_results;
  guint64 last; /* result that was told */
  gboolean ended;
} Arrivals;

static GstPadProbeReturn
note (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Arrivals *arrivals = user_data;
  GstEvent *event;

  fail_if (arrivals->ended, "something came behind EOS");
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    arrivals->n_frames++;
    return GST_PAD_PROBE_OK;
  }
  event = GST_PAD_PROBE_INFO_EVENT (info);
  arrivals->ended = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  if (gst_event_has_name (event, "clipfilter-result")) {
    guint64 number = frames_get_uint64 (
        frames_get_entry (gst_event_get_structure (event), 0), "result");

    fail_unless (number > arrivals->last, "result %u came behind %u",
        (guint)number, (guint)arrivals->last);
    arrivals->last = number;
    arrivals->n_results++;
  }
  return GST_PAD_PROBE_OK;
}

static void
watch (GstElement *pipeline, const gchar *name, Arrivals *arrivals)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "sink");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note,
      arrivals, NULL);
}

static guint64
get_stat (GstElement *pipeline, const gchar *name)
{
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "f");
  g_autoptr (GstStructure) stats = filters_get_stats (filter);

  return frames_get_uint64 (stats, name);
}

static const struct {
  const gchar *plugins;
  const gchar *elements;
  guint n_out;   /* frames; 0 where elements drop or make them */
  guint n_stuck; /* results at most that never come */
} ways[] = {
  { "", "identity", N_FRAMES },
  { "", "queue", N_FRAMES },
  { "", "queue leaky=upstream max-size-buffers=1", 0 },
  { "", "tee ! queue", N_FRAMES },
  { " videorate", "videorate ! video/x-raw,framerate=200/1", 0 },
  { " videorate", "videorate ! video/x-raw,framerate=20/1", 0 },
  { " videoconvertscale",
      "videoconvert ! videoscale ! video/x-raw,format=RGB,width=33,height=21",
      N_FRAMES },
  { " compositor", "compositor", 0 },
  { " jpeg", "jpegenc", N_FRAMES },
  /* GstVideoDecoder of 1.22 keeps what comes behind the last frame. */
  { " jpeg", "jpegenc ! jpegdec", N_FRAMES, 2 },
  { " vpx", "vp8enc deadline=1", 0 },
  { " theora", "theoraenc", 0 },
  { " overlaycomposition pango", "textoverlay text=a", N_FRAMES },
};

GST_START_TEST (each_result_is_told_once_and_in_order_behind)
{
  g_autofree gchar *plugins =
      g_strconcat ("coreelements videotestsrc", ways[__i__].plugins, NULL);
  g_autoptr (GstElement) pipeline = NULL;
  Arrivals arrivals = { 0 };

  if (!pipelines_load (plugins))
    return;
  pipeline = pipelines_parse (SOURCE " ! %s ! fakesink name=sink", N_FRAMES,
      filters_folder, ways[__i__].elements);
  watch (pipeline, "sink", &arrivals);
  pipelines_run (pipeline);
  fail_unless_equals_uint64 (get_stat (pipeline, "frames"), N_FRAMES);
  fail_unless (get_stat (pipeline, "encoded") > 0);
  fail_unless (arrivals.n_results <= get_stat (pipeline, "encoded") &&
                   arrivals.n_results + ways[__i__].n_stuck >=
                       get_stat (pipeline, "encoded"),
      "%u results", arrivals.n_results);
  fail_unless_equals_uint64 (arrivals.last, arrivals.n_results);
  fail_unless (arrivals.n_frames > 0);
  if (ways[__i__].n_out != 0)
    fail_unless_equals_int (arrivals.n_frames, ways[__i__].n_out);
}
GST_END_TEST;

/* The encoder takes tens of times as long as a frame lasts. */
GST_START_TEST (no_frame_is_lost_when_the_encoder_is_slow)
{
  static const gchar *const sinks[] = { "fakesink name=sink sync=true qos=true",
    "queue ! fakesink name=sink sync=true",
    "tee name=t t. ! fakesink name=sink sync=true" };
  g_autofree gchar *slow = filters_new_slow_model ();

  if (!pipelines_load ("coreelements videotestsrc"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (sinks); i++) {
    g_autoptr (GstElement) pipeline =
        pipelines_parse (SOURCE " ! %s", N_FRAMES, slow, sinks[i]);
    Arrivals arrivals = { 0 };

    watch (pipeline, "sink", &arrivals);
    pipelines_run (pipeline);
    fail_unless_equals_int (arrivals.n_frames, N_FRAMES);
    fail_unless_equals_uint64 (
        arrivals.n_results, get_stat (pipeline, "encoded"));
    fail_unless (arrivals.n_results >= 1 && arrivals.n_results < N_FRAMES);
    fail_unless_equals_uint64 (get_stat (pipeline, "latency"), 0);
  }
  test_checkpoint_remove (g_steal_pointer (&slow));
}
GST_END_TEST;

/* --- who is live --- */

GST_START_TEST (a_pipeline_is_asked_whether_it_is_live)
{
  static const struct {
    const gchar *source;
    const gchar *mode;
  } rows[] = {
    { "is-live=true", "latest" },
    { "is-live=false", "wait" },
  };

  if (!pipelines_load ("coreelements videotestsrc videoconvertscale"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstElement) pipeline = pipelines_parse (
        "videotestsrc num-buffers=3 %s ! queue ! videoconvert ! "
        "clipfilter name=f threads=1 model=%s ! fakesink",
        rows[i].source, filters_folder);
    g_autoptr (GstElement) filter =
        gst_bin_get_by_name (GST_BIN (pipeline), "f");
    g_autoptr (GstStructure) stats = NULL;

    pipelines_run (pipeline);
    stats = filters_get_stats (filter);
    fail_unless_equals_string (
        gst_structure_get_string (stats, "mode"), rows[i].mode);
  }
}
GST_END_TEST;

/* In wait the sink waits as long as frames do, or all of them would be late:
 * the pipeline's latency is the filter's. */
GST_START_TEST (the_sink_waits_as_long_as_frames_wait)
{
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime min;
  gboolean live;

  if (!pipelines_load ("coreelements videotestsrc"))
    return;
  pipeline =
      pipelines_parse (SOURCE " inference-mode=wait ! fakesink name=sink "
                              "sync=true",
          N_FRAMES, filters_folder);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  fail_unless (gst_element_query (pipeline, query));
  gst_query_parse_latency (query, &live, &min, NULL);
  fail_unless (live);
  fail_unless (get_stat (pipeline, "latency") > 0);
  fail_unless (min >= get_stat (pipeline, "latency"));
  gst_element_set_state (pipeline, GST_STATE_NULL);
}
GST_END_TEST;

static Suite *
events_suite (void)
{
  Suite *suite = suite_create ("events");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_loop_test (tests, each_result_is_told_once_and_in_order_behind, 0,
      G_N_ELEMENTS (ways));
  tcase_add_test (tests, no_frame_is_lost_when_the_encoder_is_slow);
  tcase_add_test (tests, a_pipeline_is_asked_whether_it_is_live);
  tcase_add_test (tests, the_sink_waits_as_long_as_frames_wait);
  return suite;
}

GST_CHECK_MAIN (events);
