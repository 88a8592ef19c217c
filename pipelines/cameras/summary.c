/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "summary.h"

#include <jansson.h>

#define DIGITS JSON_REAL_PRECISION (6)

static void
set_number (json_t *object, const gchar *key, gdouble number)
{
  json_object_set_new (object, key, json_real (number));
}

static void
set_count (json_t *object, const gchar *key, guint64 count)
{
  json_object_set_new (object, key, json_integer ((json_int_t)count));
}

static void
set_counts (json_t *object, const CameraView *view)
{
  json_t *skipped = json_object ();
  gdouble seconds = MAX (view->seconds, 1e-6);

  set_number (object, "seconds", view->seconds);
  set_count (object, "frames", view->frames);
  set_number (object, "frames-per-second", (gdouble)view->frames / seconds);
  set_count (object, "results", view->results);
  set_number (object, "results-per-second", (gdouble)view->results / seconds);
  for (guint i = 0; i < CAMERA_N_SKIPS; i++)
    set_count (skipped, camera_skip_get_name (i), view->skipped[i]);
  json_object_set_new (object, "skipped", skipped);
  set_count (object, "reconnects", view->reconnects);
}

/* (transfer full) @object */
static void
write_line (GString *lines, json_t *object)
{
  gchar *line = json_dumps (object, JSON_COMPACT | DIGITS);

  g_string_append_printf (lines, "%s\n", line);
  free (line);
  json_decref (object);
}

static void
write_camera (GString *lines, const CameraView *view)
{
  json_t *object = json_object ();

  json_object_set_new (object, "camera", json_string (view->name));
  json_object_set_new (
      object, "state", json_string (camera_state_get_name (view->state)));
  set_counts (object, view);
  if (view->results > 0) {
    set_number (object, "age-p50", view->age_p50);
    set_number (object, "age-p99", view->age_p99);
  }
  write_line (lines, object);
}

static void
add_view (CameraView *sum, const CameraView *view)
{
  sum->seconds = MAX (sum->seconds, view->seconds);
  sum->frames += view->frames;
  sum->results += view->results;
  sum->reconnects += view->reconnects;
  for (guint i = 0; i < CAMERA_N_SKIPS; i++)
    sum->skipped[i] += view->skipped[i];
}

gchar *
camera_summary_write (const GArray *views, gdouble cpu_seconds)
{
  GString *lines = g_string_new (NULL);
  json_t *object = json_object ();
  CameraView sum = { 0 };

  for (guint i = 0; i < views->len; i++) {
    const CameraView *view = &g_array_index (views, CameraView, i);

    write_camera (lines, view);
    add_view (&sum, view);
  }
  set_count (object, "cameras", views->len);
  set_counts (object, &sum);
  set_number (object, "cpu-seconds", cpu_seconds);
  write_line (lines, object);
  return g_string_free (lines, FALSE);
}
