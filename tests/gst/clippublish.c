/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clippublish behind clipfilter: the lines it writes, read by jansson. */
#include "frames.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RGB "video/x-raw,format=RGB,width=160,height=120,framerate=25/1"

/* Passes @n frames and returns the lines written. (transfer full) */
static GStrv
publish (const gchar *filter, const gchar *options, guint n)
{
  g_autofree gchar *folder = g_dir_make_tmp ("clippublish-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "results", NULL);
  g_autofree gchar *launch = g_strdup_printf (
      "clipfilter threads=1 name=f %s ! clippublish location=%s %s", filter,
      path, options);
  GstHarness *harness = frames_harness_new (launch, RGB);
  gchar *text = NULL;
  GStrv lines;
  gsize size;

  for (guint i = 0; i < n; i++)
    gst_buffer_unref (frames_pass (harness, i));
  /* Complete while it runs: each line is out when its frame goes on. */
  fail_unless (g_file_get_contents (path, &text, &size, NULL));
  fail_unless (size > 0 && text[size - 1] == '\n');
  text[size - 1] = '\0';
  lines = g_strsplit (text, "\n", -1);
  g_free (text);
  frames_harness_free (harness);
  g_remove (path);
  g_rmdir (folder);
  return lines;
}

GST_START_TEST (json_has_one_record_a_result_in_order)
{
  /* design: section 6 */
  static const gchar *const keys[] = { "element", "source", "model",
    "precision", "result", "reason", "timestamp", "running-time", "stream-time",
    "duration", "utc", "source-timestamp", "age", "revision", "frame-width",
    "frame-height", "prompts", "embedding" };
  g_auto (GStrv) lines = publish (
      "inference-interval=2 attach-embedding=true source-id=\"a \\\" b\" "
      "prompts=\"one, two | 猫 \\\\ 狗\"",
      "", 5);

  fail_unless_equals_int (g_strv_length (lines), 3);
  for (guint i = 0; i < 3; i++) {
    json_error_t error;
    json_t *record = json_loads (lines[i], JSON_REJECT_DUPLICATES, &error);
    const gchar *key;
    json_t *value;
    guint k = 0;

    fail_if (record == NULL, "%s: %s", error.text, lines[i]);
    json_object_foreach (record, key, value)
    {
      fail_unless (k < G_N_ELEMENTS (keys));
      fail_unless_equals_string (key, keys[k++]);
    }
    fail_unless_equals_int (k, G_N_ELEMENTS (keys));
    fail_unless_equals_int (
        json_integer_value (json_object_get (record, "result")), i + 1);
    fail_unless_equals_string (
        json_string_value (json_object_get (record, "source")), "a \" b");
    fail_unless_equals_int (
        json_array_size (json_object_get (record, "prompts")), 2);
    json_decref (record);
  }
}
GST_END_TEST;

GST_START_TEST (numbers_read_back_as_the_same_float)
{
  g_auto (GStrv) lines = publish ("attach-embedding=true", "", 1);
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 name=f attach-embedding=true", RGB);
  g_autoptr (GstBuffer) buffer = frames_pass (harness, 0);
  const GstStructure *entry = frames_get_result (buffer, 0);
  json_t *record = json_loads (lines[0], 0, NULL);
  json_t *embedding = json_object_get (record, "embedding");
  json_t *prompts = json_object_get (record, "prompts");
  const GstBuffer *expected =
      gst_value_get_buffer (gst_structure_get_value (entry, "embedding"));
  GstMapInfo map;

  fail_unless (gst_buffer_map ((GstBuffer *)expected, &map, GST_MAP_READ));
  fail_unless_equals_int (
      json_array_size (embedding), map.size / sizeof (gfloat));
  for (gsize i = 0; i < json_array_size (embedding); i++) {
    gfloat found = json_number_value (json_array_get (embedding, i));

    fail_unless (found == GST_READ_FLOAT_LE (map.data + 4 * i));
  }
  gst_buffer_unmap ((GstBuffer *)expected, &map);
  for (guint i = 0; i < json_array_size (prompts); i++) {
    gdouble probability = 0;

    gst_structure_get_double (
        frames_get_prompt (entry, i), "probability", &probability);
    fail_unless (
        (gfloat)json_number_value (json_object_get (json_array_get (prompts, i),
            "probability")) == (gfloat)probability);
  }
  json_decref (record);
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (text_is_a_line_for_a_person)
{
  g_auto (GStrv) lines =
      publish ("prompts=\"one | two\" source-id=door", "format=text", 3);

  fail_unless_equals_int (g_strv_length (lines), 3);
  fail_unless (g_regex_match_simple (
                   "^0:00:00\\.080 door: (one|two) [0-9.]+%, (one|two) "
                   "[0-9.]+%$",
                   lines[2], 0, 0),
      "%s", lines[2]);
}
GST_END_TEST;

/* @word: what the only error names besides @code */
static void
check_start_fails (const gchar *location, gint code, const gchar *word)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("clippublish", NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  g_object_set (element, "location", location, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = frames_pop_message (element, GST_MESSAGE_ERROR, NULL);
  fail_if (message == NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, code));
  fail_if (strstr (error->message, word) == NULL, "%s", error->message);
  fail_if (frames_pop_message (element, GST_MESSAGE_ERROR, NULL) != NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
}

GST_START_TEST (a_location_that_cannot_be_written_is_one_error)
{
  check_start_fails (NULL, GST_RESOURCE_ERROR_NOT_FOUND, "location");
  check_start_fails ("/no/such/folder/file", GST_RESOURCE_ERROR_OPEN_WRITE,
      "/no/such/folder/file");
}
GST_END_TEST;

GST_START_TEST (a_full_device_is_one_error)
{
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 name=f ! clippublish location=/dev/full", RGB);

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GstMessage) message = NULL;
    g_autoptr (GError) error = NULL;

    gst_buffer_unref (frames_pass (harness, i));
    message = frames_pop_message (harness->element, GST_MESSAGE_ERROR, NULL);
    fail_unless ((message != NULL) == (i == 0));
    if (message != NULL) {
      gst_message_parse_error (message, &error, NULL);
      fail_unless (g_error_matches (
          error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE));
    }
  }
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- pipes --- */

static gchar *
make_fifo (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("clippublish-XXXXXX", NULL);
  gchar *path = g_build_filename (folder, "pipe", NULL);

  fail_unless_equals_int (mkfifo (path, 0600), 0);
  return path;
}

static void
remove_fifo (const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);

  g_unlink (path);
  g_rmdir (folder);
}

GST_START_TEST (a_pipe_that_nobody_reads_is_one_error)
{
  g_autofree gchar *path = make_fifo ();
  g_autofree gchar *says =
      g_strdup_printf ("'%s' for writing: nobody reads", path);

  check_start_fails (path, GST_RESOURCE_ERROR_OPEN_WRITE, says);
  remove_fifo (path);
}
GST_END_TEST;

typedef struct {
  GstHarness *harness;
  gint n; /* of events that went on, atomic */
} Events;

/* More than a pipe holds. */
#define N_EVENTS 5000

static gpointer
push_events (gpointer user_data)
{
  Events *events = user_data;

  for (guint i = 0; i < N_EVENTS; i++) {
    GstStructure *results = gst_structure_from_string (
        "clipfilter-result, results=(structure)<[ result, result=(guint64)1, "
        "reason=(string)encoded, source-timestamp=(guint64)1 ]>",
        NULL);

    if (!gst_harness_push_event (events->harness,
            gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, results)))
      break;
    g_atomic_int_inc (&events->n);
  }
  return NULL;
}

