/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Source rows are read in strips of CLIP_RESAMPLE_LANES and shrunk horizontally
 * into a ring of rows; each target row is summed as soon as its window is in
 * the ring. */

#include "frame/scaler.h"

#include "frame/planes.h"

#define CHANNELS 3
#define LANES CLIP_RESAMPLE_LANES

struct _ClipScaler {
  ClipAxis columns, rows;
  ClipPlanes planes;
  guint row_begin, row_end; /* source rows that are read */
  guint8 *strip, *spare;    /* [LANES, planes.n, 3] */
  guint n_ring;
  guint8 *ring;          /* [n_ring, columns.n, 3]: row y is y mod n_ring */
  const guint8 **window; /* [rows.n_taps] */
  gint32 *sums;          /* [columns.n, 3] */
};

ClipScaler *
clip_scaler_new (ClipKernel kernel, const ClipSide *x, const ClipSide *y)
{
  ClipScaler *scaler = g_new0 (ClipScaler, 1);
  ClipPlanes *planes = &scaler->planes;
  gsize n = (gsize)x->n * CHANNELS;

  clip_resample_axis_init (&scaler->columns, kernel, x);
  clip_resample_axis_init (&scaler->rows, kernel, y);
  scaler->row_begin = scaler->rows.first[0];
  scaler->row_end = clip_resample_axis_end (&scaler->rows);

  planes->width = x->source;
  planes->height = y->source;
  planes->begin = scaler->columns.first[0] & ~1u;
  planes->n = clip_resample_axis_end (&scaler->columns) - planes->begin;
  planes->row = g_malloc0_n (x->source, CHANNELS);
  scaler->strip = g_malloc0_n (planes->n, LANES * CHANNELS);
  scaler->spare = g_malloc0_n (planes->n, LANES * CHANNELS);
  scaler->n_ring = scaler->rows.n_taps + LANES;
  scaler->ring = g_malloc0_n (scaler->n_ring, n);
  scaler->window = g_new0 (const guint8 *, scaler->rows.n_taps);
  scaler->sums = g_new0 (gint32, n);
  return scaler;
}

void
clip_scaler_free (ClipScaler *scaler)
{
  clip_resample_axis_clear (&scaler->columns);
  clip_resample_axis_clear (&scaler->rows);
  g_free (scaler->planes.row);
  g_free (scaler->strip);
  g_free (scaler->spare);
  g_free (scaler->ring);
  g_free (scaler->window);
  g_free (scaler->sums);
  g_free (scaler);
}

static guint8 *
ring_row (const ClipScaler *scaler, guint y)
{
  return scaler->ring +
         (gsize)(y % scaler->n_ring) * scaler->columns.n * CHANNELS;
}

/* Reads source rows @y … and leaves them, shrunk horizontally, in the ring.
 *
 * Returns: the row behind the last one read. */
static guint
read_strip (ClipScaler *scaler, guint y)
{
  gsize n = (gsize)scaler->planes.n * CHANNELS;
  guint end = MIN (scaler->row_end, y + LANES);
  guint8 *targets[LANES];

  for (guint row = 0; row < LANES; row++) {
    if (y + row < end)
      clip_planes_read (&scaler->planes, y + row, scaler->strip + row * n);
    targets[row] = ring_row (scaler, y + row);
  }
  clip_resample_lanes (scaler->strip, scaler->spare, n);
  clip_resample_columns (
      &scaler->columns, scaler->strip, scaler->planes.begin, targets);
  return end;
}

static void
sum_row (ClipScaler *scaler, guint t, guint8 *target)
{
  const ClipAxis *rows = &scaler->rows;

  for (guint k = 0; k < rows->count[t]; k++)
    scaler->window[k] = ring_row (scaler, rows->first[t] + k);
  clip_resample_row (rows->weights + (gsize)t * rows->n_taps, rows->count[t],
      scaler->window, scaler->columns.n * CHANNELS, scaler->sums, target);
}

void
clip_scaler_run (
    ClipScaler *scaler, const ClipFrame *frame, guint8 *picture, gsize stride)
{
  const ClipAxis *rows = &scaler->rows;
  guint next = scaler->row_begin;

  clip_planes_set_frame (&scaler->planes, frame);
  for (guint t = 0; t < rows->n; t++, picture += stride) {
    while (next < rows->first[t] + rows->count[t])
      next = read_strip (scaler, next);
    sum_row (scaler, t, picture);
  }
}
