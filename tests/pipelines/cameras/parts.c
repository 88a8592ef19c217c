/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The parts of clip-cameras that need no camera. */

#include "pipelines/cameras/ages.h"
#include "pipelines/cameras/backoff.h"
#include "pipelines/cameras/board.h"
#include "pipelines/cameras/gate.h"
#include "pipelines/cameras/lines.h"
#include "pipelines/cameras/list.h"

#include <math.h>
#include <string.h>

/* --- back-off --- */

static void
waits_double_up_to_the_longest (void)
{
  static const guint expected[] = { 1000, 2000, 4000, 8000, 10000, 10000 };
  CameraBackoff backoff = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmpuint (
        camera_backoff_lose (&backoff, 0, 10, 0.5), ==, expected[i]);
  for (guint i = 0; i < 100; i++)
    camera_backoff_lose (&backoff, 0, 10, 0.5);
  g_assert_cmpuint (camera_backoff_lose (&backoff, 0, 10, 0.5), ==, 10000);
}

static void
waits_differ_by_a_quarter (void)
{
  CameraBackoff first = { 0 }, second = { 0 };

  g_assert_cmpuint (camera_backoff_lose (&first, 0, 30, 0), ==, 750);
  g_assert_cmpuint (camera_backoff_lose (&second, 0, 30, 1), ==, 1250);
}

static void
a_good_while_begins_anew (void)
{
  CameraBackoff backoff = { 0 };

  for (guint i = 0; i < 3; i++)
    camera_backoff_lose (&backoff, 0, 30, 0.5);
  camera_backoff_begin (&backoff, 1);
  g_assert_cmpuint (
      camera_backoff_lose (&backoff, 59 * G_USEC_PER_SEC, 30, 0.5), ==, 8000);
  camera_backoff_begin (&backoff, 1);
  g_assert_cmpuint (
      camera_backoff_lose (&backoff, 61 * G_USEC_PER_SEC, 30, 0.5), ==, 1000);
}

/* --- ages --- */

static void
quantiles_are_within_five_percent (void)
{
  CameraAges ages = { 0 };

  g_assert_cmpfloat (camera_ages_get_quantile (&ages, 0.5), ==, 0);
  for (guint ms = 1; ms <= 1000; ms++)
    camera_ages_add (&ages, ms * GST_MSECOND);
  g_assert_cmpfloat_with_epsilon (
      camera_ages_get_quantile (&ages, 0.5), 0.5, 0.5 * 0.05);
  g_assert_cmpfloat_with_epsilon (
      camera_ages_get_quantile (&ages, 0.99), 0.99, 0.99 * 0.05);
  camera_ages_add (&ages, G_MAXUINT64);
  camera_ages_add (&ages, 0);
  g_assert_cmpfloat (camera_ages_get_quantile (&ages, 0), <, 0.001);
  g_assert_true (isfinite (camera_ages_get_quantile (&ages, 1)));
}

/* --- the gate --- */

static CameraGate *
make_gate (const gchar *keys)
{
  g_autofree gchar *text = g_strconcat ("[a]\nuri=x\n", keys, NULL);
  g_autoptr (GPtrArray) plans = camera_list_parse (text, "c", FALSE, NULL);

  return camera_gate_new (g_ptr_array_index (plans, 0), NULL);
}

#define SECOND_US G_USEC_PER_SEC

static void
all_passes_where_nothing_is_said (void)
{
  g_autoptr (CameraGate) gate = make_gate ("");

  for (guint i = 0; i < 50; i++)
    g_assert_true (camera_gate_decide (
        gate, i % 10 != 0, i * GST_SECOND / 25, 0, i * SECOND_US / 25));
}

static void
key_frames_alone_pass (void)
{
  g_autoptr (CameraGate) gate = make_gate ("decode=keyframes\nrate=0/1\n");
  CameraGateCounts counts;

  for (guint i = 0; i < 50; i++)
    g_assert_cmpint (camera_gate_decide (gate, i % 10 != 0, i * GST_SECOND / 25,
                         0, i * SECOND_US / 25),
        ==, i % 10 == 0);
  camera_gate_get_counts (gate, &counts);
  g_assert_cmpuint (counts.keyframes, ==, 45);
  g_assert_cmpuint (counts.lag, ==, 0);
}

/* At one result a second, of 25 key frames two pass. */
static void
key_frames_beyond_the_rate_are_left_out (void)
{
  g_autoptr (CameraGate) gate = make_gate ("decode=keyframes\nrate=1/1\n");
  guint n = 0;

  for (guint i = 0; i < 250; i++)
    n += camera_gate_decide (
        gate, FALSE, i * GST_SECOND / 25, 0, i * SECOND_US / 25);
  g_assert_cmpuint (n, >=, 10);
  g_assert_cmpuint (n, <=, 20);
}

