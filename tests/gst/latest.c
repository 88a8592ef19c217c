/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* inference-mode=latest: no frame waits, and no result is lost, or taken for
 * newer than it is. */
#include "filters.h"
#include "journal.h"

#include <math.h>
#include <string.h>

#define FRAME_DURATION (40 * GST_MSECOND)

/* --- no frame waits --- */

static GstHarness *
new_latest (const gchar *model, const gchar *properties)
{
  g_autofree gchar *all =
      g_strdup_printf ("inference-mode=latest %s", properties);

  return filters_harness_new (model, all, FILTERS_RGB);
}

static guint64
get_skipped (GstHarness *harness, const gchar *reason)
{
  g_autoptr (GstElement) filter = filters_get (harness);

  return filters_get_skipped (filter, reason);
}

GST_START_TEST (frames_pass_while_the_encoder_works)
{
  g_autofree gchar *slow = filters_new_slow_model ();
  GstHarness *harness = new_latest (slow, "");
  guint n;

  /* Each comes back at once; were one to wait it would have its result. */
  for (n = 0; n < 20; n++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, n);

    fail_unless (buffer != NULL);
    if (n == 0)
      fail_if (frames_get_result (buffer, 0) != NULL);
  }
  fail_unless (get_skipped (harness, "busy") > 0);
  fail_unless_equals_uint64 (filters_get_count (harness, "encoded") +
                                 filters_get_count (harness, "pending") +
                                 get_skipped (harness, "busy"),
      20);
  frames_harness_free (harness);
  test_checkpoint_remove (g_steal_pointer (&slow));
}
GST_END_TEST;

GST_START_TEST (the_last_result_is_told_before_the_end)
{
  g_autofree gchar *slow = filters_new_slow_model ();
  GstHarness *harness = new_latest (slow, "");
  GString *journal = journal_new (harness);

  journal_pass (harness, 0);
  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
  fail_unless_equals_uint64 (filters_get_count (harness, "pending"), 0);
  journal_end (harness, journal, "- !1 EOS ");
  test_checkpoint_remove (g_steal_pointer (&slow));
}
GST_END_TEST;

/* What a player that loops gets instead of EOS. */
GST_START_TEST (the_last_result_is_told_before_a_segment_is_done)
{
  g_autofree gchar *slow = filters_new_slow_model ();
  GstHarness *harness = new_latest (slow, "");
  GString *journal = journal_new (harness);

  journal_pass (harness, 0);
  fail_unless (gst_harness_push_event (
      harness, gst_event_new_segment_done (GST_FORMAT_TIME, FRAME_DURATION)));
  journal_end (harness, journal, "- !1 DONE ");
  test_checkpoint_remove (g_steal_pointer (&slow));
}
GST_END_TEST;

GST_START_TEST (an_end_without_frames_or_caps_passes)
{
  GstHarness *harness = new_latest (filters_folder, "");
  GString *journal = journal_new (harness);

  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
  journal_end (harness, journal, "EOS ");

  harness = filters_harness_new (filters_folder, "inference-mode=latest", NULL);
  journal = journal_new (harness);
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_stream_start ("empty")));
  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
  journal_end (harness, journal, "EOS ");
}
GST_END_TEST;

/* --- what a result says --- */

#define N_FRAMES 200
#define EMBED_DIM 64

typedef struct {
  gfloat values[EMBED_DIM];
  guint n;
} Embedding;

static Embedding
read_embedding (const GstStructure *entry)
{
  GstBuffer *buffer =
      gst_value_get_buffer (gst_structure_get_value (entry, "embedding"));
  Embedding embedding;
  gsize size =
      gst_buffer_extract (buffer, 0, embedding.values, sizeof embedding.values);

  fail_unless_equals_uint64 (size, gst_buffer_get_size (buffer));
  embedding.n = size / sizeof (gfloat);
  return embedding;
}

