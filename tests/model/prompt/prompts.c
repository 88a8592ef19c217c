/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/prompt.h"
#include "clip-error.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>

#define MAX_ITEMS 8

static void
assert_list (const gchar *given, GStrv list, const gchar *const *expected)
{
  guint n = g_strv_length ((gchar **)expected);

  g_test_message ("'%s'", given);
  g_assert_nonnull (list);
  g_assert_cmpuint (g_strv_length (list), ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpstr (list[i], ==, expected[i]);
}

/* @n times @text. */
static gchar *
repeat (const gchar *text, gsize n)
{
  GString *string = g_string_new (NULL);

  for (gsize i = 0; i < n; i++)
    g_string_append (string, text);
  return g_string_free (string, FALSE);
}

static void
bars_part_prompts (void)
{
  static const struct {
    const gchar *string;
    const gchar *prompts[MAX_ITEMS];
  } cases[] = {
    { "", { NULL } },
    { " \t ", { NULL } },
    { "|", { NULL } },
    { " | || ", { NULL } },
    { "a red car", { "a red car" } },
    { "a person at the door | an empty, quiet porch",
        { "a person at the door", "an empty, quiet porch" } },
    { "a|b", { "a", "b" } },
    { "|a||b|", { "a", "b" } },
    { "  two  words  |\tc\n", { "two  words", "c" } },
    { "\342\200\203\343\200\200a\302\240|\342\200\250b", { "a", "b" } },
    { "either\\|or | c", { "either|or", "c" } },
    { "\\|", { "|" } },
    { "a\\\\|b", { "a\\", "b" } },
    { "a\\\\\\|b", { "a\\|b" } },
    { "C:\\new \\x", { "C:\\new \\x" } },
    { "a\\", { "a\\" } },
    { "say \"hi\", it's 50% off; a=b !",
        { "say \"hi\", it's 50% off; a=b !" } },
    { "{}|[]|<a, b>|(string)x", { "{}", "[]", "<a, b>", "(string)x" } },
    { "一张猫的照片|空荡荡的、安静的门廊 | ｜",
        { "一张猫的照片", "空荡荡的、安静的门廊", "｜" } },
    { "مرحبا|\360\237\230\200", { "مرحبا", "\360\237\230\200" } },
    { "a | a", { "a", "a" } },
    { "# no comment", { "# no comment" } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_auto (GStrv) prompts = clip_prompts_parse (cases[i].string, &error);
    g_autofree gchar *joined = NULL;
    g_auto (GStrv) again = NULL;

    g_assert_no_error (error);
    assert_list (cases[i].string, prompts, cases[i].prompts);
    joined = clip_prompts_join ((const gchar *const *)prompts);
    again = clip_prompts_parse (joined, &error);
    g_assert_no_error (error);
    assert_list (joined, again, cases[i].prompts);
  }
}

static void
join_escapes_bars (void)
{
  static const gchar *const prompts[] = { "a|b", "c\\", "d", NULL };
  static const gchar *const none[] = { NULL };
  g_autofree gchar *joined = clip_prompts_join (prompts);
  g_autofree gchar *empty = clip_prompts_join (none);

  g_assert_cmpstr (joined, ==, "a\\|b | c\\\\ | d");
  g_assert_cmpstr (empty, ==, "");
}

static void
assert_refused (const gchar *string, const gchar *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (clip_prompts_parse (string, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, part));
}

static void
a_bad_prompt_is_named (void)
{
  g_autofree gchar *longest = repeat ("x", CLIP_PROMPT_MAX_BYTES);
  g_autofree gchar *padded = g_strconcat ("  ", longest, "  | b", NULL);
  g_autofree gchar *too_long = g_strconcat ("a | ", longest, "x", NULL);
  g_autofree gchar *megabyte = repeat ("long ", 200 * 1024);
  g_auto (GStrv) prompts = clip_prompts_parse (padded, NULL);

  g_assert_nonnull (prompts);
  g_assert_cmpuint (strlen (prompts[0]), ==, CLIP_PROMPT_MAX_BYTES);
  assert_refused (too_long, "prompt 2 has 65537 bytes");
  assert_refused (megabyte, "prompt 1 has 1023999 bytes");
  assert_refused ("a | b\xff", "prompt 2: byte 2 (0xff)");
  assert_refused ("a | | \xed\xa0\x80 | c", "prompt 2: byte 1 (0xed)");
  assert_refused ("\xc0\xaf", "prompt 1: byte 0 (0xc0)");
  assert_refused ("a | \xe4\xb8 | b", "prompt 2");
}

static void
a_thousand_prompts_are_enough (void)
{
  g_autofree gchar *most = repeat (" 一只猫 |", CLIP_PROMPTS_MAX);
  g_autofree gchar *with_empty = repeat (" a || |", CLIP_PROMPTS_MAX);
  g_autofree gchar *too_many = g_strconcat (most, "b", NULL);
  g_auto (GStrv) prompts = clip_prompts_parse (most, NULL);
  g_auto (GStrv) others = clip_prompts_parse (with_empty, NULL);

  g_assert_cmpuint (g_strv_length (prompts), ==, 1000);
  g_assert_cmpstr (prompts[999], ==, "一只猫");
  g_assert_cmpuint (g_strv_length (others), ==, 1000);
  assert_refused (too_many, "prompt 1001 is one more than the 1000 prompts");
}

/* --- files --- */

/* Writes @size bytes (-1: a string), loads them. */
static GStrv
load (const gchar *content, gssize size, gchar **path, GError **error)
{
  GStrv prompts;
  gint fd = g_file_open_tmp ("clip-prompts-XXXXXX", path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (*path, content, size, NULL));
  prompts = clip_prompts_load (*path, error);
  g_remove (*path);
  return prompts;
}

static void
a_line_is_a_prompt (void)
{
  static const struct {
    const gchar *content;
    const gchar *prompts[MAX_ITEMS];
  } cases[] = {
    { "", { NULL } },
    { "\n\n", { NULL } },
    { "# only a comment", { NULL } },
    { "a\nb\n", { "a", "b" } },
    { "a\nb", { "a", "b" } },
    { "a\r\nb\r\n\r\nc", { "a", "b", "c" } },
    { "\357\273\277a\nb\n", { "a", "b" } },
    { "\357\273\277# comment\r\na\n", { "a" } },
    { "  a b \t\n\343\200\200\n", { "a b" } },
    { "# x\n #y\n\\# z\n \\#\na # b\n", { "# z", "#", "a # b" } },
    { "a | b\n\\|\nc\\\\d\n", { "a | b", "\\|", "c\\\\d" } },
    { "一张猫的照片\n空荡荡的，安静的门廊\n",
        { "一张猫的照片", "空荡荡的，安静的门廊" } },
    { "a\342\200\250b\nc\013d\n", { "a\342\200\250b", "c\013d" } },
    { "\"a\", 'b'\n{\"prompts\": 1}\n", { "\"a\", 'b'", "{\"prompts\": 1}" } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *path = NULL;
    g_auto (GStrv) prompts = load (cases[i].content, -1, &path, &error);

    g_assert_no_error (error);
    assert_list (cases[i].content, prompts, cases[i].prompts);
  }
}

static void
a_bad_line_is_named (void)
{
  g_autofree gchar *most = repeat ("a\n# c\n", CLIP_PROMPTS_MAX);
  g_autofree gchar *too_many = g_strconcat (most, "\nb\n", NULL);
  g_autofree gchar *longest = repeat ("x", CLIP_PROMPT_MAX_BYTES + 1);
  const struct {
    const gchar *content;
    gssize size;
    const gchar *part;
  } cases[] = {
    { "a\nb\n\xff\xfe\n", -1, "line 3: byte 0xff" },
    { "a\nb\xe4\xb8\n", -1, "line 2: byte 0xe4" },
    { "\xff\xfe\x61\x00\n\x00", 6, "line 1: byte 0xff" }, /* UTF-16 */
    { "a\nb\0c\n", 6, "line 2: byte 0x00" },
    { longest, -1, "line 1 has 65537 bytes" },
    { too_many, -1, "line 2002 is one more than the 1000 prompts" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *path = NULL;

    g_assert_null (load (cases[i].content, cases[i].size, &path, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, path));
    g_assert_nonnull (strstr (error->message, cases[i].part));
  }
}

static void
assert_not_loaded (const gchar *path, gint code, const gchar *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (clip_prompts_load (path, &error));
  g_assert_error (error, CLIP_ERROR, code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, part));
}

/* A sparse file: its size is told, its bytes are not read. */
static void
make_huge (const gchar *path)
{
  g_assert_true (g_file_set_contents (path, "a\n", -1, NULL));
  g_assert_cmpint (truncate (path, (off_t)1 << 40), ==, 0);
}

static void
what_is_no_file_is_refused_at_once (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("clip-prompts-XXXXXX", NULL);
  g_autofree gchar *absent = g_build_filename (folder, "absent", NULL);
  g_autofree gchar *fifo = g_build_filename (folder, "fifo", NULL);
  g_autofree gchar *link = g_build_filename (folder, "link", NULL);
  g_autofree gchar *loop = g_build_filename (folder, "loop", NULL);
  g_autofree gchar *huge = g_build_filename (folder, "huge", NULL);
  g_autofree gchar *below = g_build_filename (huge, "below", NULL);

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (symlink (fifo, link), ==, 0);
  g_assert_cmpint (symlink (loop, loop), ==, 0);
  make_huge (huge);
  assert_not_loaded (absent, CLIP_ERROR_NOT_FOUND, "No such file");
  assert_not_loaded (below, CLIP_ERROR_NOT_FOUND, "Not a directory");
  assert_not_loaded (folder, CLIP_ERROR_OPEN, "not a regular file");
  assert_not_loaded (fifo, CLIP_ERROR_OPEN, "not a regular file");
  assert_not_loaded (link, CLIP_ERROR_OPEN, "not a regular file");
  assert_not_loaded (loop, CLIP_ERROR_OPEN, "symbolic links");
  assert_not_loaded ("/dev/zero", CLIP_ERROR_OPEN, "not a regular file");
  assert_not_loaded (huge, CLIP_ERROR_PROMPT, "1099511627776 bytes");
  g_remove (huge);
  g_remove (loop);
  g_remove (link);
  g_remove (fifo);
  g_rmdir (folder);
}

/* --- templates --- */

static void
a_template_has_one_place (void)
{
  static const gchar *const expected[] = { "a photo of a {}.", "{}",
    "一张{}的照片", "{{}} |", NULL };
  static const struct {
    const gchar *string;
    const gchar *part;
  } bad[] = {
    { "{} | a photo", "template 2, 'a photo', has no {}" },
    { "{ }", "template 1, '{ }', has no {}" },
    { "a {} and a {}", "template 1, 'a {} and a {}', has more than one {}" },
    { "{} | \xff{}", "template 2: byte 1 (0xff)" },
  };
  g_autofree gchar *most = repeat ("{} |", CLIP_TEMPLATES_MAX);
  g_autofree gchar *too_many = g_strconcat (most, "{}", NULL);
  g_auto (GStrv) templates = clip_templates_parse (
      "a photo of a {}. | {} || 一张{}的照片 | {{}} \\|", NULL);
  g_auto (GStrv) none = clip_templates_parse (" | ", NULL);
  g_auto (GStrv) all = clip_templates_parse (most, NULL);
  g_autoptr (GError) error = NULL;

  assert_list ("templates", templates, expected);
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  g_assert_cmpuint (g_strv_length (all), ==, 256);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) bad_error = NULL;

    g_assert_null (clip_templates_parse (bad[i].string, &bad_error));
    g_assert_error (bad_error, CLIP_ERROR, CLIP_ERROR_PROMPT);
    g_assert_nonnull (strstr (bad_error->message, bad[i].part));
  }
  g_assert_null (clip_templates_parse (too_many, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT);
  g_assert_nonnull (strstr (
      error->message, "template 257 is one more than the 256 templates"));
}

gint
main (gint argc, gchar **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prompt/prompts/bars-part-prompts", bars_part_prompts);
  g_test_add_func ("/prompt/prompts/join-escapes-bars", join_escapes_bars);
  g_test_add_func (
      "/prompt/prompts/a-bad-prompt-is-named", a_bad_prompt_is_named);
  g_test_add_func ("/prompt/prompts/a-thousand-prompts-are-enough",
      a_thousand_prompts_are_enough);
  g_test_add_func ("/prompt/prompts/a-line-is-a-prompt", a_line_is_a_prompt);
  g_test_add_func ("/prompt/prompts/a-bad-line-is-named", a_bad_line_is_named);
  g_test_add_func ("/prompt/prompts/what-is-no-file-is-refused-at-once",
      what_is_no_file_is_refused_at_once);
  g_test_add_func (
      "/prompt/templates/a-template-has-one-place", a_template_has_one_place);
  return g_test_run ();
}
