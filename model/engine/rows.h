/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Row work that only this room needs; the rest stands in engine.h. */
#pragma once

#include "engine/vector.h"

/* Softmax of scale * scores over the first @n_keys of each row (and over the
 * first t + 1 of row t if @causal); what is masked becomes exactly 0.
 *
 * @stride: floats from one row to the next; each row has room for a multiple of
 *   CLIP_LINE floats, and what is in it beyond @width is overwritten */
void clip_rows_softmax (guint rows, guint width, gsize stride, guint n_keys,
    gboolean causal, gfloat scale, gfloat *scores);
