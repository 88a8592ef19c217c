/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the file of cameras may say, and what is said of one that is wrong. */

#include "pipelines/cameras/list.h"

#include <glib/gstdio.h>
#include <string.h>

static GPtrArray *
parse (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *plans =
      camera_list_parse (text, "/srv/cameras.conf", FALSE, &error);

  g_assert_no_error (error);
  return plans;
}

static const gchar *
get (const CameraPlan *plan, const gchar *property)
{
  return g_hash_table_lookup (plan->properties, property);
}

static void
groups_are_cameras_in_order (void)
{
  g_autoptr (GPtrArray) plans =
      parse ("# Around the house.\n"
             "[yard]\nuri = rtsp://camera.local/yard\n\n"
             "[defaults]\nprompts = a person | a car\nrate=2/1\n"
             "[front-door]\nuri=rtsp://camera.local/door\nrate = 1/5\n");
  const CameraPlan *yard, *door;

  g_assert_cmpuint (plans->len, ==, 2);
  yard = g_ptr_array_index (plans, 0);
  door = g_ptr_array_index (plans, 1);
  g_assert_cmpstr (yard->name, ==, "yard");
  g_assert_cmpstr (yard->uri, ==, "rtsp://camera.local/yard");
  g_assert_cmpstr (get (yard, "prompts"), ==, "a person | a car");
  g_assert_cmpstr (get (yard, "source-id"), ==, "yard");
  g_assert_cmpuint (camera_plan_get_period (yard), ==, GST_SECOND / 2);
  g_assert_cmpuint (camera_plan_get_period (door), ==, 5 * GST_SECOND);
  g_assert_true (camera_list_find (plans, "front-door") == door);
  g_assert_null (camera_list_find (plans, "defaults"));
}

static void
nothing_said_is_one_result_a_second (void)
{
  g_autoptr (GPtrArray) plans = parse ("[a]\nuri=rtsp://h/\n");
  const CameraPlan *plan = g_ptr_array_index (plans, 0);

  g_assert_cmpuint (camera_plan_get_period (plan), ==, GST_SECOND);
  g_assert_cmpstr (get (plan, "inference-mode"), ==, "latest");
  g_assert_cmpuint (plan->decoder_threads, ==, 1);
  g_assert_false (plan->loop);
  g_assert_false (plan->keyframes);
}

static void
prompts_pass_as_they_are (void)
{
  g_autoptr (GPtrArray) plans =
      parse ("[a]\nuri=rtsp://h/\nprompts = left \\| right | 一只猫, \"50 %\" "
             "= half | a\\\\b  \n");

  g_assert_cmpstr (get (g_ptr_array_index (plans, 0), "prompts"), ==,
      "left \\| right | 一只猫, \"50 %\" = half | a\\\\b");
}

static void
prompts_of_a_camera_replace_the_default_file (void)
{
  g_autoptr (GPtrArray) plans =
      parse ("[defaults]\nprompts-file = all.txt\n"
             "[a]\nuri=rtsp://h/\nprompts = a cat\n[b]\nuri=rtsp://h/\n");
  const CameraPlan *a = g_ptr_array_index (plans, 0);
  const CameraPlan *b = g_ptr_array_index (plans, 1);

  g_assert_cmpstr (get (a, "prompts"), ==, "a cat");
  g_assert_null (get (a, "prompts-file"));
  g_assert_null (get (b, "prompts"));
  g_assert_cmpstr (get (b, "prompts-file"), ==, "/srv/all.txt");
}

