/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/lanes.h"

#include <string.h>

#include "clip-vector.h"

#define LANES CLIP_LANES

/* Four bytes of each of four rows. */
#define N_WORDS (LANES / 4)
typedef guint32 Words
    __attribute__ ((vector_size (N_WORDS * sizeof (guint32))));

/* Four rows of four words become four columns: each pass shuffles the rows of
 * both halves like cards, and so moves one bit of a row's number to the end of
 * the address. */
static inline __attribute__ ((always_inline)) void
turn (Words *words)
{
  for (guint pass = 0; pass < 2; pass++) {
    Words a = words[0], b = words[1], c = words[2], d = words[3];

    words[0] = __builtin_shufflevector (a, c, 0, 4, 1, 5);
    words[1] = __builtin_shufflevector (a, c, 2, 6, 3, 7);
    words[2] = __builtin_shufflevector (b, d, 0, 4, 1, 5);
    words[3] = __builtin_shufflevector (b, d, 2, 6, 3, 7);
  }
}

/* LANES columns of LANES rows, four bytes of a row in a word. */
typedef guint32 Square[N_WORDS][LANES];

CLIP_VECTORISED static void
turn_square (const guint8 *const *rows, gsize offset, Square square)
{
  for (guint i = 0; i < LANES; i += N_WORDS) {
    Words words[N_WORDS];

    for (guint k = 0; k < N_WORDS; k++)
      memcpy (&words[k], rows[i + k] + offset, sizeof (Words));
    turn (words);
    for (guint k = 0; k < N_WORDS; k++)
      memcpy (&square[k][i], &words[k], sizeof (Words));
  }
}

/* Turning words and then taking them apart needs a third of the shuffles that
 * turning bytes does, of which a CPU makes one or two at a time. */
CLIP_VECTORISED static void
take_apart (const Square square, gfloat *restrict lanes, gsize stride)
{
  for (guint k = 0; k < N_WORDS; k++, lanes += 4 * stride) {
    for (guint i = 0; i < LANES; i++) {
      gint32 word = (gint32)GUINT32_FROM_LE (square[k][i]);

      lanes[i] = word & 0xff;
      lanes[stride + i] = word >> 8 & 0xff;
      lanes[2 * stride + i] = word >> 16 & 0xff;
      lanes[3 * stride + i] = word >> 24 & 0xff;
    }
  }
}

/* Fewer columns than that. */
static void
read_few (const guint8 *const *rows, gsize offset, gsize n, gfloat *lanes)
{
  for (gsize i = 0; i < n; i++) {
    for (guint row = 0; row < LANES; row++)
      lanes[i * LANES + row] = rows[row][offset + i];
  }
}

/* Squares that are turned before the first is taken apart: what was just
 * written in small pieces cannot be read in large ones at once. */
#define N_SQUARES 4

void
clip_lanes_read (
    const guint8 *const *rows, gsize offset, gsize n, gfloat *lanes)
{
  if (n < LANES) {
    read_few (rows, offset, n, lanes);
    return;
  }
  for (gsize i = 0; i < n; i += N_SQUARES * LANES) {
    Square squares[N_SQUARES];
    gsize first[N_SQUARES];
    guint n_squares = 0;

    /* The last columns may be read twice: there is nothing behind them. */
    for (; n_squares < N_SQUARES && i + n_squares * LANES < n; n_squares++) {
      first[n_squares] = MIN (i + n_squares * LANES, n - LANES);
      turn_square (rows, offset + first[n_squares], squares[n_squares]);
    }
    for (guint k = 0; k < n_squares; k++)
      take_apart (squares[k], lanes + first[k] * LANES, LANES);
  }
}

void
clip_lanes_write (const guint8 *lanes, gsize n, gfloat *rows, gsize stride)
{
  for (gsize at = 0; at < n; at += LANES) {
    const guint8 *columns[LANES];
    Square square;

    for (guint i = 0; i < LANES; i++)
      columns[i] = lanes + (at + i) * LANES;
    turn_square (columns, 0, square);
    take_apart (square, rows + at, stride);
  }
}
