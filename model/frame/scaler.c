/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Source rows are read in strips of CLIP_LANES and narrowed into rows of a
 * target row's width; each target row is summed as soon as its window is among
 * them. Between the passes four rows make a word, so that all is bytes that
 * stay in a core's own cache. */

#include "frame/scaler.h"

#include <string.h>

#include "clip-vector.h"
#include "frame/narrow.h"

#define CHANNELS 3
#define LANES CLIP_LANES
#define WORD CLIP_WORD

/* Strips between two times that the rows still needed are moved to the front.
 */
#define N_STRIPS 4

struct _ClipScaler {
  ClipTaps columns, rows;
  ClipPlanes planes;
  ClipNarrow narrow;
  gsize stride;    /* columns, filled up, x 3 */
  guint n_room;    /* rows of words that there is room for */
  guint first;     /* a quarter of the source row that the first of them is */
  guint next;      /* that of the one behind the last of them */
  guint32 *window; /* [n_room, stride]: R, G and B of four rows */
  gint32 *sums;    /* [stride] */
  guint8 *target;  /* [stride] */
};

/* @axis: (out) */
static void
init_taps (
    ClipTaps *taps, ClipKernel kernel, const ClipSide *side, ClipAxis *axis)
{
  clip_resample_axis_init (axis, kernel, side);
  clip_taps_init (taps, clip_sum_get (0), axis);
}

ClipScaler *
clip_scaler_new (ClipKernel kernel, const ClipSide *x, const ClipSide *y)
{
  ClipScaler *scaler = g_new0 (ClipScaler, 1);
  ClipPlanes *planes = &scaler->planes;
  ClipAxis columns, rows;

  init_taps (&scaler->columns, kernel, x, &columns);
  init_taps (&scaler->rows, kernel, y, &rows);
  planes->width = x->source;
  planes->height = y->source;
  planes->begin = scaler->columns.begin * WORD;
  planes->n = clip_resample_axis_end (&columns) - planes->begin;
  planes->row_begin = rows.first[0];
  planes->row_end = clip_resample_axis_end (&rows);
  clip_resample_axis_clear (&columns);
  clip_resample_axis_clear (&rows);

  clip_planes_init (planes);
  clip_narrow_init (&scaler->narrow, &scaler->columns);
  scaler->stride = CHANNELS * scaler->narrow.pitch;
  scaler->n_room = scaler->rows.n_words + N_STRIPS * LANES / WORD;
  scaler->window = g_aligned_alloc0 (
      scaler->n_room, scaler->stride * sizeof *scaler->window, CLIP_LANES_SIZE);
  scaler->sums =
      g_aligned_alloc0 (scaler->stride, sizeof *scaler->sums, CLIP_LANES_SIZE);
  scaler->target = g_malloc0 (scaler->stride);
  return scaler;
}

void
clip_scaler_free (ClipScaler *scaler)
{
  clip_taps_clear (&scaler->columns);
  clip_taps_clear (&scaler->rows);
  clip_planes_clear (&scaler->planes);
  clip_narrow_clear (&scaler->narrow);
  g_aligned_free (scaler->window);
  g_aligned_free (scaler->sums);
  g_free (scaler->target);
  g_free (scaler);
}

/* Makes room for another strip: drops the rows of words before @first. */
static void
drop_rows (ClipScaler *scaler, guint first)
{
  guint dropped = MIN (first, scaler->next) - scaler->first;

  if (scaler->next + LANES / WORD - scaler->first <= scaler->n_room)
    return;
  scaler->first += dropped;
  memmove (scaler->window, scaler->window + dropped * scaler->stride,
      (scaler->next - scaler->first) * scaler->stride * sizeof *scaler->window);
}

/* Reads the next strip; rows of words before @first will not be needed any
 * more. */
static void
read_strip (ClipScaler *scaler, guint first)
{
  ClipStrip strip;

  drop_rows (scaler, first);
  clip_planes_read (&scaler->planes, scaler->next * WORD, &strip);
  clip_narrow_run (&scaler->narrow, &strip,
      scaler->window + (scaler->next - scaler->first) * scaler->stride);
  scaler->next += LANES / WORD;
}

CLIP_VECTORISED static void
write_triplets (
    const guint8 *restrict target, gsize pitch, gsize n, guint8 *restrict rgb)
{
  for (gsize i = 0; i < n; i++) {
    rgb[CHANNELS * i] = target[i];
    rgb[CHANNELS * i + 1] = target[pitch + i];
    rgb[CHANNELS * i + 2] = target[2 * pitch + i];
  }
}

static void
sum_row (ClipScaler *scaler, guint t, guint8 *rgb)
{
  const ClipTaps *rows = &scaler->rows;

  rows->sum->across (rows, t,
      scaler->window + (rows->first[t] - scaler->first) * scaler->stride,
      scaler->stride, scaler->stride, scaler->sums);
  clip_narrow_round (scaler->sums, scaler->stride, scaler->target);
  write_triplets (scaler->target, scaler->narrow.pitch, scaler->columns.n, rgb);
}

void
clip_scaler_run (
    ClipScaler *scaler, const ClipFrame *frame, guint8 *picture, gsize stride)
{
  const ClipTaps *rows = &scaler->rows;

  clip_planes_set_frame (&scaler->planes, frame);
  scaler->first = scaler->next = rows->begin;
  for (guint t = 0; t < rows->n; t++, picture += stride) {
    while (scaler->next < rows->first[t] + rows->count[t])
      read_strip (scaler, rows->first[t]);
    sum_row (scaler, t, picture);
  }
}
