/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/lanes.h"

#include <string.h>

#include "clip-vector.h"

#define LANES CLIP_LANES
#define WORD CLIP_WORD
#define ALWAYS_INLINE inline __attribute__ ((always_inline))

/* Four words, or their bytes. */
#define SIZE 16
typedef guint8 Bytes __attribute__ ((vector_size (SIZE)));
typedef guint32 Words __attribute__ ((vector_size (SIZE)));

/* Four rows of four words become four columns: each pass shuffles the rows of
 * both halves like cards, and so moves one bit of a row's number to the end of
 * the address. */
static ALWAYS_INLINE void
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

/* Brings bytes of the same place together. */
static ALWAYS_INLINE Bytes
sort (Bytes b, guint step)
{
  if (step == 3)
    return __builtin_shufflevector (
        b, b, 0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, 12, 13, 14, 15);
  if (step == 4)
    return __builtin_shufflevector (
        b, b, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return b;
}

/* Whole words of each place in a pixel that SIZE bytes of a row hold. */
static ALWAYS_INLINE guint
count_words (guint step)
{
  return SIZE / WORD / step;
}

/* @rows: [LANES], SIZE bytes of each */
static ALWAYS_INLINE void
read_block (
    const guint8 *const *rows, gsize at, guint step, guint32 *to, gsize pitch)
{
  guint n_words = count_words (step);

  for (guint i = 0; i < LANES; i += WORD) {
    Words words[WORD];

    for (guint k = 0; k < WORD; k++) {
      Bytes bytes;

      memcpy (&bytes, rows[i + k] + at, SIZE);
      words[k] = (Words)sort (bytes, step);
    }
    turn (words);
    for (guint k = 0; k < step * n_words; k++)
      memcpy (to + (k / n_words * pitch + k % n_words) * LANES + i, &words[k],
          SIZE);
  }
}

/* The same where rows end within the block. */
static ALWAYS_INLINE void
read_end (const guint8 *const *rows, gsize at, gsize size, guint step,
    guint32 *to, gsize pitch)
{
  guint8 ends[LANES][SIZE] = { { 0 } };
  const guint8 *pointers[LANES];

  for (guint i = 0; i < LANES; i++) {
    if (at < size)
      memcpy (ends[i], rows[i] + at, size - at);
    pointers[i] = ends[i];
  }
  read_block (pointers, 0, step, to, pitch);
}

static ALWAYS_INLINE void
read_by_step (const guint8 *const *rows, gsize size, guint step, gsize n,
    guint32 *words, gsize pitch)
{
  for (gsize i = 0; i < n; i += count_words (step)) {
    gsize at = i * WORD * step;

    if (at + SIZE <= size)
      read_block (rows, at, step, words + i * LANES, pitch);
    else
      read_end (rows, at, size, step, words + i * LANES, pitch);
  }
}

CLIP_VECTORISED void
clip_lanes_read (const guint8 *const *rows, gsize size, guint step, gsize n,
    guint32 *words, gsize pitch)
{
  /* Each with a step that the compiler knows. */
  if (step == 1)
    read_by_step (rows, size, 1, n, words, pitch);
  else if (step == 3)
    read_by_step (rows, size, 3, n, words, pitch);
  else
    read_by_step (rows, size, 4, n, words, pitch);
}

CLIP_VECTORISED void
clip_lanes_turn (
    const guint32 *from, gsize n, gsize m, guint32 *to, gsize stride)
{
  for (gsize i = 0; i < n; i += WORD) {
    for (gsize j = 0; j < m; j += WORD) {
      Words words[WORD];

      for (guint k = 0; k < WORD; k++)
        memcpy (&words[k], from + (i + k) * m + j, SIZE);
      turn (words);
      for (guint k = 0; k < WORD; k++)
        memcpy (to + (j + k) * stride + i, &words[k], SIZE);
    }
  }
}
