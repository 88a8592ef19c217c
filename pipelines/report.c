/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "report.h"

#include "text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_CELLS 20
#define MAX_COLUMN 48 /* longer prompts stand out of their column */

typedef struct {
  gchar *text;
  guint index; /* as the user gave them */
  guint width; /* columns on a terminal */
  GstClockTime time;
  guint n_results;
} Prompt;

struct _TagReport {
  gboolean lines;
  gboolean progress;         /* wanted */
  gboolean progress_visible; /* now on the terminal */
  gboolean utf8;
  gint64 begun; /* first result: monotonic, microseconds */

  GPtrArray *prompts; /* of Prompt, by index */
  guint column;
  guint n_results;
  gchar *model;
  gchar *precision;

  Prompt *best;      /* of the last result; NULL before the first */
  GstClockTime last; /* running time of the last result */
  GstClockTime last_duration;
};

static void
free_prompt (gpointer data)
{
  Prompt *prompt = data;

  if (prompt == NULL)
    return;
  g_free (prompt->text);
  g_free (prompt);
}

TagReport *
tag_report_new (gboolean lines)
{
  TagReport *report = g_new0 (TagReport, 1);

  report->lines = lines;
  report->progress =
      isatty (STDERR_FILENO) && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  report->utf8 = g_get_charset (NULL);
  report->prompts = g_ptr_array_new_with_free_func (free_prompt);
  report->last = GST_CLOCK_TIME_NONE;
  report->last_duration = GST_CLOCK_TIME_NONE;
  return report;
}

void
tag_report_free (TagReport *report)
{
  g_ptr_array_unref (report->prompts);
  g_free (report->model);
  g_free (report->precision);
  g_free (report);
}

/* --- forms --- */

static gchar *
format_time (GstClockTime time)
{
  guint64 ms = GST_TIME_AS_MSECONDS (time);
  guint64 minutes = ms / 60000;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return g_strdup ("-");
  if (minutes < 60)
    return g_strdup_printf ("%" G_GUINT64_FORMAT ":%02u.%03u", minutes,
        (guint)(ms / 1000 % 60), (guint)(ms % 1000));
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%02" G_GUINT64_FORMAT
                          ":%02u.%03u",
      minutes / 60, minutes % 60, (guint)(ms / 1000 % 60), (guint)(ms % 1000));
}

/* BAR_CELLS columns, in eighths of a column where the terminal has them. */
static gchar *
format_bar (const TagReport *report, gdouble share)
{
  static const gchar *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊",
    "▉" };
  GString *bar = g_string_new (NULL);
  guint n_eighths = (guint)(CLAMP (share, 0, 1) * BAR_CELLS * 8 + 0.5);
  guint n_cells = n_eighths / 8;

  for (guint i = 0; i < n_cells; i++)
    g_string_append (bar, report->utf8 ? "█" : "#");
  if (report->utf8 && n_eighths % 8 > 0) {
    g_string_append (bar, eighths[n_eighths % 8]);
    n_cells++;
  }
  for (; n_cells < BAR_CELLS; n_cells++)
    g_string_append_c (bar, ' ');
  return g_string_free (bar, FALSE);
}

static void
print_prompt (const TagReport *report, const Prompt *prompt)
{
  guint column = MIN (report->column, MAX_COLUMN);

  printf ("%s%*s", prompt->text,
      prompt->width < column ? (int)(column - prompt->width) : 0, "");
}

/* --- results --- */

static GstClockTime
get_time (const GstStructure *structure, const gchar *name)
{
  guint64 time = GST_CLOCK_TIME_NONE;

  gst_structure_get_uint64 (structure, name, &time);
  return time;
}

static gdouble
get_number (const GstStructure *structure, const gchar *name)
{
  const GValue *value = gst_structure_get_value (structure, name);
  g_auto (GValue) number = G_VALUE_INIT;

  g_value_init (&number, G_TYPE_DOUBLE);
  if (value == NULL || !g_value_transform (value, &number))
    return 0;
  return g_value_get_double (&number);
}

/* Where in the film: a seek or an edit list would show in the running time. */
static GstClockTime
get_position (const GstStructure *result)
{
  static const gchar *const names[] = { "stream-time", "running-time",
    "timestamp" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GstClockTime time = get_time (result, names[i]);

    if (GST_CLOCK_TIME_IS_VALID (time))
      return time;
  }
  return GST_CLOCK_TIME_NONE;
}

static Prompt *
ensure_prompt (TagReport *report, const GstStructure *structure)
{
  const gchar *text = gst_structure_get_string (structure, "text");
  guint index = 0;
  Prompt *prompt;

  gst_structure_get_uint (structure, "index", &index);
  if (index >= report->prompts->len)
    g_ptr_array_set_size (report->prompts, index + 1);
  prompt = g_ptr_array_index (report->prompts, index);
  if (prompt != NULL)
    return prompt;

  prompt = g_new0 (Prompt, 1);
  prompt->text = text_dup_printable (text != NULL ? text : "");
  prompt->index = index;
  prompt->width = text_count_columns (prompt->text);
  report->column = MAX (report->column, prompt->width);
  report->prompts->pdata[index] = prompt;
  return prompt;
}

static void
credit (TagReport *report, GstClockTime time)
{
  if (report->best == NULL)
    return;
  report->best->n_results++;
  if (GST_CLOCK_TIME_IS_VALID (time))
    report->best->time += time;
}

