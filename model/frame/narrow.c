/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/narrow.h"

#include "clip-vector.h"

#define LANES CLIP_LANES
#define CHANNELS 3

static gpointer
new_lanes (gsize n, gsize size)
{
  return g_aligned_alloc0 (n, size, CLIP_LANES_SIZE);
}

void
clip_narrow_init (ClipNarrow *narrow, const ClipTaps *taps)
{
  narrow->taps = taps;
  narrow->pitch = ((gsize)taps->n + LANES - 1) / LANES * LANES;
  narrow->n_words = taps->end - taps->begin + CLIP_LANES_SPARE;
  narrow->words =
      new_lanes (narrow->n_words, CLIP_LANES_MAX_STEP * CLIP_LANES_SIZE);
  narrow->sums = new_lanes (narrow->pitch, CLIP_LANES_SIZE);
  narrow->bytes = new_lanes (narrow->pitch, LANES);
}

void
clip_narrow_clear (ClipNarrow *narrow)
{
  g_clear_pointer (&narrow->words, g_aligned_free);
  g_clear_pointer (&narrow->sums, g_aligned_free);
  g_clear_pointer (&narrow->bytes, g_aligned_free);
}

CLIP_VECTORISED void
clip_narrow_round (const gint32 *restrict sums, gsize n, guint8 *restrict bytes)
{
  for (gsize i = 0; i < n; i++) {
    gint32 value =
        (sums[i] + (1 << (CLIP_WEIGHT_BITS - 1))) >> CLIP_WEIGHT_BITS;

    bytes[i] = (guint8)MIN (MAX (value, 0), 255);
  }
}

/* One channel, of which as many words as the taps want are at @lanes. */
static void
narrow_channel (ClipNarrow *narrow, const guint32 *lanes, guint32 *words)
{
  const ClipTaps *taps = narrow->taps;

  taps->sum->along (taps, lanes, narrow->sums);
  clip_narrow_round (narrow->sums, (gsize)taps->n * LANES, narrow->bytes);
  clip_lanes_turn ((const guint32 *)narrow->bytes, narrow->pitch,
      LANES / CLIP_WORD, words, CHANNELS * narrow->pitch);
}

void
clip_narrow_run (ClipNarrow *narrow, const ClipStrip *strip, guint32 *words)
{
  const ClipTaps *taps = narrow->taps;
  guint n = taps->end - taps->begin;

  if (strip->step > 1)
    clip_lanes_read (strip->rows, strip->size, strip->step, n, narrow->words,
        narrow->n_words);
  for (guint c = 0; c < CHANNELS; c++) {
    gsize place = strip->step > 1 ? strip->offsets[c] * narrow->n_words : 0;

    if (strip->step == 1)
      clip_lanes_read (strip->rows + c * LANES, strip->size, 1, n,
          narrow->words, narrow->n_words);
    narrow_channel (
        narrow, narrow->words + place * LANES, words + c * narrow->pitch);
  }
}
