/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What stays the same: memory and threads over frames, and a model over the
 * elements that name it. */
#include "stream.h"
#include "trend.h"

#include "checkpoints.h"
#include "support.h"

#define LOOK 2000                               /* microseconds */
#define PATIENCE (600 * (gint64)G_USEC_PER_SEC) /* for the last frames */
#define MOST_GROWTH 1.0                         /* bytes for each frame */

/* --- frames --- */

/* @memory: (element-type TrendPoint): of the part of the frames in which all
 *   that is made once has been made */
static void
watch_frames (Stream *stream, guint n_frames, GArray *memory)
{
  guint n_threads = 0;

  while (TRUE) {
    guint64 frames = stream_get_counts (stream).frames;
    TrendPoint point = { frames, trend_get_heap () };

    if (frames > n_frames * 9 / 10)
      break;
    if (frames > n_frames / 5) {
      guint n = test_count_entries ("/proc/self/task");

      if (n_threads == 0)
        n_threads = n;
      /* Threads that GLib kept for others may end meanwhile. */
      g_assert_cmpint (n, <=, n_threads);
      g_array_append_val (memory, point);
    }
    g_usleep (LOOK);
  }
  g_assert_cmpint (n_threads, >, 0);
}

/* Without prompts: the text side, which is given back when nobody has asked for
 * it for a while, would be a step in the middle. */
static void
test_frames (void)
{
  gboolean is_long = g_getenv ("CLIPFILTER_TEST_LONG") != NULL;
  guint n_frames = is_long ? 100000 : 3000;
  gchar *folder = test_checkpoint_new (&test_checkpoint_c);
  g_autoptr (GArray) memory =
      g_array_sized_new (FALSE, FALSE, sizeof (TrendPoint), 1000000);
  g_autoptr (Stream) stream = stream_new ("frames",
      g_strdup_printf ("videotestsrc pattern=ball num-buffers=%u ! "
                       "video/x-raw,format=I420,width=64,height=48 ! "
                       "clipfilter name=f threads=1 inference-mode=wait "
                       "model=%s ! fakesink name=sink",
          n_frames, folder));
  g_autofree gchar *end = NULL;
  Trend trend;

  stream_start (stream);
  watch_frames (stream, n_frames, memory);
  end = stream_pop_end (stream, PATIENCE);
  g_assert_cmpstr (end, ==, "the end");
  trend = trend_fit (memory);
  g_test_message ("%u frames: %.3f +- %.3f bytes in use for each", n_frames,
      trend.slope, trend.error);
  if (is_long)
    g_assert_cmpfloat (trend.slope - 3 * trend.error, <=, MOST_GROWTH);
  stream_stop (stream);
  test_checkpoint_remove (folder);
}

/* --- elements --- */

#define N_ELEMENTS 16

/* Each with a frame encoded, and its model in use.
 *
 * Returns: bytes in memory then */
static gdouble
start_another (GPtrArray *streams)
{
  Stream *stream = stream_new ("element",
      g_strdup ("videotestsrc is-live=true ! "
                "video/x-raw,format=RGB,width=64,height=48,framerate=10/1 ! "
                "clipfilter name=f threads=1 prompts=\"a | b\" "
                "model=" CLIP_DEMO_MODEL " ! fakesink name=sink"));

  g_ptr_array_add (streams, stream);
  stream_start (stream);
  while (stream_get_counts (stream).results == 0) {
    g_autofree gchar *end = stream_pop_end (stream, LOOK);

    g_assert_cmpstr (end, ==, NULL);
  }
  return trend_get_memory ();
}

static void
test_elements (void)
{
  g_autoptr (GPtrArray) streams =
      g_ptr_array_new_with_free_func ((GDestroyNotify)stream_free);
  gdouble none = trend_get_memory (), one = start_another (streams), all = one;
  gdouble more;

  for (guint i = 1; i < N_ELEMENTS; i++)
    all = start_another (streams);
  more = (all - one) / (N_ELEMENTS - 1);
  g_test_message ("the first element: %.1f MiB, each of %u more: %.2f MiB",
      (one - none) / 1048576, N_ELEMENTS - 1, more / 1048576);
  /* A tenth of what the first took, which is less than any copy of a tower. */
  g_assert_cmpfloat (more, <=, (one - none) / 10);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  if (!gst_plugin_load_file (CLIP_PLUGIN, &error))
    g_error ("%s", error->message);
  g_test_add_func ("/live/frames-leave-nothing", test_frames);
  g_test_add_func ("/live/elements-share-a-model", test_elements);
  return g_test_run ();
}