static void
print_best (TagReport *report, const GstStructure *result, gdouble probability)
{
  g_autofree gchar *time = format_time (get_position (result));
  g_autofree gchar *bar = format_bar (report, probability);

  tag_report_hide_progress (report);
  printf ("%10s  ", time);
  print_prompt (report, report->best);
  printf ("  %s  %.2f\n", bar, probability);
  fflush (stdout);
}

void
tag_report_add (TagReport *report, const GstStructure *result)
{
  const GValue *prompts = gst_structure_get_value (result, "prompts");
  GstClockTime now = get_time (result, "running-time");
  const Prompt *before = report->best;
  Prompt *best = NULL;
  gdouble probability = 0;

  if (report->n_results++ == 0)
    report->begun = g_get_monotonic_time ();
  if (prompts == NULL || !GST_VALUE_HOLDS_ARRAY (prompts))
    return;
  for (guint i = 0; i < gst_value_array_get_size (prompts); i++) {
    const GstStructure *structure =
        gst_value_get_structure (gst_value_array_get_value (prompts, i));
    Prompt *prompt = ensure_prompt (report, structure);

    if (i == 0) {
      best = prompt;
      probability = get_number (structure, "probability");
    }
  }
  if (best == NULL)
    return;

  if (GST_CLOCK_TIME_IS_VALID (now) && GST_CLOCK_TIME_IS_VALID (report->last) &&
      now >= report->last)
    credit (report, now - report->last);
  else
    credit (report, report->last_duration);
  report->best = best;
  report->last = now;
  report->last_duration = get_time (result, "duration");
  if (report->model == NULL) {
    report->model = g_strdup (gst_structure_get_string (result, "model"));
    report->precision =
        g_strdup (gst_structure_get_string (result, "precision"));
  }
  if (report->lines && best != before)
    print_best (report, result, probability);
}

/* --- progress --- */

/* A second; 0 while there is nothing to measure. */
static gdouble
get_rate (const TagReport *report)
{
  gint64 elapsed = g_get_monotonic_time () - report->begun;

  if (report->n_results < 2 || elapsed <= 0)
    return 0;
  return (gdouble)(report->n_results - 1) * G_USEC_PER_SEC / (gdouble)elapsed;
}

void
tag_report_show_progress (TagReport *report, gint64 position, gint64 duration)
{
  g_autofree gchar *done = NULL, *all = NULL;

  if (!report->progress)
    return;
  done =
      format_time (position < 0 ? GST_CLOCK_TIME_NONE : (GstClockTime)position);
  fprintf (stderr, "\r\033[K%s", done);
  if (position >= 0 && duration > 0) {
    all = format_time (duration);
    fprintf (stderr, " of %s, %.0f %%", all,
        100.0 * (gdouble)position / (gdouble)duration);
  }
  fprintf (stderr, ", %.1f results/s", get_rate (report));
  fflush (stderr);
  report->progress_visible = TRUE;
}

void
tag_report_hide_progress (TagReport *report)
{
  if (!report->progress_visible)
    return;
  fputs ("\r\033[K", stderr);
  fflush (stderr);
  report->progress_visible = FALSE;
}

/* --- summary --- */

static gint
compare_prompts (gconstpointer a, gconstpointer b)
{
  const Prompt *left = *(const Prompt *const *)a;
  const Prompt *right = *(const Prompt *const *)b;

  if (left->time != right->time)
    return left->time > right->time ? -1 : 1;
  if (left->n_results != right->n_results)
    return left->n_results > right->n_results ? -1 : 1;
  return left->index < right->index ? -1 : 1;
}

static void
print_share (const TagReport *report, const Prompt *prompt, GstClockTime total)
{
  gdouble share = total > 0 ? (gdouble)prompt->time / (gdouble)total
                            : (gdouble)prompt->n_results / report->n_results;
  g_autofree gchar *time = format_time (prompt->time);
  g_autofree gchar *bar = format_bar (report, share);

  printf ("%10s  ", time);
  print_prompt (report, prompt);
  printf ("  %s  %5.1f %%\n", bar, 100 * share);
}

void
tag_report_summarize (TagReport *report)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  GstClockTime total = 0;

  tag_report_hide_progress (report);
  if (!report->lines || report->best == NULL)
    return;
  credit (report, report->last_duration);
  for (guint i = 0; i < report->prompts->len; i++) {
    Prompt *prompt = g_ptr_array_index (report->prompts, i);

    if (prompt == NULL)
      continue;
    total += prompt->time;
    g_ptr_array_add (rows, prompt);
  }
  g_ptr_array_sort (rows, compare_prompts);

  puts ("\nThe best tag, by share of the time:");
  for (guint i = 0; i < rows->len; i++)
    print_share (report, g_ptr_array_index (rows, i), total);
  printf ("%u %s", report->n_results,
      report->n_results == 1 ? "result" : "results");
  if (get_rate (report) > 0)
    printf (", %.1f a second", get_rate (report));
  if (report->model != NULL)
    printf ("; model %s", report->model);
  if (report->precision != NULL)
    printf (", %s", report->precision);
  puts ("");
  fflush (stdout);
}

guint
tag_report_get_n_results (const TagReport *report)
{
  return report->n_results;
}
