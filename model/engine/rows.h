/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Row work that only this room needs; the rest stands in engine.h. */
#pragma once

#include "engine/vector.h"

typedef struct {
  guint rows;
  guint width;
  gsize stride; /* values from one row to the next, of scores and dst: room for
                   a multiple of CLIP_LINE, what lies beyond width is lost */
  guint n_keys; /* that count in each row */
  gboolean causal; /* in row t at most the first t + 1 */
  guint first;     /* the t of the first row */
  gfloat scale;
  gfloat *scores;    /* used up */
  ClipNumber number; /* of dst */
  gpointer dst;      /* may be scores where that is f32 */
} ClipSoftmax;

/* Softmax of scale * scores over the keys that count in each row; the others
 * become exactly 0. */
void clip_rows_softmax (const ClipSoftmax *softmax);

/* A ClipPartFunc: the rows from … to - 1 of a ClipLayerNorm. */
void clip_rows_norm_part (gconstpointer norm, guint part, guint from, guint to);
