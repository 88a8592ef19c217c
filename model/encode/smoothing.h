/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How to share between a layer's source and its weights what makes bytes
 * coarse. One channel that is a hundred times as large as the others takes all
 * codes of its row; divided by some power of its size, with the weights behind
 * it multiplied, source and weights each lose a little.
 *
 * Letters: M rows, K channels, N out features. */
#pragma once

#include <glib.h>

typedef struct {
  guint rows;            /* M */
  guint in_features;     /* K */
  guint out_features;    /* N */
  const gfloat *src;     /* [M, K]: a sample */
  const gfloat *weights; /* [N, K] */
} ClipSmoothingCase;

/* The power of the channels' size that makes the least error, as the sizes of
 * the bytes' steps predict it; 0 where smoothing gains little.
 *
 * @smoothing: (out caller-allocates): [K], above 0: by what the source is to be
 *   divided; all 1 where the power is 0 */
gfloat clip_smoothing_choose (
    const ClipSmoothingCase *layer, gfloat *smoothing);
