/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The first pass of a resize: rows become as wide as the picture, CLIP_LANES of
 * them at once. */
#pragma once

#include "frame/planes.h"

typedef struct {
  const ClipTaps *taps;
  gsize pitch;    /* windows, filled up to a multiple of LANES */
  gsize n_words;  /* places in @words for each byte of a pixel */
  guint32 *words; /* [MAX_STEP, n_words, LANES] */
  gint32 *sums;   /* [pitch, LANES] */
  guint8 *bytes;  /* [pitch, LANES] */
} ClipNarrow;

/* @taps: outlive @narrow */
void clip_narrow_init (ClipNarrow *narrow, const ClipTaps *taps);
void clip_narrow_clear (ClipNarrow *narrow);

/* @words: (out caller-allocates): LANES / 4 rows of pitch words of R, as many
 *   of G and of B; a word holds four rows */
void clip_narrow_run (
    ClipNarrow *narrow, const ClipStrip *strip, guint32 *words);

/* Sums of @n values are rounded and clipped into bytes. */
void clip_narrow_round (const gint32 *sums, gsize n, guint8 *bytes);
