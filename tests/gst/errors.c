/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What cannot be used is one error with path and reason, nothing is printed,
 * and the same element works when it is put right. */
#include "filters.h"
#include "pipelines.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gchar *good;

static void
set_up (void)
{
  good = filters_new_quick_model ();
}

static void
tear_down (void)
{
  frames_wait_for_workers ();
  test_checkpoint_remove (good);
}

/* --- silence --- */

typedef struct {
  FILE *file;
  gint saved[2];
} Capture;

static Capture
begin_capture (void)
{
  Capture capture = { .file = tmpfile () };

  fail_if (capture.file == NULL);
  fflush (NULL);
  for (gint fd = 1; fd <= 2; fd++) {
    capture.saved[fd - 1] = dup (fd);
    dup2 (fileno (capture.file), fd);
  }
  return capture;
}

static void
end_capture (Capture *capture)
{
  gchar printed[1000] = { 0 };

  fflush (NULL);
  for (gint fd = 1; fd <= 2; fd++) {
    dup2 (capture->saved[fd - 1], fd);
    close (capture->saved[fd - 1]);
  }
  rewind (capture->file);
  fread (printed, 1, sizeof printed - 1, capture->file);
  fclose (capture->file);
  fail_unless_equals_string (printed, "");
}

/* --- one error --- */

typedef struct {
  const gchar *name;
  void (*spoil) (const gchar *folder);  /* NULL: the model is right */
  const gchar *property;                /* NULL: the model is what is wrong */
  gchar *(*make) (const gchar *folder); /* its value, where it is not ... */
  const gchar *value;                   /* ... this; "@" is the folder */
  GQuark (*domain) (void);
  gint code;
  const gchar *words[3]; /* what the message must say; "@" is the folder */
} Row;

#define RESOURCE(code) gst_resource_error_quark, GST_RESOURCE_ERROR_##code
#define STREAM(code) gst_stream_error_quark, GST_STREAM_ERROR_##code

static gchar *
expand (const gchar *text, const gchar *folder)
{
  g_auto (GStrv) parts = g_strsplit (text != NULL ? text : "", "@", -1);

  return g_strjoinv (folder, parts);
}

static GstMessage *
pop (GstBus *bus)
{
  return gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
}

static void
assert_one_error (GstBus *bus, const Row *row, const gchar *folder)
{
  g_autoptr (GstMessage) message = pop (bus);
  g_autoptr (GstMessage) more = pop (bus);
  g_autoptr (GError) error = NULL;

  fail_if (message == NULL, "%s: no message", row->name);
  fail_if (more != NULL, "%s: more than one message", row->name);
  fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR, "%s: %s",
      row->name, GST_MESSAGE_TYPE_NAME (message));
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, row->domain (), row->code),
      "%s: %s %d: %s", row->name, g_quark_to_string (error->domain),
      error->code, error->message);
  for (guint i = 0; i < G_N_ELEMENTS (row->words) && row->words[i]; i++) {
    g_autofree gchar *word = expand (row->words[i], folder);

    fail_unless (strstr (error->message, word) != NULL, "%s: no '%s' in: %s",
        row->name, word, error->message);
  }
}

static void
set_wrong (GstElement *element, const Row *row, const gchar *folder)
{
  g_autofree gchar *value =
      row->make != NULL ? row->make (folder) : expand (row->value, folder);

  g_object_set (
      element, "model", folder, "threads", 1, "prompts", "a | b", NULL);
  if (row->property != NULL)
    g_object_set (element, row->property, value, NULL);
}

static void
set_right (GstElement *element)
{
  g_object_set (
      element, "model", good, "templates", NULL, "prompts", "a | b", NULL);
}

static void
check_row (const Row *row)
{
  gchar *folder = filters_new_quick_model ();
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("clipfilter", NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) other = NULL;
  Capture capture;

  if (row->spoil != NULL)
    row->spoil (folder);
  gst_element_set_bus (element, bus);
  capture = begin_capture ();
  set_wrong (element, row, folder);
  for (guint i = 0; i < 2; i++) {
    fail_unless (gst_element_set_state (element, GST_STATE_PAUSED) ==
                     GST_STATE_CHANGE_FAILURE,
        "%s", row->name);
    assert_one_error (bus, row, folder);
    gst_element_set_state (element, GST_STATE_NULL);
  }
  set_right (element);
  fail_unless (gst_element_set_state (element, GST_STATE_PAUSED) ==
                   GST_STATE_CHANGE_SUCCESS,
      "%s: not when put right", row->name);
  gst_element_set_state (element, GST_STATE_NULL);
  end_capture (&capture);
  other = pop (bus);
  fail_if (other != NULL, "%s: a message when put right", row->name);
  gst_element_set_bus (element, NULL);
  test_checkpoint_remove (folder);
}

/* --- ways to be wrong --- */

