/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Results on their way through a pipeline: on their own branch of a tee, and
 * through the elements that stand between clipfilter and an application. */
#include "filters.h"
#include "pipelines.h"

#define SOURCE                                                                 \
  "videotestsrc num-buffers=%u pattern=ball ! "                                \
  "video/x-raw,format=RGB,width=64,height=48,framerate=25/1"

/* --- branches --- */

#define N_SHARED 200

/* What one branch saw of each frame. */
typedef struct {
  GPtrArray *buffers; /* kept, so that no memory is used again */
  const gchar *names; /* of the filters whose results it must carry */
} Branch;

static void
keep (GstBuffer *buffer, gpointer user_data)
{
  Branch *branch = user_data;

  g_ptr_array_add (branch->buffers, gst_buffer_ref (buffer));
}

static gchar *
join_elements (GstBuffer *buffer)
{
  GString *names = g_string_new (NULL);
  const GstStructure *entry;

  for (guint i = 0; (entry = frames_get_result (buffer, i)) != NULL; i++)
    g_string_append (names, gst_structure_get_string (entry, "element"));
  return g_string_free (names, FALSE);
}

GST_START_TEST (branches_share_pixels_and_not_results)
{
  static const gchar *const sinks[] = { "x", "y", "z" };
  Branch branches[] = { { .names = "a" }, { .names = "bc" }, { .names = "" } };
  g_autoptr (GstElement) pipeline = NULL;

  if (!pipelines_load ("coreelements videotestsrc"))
    return;
  pipeline = pipelines_parse (SOURCE
      " ! tee name=t "
      "t. ! queue ! clipfilter name=a threads=1 model=%s inference-interval=9 "
      "! fakesink name=x "
      "t. ! queue ! clipfilter name=b threads=1 model=%s inference-interval=7 "
      "! clipfilter name=c model=%s inference-interval=5 ! fakesink name=y "
      "t. ! queue ! fakesink name=z",
      N_SHARED, filters_folder, filters_folder, filters_folder);
  for (guint i = 0; i < G_N_ELEMENTS (branches); i++) {
    branches[i].buffers =
        g_ptr_array_new_with_free_func ((GDestroyNotify)gst_buffer_unref);
    pipelines_watch (pipeline, sinks[i], keep, &branches[i]);
  }
  pipelines_run (pipeline);
  for (guint i = 0; i < G_N_ELEMENTS (branches); i++) {
    fail_unless_equals_int (branches[i].buffers->len, N_SHARED);
    for (guint k = 0; k < N_SHARED; k++) {
      GstBuffer *buffer = g_ptr_array_index (branches[i].buffers, k);
      GstBuffer *other = g_ptr_array_index (branches[2].buffers, k);
      g_autofree gchar *names = join_elements (buffer);

      fail_unless_equals_string (names, branches[i].names);
      fail_unless (gst_buffer_peek_memory (buffer, 0) ==
                       gst_buffer_peek_memory (other, 0),
          "frame %u of branch %u was copied", k, i);
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (branches); i++)
    g_ptr_array_unref (branches[i].buffers);
}
GST_END_TEST;

/* --- through other elements --- */

typedef struct {
  guint n, n_tagged;
  guint64 last; /* result */
} Tally;

static void
tally_frame (GstBuffer *buffer, gpointer user_data)
{
  const GstStructure *entry = frames_get_result (buffer, 0);
  Tally *tally = user_data;

  tally->n++;
  if (entry == NULL)
    return;
  fail_unless (frames_get_uint64 (entry, "result") >= tally->last);
  fail_unless (
      gst_structure_has_field_typed (entry, "embedding", GST_TYPE_BUFFER));
  frames_get_prompt (entry, 1);
  tally->last = frames_get_uint64 (entry, "result");
  tally->n_tagged++;
}

static const struct {
  const gchar *plugins;
  const gchar *elements;
  guint n_out; /* of 20 frames; 0 where versions of GStreamer differ */
} ways[] = {
  { "", "identity", 20 },
  { "", "queue", 20 },
  { "", "tee ! queue", 20 },
  { " videoconvertscale", "videoconvert ! video/x-raw,format=I420", 20 },
  { " videoconvertscale", "videoscale ! video/x-raw,width=33,height=21", 20 },
  { " videorate", "videorate ! video/x-raw,framerate=50/1", 0 },
  { " videorate", "videorate ! video/x-raw,framerate=5/1", 0 },
  { " videocrop", "videocrop left=10 top=4", 20 },
  { " videofilter", "videoflip method=clockwise", 20 },
  { " videoconvertscale jpeg",
      "videoconvert ! video/x-raw,format=I420 ! jpegenc ! jpegdec", 20 },
};

GST_START_TEST (results_stay_on_their_frames_through)
{
  g_autofree gchar *plugins =
      g_strconcat ("coreelements videotestsrc", ways[__i__].plugins, NULL);
  g_autoptr (GstElement) pipeline = NULL;
  Tally tally = { 0 };

  if (!pipelines_load (plugins))
    return;
  pipeline = pipelines_parse (SOURCE
      " ! clipfilter threads=1 model=%s prompts=\"a | b\" "
      "attach-embedding=true inference-interval=4 ! %s ! fakesink name=sink",
      20u, filters_folder, ways[__i__].elements);
  pipelines_watch (pipeline, "sink", tally_frame, &tally);
  pipelines_run (pipeline);
  fail_unless (tally.n > 0);
  fail_unless_equals_int (tally.n_tagged, tally.n);
  if (ways[__i__].n_out == 0)
    return;
  fail_unless_equals_int (tally.n, ways[__i__].n_out);
  fail_unless_equals_uint64 (tally.last, 5);
}
GST_END_TEST;

static Suite *
metadata_suite (void)
{
  Suite *suite = suite_create ("metadata");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, branches_share_pixels_and_not_results);
  tcase_add_loop_test (
      tests, results_stay_on_their_frames_through, 0, G_N_ELEMENTS (ways));
  return suite;
}

GST_CHECK_MAIN (metadata);
