/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Pillow's antialiased resampling, to the byte: for each axis a table of
 * integer weights, computed for the kept target pixels alone, and the two
 * passes over rows of bytes, horizontal first, each rounded to 8 bits. */
#pragma once

#include "frame/frame.h"

/* Rows that the horizontal pass takes at once, one in each lane. */
#define CLIP_RESAMPLE_LANES 16

/* Weights are fractions of 2^22 (Pillow's Resample.c, PRECISION_BITS). */
#define CLIP_RESAMPLE_BITS 22

/* One side of a resize: @source pixels become @target ones, of which @n from
 * @begin on are kept. */
typedef struct {
  guint source, target;
  guint begin, n;
} ClipSide;

/* Its windows: kept target pixel t is the sum of source pixels
 * first[t] … first[t] + count[t] - 1, weighted by weights[t * n_taps] … */
typedef struct {
  guint n;         /* kept target pixels */
  guint n_taps;    /* longest window */
  guint *first;    /* [n], never falling */
  guint *count;    /* [n], at least 1 */
  gint32 *weights; /* [n, n_taps] */
} ClipAxis;

void clip_resample_axis_init (
    ClipAxis *axis, ClipKernel kernel, const ClipSide *side);
void clip_resample_axis_clear (ClipAxis *axis);

/* The source pixel behind the last one that any window holds. */
guint clip_resample_axis_end (const ClipAxis *axis);

/* Turns LANES rows of @n bytes, one behind the other, into @n groups of LANES
 * bytes, in place.
 *
 * @spare: LANES x n bytes, scratch */
void clip_resample_lanes (guint8 *rows, guint8 *spare, gsize n);

/* The horizontal pass over LANES rows.
 *
 * @lanes: [pixels, 3, LANES], of which the first is source pixel @origin
 * @rows: (out caller-allocates): LANES rows of axis->n RGB triplets */
void clip_resample_columns (const ClipAxis *axis, const guint8 *lanes,
    guint origin, guint8 *const *rows);

/* The vertical pass for one target row.
 *
 * @rows: the axis->count[t] rows of its window
 * @n: bytes a row
 * @sums: [n], scratch
 * @target: (out caller-allocates): n bytes */
void clip_resample_row (const gint32 *weights, guint n_rows,
    const guint8 *const *rows, guint n, gint32 *sums, guint8 *target);