static void
paths_are_relative_to_the_file (void)
{
  static const struct {
    const gchar *value, *uri;
  } cases[] = {
    { "film.mp4", "file:///srv/film.mp4" },
    { "../a b.mp4", "file:///a%20b.mp4" },
    { "/dev/video2", "v4l2:///dev/video2" },
    { "http://h/x.mjpg", "http://h/x.mjpg" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *text =
        g_strdup_printf ("[a]\nmodel=models/b32\nuri=%s\n", cases[i].value);
    g_autoptr (GPtrArray) plans = parse (text);
    const CameraPlan *plan = g_ptr_array_index (plans, 0);

    g_assert_cmpstr (plan->uri, ==, cases[i].uri);
    g_assert_cmpstr (get (plan, "model"), ==, "/srv/models/b32");
  }
}

static void
a_byte_order_mark_is_no_name (void)
{
  g_autoptr (GPtrArray) plans = parse ("\xef\xbb\xbf[a]\r\nuri=x\r\n");
  const CameraPlan *plan = g_ptr_array_index (plans, 0);

  g_assert_cmpstr (plan->name, ==, "a");
  g_assert_cmpstr (plan->uri, ==, "file:///srv/x");
}

static void
passwords_are_not_shown (void)
{
  static const struct {
    const gchar *uri, *shown;
  } cases[] = {
    { "rtsp://user:secret@h:554/s", "rtsp://user:***@h:554/s" },
    { "rtsp://user:se@cret@h/s", "rtsp://user:***@h/s" },
    { "rtsp://user@h:554/s", "rtsp://user@h:554/s" },
    { "rtsp://h:554/s?t=a:b@c", "rtsp://h:554/s?t=a:b@c" },
    { "rtsp://user:sec/ret@h/s", "rtsp://user:***@h/s" },
    { "rtsp:/user:secret@h/s", "rtsp:/user:***@h/s" },
    { "http://h:80/v.cgi?user=u&pwd=secret&ch=1",
        "http://h:80/v.cgi?user=u&pwd=***&ch=1" },
    { "rtsp://h/user=u_password=secret_ch=1", "rtsp://h/user=u_password=***" },
    { "http://h/v?Token=secret", "http://h/v?Token=***" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *text = g_strdup_printf ("[a]\nuri=%s\n", cases[i].uri);
    g_autoptr (GPtrArray) plans = parse (text);
    const CameraPlan *plan = g_ptr_array_index (plans, 0);

    g_assert_cmpstr (plan->uri, ==, cases[i].uri);
    g_assert_cmpstr (plan->shown_uri, ==, cases[i].shown);
  }
}

static void
faults_do_not_show_passwords (void)
{
  static const gchar *const texts[] = {
    "[a]\nuri rtsp://user:secret@h/s\n",
    "[a]\nurl = rtsp://user:secret@h/s\n",
    "[a]\nuri = x\nmodel-id = http://h/?pwd=secret\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (camera_list_parse (texts[i], "x.conf", FALSE, &error));
    g_test_message ("%s", error->message);
    g_assert_null (strstr (error->message, "secret"));
  }
}

static void
a_mistyped_address_shows_no_password (void)
{
  g_autoptr (GPtrArray) plans = parse ("[a]\nuri=rtsp//user:secret@h/s\n");
  const CameraPlan *plan = g_ptr_array_index (plans, 0);

  g_assert_cmpstr (plan->shown_uri, ==, "/srv/rtsp/user:***@h/s");
}

static void
an_empty_file_has_no_cameras (void)
{
  static const gchar *const texts[] = { "", "\n# nothing yet\n",
    "[defaults]\nrate=1/1\n" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GPtrArray) plans = parse (texts[i]);

    g_assert_cmpuint (plans->len, ==, 0);
  }
}

/* Each error names the file, and these. */
static const struct {
  const gchar *text;
  const gchar *says[4];
} faults[] = {
  { "[a]\nrate=1/1\n", { "[a]", "no uri", "rtsp://" } },
  { "[a]\nuri=\n", { "[a]", "uri", "address" } },
  { "[a]\nuri=x\nrate=fast\n", { "[a]", "rate = fast", "2/1" } },
  { "[a]\nuri=x\nrate=-1/2\n", { "[a]", "rate = -1/2", "2/1" } },
  { "[defaults]\nrate=1/0\n[a]\nuri=x\n", { "[defaults]", "rate = 1/0" } },
  { "[a]\nuri=x\nloop=maybe\n", { "loop = maybe", "true or false" } },
  { "[a]\nuri=x\ntimeout=0\n", { "timeout = 0", "1 to 86400" } },
  { "[a]\nuri=x\ntimeout=nan\n", { "timeout = nan", "seconds" } },
  { "[a]\nuri=x\nlatency=1e3\n", { "latency = 1e3", "milliseconds" } },
  { "[a]\nuri=x\ndecode=some\n", { "decode = some", "keyframes" } },
  { "[a]\nuri=x\nprecission=f32\n", { "precission = f32", "precision" } },
  { "[a]\nuri=x\nprecision=f8\n", { "precision = f8", "bf16" } },
  { "[a]\nuri=x\nunchanged-threshold=2\n",
      { "unchanged-threshold = 2", "0 - 1" } },
  { "[a]\nuri=x\ntop-k=-1\n", { "top-k = -1", "0 - 1000" } },
  { "[a]\nuri=x\nstats=1\n", { "stats = 1", "keys" } },
  { "[a]\nuri=x\nsource-id=b\n", { "source-id = b", "keys" } },
  { "[a]\nuri=x\nname=b\n", { "name = b", "keys" } },
  { "[a]\nuri=x\nprompts=a\nprompts-file=b\n",
      { "[a]", "both", "take one out" } },
  { "[a]\nuri=x\n[b]\nuri=y\n [a]\nuri=z\n",
      { "line 5", "[a]", "line 1", "name of its own" } },
  { "uri=x\n[a]\n", { "[name]" } },
  { "[a]\nuri\n", { "key = value" } },
  { "[a]\nuri=x\nprompts=\xff\n", { "line 3", "UTF-8" } },
  { "[b\xe4r]\nuri=x\n", { "line 1", "UTF-8" } },
  { "# T\xfcr\n[a]\nuri=x\n", { "line 1", "UTF-8" } },
};

static void
faults_are_named (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) plans =
        camera_list_parse (faults[i].text, "cameras.conf", FALSE, &error);

    g_test_message ("%s", error != NULL ? error->message : faults[i].text);
    g_assert_null (plans);
    g_assert_true (error->domain == CAMERA_LIST_ERROR);
    g_assert_true (g_str_has_prefix (error->message, "cameras.conf"));
    for (guint k = 0; k < 4 && faults[i].says[k] != NULL; k++)
      g_assert_nonnull (strstr (error->message, faults[i].says[k]));
  }
}