/* Two seconds behind is allowed; from there on nothing passes until a key
 * frame comes that is one second behind at most. */
static void
what_is_behind_is_dropped_until_a_key_frame (void)
{
  static const struct {
    gboolean delta;
    gdouble lag; /* seconds */
    gboolean passes;
  } steps[] = {
    { FALSE, 0, TRUE },
    { TRUE, 1.9, TRUE },
    { TRUE, 2.1, FALSE },
    { TRUE, 0.5, FALSE },
    { FALSE, 1.5, FALSE },
    { TRUE, 0.5, FALSE },
    { FALSE, 0.5, TRUE },
    { TRUE, 0.5, TRUE },
  };
  g_autoptr (CameraGate) gate = make_gate ("");
  CameraGateCounts counts;

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    g_assert_cmpint (
        camera_gate_decide (gate, steps[i].delta, 0,
            (GstClockTime)(steps[i].lag * GST_SECOND), SECOND_US + i),
        ==, steps[i].passes);
  camera_gate_get_counts (gate, &counts);
  g_assert_cmpuint (counts.lag, ==, 4);
}

/* A wrong clock: always ten seconds behind, a key frame each second. */
static void
who_is_always_behind_is_seen_all_the_same (void)
{
  g_autoptr (CameraGate) gate = make_gate ("");
  guint n = 0;

  for (guint i = 0; i < 20; i++)
    n += camera_gate_decide (
        gate, FALSE, i * GST_SECOND, 10 * GST_SECOND, (i + 10) * SECOND_US);
  g_assert_cmpuint (n, ==, 10);
}

/* --- lines --- */

typedef struct {
  GString *told;
  gdouble cpu;
} Ear;

static void
hear_result (const CameraResult *result, gpointer data)
{
  g_string_append_printf (((Ear *)data)->told,
      "result %s %" G_GUINT64_FORMAT " %s %.2f %s\n", result->name, result->age,
      result->best != NULL ? result->best : "-", result->probability,
      result->record);
}

static void
hear_status (const CameraStatus *status, gpointer data)
{
  g_string_append_printf (((Ear *)data)->told,
      "status %s %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
      " %" G_GUINT64_FORMAT "\n",
      status->name, camera_state_get_name (status->state), status->frames,
      status->reconnects, status->skipped[CAMERA_SKIP_LAG]);
}

static void
hear_sentence (const gchar *name, const gchar *sentence, gpointer data)
{
  g_string_append_printf (
      ((Ear *)data)->told, "say %s %s\n", name != NULL ? name : "-", sentence);
}

static void
hear_cpu (gdouble seconds, gpointer data)
{
  ((Ear *)data)->cpu = seconds;
}

static void
news_pass_through_a_pipe (void)
{
  Ear ear = { .told = g_string_new (NULL) };
  const CameraListener listener = { hear_result, hear_status, hear_sentence,
    &ear };
  CameraLineReader reader = {
    .listener = &listener, .cpu = hear_cpu, .data = &ear
  };
  const CameraResult result = { "后门 \"2\"", 40000000, "a\nb", 0.25,
    "{\"news\":\"status\"}" };
  const CameraResult bare = { "a", 1, NULL, 0, "{}" };
  const CameraStatus status = { .name = "a",
    .state = CAMERA_FROZEN,
    .frames = G_GUINT64_CONSTANT (1) << 40,
    .reconnects = 2,
    .skipped = { [CAMERA_SKIP_LAG] = 9 } };
  g_autofree gchar *texts[] = { camera_lines_write_result (&result),
    camera_lines_write_result (&bare), camera_lines_write_status (&status),
    camera_lines_write_sentence (NULL, "bad \xff byte"),
    camera_lines_write_cpu (1.5), NULL };
  g_autofree gchar *all = g_strjoinv ("", texts);
  g_auto (GStrv) lines = g_strsplit (all, "\n", -1);

  g_assert_cmpuint (g_strv_length (lines), ==, 8);
  for (guint i = 0; i < 7; i++)
    g_assert_true (camera_lines_read (&reader, lines[i]));
  g_assert_cmpstr (ear.told->str, ==,
      "result 后门 \"2\" 40000000 a\nb 0.25 {\"news\":\"status\"}\n"
      "result a 1 - 0.00 {}\n"
      "status a frozen 1099511627776 2 9\n"
      "say - bad \xef\xbf\xbd byte\n");
  g_assert_cmpfloat (ear.cpu, ==, 1.5);
  g_string_free (ear.told, TRUE);
  for (guint i = 1; texts[i] != NULL; i++)
    g_free (texts[i]);
}