/* What each frame's own result is, from wait. */
static Embedding *
encode_all (void)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "attach-embedding=true", FILTERS_RGB);
  Embedding *all = g_new (Embedding, N_FRAMES);

  for (guint i = 0; i < N_FRAMES; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, i);

    all[i] = read_embedding (frames_get_result (buffer, 0));
  }
  frames_harness_free (harness);
  return all;
}

static void
assert_own (const GstStructure *entry, const Embedding *all)
{
  guint64 source = frames_get_uint64 (entry, "source-timestamp");
  guint origin = source / FRAME_DURATION;
  Embedding found = read_embedding (entry);

  fail_unless (origin < N_FRAMES && source % FRAME_DURATION == 0);
  fail_unless_equals_int (found.n, all[origin].n);
  /* design: section 5.15, of any batch */
  for (guint i = 0; i < found.n; i++)
    fail_unless (fabs (found.values[i] - all[origin].values[i]) <= 1e-5,
        "component %u of frame %u: %g, not %g", i, origin, found.values[i],
        all[origin].values[i]);
}

GST_START_TEST (a_result_names_the_frame_it_is_of)
{
  g_autofree Embedding *all = encode_all ();
  GstHarness *harness = new_latest (filters_folder, "attach-embedding=true");
  guint64 newest = 0;
  guint n_first = 0;

  for (guint i = 0; i < N_FRAMES; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, i);
    const GstStructure *entry = frames_get_result (buffer, 0);
    const gchar *reason;
    guint64 number;

    g_usleep (i % 3 * 500);
    if (entry == NULL) {
      fail_unless (newest == 0, "frame %u lost result %u", i, (guint)newest);
      continue;
    }
    number = frames_get_uint64 (entry, "result");
    reason = gst_structure_get_string (entry, "reason");
    fail_unless_equals_string (reason, number > newest ? "encoded" : "carried");
    fail_unless (number >= newest);
    n_first += number > newest;
    newest = number;
    fail_unless_equals_uint64 (
        frames_get_uint64 (entry, "timestamp"), i * FRAME_DURATION);
    fail_unless_equals_uint64 (frames_get_uint64 (entry, "age"),
        i * FRAME_DURATION - frames_get_uint64 (entry, "source-timestamp"));
    assert_own (entry, all);
  }
  fail_unless (n_first > 0);
  frames_harness_free (harness);
}
GST_END_TEST;

/* Events of results: numbers without a gap, frames in their order.
 *
 * Returns: how many */
static guint
check_events (GstHarness *harness, const Embedding *all)
{
  guint64 last_source = 0;
  guint n = 0;
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (harness)) != NULL) {
    if (gst_event_has_name (event, "clipfilter-result")) {
      const GstStructure *entry =
          frames_get_entry (gst_event_get_structure (event), 0);
      guint64 source = frames_get_uint64 (entry, "source-timestamp");

      fail_unless_equals_uint64 (frames_get_uint64 (entry, "result"), ++n);
      fail_unless_equals_string (
          gst_structure_get_string (entry, "reason"), "encoded");
      fail_unless (n == 1 || source > last_source);
      assert_own (entry, all);
      last_source = source;
    }
    gst_event_unref (event);
  }
  return n;
}