static void
files_that_are_none_are_told (void)
{
  static const gchar *const paths[] = { "/nonexistent/cameras.conf", "/dev" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (camera_list_read (paths[i], &error));
    g_assert_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_READ);
    g_assert_nonnull (strstr (error->message, paths[i]));
  }
}

/* --- changes --- */

static void
changes_cost_what_they_have_to (void)
{
  static const struct {
    const gchar *before, *after;
    CameraChange change;
  } cases[] = {
    { "uri=x\n", "uri = x\n# a word\n", CAMERA_CHANGE_NONE },
    { "uri=x\n", "uri=x\nrate=2/1\n", CAMERA_CHANGE_PROPERTIES },
    { "uri=x\nprompts=a\n", "uri=x\nprompts=b\n", CAMERA_CHANGE_PROPERTIES },
    { "uri=x\nprompts=a\n", "uri=x\n", CAMERA_CHANGE_PROPERTIES },
    { "uri=x\n", "uri=x\ntimeout=3\n", CAMERA_CHANGE_PROPERTIES },
    { "uri=x\n", "uri=y\n", CAMERA_CHANGE_SOURCE },
    { "uri=x\n", "uri=x\ndecode=keyframes\n", CAMERA_CHANGE_SOURCE },
    { "uri=x\n", "uri=x\nprecision=f32\n", CAMERA_CHANGE_FILTER },
    { "uri=x\nmodel=m\nrate=1/2\n", "uri=y\n", CAMERA_CHANGE_FILTER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *before = g_strconcat ("[a]\n", cases[i].before, NULL);
    g_autofree gchar *after = g_strconcat ("[a]\n", cases[i].after, NULL);
    g_autoptr (GPtrArray) old_plans = parse (before);
    g_autoptr (GPtrArray) new_plans = parse (after);

    g_test_message ("%s -> %s", cases[i].before, cases[i].after);
    g_assert_cmpint (camera_plan_compare (g_ptr_array_index (old_plans, 0),
                         g_ptr_array_index (new_plans, 0)),
        ==, cases[i].change);
  }
}

static void
applied_properties_are_set_and_unset (void)
{
  g_autoptr (GPtrArray) first =
      parse ("[a]\nuri=x\nprompts-file=p.txt\nmax-unchanged=7\nrate=1/2\n");
  g_autoptr (GPtrArray) second = parse ("[a]\nuri=x\nprompts=a cat\n");
  g_autoptr (GstElement) clipfilter =
      gst_object_ref_sink (gst_element_factory_make ("clipfilter", NULL));
  g_autofree gchar *prompts = NULL, *file = NULL;
  guint64 max_unchanged = 0;

  camera_plan_apply (g_ptr_array_index (first, 0), NULL, G_OBJECT (clipfilter));
  g_object_get (
      clipfilter, "prompts-file", &file, "max-unchanged", &max_unchanged, NULL);
  g_assert_cmpstr (file, ==, "/srv/p.txt");
  g_assert_cmpuint (max_unchanged, ==, 7);

  camera_plan_apply (g_ptr_array_index (second, 0),
      g_ptr_array_index (first, 0), G_OBJECT (clipfilter));
  g_clear_pointer (&file, g_free);
  g_object_get (clipfilter, "prompts", &prompts, "prompts-file", &file,
      "max-unchanged", &max_unchanged, NULL);
  g_assert_cmpstr (prompts, ==, "a cat");
  g_assert_null (file);
  g_assert_cmpuint (max_unchanged, ==, 10 * GST_SECOND);
}

static void
a_rewritten_prompts_file_is_a_change (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("cameras-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "cameras.conf", NULL);
  g_autofree gchar *prompts = g_build_filename (folder, "p.txt", NULL);
  static const gchar text[] = "[a]\nuri=x\nprompts-file=p.txt\n";
  g_autoptr (GPtrArray) before = NULL, after = NULL, files = NULL;

  g_assert_true (g_file_set_contents (prompts, "a cat\n", -1, NULL));
  before = camera_list_parse (text, path, FALSE, NULL);
  g_assert_true (g_file_set_contents (prompts, "a dog, too\n", -1, NULL));
  after = camera_list_parse (text, path, FALSE, NULL);
  g_assert_cmpint (camera_plan_compare (g_ptr_array_index (before, 0),
                       g_ptr_array_index (after, 0)),
      ==, CAMERA_CHANGE_PROPERTIES);
  files = camera_list_get_files (after);
  g_assert_cmpuint (files->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (files, 0), ==, prompts);
  g_unlink (prompts);
  g_rmdir (folder);
}

static void
shares_are_complete_and_the_same_each_time (void)
{
  guint n_each[4] = { 0 };

  for (guint i = 0; i < 400; i++) {
    g_autofree gchar *name = g_strdup_printf ("camera-%u", i);
    guint share = camera_list_get_share (name, 4);

    g_assert_cmpuint (share, <, 4);
    g_assert_cmpuint (share, ==, camera_list_get_share (name, 4));
    n_each[share]++;
  }
  /* A hash is no deal of cards: each has at least half of what is fair. */
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (n_each[i], >=, 50);
}

#define ADD(function) g_test_add_func ("/cameras/list/" #function, function)

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD (groups_are_cameras_in_order);
  ADD (nothing_said_is_one_result_a_second);
  ADD (prompts_pass_as_they_are);
  ADD (prompts_of_a_camera_replace_the_default_file);
  ADD (paths_are_relative_to_the_file);
  ADD (a_byte_order_mark_is_no_name);
  ADD (passwords_are_not_shown);
  ADD (faults_do_not_show_passwords);
  ADD (a_mistyped_address_shows_no_password);
  ADD (an_empty_file_has_no_cameras);
  ADD (faults_are_named);
  ADD (files_that_are_none_are_told);
  ADD (changes_cost_what_they_have_to);
  ADD (applied_properties_are_set_and_unset);
  ADD (a_rewritten_prompts_file_is_a_change);
  ADD (shares_are_complete_and_the_same_each_time);
  return g_test_run ();
}
