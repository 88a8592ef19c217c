/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "watch.h"

#include <stdlib.h>

#include <gio/gio.h>

/* Editors write, move and write again; what is written all the time is read
 * all the same. */
#define SETTLE 300 /* milliseconds */
#define LONGEST_SETTLE 2000

struct _CameraWatch {
  GHashTable *monitors; /* path to GFileMonitor */
  guint timer;
  gint64 first; /* when @timer was first set; monotonic, microseconds */
  void (*changed) (gpointer data);
  gpointer data;
};

CameraWatch *
camera_watch_new (void (*changed) (gpointer data), gpointer data)
{
  CameraWatch *watch = g_new0 (CameraWatch, 1);

  watch->monitors =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  watch->changed = changed;
  watch->data = data;
  return watch;
}

void
camera_watch_free (CameraWatch *watch)
{
  g_hash_table_unref (watch->monitors);
  g_clear_handle_id (&watch->timer, g_source_remove);
  g_free (watch);
}

static gboolean
on_settled (gpointer data)
{
  CameraWatch *watch = data;

  watch->timer = 0;
  watch->changed (watch->data);
  return G_SOURCE_REMOVE;
}

static void
on_event (GFileMonitor *monitor, GFile *file, GFile *other,
    GFileMonitorEvent event, gpointer data)
{
  CameraWatch *watch = data;
  gint64 now = g_get_monotonic_time ();
  guint waited;

  if (watch->timer == 0)
    watch->first = now;
  waited = (guint)MIN ((now - watch->first) / 1000, LONGEST_SETTLE);
  g_clear_handle_id (&watch->timer, g_source_remove);
  watch->timer =
      g_timeout_add (MIN (SETTLE, LONGEST_SETTLE - waited), on_settled, watch);
}

static gboolean
is_unwanted (gpointer path, gpointer monitor, gpointer paths)
{
  return !g_ptr_array_find_with_equal_func (paths, path, g_str_equal, NULL);
}

/* A link is watched, and what it leads to: either may be written. */
static GPtrArray *
add_targets (const GPtrArray *paths)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < paths->len; i++) {
    const gchar *path = g_ptr_array_index (paths, i);
    char *target = realpath (path, NULL);

    g_ptr_array_add (all, g_strdup (path));
    if (target != NULL)
      g_ptr_array_add (all, g_strdup (target));
    free (target);
  }
  return all;
}

void
camera_watch_set (CameraWatch *watch, const GPtrArray *paths)
{
  g_autoptr (GPtrArray) all = add_targets (paths);

  g_hash_table_foreach_remove (watch->monitors, is_unwanted, all);
  for (guint i = 0; i < all->len; i++) {
    const gchar *path = g_ptr_array_index (all, i);
    g_autoptr (GFile) file = g_file_new_for_path (path);
    GFileMonitor *monitor;

    if (g_hash_table_contains (watch->monitors, path))
      continue;
    monitor =
        g_file_monitor_file (file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
    if (monitor == NULL)
      continue;
    g_signal_connect (monitor, "changed", G_CALLBACK (on_event), watch);
    g_hash_table_insert (watch->monitors, g_strdup (path), monitor);
  }
}
