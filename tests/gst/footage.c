/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Real footage, a street camera and photographs of Debian's opencv-doc, from
 * file to records: no frame is lost, every record is complete. */
#include "pipelines.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

#define FOLDER "/usr/share/doc/opencv-doc/examples/data/"
#define INTERVAL 12

/* Where an AVI file's main header says how many frames follow ('avih' in
 * Microsoft's AVI RIFF File Reference, dwTotalFrames). */
#define TOTAL_FRAMES_AT 48

static gboolean
have (const gchar *path)
{
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  pipelines_skip ("%s is not here: Debian's package opencv-doc has it", path);
  return FALSE;
}

/* @keys: (array zero-terminated=1): all there are, in order
 * @absent: (nullable): but for this one */
static void
assert_keys (json_t *object, const gchar *const *keys, const gchar *absent)
{
  const gchar *key;
  json_t *value;
  guint k = 0;

  json_object_foreach (object, key, value)
  {
    if (g_strcmp0 (keys[k], absent) == 0)
      k++;
    fail_if (keys[k] == NULL, "'%s' behind the last key", key);
    fail_unless_equals_string (key, keys[k++]);
  }
  fail_unless (keys[k] == NULL, "no key '%s'", keys[k]);
}

static void
assert_prompts (json_t *prompts, guint expected)
{
  static const gchar *const keys[] = { "index", "text", "similarity",
    "probability", NULL };
  json_t *prompt;
  guint i;

  fail_unless_equals_int (json_array_size (prompts), expected);
  json_array_foreach (prompts, i, prompt)
  {
    gdouble similarity =
        json_number_value (json_object_get (prompt, "similarity"));
    gdouble probability =
        json_number_value (json_object_get (prompt, "probability"));

    assert_keys (prompt, keys, NULL);
    fail_unless (similarity >= -1 && similarity <= 1);
    fail_unless (probability >= 0 && probability <= 1);
  }
}

/* design: section 6; what neither a file nor one region without attention
 * has, is absent.
 *
 * @absent: (nullable): a key that this kind of source has not */
static json_t *
parse_record (const gchar *line, const gchar *absent)
{
  static const gchar *const keys[] = { "element", "source", "model",
    "precision", "result", "reason", "timestamp", "running-time", "stream-time",
    "duration", "source-timestamp", "age", "revision", "frame-width",
    "frame-height", "prompts", NULL };
  json_error_t error;
  json_t *record = json_loads (line, JSON_REJECT_DUPLICATES, &error);

  fail_if (record == NULL, "%s: %s", error.text, line);
  assert_keys (record, keys, absent);
  fail_unless_equals_string (
      json_string_value (json_object_get (record, "reason")), "encoded");
  fail_unless_equals_int (
      json_integer_value (json_object_get (record, "age")), 0);
  assert_prompts (json_object_get (record, "prompts"), 3);
  return record;
}

static gint64
get_integer (json_t *record, const gchar *key)
{
  return json_integer_value (json_object_get (record, key));
}

static void
count_frame (GstBuffer *buffer, gpointer user_data)
{
  guint *n = user_data;

  (*n)++;
}

static void
count_tagged (GstBuffer *buffer, gpointer user_data)
{
  guint *n = user_data;

  fail_if (frames_get_result (buffer, 0) == NULL, "frame %u", *n);
  fail_if (frames_get_result (buffer, 1) != NULL, "frame %u", *n);
  (*n)++;
}

/* Runs a file through decoder, clipfilter and clippublish.
 *
 * @n_frames: (out): that came out of the decoder; each must reach the sink
 *
 * Returns: (transfer full): the lines written */
