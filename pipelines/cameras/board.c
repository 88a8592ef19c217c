/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "board.h"

#include "ages.h"
#include "plan.h"

#include <string.h>

#define WINDOW 6 /* statuses, one a second: rates are of five seconds */

typedef struct {
  guint64 frames, results, reconnects;
  guint64 skipped[CAMERA_N_SKIPS];
} Counts;

typedef struct {
  gint64 time; /* monotonic, microseconds */
  guint64 frames, results;
} Sample;

typedef struct {
  gchar *name;
  CameraState state;
  Counts before;   /* of those who counted before */
  Counts now;      /* of who counts now */
  Counts mark;     /* sums at the mark */
  CameraAges ages; /* since the mark */

  Sample window[WINDOW];
  guint n_samples;

  gint64 shown; /* when the frame of the newest result was, as Sample's time */
  gchar *best;
  gdouble probability;
} Row;

struct _CameraBoard {
  GMutex lock;
  GHashTable *rows; /* name to Row */
  GPtrArray *order; /* of Row: as in the file */
  gint64 begun, marked;
};

static void
free_row (gpointer data)
{
  Row *row = data;

  g_free (row->name);
  g_free (row->best);
  g_free (row);
}

static GHashTable *
make_rows (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_row);
}

CameraBoard *
camera_board_new (void)
{
  CameraBoard *board = g_new0 (CameraBoard, 1);

  g_mutex_init (&board->lock);
  board->rows = make_rows ();
  board->order = g_ptr_array_new ();
  board->begun = board->marked = g_get_monotonic_time ();
  return board;
}

void
camera_board_free (CameraBoard *board)
{
  g_ptr_array_unref (board->order);
  g_hash_table_unref (board->rows);
  g_mutex_clear (&board->lock);
  g_free (board);
}

static Row *
find_row (const CameraBoard *board, const gchar *name)
{
  return g_hash_table_lookup (board->rows, name);
}

static Row *
take_row (CameraBoard *board, const gchar *name)
{
  gpointer taken;
  Row *row;

  if (g_hash_table_steal_extended (board->rows, name, NULL, &taken))
    return taken;
  row = g_new0 (Row, 1);
  row->name = g_strdup (name);
  return row;
}

void
camera_board_set (CameraBoard *board, const GPtrArray *plans)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&board->lock);
  GHashTable *rows = make_rows ();

  g_ptr_array_set_size (board->order, 0);
  for (guint i = 0; i < plans->len; i++) {
    const CameraPlan *plan = g_ptr_array_index (plans, i);
    Row *row = take_row (board, plan->name);

    g_hash_table_insert (rows, row->name, row);
    g_ptr_array_add (board->order, row);
  }
  g_hash_table_unref (board->rows);
  board->rows = rows;
}

/* --- news --- */

static void
add_counts (Counts *sum, const Counts *counts)
{
  sum->frames += counts->frames;
  sum->results += counts->results;
  sum->reconnects += counts->reconnects;
  for (guint i = 0; i < CAMERA_N_SKIPS; i++)
    sum->skipped[i] += counts->skipped[i];
}

static void
subtract_counts (Counts *sum, const Counts *counts)
{
  sum->frames -= counts->frames;
  sum->results -= counts->results;
  sum->reconnects -= counts->reconnects;
  for (guint i = 0; i < CAMERA_N_SKIPS; i++)
    sum->skipped[i] -= counts->skipped[i];
}

static Counts
get_sum (const Row *row)
{
  Counts sum = row->before;

  add_counts (&sum, &row->now);
  return sum;
}

void
camera_board_begin_anew (CameraBoard *board, const gchar *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&board->lock);
  Row *row = find_row (board, name);

  if (row == NULL)
    return;
  add_counts (&row->before, &row->now);
  row->before.reconnects++;
  row->now = (Counts){ 0 };
  row->state = CAMERA_LOST;
}

void
camera_board_add_result (CameraBoard *board, const CameraResult *result)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&board->lock);
  Row *row = find_row (board, result->name);

  if (row == NULL)
    return;
  row->now.results++;
  row->shown = g_get_monotonic_time () - (gint64)(result->age / 1000);
  row->probability = result->probability;
  if (g_strcmp0 (row->best, result->best) != 0) {
    g_free (row->best);
    row->best = g_strdup (result->best);
  }
  camera_ages_add (&row->ages, result->age);
}

static void
add_sample (Row *row)
{
  Counts sum = get_sum (row);
  Sample sample = { g_get_monotonic_time (), sum.frames, sum.results };

  row->window[row->n_samples++ % WINDOW] = sample;
}

void
camera_board_set_status (CameraBoard *board, const CameraStatus *status)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&board->lock);
  Row *row = find_row (board, status->name);

  if (row == NULL)
    return;
  row->state = status->state;
  row->now.frames = status->frames;
  row->now.reconnects = status->reconnects;
  memcpy (row->now.skipped, status->skipped, sizeof row->now.skipped);
  add_sample (row);
}

/* --- views --- */

void
camera_board_mark (CameraBoard *board)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&board->lock);

  board->marked = g_get_monotonic_time ();
  for (guint i = 0; i < board->order->len; i++) {
    Row *row = g_ptr_array_index (board->order, i);

    row->mark = get_sum (row);
    row->ages = (CameraAges){ 0 };
  }
}

static void
view_rates (const Row *row, CameraView *view)
{
  const Sample *last, *first;
  gdouble seconds;

  if (row->n_samples < 2)
    return;
  last = &row->window[(row->n_samples - 1) % WINDOW];
  first = &row->window[row->n_samples < WINDOW ? 0 : row->n_samples % WINDOW];
  seconds = (gdouble)(last->time - first->time) / G_USEC_PER_SEC;
  if (seconds <= 0)
    return;
  view->frame_rate = (gdouble)(last->frames - first->frames) / seconds;
  view->result_rate = (gdouble)(last->results - first->results) / seconds;
}

static CameraView
view_row (const CameraBoard *board, const Row *row, gboolean since_mark)
{
  Counts counts = get_sum (row);
  gint64 now = g_get_monotonic_time ();
  CameraView view = { .name = g_strdup (row->name), .state = row->state };

  if (since_mark) {
    subtract_counts (&counts, &row->mark);
    view.age_p50 = camera_ages_get_quantile (&row->ages, 0.5);
    view.age_p99 = camera_ages_get_quantile (&row->ages, 0.99);
  }
  view.seconds = (gdouble)(now - (since_mark ? board->marked : board->begun)) /
                 G_USEC_PER_SEC;
  view.frames = counts.frames;
  view.results = counts.results;
  view.reconnects = counts.reconnects;
  memcpy (view.skipped, counts.skipped, sizeof view.skipped);
  view_rates (row, &view);
  view.has_result = row->shown != 0;
  view.age = (gdouble)(now - row->shown) / G_USEC_PER_SEC;
  view.probability = row->probability;
  view.best = g_strdup (row->best);
  return view;
}

static void
clear_view (gpointer data)
{
  CameraView *view = data;

  g_free (view->name);
  g_free (view->best);
}

GArray *
camera_board_get_views (CameraBoard *board, gboolean since_mark)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&board->lock);
  GArray *views = g_array_new (FALSE, FALSE, sizeof (CameraView));

  g_array_set_clear_func (views, clear_view);
  for (guint i = 0; i < board->order->len; i++) {
    CameraView view =
        view_row (board, g_ptr_array_index (board->order, i), since_mark);

    g_array_append_val (views, view);
  }
  return views;
}
