/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Pillow's antialiased resampling, to the byte: for each axis a table of
 * integer weights, computed for the kept target pixels alone. */
#pragma once

#include "frame/frame.h"

/* Weights are fractions of 2^22 (Pillow's Resample.c, PRECISION_BITS). */
#define CLIP_WEIGHT_BITS 22

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
  gint32 *weights; /* [n, n_taps], fractions of 2^CLIP_WEIGHT_BITS */
} ClipAxis;

void clip_resample_axis_init (
    ClipAxis *axis, ClipKernel kernel, const ClipSide *side);
void clip_resample_axis_clear (ClipAxis *axis);

/* The source pixel behind the last one that any window holds. */
guint clip_resample_axis_end (const ClipAxis *axis);
