/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "metrics.h"

#include <math.h>

/* Returns: (transfer full): a label's value, its backslashes, quotes and line
 *   feeds escaped as the format wants them */
static gchar *
escape (const gchar *value)
{
  GString *escaped = g_string_new (NULL);

  for (; *value != '\0'; value++) {
    if (*value == '\n') {
      g_string_append (escaped, "\\n");
      continue;
    }
    if (*value == '\\' || *value == '"')
      g_string_append_c (escaped, '\\');
    g_string_append_c (escaped, *value);
  }
  return g_string_free (escaped, FALSE);
}

static void
append_number (GString *text, gdouble number)
{
  gchar digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (text, " %s\n",
      isnan (number)
          ? "NaN"
          : g_ascii_formatd (digits, sizeof digits, "%.15g", number));
}

static void
append_head (
    GString *text, const gchar *name, const gchar *type, const gchar *help)
{
  g_string_append_printf (
      text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* --- a number a camera --- */

static gdouble
get_up (const CameraView *view)
{
  return camera_state_is_up (view->state);
}

static gdouble
get_frames (const CameraView *view)
{
  return (gdouble)view->frames;
}

static gdouble
get_results (const CameraView *view)
{
  return (gdouble)view->results;
}

static gdouble
get_reconnects (const CameraView *view)
{
  return (gdouble)view->reconnects;
}

static gdouble
get_age (const CameraView *view)
{
  return view->has_result ? view->age : NAN;
}

static const struct {
  const gchar *name, *type, *help;
  gdouble (*get) (const CameraView *view);
} families[] = {
  { "clipfilter_camera_up", "gauge", "Whether frames come (1) or not (0).",
      get_up },
  { "clipfilter_camera_frames_total", "counter", "Frames that were decoded.",
      get_frames },
  { "clipfilter_camera_results_total", "counter",
      "Results that were told, each once.", get_results },
  { "clipfilter_camera_reconnects_total", "counter",
      "Times that the camera or its process was lost.", get_reconnects },
  { "clipfilter_camera_result_age_seconds", "gauge",
      "Time since the frame of the newest result; NaN before the first.",
      get_age },
};

static void
append_skips (GString *text, const GArray *views)
{
  static const gchar name[] = "clipfilter_camera_skipped_total";

  append_head (text, name, "counter", "Frames without a result, by reason.");
  for (guint i = 0; i < views->len; i++) {
    const CameraView *view = &g_array_index (views, CameraView, i);
    g_autofree gchar *camera = escape (view->name);

    for (guint skip = 0; skip < CAMERA_N_SKIPS; skip++) {
      g_string_append_printf (text, "%s{camera=\"%s\",reason=\"%s\"}", name,
          camera, camera_skip_get_name (skip));
      append_number (text, (gdouble)view->skipped[skip]);
    }
  }
}

static void
append_states (GString *text, const GArray *views)
{
  static const gchar name[] = "clipfilter_camera_state";

  append_head (text, name, "gauge", "1 for the state that the camera is in.");
  for (guint i = 0; i < views->len; i++) {
    const CameraView *view = &g_array_index (views, CameraView, i);
    g_autofree gchar *camera = escape (view->name);

    for (guint state = 0; state < CAMERA_N_STATES; state++) {
      g_string_append_printf (text, "%s{camera=\"%s\",state=\"%s\"}", name,
          camera, camera_state_get_name (state));
      append_number (text, view->state == state);
    }
  }
}

gchar *
camera_metrics_write (const GArray *views, const CameraTotals *totals)
{
  static const gchar cpu[] = "clipfilter_cpu_seconds_total";
  static const gchar dropped[] = "clipfilter_records_dropped_total";
  GString *text = g_string_new (NULL);

  for (guint f = 0; f < G_N_ELEMENTS (families); f++) {
    append_head (text, families[f].name, families[f].type, families[f].help);
    for (guint i = 0; i < views->len; i++) {
      const CameraView *view = &g_array_index (views, CameraView, i);
      g_autofree gchar *camera = escape (view->name);

      g_string_append_printf (
          text, "%s{camera=\"%s\"}", families[f].name, camera);
      append_number (text, families[f].get (view));
    }
  }
  append_skips (text, views);
  append_states (text, views);
  append_head (text, cpu, "counter", "CPU time used, workers included.");
  g_string_append (text, cpu);
  append_number (text, totals->cpu_seconds);
  append_head (text, dropped, "counter",
      "Records that were dropped because their reader was too slow.");
  g_string_append (text, dropped);
  append_number (text, (gdouble)totals->n_dropped);
  return g_string_free (text, FALSE);
}
