/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "fleet.h"

#include "camera.h"
#include "feed.h"
#include "list.h"
#include "opening.h"

/* Cameras start one after another, lest all connect, open their models and
 * wait for a key frame in the same moment. */
#define STAGGER 100 /* milliseconds */

#define TICK 1 /* seconds */
#define LONGEST_END 5

struct _CameraFleet {
  GHashTable *cameras; /* name to Camera */
  guint longest_wait;
  CameraListener listener;
  guint stagger_timer, tick_timer;
};

static gboolean
on_stagger (gpointer data)
{
  CameraFleet *fleet = data;
  gint64 now = g_get_monotonic_time ();
  Camera *next = NULL;
  GHashTableIter iter;
  gpointer camera;

  g_hash_table_iter_init (&iter, fleet->cameras);
  while (g_hash_table_iter_next (&iter, NULL, &camera)) {
    if (camera_is_due (camera, now) &&
        (next == NULL || camera_compare_due (camera, next) < 0))
      next = camera;
  }
  if (next != NULL && camera_opening_has_turn ())
    camera_start (next);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_tick (gpointer data)
{
  CameraFleet *fleet = data;
  gint64 now = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer camera;

  g_hash_table_iter_init (&iter, fleet->cameras);
  while (g_hash_table_iter_next (&iter, NULL, &camera))
    camera_tick (camera, now);
  return G_SOURCE_CONTINUE;
}

static void
end_camera (gpointer camera)
{
  camera_end (camera);
}

CameraFleet *
camera_fleet_new (guint longest_wait, const CameraListener *listener)
{
  CameraFleet *fleet = g_new0 (CameraFleet, 1);

  fleet->cameras =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, end_camera);
  fleet->longest_wait = longest_wait;
  fleet->listener = *listener;
  fleet->stagger_timer = g_timeout_add (STAGGER, on_stagger, fleet);
  fleet->tick_timer = g_timeout_add_seconds (TICK, on_tick, fleet);
  return fleet;
}

static gboolean
is_gone (gpointer name, gpointer camera, gpointer plans)
{
  return camera_list_find (plans, name) == NULL;
}

void
camera_fleet_set (CameraFleet *fleet, const GPtrArray *plans)
{
  g_hash_table_foreach_remove (fleet->cameras, is_gone, (gpointer)plans);
  for (guint i = 0; i < plans->len; i++) {
    CameraPlan *plan = g_ptr_array_index (plans, i);
    Camera *camera = g_hash_table_lookup (fleet->cameras, plan->name);

    if (camera != NULL) {
      camera_change (camera, plan);
      continue;
    }
    g_hash_table_insert (fleet->cameras, g_strdup (plan->name),
        camera_new (plan, fleet->longest_wait, &fleet->listener));
  }
}

void
camera_fleet_tell (CameraFleet *fleet)
{
  on_tick (fleet);
}

gboolean
camera_fleet_free (CameraFleet *fleet)
{
  gint64 end = g_get_monotonic_time () + LONGEST_END * G_USEC_PER_SEC;
  gboolean all;

  g_source_remove (fleet->stagger_timer);
  on_tick (fleet);
  g_source_remove (fleet->tick_timer);
  g_hash_table_unref (fleet->cameras);
  g_free (fleet);
  /* Those that were being opened end when that is done. */
  while (camera_opening_get_n () > 0 && g_get_monotonic_time () < end) {
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (G_USEC_PER_SEC / 100);
  }
  all = camera_feed_wait_for_all (LONGEST_END);
  return all && camera_opening_get_n () == 0;
}
