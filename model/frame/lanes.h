/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Rows of bytes turned on their side and back, for sums that run along a row:
 * columns of CLIP_LANES words, of which each holds four bytes of a row. */
#pragma once

#include "frame/sum.h"

/* Bytes from pixel to pixel, at most. */
#define CLIP_LANES_MAX_STEP 4

/* Words behind the last one wanted that clip_lanes_read() may write. */
#define CLIP_LANES_SPARE 3

/* Bytes of pixels become words, those at the first place of four pixels one
 * word, those at the second another, and so on.
 *
 * @rows: [LANES], each of @size bytes
 * @step: bytes from pixel to pixel: 1, 3 or 4
 * @n: words of each place; behind the end of a row they hold anything
 * @words: (out caller-allocates): [step, @pitch, LANES], pitch at least
 *   @n + SPARE */
void clip_lanes_read (const guint8 *const *rows, gsize size, guint step,
    gsize n, guint32 *words, gsize pitch);

/* Columns become rows.
 *
 * @from: [n, m], both multiples of four
 * @to: (out caller-allocates): [m, n], rows @stride words apart */
void clip_lanes_turn (
    const guint32 *from, gsize n, gsize m, guint32 *to, gsize stride);
