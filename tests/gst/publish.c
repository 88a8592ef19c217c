/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How results leave: as lines in a file or on standard output, and as messages
 * on the bus. */
#include "filters.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#define RGB_SIZE (40 * 30 * 3)

static gchar *folder;
static gchar *records;

static void
set_up (void)
{
  folder = filters_new_quick_model ();
  records = g_build_filename (folder, "records", NULL);
}

static void
tear_down (void)
{
  frames_wait_for_workers ();
  g_free (records);
  test_checkpoint_remove (folder);
}

/* clipfilter and clippublish, @n frames through them.
 *
 * @filter, @publish: properties */
static void
run (const gchar *filter, const gchar *publish, guint n)
{
  g_autofree gchar *launch =
      g_strdup_printf ("clipfilter name=f threads=1 model=%s %s ! "
                       "clippublish name=p location=%s %s",
          folder, filter, records, publish);
  GstHarness *harness = frames_harness_new (launch, FILTERS_RGB);

  for (guint i = 0; i < n; i++)
    gst_buffer_unref (frames_pass (harness, i));
  frames_harness_free (harness);
}

/* What the file holds, without the last line's end. (transfer full) */
static GStrv
read_lines (void)
{
  g_autofree gchar *text = NULL;

  fail_unless (g_file_get_contents (records, &text, NULL, NULL));
  fail_unless (g_str_has_suffix (text, "\n"), "'%s'", text);
  text[strlen (text) - 1] = '\0';
  return g_strsplit (text, "\n", -1);
}

static json_t *
parse (const gchar *line)
{
  json_error_t error;
  json_t *record = json_loads (line, JSON_REJECT_DUPLICATES, &error);

  fail_if (record == NULL, "%s: %s", error.text, line);
  return record;
}

/* --- lines --- */

GST_START_TEST (a_file_begins_anew_or_is_added_to)
{
  static const struct {
    const gchar *properties;
    guint n_lines;
  } rows[] = { { "", 2 }, { "append=true", 4 }, { "append=true", 6 },
    { "append=false", 2 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (GStrv) lines = NULL;

    run ("prompts=a", rows[i].properties, 2);
    lines = read_lines ();
    fail_unless_equals_int (g_strv_length (lines), rows[i].n_lines);
  }
}
GST_END_TEST;

GST_START_TEST (texts_survive_being_written)
{
  static const gchar *const texts[] = { "\"quoted\"", "back\\slash",
    "tab\there", "new\nline", "bell\a and \x7f", "</script>", "é 猫 🚗",
    "{\"a\":1}" };
  GstHarness *harness;
  g_autofree gchar *launch = g_strdup_printf (
      "clipfilter name=f threads=1 model=%s prompts=a ! clippublish "
      "location=%s",
      folder, records);
  g_auto (GStrv) lines = NULL;

  harness = frames_harness_new (launch, FILTERS_RGB);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GstElement) filter = filters_get (harness);

    g_object_set (filter, "source-id", texts[i], NULL);
    gst_buffer_unref (frames_pass (harness, i));
  }
  frames_harness_free (harness);
  lines = read_lines ();
  fail_unless_equals_int (g_strv_length (lines), G_N_ELEMENTS (texts));
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    json_t *record = parse (lines[i]);

    fail_unless_equals_string (
        json_string_value (json_object_get (record, "source")), texts[i]);
    json_decref (record);
  }
}
GST_END_TEST;

GST_START_TEST (bytes_that_are_no_text_do_not_break_a_line)
{
  GstHarness *harness;
  g_autofree gchar *launch = g_strdup_printf (
      "clipfilter name=f threads=1 model=%s ! clippublish location=%s", folder,
      records);
  g_autoptr (GstElement) filter = NULL;
  g_auto (GStrv) lines = NULL;

  harness = frames_harness_new (launch, FILTERS_RGB);
  filter = filters_get (harness);
  g_object_set (filter, "source-id", "a\xff\"b", NULL);
  gst_buffer_unref (frames_pass (harness, 0));
  frames_harness_free (harness);
  lines = read_lines ();
  json_decref (parse (lines[0]));
}
GST_END_TEST;

GST_START_TEST (what_is_not_known_is_absent)
{
  static const gchar *const absent[] = { "source", "timestamp", "running-time",
    "stream-time", "duration", "source-timestamp", "age", "utc", "revision",
    "prompts", "embedding", "region", "attention" };
  g_autofree gchar *launch = g_strdup_printf (
      "clipfilter name=f threads=1 model=%s ! clippublish location=%s", folder,
      records);
  GstHarness *harness = frames_harness_new (launch, FILTERS_RGB);
  g_auto (GStrv) lines = NULL;
  json_t *record;

  gst_buffer_unref (gst_harness_push_and_pull (
      harness, gst_buffer_new_allocate (NULL, RGB_SIZE, NULL)));
  frames_harness_free (harness);
  lines = read_lines ();
  record = parse (lines[0]);
  for (guint i = 0; i < G_N_ELEMENTS (absent); i++)
    fail_if (json_object_get (record, absent[i]) != NULL, "%s", absent[i]);
  fail_unless_equals_string (
      json_string_value (json_object_get (record, "element")), "f");
  fail_unless_equals_int (json_object_size (record), 7);
  json_decref (record);
}
GST_END_TEST;

