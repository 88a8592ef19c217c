/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "table.h"

#include "pipelines/text.h"

#define GAP 2           /* columns between two */
#define LEAST_NAME 6    /* "camera" */
#define LEAST_PROMPT 11 /* "best prompt" */
#define NAME_SHARE 4    /* of the width: names have a fourth at most */
#define FRAME_LINES 2   /* headings and sums */

#define BOLD "\033[1m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

/* --- cells --- */

static gchar *
format_state (const CameraView *view)
{
  return g_strdup (camera_state_get_name (view->state));
}

static gchar *
format_frames (const CameraView *view)
{
  return g_strdup_printf ("%.1f", view->frame_rate);
}

static gchar *
format_results (const CameraView *view)
{
  return g_strdup_printf ("%.2f", view->result_rate);
}

/* "119 min" is the widest. */
static gchar *
format_age (const CameraView *view)
{
  static const struct {
    gdouble seconds;
    const gchar *unit;
  } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" } };

  if (!view->has_result)
    return g_strdup ("-");
  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    if (view->age >= 2 * units[i].seconds)
      return g_strdup_printf (
          "%.0f %s", view->age / units[i].seconds, units[i].unit);
  }
  return g_strdup_printf (view->age < 10 ? "%.1f s" : "%.0f s", view->age);
}

static gchar *
format_probability (const CameraView *view)
{
  if (!view->has_result || view->best == NULL)
    return g_strdup ("-");
  return g_strdup_printf ("%.2f", view->probability);
}

static gchar *
format_skipped (const CameraView *view)
{
  guint64 n = 0;

  for (guint i = 0; i < CAMERA_N_SKIPS; i++)
    n += camera_skip_is_trouble (i) ? view->skipped[i] : 0;
  return g_strdup_printf ("%" G_GUINT64_FORMAT, n);
}

static gchar *
format_reconnects (const CameraView *view)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, view->reconnects);
}

typedef struct {
  const gchar *heading;
  guint width;
  gboolean right;
  gchar *(*format) (const CameraView *view);
} Column;

/* Between the name and the best prompt, and behind it. */
static const Column before[] = {
  { "state", 8, FALSE, format_state },
  { "frames/s", 8, TRUE, format_frames },
  { "results/s", 9, TRUE, format_results },
  { "age", 7, TRUE, format_age },
};
static const Column behind[] = {
  { "prob", 4, TRUE, format_probability },
  { "skipped", 7, TRUE, format_skipped },
  { "lost", 4, TRUE, format_reconnects },
};

/* --- lines --- */

typedef struct {
  guint width; /* of the line */
  guint name, prompt;
  gboolean colour;
} Layout;

static guint
sum_widths (const Column *columns, guint n)
{
  guint sum = 0;

  for (guint i = 0; i < n; i++)
    sum += GAP + columns[i].width;
  return sum;
}

static Layout
lay_out (const GArray *views, const CameraTableLook *look)
{
  Layout layout = { look->width, LEAST_NAME, LEAST_PROMPT, look->colour };
  guint fixed = GAP + sum_widths (before, G_N_ELEMENTS (before)) +
                sum_widths (behind, G_N_ELEMENTS (behind));
  guint longest_prompt = LEAST_PROMPT;

  for (guint i = 0; i < views->len; i++) {
    const CameraView *view = &g_array_index (views, CameraView, i);

    layout.name = MAX (layout.name, text_count_columns (view->name));
    if (view->best != NULL)
      longest_prompt = MAX (longest_prompt, text_count_columns (view->best));
  }
  layout.name = MIN (layout.name, MAX (LEAST_NAME, look->width / NAME_SHARE));
  if (look->width > fixed + layout.name + LEAST_PROMPT)
    layout.prompt = MIN (longest_prompt, look->width - fixed - layout.name);
  return layout;
}

/* Returns: (transfer full): no wider than @width */
static gchar *
cut (const gchar *text, guint width)
{
  return text_fit (text, MIN (width, text_count_columns (text)));
}

