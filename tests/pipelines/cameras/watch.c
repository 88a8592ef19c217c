/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What is told of files that people and programs edit. */

#include "pipelines/cameras/watch.h"

#include <unistd.h>

#include <glib/gstdio.h>

#define PATIENCE 30 /* seconds */

typedef struct {
  gchar *folder;
  gchar *file, *link;
  CameraWatch *watch;
  guint n_told;
} Fixture;

static void
on_changed (gpointer data)
{
  ((Fixture *)data)->n_told++;
}

static void
write_file (const Fixture *f)
{
  g_assert_true (g_file_set_contents_full (
      f->file, "x", 1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* Returns: FALSE when the time is up and nothing was told. */
static gboolean
wait_for_news (const Fixture *f, gint64 milliseconds)
{
  gint64 end = g_get_monotonic_time () + 1000 * milliseconds;

  while (f->n_told == 0 && g_get_monotonic_time () < end) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
  return f->n_told > 0;
}

static void
set_up (Fixture *f, gconstpointer name)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();

  f->folder = g_dir_make_tmp ("watch-XXXXXX", NULL);
  f->file = g_build_filename (f->folder, "file", NULL);
  f->link = g_build_filename (f->folder, "link", NULL);
  write_file (f);
  g_assert_cmpint (symlink ("file", f->link), ==, 0);
  f->watch = camera_watch_new (on_changed, f);
  g_ptr_array_add (paths, g_strcmp0 (name, "link") == 0 ? f->link : f->file);
  camera_watch_set (f->watch, paths);
}

static void
tear_down (Fixture *f, gconstpointer name)
{
  camera_watch_free (f->watch);
  g_unlink (f->link);
  g_unlink (f->file);
  g_rmdir (f->folder);
  g_free (f->folder);
  g_free (f->file);
  g_free (f->link);
}

static void
what_a_link_leads_to_is_watched (Fixture *f, gconstpointer name)
{
  write_file (f);
  g_assert_true (wait_for_news (f, PATIENCE * 1000));
}

/* Each time sooner than it would settle. */
static void
what_is_written_all_the_time_is_told (Fixture *f, gconstpointer name)
{
  gint64 end = g_get_monotonic_time () + PATIENCE * G_USEC_PER_SEC;

  do
    write_file (f);
  while (!wait_for_news (f, 50) && g_get_monotonic_time () < end);
  g_assert_cmpuint (f->n_told, ==, 1);
}

#define ADD(function, name)                                                    \
  g_test_add (                                                                 \
      "/cameras/watch/" #function, Fixture, name, set_up, function, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD (what_a_link_leads_to_is_watched, "link");
  ADD (what_is_written_all_the_time_is_told, "file");
  return g_test_run ();
}
