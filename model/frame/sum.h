/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The weighted sums of both passes of a resize: where nearly all of its time
 * goes. */
#pragma once

#include <glib.h>

/* Values that are summed side by side, in the same way. */
#define CLIP_LANES 16

/* Weights are fractions of 2^22 (Pillow's Resample.c, PRECISION_BITS). */
#define CLIP_SUM_BITS 22

/* Floats that are used in vectors: from g_aligned_alloc0 (…, CLIP_LANES_SIZE),
 * at multiples of CLIP_LANES. */
#define CLIP_LANES_SIZE (CLIP_LANES * sizeof (gfloat))

/* A window over three times LANES values. */
typedef struct {
  guint n;
  const gfloat *weights;   /* [n, 2], of clip_sum_split() */
  const gfloat *values[3]; /* the first LANES of each; whole, 0 … 255 */
  gsize step;              /* floats from LANES to the next, a multiple of
                              CLIP_LANES */
} ClipWindow;

/* @weight: at most 2^24 long
 * @parts: (out caller-allocates): two whole numbers: 128 times the first and
 *   the second make @weight */
void clip_sum_split (gint32 weight, gfloat *parts);

/* Sums, rounded and clipped into bytes: the same on every CPU.
 *
 * @window: of weights whose lengths make less than 1.9 x 2^22
 * @target: (out caller-allocates): [3, LANES] */
typedef void (*ClipSum) (const ClipWindow *window, guint8 *target);

/* Returns: the fastest on this CPU of those that add up to @max_lanes values at
 * once, 4 at least. */
ClipSum clip_sum_get (guint max_lanes);