/* One event a result: the second filter does not repeat the first one's. */
GST_START_TEST (two_filters_are_a_line_each)
{
  g_autofree gchar *launch = g_strdup_printf (
      "clipfilter name=a threads=1 model=%s ! "
      "clipfilter name=b threads=1 model=%s inference-interval=2 ! "
      "clippublish location=%s",
      folder, folder, records);
  GstHarness *harness = frames_harness_new (launch, FILTERS_RGB);
  GString *order = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;

  for (guint i = 0; i < 4; i++)
    gst_buffer_unref (frames_pass (harness, i));
  frames_harness_free (harness);
  lines = read_lines ();
  for (guint i = 0; lines[i] != NULL; i++) {
    json_t *record = parse (lines[i]);

    g_string_append_printf (order, "%s%d ",
        json_string_value (json_object_get (record, "element")),
        (gint)json_integer_value (json_object_get (record, "result")));
    json_decref (record);
  }
  fail_unless_equals_string (order->str, "a1 b1 a2 a3 b2 a4 ");
  g_string_free (order, TRUE);
}
GST_END_TEST;

GST_START_TEST (standard_output_has_the_same_lines)
{
  gint saved = dup (STDOUT_FILENO), file;
  g_auto (GStrv) to_file = NULL;
  g_auto (GStrv) to_stdout = NULL;
  g_autofree gchar *path = g_steal_pointer (&records);

  records = g_strdup (path);
  run ("prompts=\"a | b\"", "", 3);
  to_file = read_lines ();
  fflush (stdout);
  file = g_open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2 (file, STDOUT_FILENO);
  g_free (records);
  records = g_strdup ("-");
  run ("prompts=\"a | b\"", "", 3);
  dup2 (saved, STDOUT_FILENO);
  close (saved);
  close (file);
  g_free (records);
  records = g_steal_pointer (&path);
  to_stdout = read_lines ();
  fail_unless_equals_int (g_strv_length (to_stdout), g_strv_length (to_file));
}
GST_END_TEST;

/* --- any stream --- */

GST_START_TEST (whatever_passes_is_untouched)
{
  static const gchar *const caps[] = {
    "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved",
    "video/x-h264,stream-format=byte-stream,alignment=au",
    "video/x-raw(memory:Whatever),format=NV12,width=4,height=4",
    "text/x-raw,format=utf8", "application/x-anything"
  };
  g_autofree gchar *launch =
      g_strdup_printf ("clippublish location=%s", records);
  GstHarness *harness = frames_harness_new (launch, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    GstBuffer *in = gst_buffer_new_memdup (caps[i], strlen (caps[i]));
    g_autoptr (GstBuffer) out = NULL;

    gst_harness_set_src_caps_str (harness, caps[i]);
    GST_BUFFER_PTS (in) = i;
    GST_BUFFER_FLAG_SET (in, GST_BUFFER_FLAG_DELTA_UNIT);
    out = gst_harness_push_and_pull (harness, in);
    fail_unless (out == in, "%s", caps[i]);
    fail_unless (gst_buffer_memcmp (out, 0, caps[i], strlen (caps[i])) == 0);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (out), i);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

static void
push_event (GstHarness *harness, GstStructure *structure)
{
  fail_unless (gst_harness_push_event (
      harness, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, structure)));
}