static gchar *
in (const gchar *folder, const gchar *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
drop (const gchar *folder, const gchar *name)
{
  g_autofree gchar *path = in (folder, name);

  fail_unless_equals_int (g_remove (path), 0);
}

static void
drop_weights (const gchar *folder)
{
  drop (folder, "model.safetensors");
}

static void
drop_vocab (const gchar *folder)
{
  drop (folder, "vocab.txt");
}

static void
cut_weights (const gchar *folder)
{
  g_autofree gchar *path = in (folder, "model.safetensors");
  struct stat status;

  fail_unless_equals_int (stat (path, &status), 0);
  fail_unless_equals_int (truncate (path, status.st_size - 1), 0);
}

static void
write_weights (const gchar *folder, const gchar *bytes, gsize size)
{
  g_autofree gchar *path = in (folder, "model.safetensors");

  fail_unless (g_file_set_contents (path, bytes, size, NULL));
}

static void
empty_weights (const gchar *folder)
{
  write_weights (folder, "", 0);
}

/* A header of 2^63 - 1 bytes. */
static void
lie_about_header (const gchar *folder)
{
  write_weights (folder, "\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10);
}

/* Eight bytes of data for four numbers of four bytes. */
static void
lie_about_tensor (const gchar *folder)
{
  static const gchar header[] =
      "{\"logit_scale\":{\"dtype\":\"F32\",\"shape\":[4],"
      "\"data_offsets\":[0,8]}}";
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint64 size = GUINT64_TO_LE (strlen (header));

  g_byte_array_append (bytes, (guint8 *)&size, sizeof size);
  g_byte_array_append (bytes, (guint8 *)header, strlen (header));
  g_byte_array_append (bytes, (guint8[8]){ 0 }, 8);
  write_weights (folder, (gchar *)bytes->data, bytes->len);
}

static void
replace_by_fifo (const gchar *folder, const gchar *name)
{
  g_autofree gchar *path = in (folder, name);

  g_remove (path);
  fail_unless_equals_int (mkfifo (path, 0600), 0);
}

static void
pipe_weights (const gchar *folder)
{
  replace_by_fifo (folder, "model.safetensors");
}

static void
pipe_config (const gchar *folder)
{
  replace_by_fifo (folder, "config.json");
}

static void
pipe_prompts (const gchar *folder)
{
  replace_by_fifo (folder, "prompts.txt");
}

static void
widen_config (const gchar *folder)
{
  test_checkpoint_edit (
      folder, "config.json", "\"embed_dim\": 24", "\"embed_dim\": 25");
}

static void
break_config (const gchar *folder)
{
  test_checkpoint_write (folder, "config.json", "{ \"embed_dim\": ");
}

static void
break_vocab (const gchar *folder)
{
  test_checkpoint_write (folder, "vocab.txt", "[PAD]\n[UNK]\nno\xffthing\n");
}

static void
change_weights (const gchar *folder, const gchar *name, gfloat value)
{
  TestCheckpointSpec spec = filters_quick_spec ();
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (&spec);
  TestTensor *tensor = test_tensors_find (tensors, name);

  tensor->changed = 0;
  tensor->value = value;
  test_checkpoint_write_tensors (folder, &spec, tensors);
}

static void
poison_weights (const gchar *folder)
{
  change_weights (folder, "visual.attnpool.c_proj.bias", NAN);
}

/* Whatever the picture, one number is all there is to see. */
static void
blind_weights (const gchar *folder)
{
  change_weights (folder, "visual.attnpool.c_proj.bias", 1e6f);
}

static gchar *
make_many_prompts (const gchar *folder)
{
  GString *prompts = g_string_new ("p0");

  for (guint i = 1; i < 1001; i++)
    g_string_append_printf (prompts, "|p%u", i);
  return g_string_free (prompts, FALSE);
}

/* clang-format off */
static const Row rows[] = {
  { "no such model", NULL, "model", NULL, "@/nothing",
      RESOURCE (NOT_FOUND), { "@/nothing" } },
  { "an empty path below a file", NULL, "model", NULL, "@/config.json/x",
      RESOURCE (NOT_FOUND), { "@/config.json/x" } },
  { "a device", NULL, "model", NULL, "/dev/zero",
      RESOURCE (OPEN_READ), { "/dev/zero" } },
  { "a text file", NULL, "model", NULL, "@/vocab.txt",
      STREAM (FORMAT), { "@/vocab.txt" } },
  { "a folder without weights", drop_weights, NULL, NULL, NULL,
      RESOURCE (NOT_FOUND), { "@", "model.safetensors" } },
  { "a folder without vocabulary", drop_vocab, NULL, NULL, NULL,
      RESOURCE (NOT_FOUND), { "@", "vocab.txt" } },
  { "weights cut by a byte", cut_weights, NULL, NULL, NULL,
      STREAM (FORMAT), { "@/model.safetensors" } },
  { "empty weights", empty_weights, NULL, NULL, NULL,
      STREAM (FORMAT), { "@/model.safetensors" } },
  { "a header longer than the file", lie_about_header, NULL, NULL, NULL,
      STREAM (FORMAT), { "@/model.safetensors", "9223372036854775807" } },
  { "a tensor longer than its bytes", lie_about_tensor, NULL, NULL, NULL,
      STREAM (FORMAT), { "@/model.safetensors", "logit_scale" } },
  { "weights that are a FIFO", pipe_weights, NULL, NULL, NULL,
      RESOURCE (OPEN_READ), { "@/model.safetensors" } },
  { "a config that is a FIFO", pipe_config, NULL, NULL, NULL,
      RESOURCE (OPEN_READ), { "@/config.json" } },
  { "a config that is not JSON", break_config, NULL, NULL, NULL,
      STREAM (FORMAT), { "@/config.json" } },
  { "a config of another width", widen_config, NULL, NULL, NULL,
      STREAM (WRONG_TYPE), { "visual.attnpool.c_proj", "24", "25" } },
  { "a vocabulary that is not UTF-8", break_vocab, NULL, NULL, NULL,
      STREAM (FORMAT), { "@/vocab.txt", "3" } },
  { "weights that are no numbers", poison_weights, NULL, NULL, NULL,
      STREAM (WRONG_TYPE), { "@", "visual.attnpool.c_proj.bias", "NaN" } },
  { "weights that see nothing", blind_weights, NULL, NULL, NULL,
      STREAM (WRONG_TYPE), { "self-test", "same embedding" } },
  { "no such prompts file", NULL, "prompts-file", NULL, "@/prompts.txt",
      RESOURCE (NOT_FOUND), { "@/prompts.txt" } },
  { "a folder of prompts", NULL, "prompts-file", NULL, "@",
      RESOURCE (OPEN_READ), { "@" } },
  { "prompts that are a FIFO", pipe_prompts, "prompts-file", NULL,
      "@/prompts.txt", RESOURCE (OPEN_READ), { "@/prompts.txt" } },
  { "prompts that are not text", NULL, "prompts-file", NULL,
      "@/model.safetensors", RESOURCE (SETTINGS), { "@/model.safetensors" } },
  { "1001 prompts", NULL, "prompts", make_many_prompts, NULL,
      RESOURCE (SETTINGS), { "1001", "1000" } },
  { "a prompt that is not UTF-8", NULL, "prompts", NULL, "a | b\xff",
      RESOURCE (SETTINGS), { "2", "UTF-8" } },
  { "a template without a place", NULL, "templates", NULL, "a {} | a photo",
      RESOURCE (SETTINGS), { "2", "{}" } },
};
/* clang-format on */

GST_START_TEST (what_cannot_be_used_is_one_error_and_can_be_put_right)
{
  check_row (&rows[__i__]);
}
GST_END_TEST;

GST_START_TEST (files_without_permission_are_one_error)
{
  static const Row denied = { "no permission", NULL, NULL, NULL, NULL,
    RESOURCE (OPEN_READ), { "@/vocab.txt" } };
  g_autofree gchar *path = in (good, "vocab.txt");
  g_autoptr (GstElement) element = NULL;
  g_autoptr (GstBus) bus = gst_bus_new ();

  if (geteuid () == 0) {
    pipelines_skip ("root may read every file");
    return;
  }
  fail_unless_equals_int (g_chmod (path, 0), 0);
  element = gst_object_ref_sink (gst_element_factory_make ("clipfilter", NULL));
  gst_element_set_bus (element, bus);
  set_right (element);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  assert_one_error (bus, &denied, good);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
}
GST_END_TEST;

/* What was refused once is not remembered by its name. */
GST_START_TEST (a_folder_put_right_works_under_the_same_name)
{
  g_autofree gchar *path = in (good, "config.json");
  g_autofree gchar *config = NULL;
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("clipfilter", NULL));

  fail_unless (g_file_get_contents (path, &config, NULL, NULL));
  g_object_set (element, "threads", 1, NULL);
  set_right (element);
  for (guint i = 0; i < 3; i++) {
    break_config (good);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
    test_checkpoint_write (good, "config.json", config);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
        GST_STATE_CHANGE_SUCCESS);
    gst_element_set_state (element, GST_STATE_NULL);
  }
}
GST_END_TEST;

static Suite *
errors_suite (void)
{
  Suite *suite = suite_create ("errors");
  TCase *tests = tcase_create ("generated-model");

  suite_add_tcase (suite, tests);
  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_add_loop_test (tests,
      what_cannot_be_used_is_one_error_and_can_be_put_right, 0,
      G_N_ELEMENTS (rows));
  tcase_add_test (tests, files_without_permission_are_one_error);
  tcase_add_test (tests, a_folder_put_right_works_under_the_same_name);
  return suite;
}

GST_CHECK_MAIN (errors);