static void
append_cell (GString *line, const gchar *text, guint width, gboolean right)
{
  g_autofree gchar *fitted = right ? cut (text, width) : text_fit (text, width);

  if (right)
    g_string_append_printf (
        line, "%*s", (int)(width - text_count_columns (fitted)), "");
  g_string_append (line, fitted);
}

static void
append_columns (
    GString *line, const Column *columns, guint n, const CameraView *view)
{
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *text =
        view != NULL ? columns[i].format (view) : g_strdup (columns[i].heading);

    g_string_append_printf (line, "%*s", GAP, "");
    append_cell (line, text, columns[i].width, columns[i].right);
  }
}

static const gchar *
get_colour (const CameraView *view)
{
  if (view == NULL)
    return BOLD;
  if (view->state == CAMERA_LOST)
    return RED;
  return view->state == CAMERA_ON ? "" : YELLOW;
}

/* @view: (nullable): NULL for the headings */
static void
append_line (GString *table, const Layout *layout, const CameraView *view)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree gchar *fitted = NULL;
  const gchar *best = view == NULL         ? "best prompt"
                      : view->best == NULL ? ""
                                           : view->best;

  append_cell (line, view != NULL ? view->name : "camera", layout->name, FALSE);
  append_columns (line, before, G_N_ELEMENTS (before), view);
  g_string_append_printf (line, "%*s", GAP, "");
  append_cell (line, best, layout->prompt, FALSE);
  append_columns (line, behind, G_N_ELEMENTS (behind), view);
  fitted = cut (line->str, layout->width);
  if (layout->colour)
    g_string_append_printf (
        table, "%s%s%s\n", get_colour (view), fitted, PLAIN);
  else
    g_string_append_printf (table, "%s\n", fitted);
}

/* --- the table --- */

static void
append_sums (GString *table, const GArray *views, const CameraTableLook *look)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree gchar *fitted = NULL;
  guint n_up = 0;
  gdouble rate = 0;

  for (guint i = 0; i < views->len; i++) {
    const CameraView *view = &g_array_index (views, CameraView, i);

    n_up += camera_state_is_up (view->state);
    rate += view->result_rate;
  }
  g_string_append_printf (line, "%u %s, %u on; %.1f results/s", views->len,
      views->len == 1 ? "camera" : "cameras", n_up, rate);
  if (look->cpus >= 0)
    g_string_append_printf (line, "; %.2f CPUs busy", look->cpus);
  fitted = cut (line->str, look->width);
  g_string_append_printf (table, "%s\n", fitted);
}

static gboolean
is_shown (const CameraView *view, gboolean trouble)
{
  return (view->state != CAMERA_ON) == trouble;
}

/* As many as there is room for: @room lines, the last of which counts the
 * others. */
static void
append_some (
    GString *table, const Layout *layout, const GArray *views, guint room)
{
  g_autofree gchar *rest = NULL, *fitted = NULL;
  guint n = 0;

  for (gint trouble = TRUE; trouble >= FALSE; trouble--) {
    for (guint i = 0; i < views->len && n + 1 < room; i++) {
      const CameraView *view = &g_array_index (views, CameraView, i);

      if (!is_shown (view, trouble))
        continue;
      append_line (table, layout, view);
      n++;
    }
  }
  rest = g_strdup_printf ("… and %u more", views->len - n);
  fitted = cut (rest, layout->width);
  g_string_append_printf (table, "%s\n", fitted);
}

gchar *
camera_table_draw (const GArray *views, const CameraTableLook *look)
{
  GString *table = g_string_new (NULL);
  Layout layout = lay_out (views, look);
  guint room = look->height > FRAME_LINES ? look->height - FRAME_LINES : 1;

  append_line (table, &layout, NULL);
  if (look->height == 0 || views->len <= room) {
    for (guint i = 0; i < views->len; i++)
      append_line (table, &layout, &g_array_index (views, CameraView, i));
  } else {
    append_some (table, &layout, views, room);
  }
  append_sums (table, views, look);
  return g_string_free (table, FALSE);
}
