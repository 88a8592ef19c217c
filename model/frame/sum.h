/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The weighted sums of both passes of a resize: where most of its time goes.
 * Values come as words, four bytes that follow one another on the axis summed
 * along, of CLIP_LANES places side by side. */
#pragma once

#include "frame/resample.h"

/* Places that are summed side by side, in the same way. */
#define CLIP_LANES 16

/* Values in a word. */
#define CLIP_WORD 4

/* Words that are used in vectors: from g_aligned_alloc0 (…, CLIP_LANES_SIZE),
 * at multiples of CLIP_LANES. */
#define CLIP_LANES_SIZE (CLIP_LANES * sizeof (guint32))

typedef struct _ClipSum ClipSum;

/* An axis's weights as one way of summing wants them, by whole words: window t
 * begins in word first[t], counted from the first source pixel. */
typedef struct {
  const ClipSum *sum;
  guint n;          /* windows */
  guint n_words;    /* of the longest */
  guint begin, end; /* words that there are windows over */
  guint *first;     /* [n], never falling */
  guint *count;     /* [n], at least 1 */
  guint32 *weights; /* [n, n_words, parts of a word] */
} ClipTaps;

/* A way of summing. All give the same sums, in fractions of
 * 2^CLIP_WEIGHT_BITS, of weights whose lengths make less than 1.9. */
struct _ClipSum {
  const gchar *name;
  guint n_parts; /* words of weights for one of values */

  /* @weights: [CLIP_WORD], at most 2^22.9 long
   * @parts: (out caller-allocates): [n_parts] */
  void (*split) (const gint32 *weights, guint32 *parts);

  /* All windows, over one line of words.
   *
   * @words: [taps->end - taps->begin, LANES]
   * @sums: (out caller-allocates): [taps->n, LANES] */
  void (*along) (const ClipTaps *taps, const guint32 *words, gint32 *sums);

  /* Window @t over many lines.
   *
   * @words: its first word of each line; those of the next are @stride on
   * @n: lines, a multiple of LANES
   * @sums: (out caller-allocates): [n] */
  void (*across) (const ClipTaps *taps, guint t, const guint32 *words,
      gsize stride, gsize n, gint32 *sums);
};

/* Returns: the @i-th of those that this CPU knows, the fastest first; NULL
 *   behind the last. */
const ClipSum *clip_sum_get (guint i);

void clip_taps_init (ClipTaps *taps, const ClipSum *sum, const ClipAxis *axis);
void clip_taps_clear (ClipTaps *taps);
