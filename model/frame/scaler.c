/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Source rows are read in strips of CLIP_LANES and shrunk horizontally into
 * rows of a target row's width; each target row is summed as soon as its window
 * is among them. All is done in pieces that stay in a core's own cache. */

#include "frame/scaler.h"

#include <string.h>

#include "frame/lanes.h"
#include "frame/planes.h"
#include "frame/sum.h"

#define CHANNELS 3
#define LANES CLIP_LANES
#define GROUP (CHANNELS * LANES)
#define MAX_PIXEL_SIZE 4

/* Source pixels that are turned into lanes at once, or as many windows as that
 * are long: neighbouring windows share most of their pixels. */
#define CHUNK 64
#define CHUNK_WINDOWS 3

/* Strips between two times that the rows still needed are moved to the front.
 */
#define N_STRIPS 4

struct _ClipScaler {
  ClipAxis columns, rows;
  ClipPlanes planes;
  ClipSum sum;
  guint row_begin, row_end; /* source rows that are read */
  guint chunk;
  gfloat *lanes;  /* [chunk, MAX_PIXEL_SIZE, LANES] */
  guint8 *shrunk; /* [stride, LANES] */
  gsize stride;   /* columns.n x 3, filled up to whole GROUPs */
  guint n_shrunk; /* rows that there is room for */
  guint first;    /* source row that the first of them is */
  guint next;     /* source row behind the last of them */
  gfloat *window; /* [n_shrunk, stride] */
};

static gpointer
new_lanes (gsize n, gsize size)
{
  return g_aligned_alloc0 (n, size, CLIP_LANES_SIZE);
}

ClipScaler *
clip_scaler_new (ClipKernel kernel, const ClipSide *x, const ClipSide *y)
{
  ClipScaler *scaler = g_new0 (ClipScaler, 1);
  ClipPlanes *planes = &scaler->planes;

  clip_resample_axis_init (&scaler->columns, kernel, x);
  clip_resample_axis_init (&scaler->rows, kernel, y);
  scaler->sum = clip_sum_get (LANES);
  scaler->row_begin = scaler->rows.first[0];
  scaler->row_end = clip_resample_axis_end (&scaler->rows);

  planes->width = x->source;
  planes->height = y->source;
  planes->begin = scaler->columns.first[0] & ~1u;
  planes->n = clip_resample_axis_end (&scaler->columns) - planes->begin;
  planes->row = g_malloc0_n (x->source, CHANNELS);
  planes->strip = g_malloc0_n (planes->n, LANES * CHANNELS);

  scaler->chunk = MAX (CHUNK, CHUNK_WINDOWS * scaler->columns.n_taps);
  scaler->lanes =
      new_lanes (scaler->chunk, MAX_PIXEL_SIZE * LANES * sizeof (gfloat));
  scaler->stride = ((gsize)x->n * CHANNELS + GROUP - 1) / GROUP * GROUP;
  scaler->shrunk = new_lanes (scaler->stride, LANES);
  scaler->n_shrunk = scaler->rows.n_taps + N_STRIPS * LANES;
  scaler->window =
      new_lanes (scaler->n_shrunk, scaler->stride * sizeof (gfloat));
  return scaler;
}

void
clip_scaler_free (ClipScaler *scaler)
{
  clip_resample_axis_clear (&scaler->columns);
  clip_resample_axis_clear (&scaler->rows);
  g_free (scaler->planes.row);
  g_free (scaler->planes.strip);
  g_aligned_free (scaler->lanes);
  g_aligned_free (scaler->shrunk);
  g_aligned_free (scaler->window);
  g_free (scaler);
}

static guint
window_end (const ClipAxis *axis, guint t)
{
  return axis->first[t] + axis->count[t];
}

/* Turns @n pixels of @strip from @x on into lanes.
 *
 * @window: (out): the step and where the values of its first pixel are */