static void
what_is_no_news_is_refused (void)
{
  static const gchar *const lines[] = { "", "x", "{}", "[1]", "{\"news\":3}",
    "{\"news\":\"weather\"}", "{\"news\":\"status\"" };
  CameraLineReader reader = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    g_assert_false (camera_lines_read (&reader, lines[i]));
}

/* --- the board --- */

static void
counts_outlive_who_counted (void)
{
  g_autoptr (GPtrArray) plans =
      camera_list_parse ("[b]\nuri=x\n[a]\nuri=x\n", "c", FALSE, NULL);
  g_autoptr (CameraBoard) board = camera_board_new ();
  const CameraResult result = { "a", GST_SECOND, "a cat", 0.5, "{}" };
  CameraStatus status = { .name = "a", .state = CAMERA_ON, .frames = 100 };
  g_autoptr (GArray) views = NULL;
  const CameraView *view;

  camera_board_set (board, plans);
  camera_board_set_status (board, &status);
  camera_board_add_result (board, &result);
  camera_board_begin_anew (board, "a");
  status.frames = 7;
  camera_board_set_status (board, &status);
  camera_board_add_result (board, &result);
  camera_board_begin_anew (board, "nobody");

  views = camera_board_get_views (board, FALSE);
  g_assert_cmpuint (views->len, ==, 2);
  view = &g_array_index (views, CameraView, 1);
  g_assert_cmpstr (view->name, ==, "a");
  g_assert_cmpuint (view->frames, ==, 107);
  g_assert_cmpuint (view->results, ==, 2);
  g_assert_cmpuint (view->reconnects, ==, 1);
  g_assert_cmpstr (view->best, ==, "a cat");
  g_assert_cmpfloat (view->age, >=, 1);
  g_assert_false (g_array_index (views, CameraView, 0).has_result);
}

static void
an_edit_keeps_what_was_counted (void)
{
  g_autoptr (GPtrArray) first =
      camera_list_parse ("[a]\nuri=x\n[b]\nuri=x\n", "c", FALSE, NULL);
  g_autoptr (GPtrArray) second =
      camera_list_parse ("[c]\nuri=x\n[b]\nuri=x\n", "c", FALSE, NULL);
  g_autoptr (CameraBoard) board = camera_board_new ();
  const CameraStatus statuses[] = { { .name = "a", .frames = 1 },
    { .name = "b", .frames = 2 } };
  g_autoptr (GArray) views = NULL;

  camera_board_set (board, first);
  camera_board_set_status (board, &statuses[0]);
  camera_board_set_status (board, &statuses[1]);
  camera_board_set (board, second);
  views = camera_board_get_views (board, FALSE);
  g_assert_cmpuint (views->len, ==, 2);
  g_assert_cmpstr (g_array_index (views, CameraView, 0).name, ==, "c");
  g_assert_cmpuint (g_array_index (views, CameraView, 0).frames, ==, 0);
  g_assert_cmpstr (g_array_index (views, CameraView, 1).name, ==, "b");
  g_assert_cmpuint (g_array_index (views, CameraView, 1).frames, ==, 2);
}

static void
the_mark_leaves_out_what_was_before (void)
{
  g_autoptr (GPtrArray) plans =
      camera_list_parse ("[a]\nuri=x\n", "c", FALSE, NULL);
  g_autoptr (CameraBoard) board = camera_board_new ();
  CameraStatus status = { .name = "a", .frames = 100 };
  g_autoptr (GArray) since = NULL, all = NULL;

  camera_board_set (board, plans);
  camera_board_set_status (board, &status);
  camera_board_mark (board);
  status.frames = 130;
  camera_board_set_status (board, &status);
  since = camera_board_get_views (board, TRUE);
  all = camera_board_get_views (board, FALSE);
  g_assert_cmpuint (g_array_index (since, CameraView, 0).frames, ==, 30);
  g_assert_cmpuint (g_array_index (all, CameraView, 0).frames, ==, 130);
}

#define ADD(function) g_test_add_func ("/cameras/parts/" #function, function)

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD (waits_double_up_to_the_longest);
  ADD (waits_differ_by_a_quarter);
  ADD (a_good_while_begins_anew);
  ADD (quantiles_are_within_five_percent);
  ADD (all_passes_where_nothing_is_said);
  ADD (key_frames_alone_pass);
  ADD (key_frames_beyond_the_rate_are_left_out);
  ADD (what_is_behind_is_dropped_until_a_key_frame);
  ADD (who_is_always_behind_is_seen_all_the_same);
  ADD (news_pass_through_a_pipe);
  ADD (what_is_no_news_is_refused);
  ADD (counts_outlive_who_counted);
  ADD (an_edit_keeps_what_was_counted);
  ADD (the_mark_leaves_out_what_was_before);
  return g_test_run ();
}
