/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Seeks of all kinds: a frame's result is of a frame of its own segment. */
#include "filters.h"
#include "pipelines.h"

/* --- what belongs together --- */

typedef struct {
  GMutex lock;
  GHashTable *timestamps; /* that came in since the segment began */
  gboolean own;           /* each frame carries its own result */
  guint n_results;
  guint n_frames;
} Segment;

static GstPadProbeReturn
note_in (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Segment *segment = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&segment->lock);

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    guint64 pts = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));

    g_hash_table_add (segment->timestamps, g_memdup2 (&pts, sizeof pts));
  } else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) ==
             GST_EVENT_SEGMENT) {
    g_hash_table_remove_all (segment->timestamps);
  }
  return GST_PAD_PROBE_OK;
}

static void
check_entry (Segment *segment, const GstStructure *entry, GstClockTime pts)
{
  guint64 source = frames_get_uint64 (entry, "source-timestamp");

  fail_unless_equals_uint64 (frames_get_uint64 (entry, "timestamp"), pts);
  fail_unless (g_hash_table_contains (segment->timestamps, &source),
      "%" GST_TIME_FORMAT " carries a result of %" GST_TIME_FORMAT,
      GST_TIME_ARGS (pts), GST_TIME_ARGS (source));
  fail_unless ((frames_get_uint64 (entry, "age") == 0) == (source == pts));
  if (segment->own)
    fail_unless_equals_uint64 (source, pts);
}

static GstPadProbeReturn
note_out (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Segment *segment = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&segment->lock);
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  const GstStructure *entry = frames_get_result (buffer, 0);

  segment->n_frames++;
  fail_if (entry == NULL && segment->own);
  if (entry == NULL)
    return GST_PAD_PROBE_OK;
  segment->n_results++;
  check_entry (segment, entry, GST_BUFFER_PTS (buffer));
  return GST_PAD_PROBE_OK;
}

static void
watch (GstElement *pipeline, Segment *segment)
{
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "f");
  g_autoptr (GstPad) sink = gst_element_get_static_pad (filter, "sink");
  g_autoptr (GstPad) src = gst_element_get_static_pad (filter, "src");

  gst_pad_add_probe (sink,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note_in,
      segment, NULL);
  gst_pad_add_probe (src, GST_PAD_PROBE_TYPE_BUFFER, note_out, segment, NULL);
}

/* --- seeks --- */

static void
wait_for_frames (Segment *segment, guint n)
{
  guint begin = 0;

  for (guint i = 0; i < 30000; i++) {
    guint now;

    g_mutex_lock (&segment->lock);
    now = segment->n_frames;
    g_mutex_unlock (&segment->lock);
    if (i == 0)
      begin = now;
    if (now - begin >= n)
      return;
    g_usleep (1000);
  }
  fail ("frames came to a halt");
}

static const struct {
  gdouble rate;
  GstSeekFlags flags;
} kinds[] = {
  { 1, GST_SEEK_FLAG_FLUSH },
  { 2, GST_SEEK_FLAG_FLUSH },
  { -1, GST_SEEK_FLAG_FLUSH },
  { 1, GST_SEEK_FLAG_NONE },
  { 0.5, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE },
  { -2, GST_SEEK_FLAG_NONE },
  { 1, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_SEGMENT },
};

static void
seek_about (GstElement *pipeline, Segment *segment)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (8);
  guint n = filters_get_rounds (60, 500); /* in each of two modes */

  for (guint i = 0; i < n; i++) {
    gdouble rate = kinds[i % G_N_ELEMENTS (kinds)].rate;
    GstClockTime at = g_rand_int_range (random, 1000, 2000) * GST_SECOND;

    fail_unless (gst_element_seek (pipeline, rate, GST_FORMAT_TIME,
                     kinds[i % G_N_ELEMENTS (kinds)].flags, GST_SEEK_TYPE_SET,
                     rate > 0 ? at : 0, GST_SEEK_TYPE_SET,
                     rate > 0 ? 10000 * GST_SECOND : at),
        "seek %u", i);
    /* A seek that does not flush would wait for a sink that prerolls. */
    fail_unless (gst_element_get_state (pipeline, NULL, NULL,
                     GST_CLOCK_TIME_NONE) == GST_STATE_CHANGE_SUCCESS);
    wait_for_frames (segment, 1 + i % 5 * 10);
  }
}

GST_START_TEST (results_are_of_the_segment_they_are_in)
{
  static const gchar *const modes[] = { "wait", "latest" };

  if (!pipelines_load ("coreelements videotestsrc"))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autoptr (GstElement) pipeline = pipelines_parse (
        "videotestsrc pattern=ball ! "
        "video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! "
        "clipfilter name=f threads=1 inference-mode=%s model=%s ! fakesink",
        modes[i], filters_folder);
    Segment segment = { .own = i == 0 };

    g_mutex_init (&segment.lock);
    segment.timestamps =
        g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
    watch (pipeline, &segment);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    fail_unless (gst_element_get_state (pipeline, NULL, NULL,
                     60 * GST_SECOND) == GST_STATE_CHANGE_SUCCESS);
    seek_about (pipeline, &segment);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    fail_unless (segment.n_results > 0);
    g_hash_table_unref (segment.timestamps);
    g_mutex_clear (&segment.lock);
  }
}
GST_END_TEST;

static Suite *
seeks_suite (void)
{
  Suite *suite = suite_create ("seeks");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, results_are_of_the_segment_they_are_in);
  return suite;
}

GST_CHECK_MAIN (seeks);
