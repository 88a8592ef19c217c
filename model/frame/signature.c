/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/signature.h"

#include <math.h>
#include <string.h>

#include "clip-vector.h"

#define CHANNELS 3
#define N_CELLS (CLIP_SIGNATURE_SIDE * CLIP_SIGNATURE_SIDE)
#define FULL_RANGE 255.0

/* Where cell @i of a side begins; a picture smaller than the cells are many
 * shows its pixels in several. */
static guint
get_begin (guint size, guint i)
{
  return i * size / CLIP_SIGNATURE_SIDE;
}

static guint
get_end (guint size, guint i)
{
  return MAX (get_begin (size, i + 1), get_begin (size, i) + 1);
}

CLIP_VECTORISED_EXACTLY static void
add_row (const guint8 *restrict row, gsize n, guint32 *restrict sums)
{
  for (gsize i = 0; i < n; i++)
    sums[i] += row[i];
}

/* A cell's sum from those of its columns, all channels side by side. */
static void
fill_cell (const guint32 *columns, guint n_columns, guint n_pixels,
    gfloat cell[CHANNELS])
{
  for (guint c = 0; c < CHANNELS; c++) {
    guint64 sum = 0;

    for (guint x = 0; x < n_columns; x++)
      sum += columns[CHANNELS * x + c];
    cell[c] = (gfloat)((gdouble)sum / n_pixels);
  }
}

void
clip_signature_compute (
    const guint8 *picture, guint size, ClipSignature *signature)
{
  gsize stride = (gsize)size * CHANNELS;
  guint32 columns[CLIP_SIGNATURE_MAX_SIZE * CHANNELS];

  g_return_if_fail (size >= 1 && size <= CLIP_SIGNATURE_MAX_SIZE);

  for (guint i = 0; i < CLIP_SIGNATURE_SIDE; i++) {
    guint top = get_begin (size, i), bottom = get_end (size, i);

    memset (columns, 0, stride * sizeof *columns);
    for (guint y = top; y < bottom; y++)
      add_row (picture + y * stride, stride, columns);
    for (guint k = 0; k < CLIP_SIGNATURE_SIDE; k++) {
      guint left = get_begin (size, k), n = get_end (size, k) - left;

      fill_cell (columns + (gsize)CHANNELS * left, n, n * (bottom - top),
          signature->cells[i * CLIP_SIGNATURE_SIDE + k]);
    }
  }
}

gdouble
clip_signature_compare (const ClipSignature *a, const ClipSignature *b)
{
  gfloat largest = 0;

  for (guint i = 0; i < N_CELLS; i++) {
    for (guint c = 0; c < CHANNELS; c++)
      largest = MAX (largest, ABS (a->cells[i][c] - b->cells[i][c]));
  }
  return largest / FULL_RANGE;
}

gdouble
clip_signature_get_contrast (const ClipSignature *signature)
{
  gdouble sum = 0, squares = 0, variance;

  for (guint i = 0; i < N_CELLS; i++) {
    const gfloat *cell = signature->cells[i];
    gdouble brightness = (cell[0] + cell[1] + cell[2]) / FULL_RANGE / CHANNELS;

    sum += brightness;
    squares += brightness * brightness;
  }
  variance = squares / N_CELLS - (sum / N_CELLS) * (sum / N_CELLS);
  return sqrt (MAX (variance, 0));
}