static GStrv
run (const gchar *path, const gchar *decoder, guint *n_frames)
{
  g_autofree gchar *folder = g_dir_make_tmp ("clipfilter-XXXXXX", NULL);
  g_autofree gchar *records = g_build_filename (folder, "records", NULL);
  g_autofree gchar *text = NULL;
  g_autoptr (GstElement) pipeline = pipelines_parse (
      "filesrc location=%s ! %s ! clipfilter name=f threads=1 source-id=s "
      "inference-interval=%u prompts=\"a street | people, walking | fruit\" ! "
      "clippublish location=%s ! fakesink name=sink",
      path, decoder, INTERVAL, records);
  guint n_out = 0;

  *n_frames = 0;
  pipelines_watch (pipeline, "f", count_frame, n_frames);
  pipelines_watch (pipeline, "sink", count_tagged, &n_out);
  pipelines_run (pipeline);
  fail_unless_equals_int (n_out, *n_frames);
  fail_unless (g_file_get_contents (records, &text, NULL, NULL));
  fail_unless (g_str_has_suffix (text, "\n"));
  text[strlen (text) - 1] = '\0';
  g_remove (records);
  g_rmdir (folder);
  return g_strsplit (text, "\n", -1);
}

static guint
read_frame_count (const gchar *path)
{
  guint8 head[TOTAL_FRAMES_AT + 4];
  FILE *file = g_fopen (path, "rb");

  fail_unless_equals_uint64 (fread (head, 1, sizeof head, file), sizeof head);
  fclose (file);
  return GST_READ_UINT32_LE (head + TOTAL_FRAMES_AT);
}

GST_START_TEST (every_frame_of_a_street_camera_passes)
{
  static const gchar path[] = FOLDER "vtest.avi";
  g_auto (GStrv) lines = NULL;
  guint n_frames, expected;

  if (!have (path) || !pipelines_load ("coreelements avi libav"))
    return;
  expected = read_frame_count (path);
  lines = run (path, "avidemux ! avdec_msmpeg4", &n_frames);
  fail_unless_equals_int (n_frames, expected);
  fail_unless_equals_int (
      g_strv_length (lines), (expected + INTERVAL - 1) / INTERVAL);
  for (guint i = 0; lines[i] != NULL; i++) {
    json_t *record = parse_record (lines[i], NULL);

    /* Ten frames a second. */
    fail_unless_equals_uint64 (
        get_integer (record, "timestamp"), i * INTERVAL * 100 * GST_MSECOND);
    fail_unless_equals_int (get_integer (record, "result"), i + 1);
    fail_unless_equals_int (get_integer (record, "frame-width"), 768);
    fail_unless_equals_int (get_integer (record, "frame-height"), 576);
    json_decref (record);
  }
}
GST_END_TEST;

static const struct {
  const gchar *path;
  gint width, height;
} pictures[] = {
  { FOLDER "fruits.jpg", 512, 480 },
  { FOLDER "apple.jpg", 512, 512 },
  { FOLDER "orange.jpg", 512, 512 },
  { FOLDER "butterfly.jpg", 493, 356 },
  { FOLDER "building.jpg", 868, 600 },
  { FOLDER "home.jpg", 512, 384 },
};

GST_START_TEST (a_picture_is_one_record)
{
  const gchar *path = pictures[__i__].path;
  g_auto (GStrv) lines = NULL;
  json_t *record;
  guint n_frames;

  if (!have (path) || !pipelines_load ("coreelements jpeg"))
    return;
  lines = run (path, "jpegdec", &n_frames);
  fail_unless_equals_int (n_frames, 1);
  fail_unless_equals_int (g_strv_length (lines), 1);
  record = parse_record (lines[0], "duration");
  fail_unless_equals_int (
      get_integer (record, "frame-width"), pictures[__i__].width);
  fail_unless_equals_int (
      get_integer (record, "frame-height"), pictures[__i__].height);
  json_decref (record);
}
GST_END_TEST;

static Suite *
footage_suite (void)
{
  Suite *suite = suite_create ("footage");
  TCase *tests = tcase_create ("demo-model");

  suite_add_tcase (suite, tests);
  tcase_add_test (tests, every_frame_of_a_street_camera_passes);
  tcase_add_loop_test (
      tests, a_picture_is_one_record, 0, G_N_ELEMENTS (pictures));
  return suite;
}

GST_CHECK_MAIN (footage);