/* Anybody can send an event of that name. */
GST_START_TEST (events_of_another_shape_are_ignored)
{
  g_autofree gchar *launch =
      g_strdup_printf ("clippublish location=%s", records);
  GstHarness *harness = frames_harness_new (launch, "application/x-anything");
  g_autofree gchar *text = NULL;

  push_event (harness, gst_structure_new_empty ("clipfilter-result"));
  push_event (harness, gst_structure_new ("clipfilter-result", "results",
                           G_TYPE_STRING, "none", NULL));
  push_event (harness,
      gst_structure_from_string ("clipfilter-result,results=(int)<1,2>", NULL));
  push_event (harness, gst_structure_new_empty ("something-else"));
  gst_buffer_unref (
      gst_harness_push_and_pull (harness, gst_buffer_new_memdup ("a", 1)));
  fail_unless (g_file_get_contents (records, &text, NULL, NULL));
  fail_unless_equals_string (text, "");
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- messages --- */

static const gchar *
get_best (const GstStructure *structure)
{
  const GstStructure *entry = frames_get_entry (structure, 0);

  return gst_structure_get_string (frames_get_prompt (entry, 0), "text");
}

/* Black, white, coarse and fine stripes. */
static GstBuffer *
draw (guint kind)
{
  guint8 *bytes = g_malloc (RGB_SIZE);

  for (guint i = 0; i < RGB_SIZE; i++)
    bytes[i] = kind == 0   ? 0
               : kind == 1 ? 255
               : kind == 2 ? i / 3 % 40 / 20 * 200
                           : i * 97 % 251;
  return gst_buffer_new_wrapped (bytes, RGB_SIZE);
}

/* Which frames are told is reckoned from what the frames themselves carry. */
GST_START_TEST (messages_are_all_results_or_changes_or_none)
{
  static const gchar *const values[] = { "none", "changes", "all" };
  const guint n_frames = 20;

  for (guint v = 0; v < G_N_ELEMENTS (values); v++) {
    /* The demonstration model tells one picture from another. */
    g_autofree gchar *launch =
        g_strdup_printf ("clipfilter name=f threads=1 post-messages=%s "
                         "attach-embedding=true",
            values[v]);
    GstHarness *harness = frames_harness_new (launch, FILTERS_RGB);
    g_autofree gchar *best = NULL;
    guint n_changes = 0;

    for (guint i = 0; i < n_frames; i++) {
      g_autoptr (GstBuffer) buffer =
          gst_harness_push_and_pull (harness, draw (i / 2 % 4));
      g_autoptr (GstMessage) message = frames_pop_message (
          harness->element, GST_MESSAGE_ELEMENT, "clipfilter");
      const GstStructure *carried = gst_custom_meta_get_structure (
          gst_buffer_get_custom_meta (buffer, "clipfilter"));
      gboolean changed = g_strcmp0 (best, get_best (carried)) != 0;

      fail_unless ((message != NULL) == (v == 2 || (v == 1 && changed)),
          "%s, frame %u", values[v], i);
      if (message != NULL) {
        const GstStructure *told = gst_message_get_structure (message);

        fail_unless_equals_string (get_best (told), get_best (carried));
        fail_if (
            gst_structure_has_field (frames_get_entry (told, 0), "embedding"));
      }
      n_changes += changed;
      g_free (best);
      best = g_strdup (get_best (carried));
    }
    fail_unless (n_changes > 1 && n_changes < n_frames,
        "%u changes in %u frames prove nothing", n_changes, n_frames);
    frames_harness_free (harness);
  }
}
GST_END_TEST;

GST_START_TEST (stats_tell_what_runs)
{
  static const struct {
    const gchar *name;
    GType type;
  } fields[] = { { "frames", G_TYPE_UINT64 }, { "encoded", G_TYPE_UINT64 },
    { "last-encode-time", G_TYPE_UINT64 },
    { "mean-encode-time", G_TYPE_UINT64 },
    { "last-preprocess-time", G_TYPE_UINT64 },
    { "mean-preprocess-time", G_TYPE_UINT64 }, { "model", G_TYPE_STRING },
    { "family", G_TYPE_STRING }, { "model-path", G_TYPE_STRING },
    { "demo", G_TYPE_BOOLEAN }, { "threads", G_TYPE_UINT },
    { "batch-timeout", G_TYPE_UINT64 }, { "precision", G_TYPE_STRING },
    { "engine", G_TYPE_STRING }, { "revision", G_TYPE_UINT },
    { "prompts", G_TYPE_UINT }, { "warnings", G_TYPE_UINT64 } };
  GstHarness *harness =
      filters_harness_new (folder, "prompts=\"a | b | c\"", FILTERS_RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstStructure) stats = NULL;
  guint prompts = 0, threads = 0;

  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (frames_pass (harness, i));
  stats = filters_get_stats (filter);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    fail_unless (
        gst_structure_has_field_typed (stats, fields[i].name, fields[i].type),
        "%s", fields[i].name);
  fail_unless_equals_uint64 (frames_get_uint64 (stats, "encoded"), 3);
  fail_unless (frames_get_uint64 (stats, "mean-encode-time") > 0);
  fail_unless (frames_get_uint64 (stats, "mean-preprocess-time") > 0);
  fail_unless_equals_string (
      gst_structure_get_string (stats, "model-path"), folder);
  fail_unless (gst_structure_get (stats, "prompts", G_TYPE_UINT, &prompts,
      "threads", G_TYPE_UINT, &threads, NULL));
  fail_unless_equals_int (prompts, 3);
  fail_unless_equals_int (threads, 1);
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
publish_suite (void)
{
  Suite *suite = suite_create ("publish");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_test (tests, a_file_begins_anew_or_is_added_to);
  tcase_add_test (tests, texts_survive_being_written);
  tcase_add_test (tests, bytes_that_are_no_text_do_not_break_a_line);
  tcase_add_test (tests, what_is_not_known_is_absent);
  tcase_add_test (tests, two_filters_are_a_line_each);
  tcase_add_test (tests, standard_output_has_the_same_lines);
  tcase_add_test (tests, whatever_passes_is_untouched);
  tcase_add_test (tests, events_of_another_shape_are_ignored);
  tcase_add_test (tests, messages_are_all_results_or_changes_or_none);
  tcase_add_test (tests, stats_tell_what_runs);
  return suite;
}

GST_CHECK_MAIN (publish);
