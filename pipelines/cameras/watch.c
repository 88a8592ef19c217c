/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "watch.h"

#include <gio/gio.h>

/* Editors write, move and write again. */
#define SETTLE 300 /* milliseconds */

struct _CameraWatch {
  GHashTable *monitors; /* path to GFileMonitor */
  guint timer;
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

  g_clear_handle_id (&watch->timer, g_source_remove);
  watch->timer = g_timeout_add (SETTLE, on_settled, watch);
}

static gboolean
is_unwanted (gpointer path, gpointer monitor, gpointer paths)
{
  return !g_ptr_array_find_with_equal_func (paths, path, g_str_equal, NULL);
}

void
camera_watch_set (CameraWatch *watch, const GPtrArray *paths)
{
  g_hash_table_foreach_remove (watch->monitors, is_unwanted, (gpointer)paths);
  for (guint i = 0; i < paths->len; i++) {
    const gchar *path = g_ptr_array_index (paths, i);
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