GST_START_TEST (a_reader_that_sleeps_does_not_hold_the_state)
{
  g_autofree gchar *path = make_fifo ();
  g_autofree gchar *launch = g_strdup_printf ("clippublish location=%s", path);
  gint reader = g_open (path, O_RDONLY | O_NONBLOCK, 0);
  Events events = { .harness = frames_harness_new (launch, RGB) };
  GThread *thread = g_thread_new ("events", push_events, &events);
  gint before = -1;

  /* Until it is full. */
  while (g_atomic_int_get (&events.n) != before) {
    before = g_atomic_int_get (&events.n);
    g_usleep (100 * 1000);
  }
  fail_unless (before > 0 && before < N_EVENTS, "%d", before);
  gst_element_set_state (events.harness->element, GST_STATE_NULL);
  g_thread_join (thread);
  frames_harness_free (events.harness);
  close (reader);
  remove_fifo (path);
}
GST_END_TEST;

/* Once more, with a reader that wakes up: nothing is lost. */
GST_START_TEST (a_reader_that_is_slow_gets_every_line)
{
  g_autofree gchar *path = make_fifo ();
  g_autofree gchar *launch = g_strdup_printf ("clippublish location=%s", path);
  gint reader = g_open (path, O_RDONLY | O_NONBLOCK, 0);
  Events events = { .harness = frames_harness_new (launch, RGB) };
  GThread *thread = g_thread_new ("events", push_events, &events);
  gchar bytes[1000];
  guint n_lines = 0;

  while (n_lines < N_EVENTS) {
    gssize n = read (reader, bytes, sizeof bytes);

    for (gssize i = 0; i < n; i++)
      n_lines += bytes[i] == '\n';
    if (n <= 0)
      g_usleep (1000);
  }
  g_thread_join (thread);
  frames_harness_free (events.harness);
  close (reader);
  remove_fifo (path);
}
GST_END_TEST;

static Suite *
clippublish_suite (void)
{
  Suite *suite = suite_create ("clippublish");
  TCase *tests = tcase_create ("demo-model");

  suite_add_tcase (suite, tests);
  tcase_add_test (tests, json_has_one_record_a_result_in_order);
  tcase_add_test (tests, numbers_read_back_as_the_same_float);
  tcase_add_test (tests, text_is_a_line_for_a_person);
  tcase_add_test (tests, a_location_that_cannot_be_written_is_one_error);
  tcase_add_test (tests, a_full_device_is_one_error);
  tcase_add_test (tests, a_pipe_that_nobody_reads_is_one_error);
  tcase_add_test (tests, a_reader_that_sleeps_does_not_hold_the_state);
  tcase_add_test (tests, a_reader_that_is_slow_gets_every_line);
  return suite;
}

GST_CHECK_MAIN (clippublish);
