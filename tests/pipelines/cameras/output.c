/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Lines of many threads in one file, whatever becomes of it. */

#include "pipelines/cameras/output.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define N_WRITERS 8
#define N_LINES 200
#define LINE_LENGTH 9000 /* more than a pipe takes at once */

static gpointer
write_many (gpointer data)
{
  CameraOutput *output = ((gpointer *)data)[0];
  gchar letter = 'a' + (gchar)GPOINTER_TO_UINT (((gpointer *)data)[1]);
  g_autofree gchar *line = g_strnfill (LINE_LENGTH, letter);

  line[LINE_LENGTH - 1] = '\n';
  for (guint i = 0; i < N_LINES; i++)
    camera_output_add (output, line);
  return NULL;
}

static void
lines_of_many_threads_are_whole (void)
{
  g_autofree gchar *path = NULL;
  gint fd = g_file_open_tmp ("output-XXXXXX", &path, NULL);
  CameraOutput *output = camera_output_new (path, NULL);
  gpointer data[N_WRITERS][2];
  GThread *threads[N_WRITERS];
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;

  for (guint i = 0; i < N_WRITERS; i++) {
    data[i][0] = output;
    data[i][1] = GUINT_TO_POINTER (i);
    threads[i] = g_thread_new ("writer", write_many, data[i]);
  }
  for (guint i = 0; i < N_WRITERS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (camera_output_get_n_dropped (output), ==, 0);
  camera_output_free (output, 60);

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, N_WRITERS * N_LINES + 1);
  for (guint i = 0; i < N_WRITERS * N_LINES; i++) {
    g_assert_cmpuint (strlen (lines[i]), ==, LINE_LENGTH - 1);
    g_assert_cmpuint (
        strspn (lines[i], (gchar[]){ lines[i][0], '\0' }), ==, LINE_LENGTH - 1);
  }
  g_close (fd, NULL);
  g_unlink (path);
}

/* Nobody reads: lines are dropped and counted, whoever adds them goes on, and
 * the end comes when it was said to. */
static void
a_reader_that_does_not_read_holds_up_nobody (void)
{
  g_autofree gchar *line = g_strnfill (1 << 20, 'x');
  g_autofree gchar *path = NULL;
  CameraOutput *output;
  gint ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  path = g_strdup_printf ("/dev/fd/%d", ends[1]);
  output = camera_output_new (path, NULL);
  for (guint i = 0; i < 40; i++)
    camera_output_add (output, line);
  g_assert_cmpuint (camera_output_get_n_dropped (output), >=, 40 - 32);
  camera_output_free (output, 0);
  close (ends[0]);
  close (ends[1]);
}

static void
a_file_is_begun_anew_when_it_was_moved (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("output-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "log", NULL);
  g_autofree gchar *moved = g_build_filename (folder, "log.1", NULL);
  CameraOutput *output = camera_output_new (path, NULL);
  g_autofree gchar *first = NULL, *second = NULL;

  camera_output_add (output, "one\n");
  while (!g_file_get_contents (path, &first, NULL, NULL) || *first == '\0') {
    g_clear_pointer (&first, g_free);
    g_usleep (1000);
  }
  g_assert_cmpint (g_rename (path, moved), ==, 0);
  camera_output_reopen (output);
  camera_output_add (output, "two\n");
  camera_output_free (output, 60);
  g_assert_true (g_file_get_contents (path, &second, NULL, NULL));
  g_assert_cmpstr (first, ==, "one\n");
  g_assert_cmpstr (second, ==, "two\n");
  g_unlink (path);
  g_unlink (moved);
  g_rmdir (folder);
}

static guint
count_failures (CameraOutput *output, guint seconds)
{
  gint64 end = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  guint n = 0;

  while (g_get_monotonic_time () < end) {
    gboolean broken;
    g_autofree gchar *failure = camera_output_take_failure (output, &broken);

    g_assert_false (broken);
    n += failure != NULL;
    g_usleep (1000);
  }
  return n;
}

/* /dev/full stands for the file that fills its disk until it is moved away. */
static void
a_full_disk_is_told_once_and_can_be_left (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("output-XXXXXX", NULL);
  g_autofree gchar *path = g_build_filename (folder, "log", NULL);
  g_autofree gchar *text = NULL;
  CameraOutput *output;

  if (access ("/dev/full", W_OK) != 0) {
    g_test_skip ("no /dev/full");
    return;
  }
  g_assert_cmpint (symlink ("/dev/full", path), ==, 0);
  output = camera_output_new (path, NULL);
  camera_output_add (output, "one\n");
  g_assert_cmpuint (count_failures (output, 3), ==, 1);
  g_assert_cmpint (g_unlink (path), ==, 0);
  camera_output_reopen (output);
  camera_output_add (output, "two\n");
  camera_output_free (output, 10);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "one\ntwo\n");
  g_unlink (path);
  g_rmdir (folder);
}

#define ADD(function) g_test_add_func ("/cameras/output/" #function, function)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD (lines_of_many_threads_are_whole);
  ADD (a_reader_that_does_not_read_holds_up_nobody);
  ADD (a_file_is_begun_anew_when_it_was_moved);
  ADD (a_full_disk_is_told_once_and_can_be_left);
  return g_test_run ();
}