static void
read_lanes (const ClipScaler *scaler, const ClipStrip *strip, guint x, guint n,
    ClipWindow *window)
{
  window->step = strip->step * LANES;
  for (guint c = 0; c < CHANNELS; c++) {
    gfloat *lanes = scaler->lanes + (gsize)c * n * LANES;

    if (strip->step == 1)
      clip_lanes_read (strip->rows, strip->offsets[c] + x, n, lanes);
    else
      lanes = scaler->lanes + strip->offsets[c] * LANES;
    window->values[c] = lanes;
  }
  if (strip->step > 1)
    clip_lanes_read (strip->rows, (gsize)x * strip->step,
        (gsize)n * strip->step, scaler->lanes);
}

/* Shrinks one chunk, target pixels from @t on.
 *
 * Returns: the target pixel behind the last one of it. */
static guint
shrink_chunk (ClipScaler *scaler, const ClipStrip *strip, guint t)
{
  const ClipAxis *columns = &scaler->columns;
  guint begin = columns->first[t];
  guint end = t + 1;
  ClipWindow chunk;

  while (end < columns->n && window_end (columns, end) - begin <= scaler->chunk)
    end++;
  read_lanes (scaler, strip, begin - scaler->planes.begin,
      window_end (columns, end - 1) - begin, &chunk);
  for (; t < end; t++) {
    gsize skipped = (columns->first[t] - begin) * chunk.step;
    ClipWindow window = {
      .n = columns->count[t],
      .weights = columns->parts + (gsize)t * columns->n_taps * 2,
      .values = { chunk.values[0] + skipped, chunk.values[1] + skipped,
          chunk.values[2] + skipped },
      .step = chunk.step,
    };

    scaler->sum (&window, scaler->shrunk + (gsize)t * GROUP);
  }
  return end;
}

/* Makes room for another strip: drops the rows before @first. */
static void
drop_rows (ClipScaler *scaler, guint first)
{
  guint dropped = MIN (first, scaler->next) - scaler->first;

  if (scaler->next + LANES - scaler->first <= scaler->n_shrunk)
    return;
  scaler->first += dropped;
  memmove (scaler->window, scaler->window + dropped * scaler->stride,
      (scaler->next - scaler->first) * scaler->stride * sizeof (gfloat));
}

/* Reads source rows from @next on, of which those before @first will not be
 * needed any more. */
static void
read_strip (ClipScaler *scaler, guint first)
{
  guint n_rows = MIN (LANES, scaler->row_end - scaler->next);
  ClipStrip strip;
  guint t = 0;

  drop_rows (scaler, first);
  clip_planes_read (&scaler->planes, scaler->next, n_rows, &strip);
  while (t < scaler->columns.n)
    t = shrink_chunk (scaler, &strip, t);
  clip_lanes_write (scaler->shrunk, scaler->stride,
      scaler->window + (scaler->next - scaler->first) * scaler->stride,
      scaler->stride);
  scaler->next += n_rows;
}

static void
sum_row (ClipScaler *scaler, guint t, guint8 *target)
{
  const ClipAxis *rows = &scaler->rows;
  gsize size = (gsize)scaler->columns.n * CHANNELS;
  const gfloat *values =
      scaler->window + (rows->first[t] - scaler->first) * scaler->stride;

  for (gsize at = 0; at < size; at += GROUP, values += GROUP) {
    ClipWindow window = {
      .n = rows->count[t],
      .weights = rows->parts + (gsize)t * rows->n_taps * 2,
      .values = { values, values + LANES, values + 2 * LANES },
      .step = scaler->stride,
    };
    guint8 bytes[GROUP];

    scaler->sum (&window, bytes);
    memcpy (target + at, bytes, MIN (GROUP, size - at));
  }
}

void
clip_scaler_run (
    ClipScaler *scaler, const ClipFrame *frame, guint8 *picture, gsize stride)
{
  const ClipAxis *rows = &scaler->rows;

  clip_planes_set_frame (&scaler->planes, frame);
  scaler->first = scaler->next = scaler->row_begin;
  for (guint t = 0; t < rows->n; t++, picture += stride) {
    while (scaler->next < window_end (rows, t))
      read_strip (scaler, rows->first[t]);
    sum_row (scaler, t, picture);
  }
}