GST_START_TEST (each_result_is_told_once_and_none_is_lost)
{
  g_autofree Embedding *all = encode_all ();
  GstHarness *harness = new_latest (filters_folder, "attach-embedding=true");

  for (guint i = 0; i < N_FRAMES; i++) {
    journal_pass (harness, i);
    g_usleep (i % 3 * 500);
  }
  fail_unless (gst_harness_push_event (harness, gst_event_new_eos ()));
  fail_unless_equals_uint64 (
      check_events (harness, all), filters_get_count (harness, "encoded"));
  fail_unless_equals_uint64 (
      filters_get_count (harness, "encoded") + get_skipped (harness, "busy"),
      N_FRAMES);
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- nothing of before --- */

/* Passes frames until one has a result.
 *
 * Returns: (transfer full) */
static GstBuffer *
pass_until_result (GstHarness *harness, guint seed)
{
  for (guint i = 0; i < 10000; i++) {
    GstBuffer *buffer = frames_pass (harness, seed + i);

    if (frames_get_result (buffer, 0) != NULL)
      return buffer;
    gst_buffer_unref (buffer);
    g_usleep (1000);
  }
  fail ("no result ever came");
  return NULL;
}

static void
begin_segment (GstHarness *harness)
{
  journal_begin_segment (harness, 1);
}

GST_START_TEST (what_is_under_way_does_not_survive_a_flush_or_a_segment)
{
  static void (*const cuts[]) (GstHarness * harness) = { journal_flush,
    begin_segment, journal_begin_stream };
  g_autofree gchar *slow = filters_new_slow_model ();

  for (guint i = 0; i < G_N_ELEMENTS (cuts); i++) {
    GstHarness *harness = new_latest (slow, "");
    g_autoptr (GstBuffer) buffer = NULL;

    journal_pass (harness, 0);
    cuts[i](harness);
    buffer = pass_until_result (harness, 300);
    fail_unless (frames_get_uint64 (frames_get_result (buffer, 0),
                     "source-timestamp") >= 300 * FRAME_DURATION);
    fail_unless_equals_uint64 (get_skipped (harness, "cancelled"), 1);
    frames_harness_free (harness);
  }
  test_checkpoint_remove (g_steal_pointer (&slow));
}
GST_END_TEST;

GST_START_TEST (a_result_too_old_at_once_is_still_told)
{
  GstHarness *harness =
      new_latest (filters_folder, "inference-interval=6 max-age=1");
  GString *journal = journal_new (harness);

  journal_pass (harness, 0);
  while (filters_get_count (harness, "encoded") == 0) {
    g_usleep (1000);
    journal_pass (harness, 1);
    /* One is due in six: the others change nothing. */
    fail_if (filters_get_count (harness, "frames") > 5000);
  }
  fail_if (strstr (journal->str, "!1 - ") == NULL, "%s", journal->str);
  fail_if (strchr (journal->str, 'e') != NULL, "%s", journal->str);
  fail_if (strchr (journal->str, 'c') != NULL, "%s", journal->str);
  frames_harness_free (harness);
  g_string_free (journal, TRUE);
}
GST_END_TEST;

/* --- prompts --- */

GST_START_TEST (new_prompts_score_the_last_embedding_in_latest)
{
  GstHarness *harness = new_latest (
      filters_folder, "inference-interval=100000 prompts=\"one | two\"");
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstBuffer) initial = pass_until_result (harness, 0);
  guint revision = 0;

  g_object_set (filter, "prompts", "three | four | five", NULL);
  for (guint i = 0; revision != 2; i++) {
    g_autoptr (GstBuffer) buffer = frames_pass (harness, 1);
    const GstStructure *entry = frames_get_result (buffer, 0);

    fail_if (i == 10000, "the new prompts never came");
    fail_unless_equals_uint64 (frames_get_uint64 (entry, "result"), 1);
    gst_structure_get_uint (entry, "revision", &revision);
    if (revision == 2)
      frames_get_prompt (entry, 2);
    g_usleep (1000);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
latest_suite (void)
{
  Suite *suite = suite_create ("latest");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, filters_set_up, filters_tear_down);
  tcase_add_test (tests, frames_pass_while_the_encoder_works);
  tcase_add_test (tests, the_last_result_is_told_before_the_end);
  tcase_add_test (tests, the_last_result_is_told_before_a_segment_is_done);
  tcase_add_test (tests, an_end_without_frames_or_caps_passes);
  tcase_add_test (tests, a_result_names_the_frame_it_is_of);
  tcase_add_test (tests, each_result_is_told_once_and_none_is_lost);
  tcase_add_test (
      tests, what_is_under_way_does_not_survive_a_flush_or_a_segment);
  tcase_add_test (tests, a_result_too_old_at_once_is_still_told);
  tcase_add_test (tests, new_prompts_score_the_last_embedding_in_latest);
  return suite;
}

GST_CHECK_MAIN (latest);
