/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/planes.h"

#include <string.h>

#include "clip-vector.h"

#define CHANNELS CLIP_PLANES_CHANNELS
#define LANES CLIP_LANES

/* Rows of chroma's samples: of two rows, and their sums. */
#define N_SCRATCH 3

/* Chroma between samples is a sum of them whose weights make 4 in either
 * direction, and is not rounded: 12 bits a sample just fill a word. */
#define CHROMA_BITS 4

static const guint8 *
row_of (const ClipFrame *frame, guint plane, guint y)
{
  return frame->planes[plane] + (gssize)y * frame->strides[plane];
}

/* --- samples as they are --- */

static inline __attribute__ ((always_inline)) void
scale_by_step (const guint8 *restrict from, guint step, guint n,
    ClipColourScale scale, gint16 *restrict to)
{
  for (gsize i = 0; i < n; i++)
    to[i] = clip_colour_scale (scale, from[step * i]);
}

CLIP_VECTORISED static void
scale_bytes (
    const guint8 *from, guint step, guint n, ClipColourScale scale, gint16 *to)
{
  /* Each with a step that the compiler knows, if it is a usual one. */
  if (step == 1)
    scale_by_step (from, 1, n, scale, to);
  else if (step == 2)
    scale_by_step (from, 2, n, scale, to);
  else if (step == 4)
    scale_by_step (from, 4, n, scale, to);
  else
    scale_by_step (from, step, n, scale, to);
}

/* Words lie where a caller's strides put them, at odd addresses too. */
static inline guint16
word_at (const guint8 *from)
{
  guint16 word;

  memcpy (&word, from, sizeof (word));
  return word;
}

/* What a word holds above its sample is nobody's, and is dropped as GStreamer
 * drops it: the arithmetic behind relies on the depth. */
CLIP_VECTORISED static void
read_words (const ClipFrame *frame, const guint8 *restrict from, guint step,
    guint n, guint16 *restrict to)
{
  guint shift = frame->samples.shift;
  guint16 mask = (1u << frame->colour.depth) - 1;

  if (step == sizeof (guint16)) {
    for (gsize i = 0; i < n; i++)
      to[i] = word_at (from + sizeof (guint16) * i) >> shift & mask;
  } else {
    for (gsize i = 0; i < n; i++)
      to[i] = word_at (from + step * i) >> shift & mask;
  }
}

CLIP_VECTORISED static void
scale_words (const guint16 *restrict from, guint n, ClipColourScale scale,
    gint16 *restrict to)
{
  for (gsize i = 0; i < n; i++)
    to[i] = clip_colour_scale (scale, from[i]);
}

/* @scratch: [pitch] */
static void
scale_samples (const ClipPlanes *planes, guint plane, guint y, guint16 *scratch,
    gint16 *to)
{
  const ClipFrame *frame = planes->frame;
  ClipColourScale scale =
      plane == 0 ? planes->matrix.luma : planes->matrix.chroma;
  guint step = frame->samples.steps[plane];
  const guint8 *from = row_of (frame, plane, y) + (gsize)planes->begin * step;

  if (frame->colour.depth == 8) {
    scale_bytes (from, step, planes->n, scale, to);
    return;
  }
  read_words (frame, from, step, planes->n, scratch);
  scale_words (scratch, planes->n, scale, to);
}

/* --- chroma between samples --- */

/* Between which rows of chroma a row of Y' lies, and how near, in quarters. */
typedef struct {
  guint near, far;
  guint16 near_weight, far_weight; /* together 4; of Y' itself 4 and 0 */
} Between;

/* A row at the edge is repeated beyond it. A field's rows lie between those of
 * the same field. */
static Between
find_rows (const ClipPlanes *planes, guint y)
{
  const ClipSamples *samples = &planes->frame->samples;
  guint distance = samples->fields ? 2 : 1;
  guint n = (planes->height + 1) / 2;
  gboolean odd = y / distance % 2;
  Between rows = { y, y, 4, 0 };

  if (!samples->half_height)
    return rows;
  rows.near = samples->fields ? y / 4 * 2 + y % 2 : y / 2;
  /* The last lines of a height that four does not divide. */
  if (rows.near >= n)
    rows.near = n > distance ? rows.near - distance : n - 1;
  rows.far = rows.near;
  if (samples->cosited_y && !odd)
    return rows;
  rows.far_weight = samples->cosited_y ? 2 : 1;
  rows.near_weight = 4 - rows.far_weight;
  if (odd && rows.near + distance < n)
    rows.far += distance;
  else if (!odd && rows.near >= distance)
    rows.far -= distance;
  return rows;
}

/* @sums: 4 times a value */
static inline __attribute__ ((always_inline)) void
blend_by_step (const Between *rows, const guint8 *restrict near,
    const guint8 *restrict far, guint step, guint n, guint16 *restrict sums)
{
  guint16 near_weight = rows->near_weight, far_weight = rows->far_weight;

  for (gsize i = 0; i < n; i++)
    sums[i] =
        (guint16)(near[step * i] * near_weight + far[step * i] * far_weight);
}

CLIP_VECTORISED static void
blend_bytes (const Between *rows, const guint8 *near, const guint8 *far,
    guint step, guint n, guint16 *sums)
{
  if (step == 1)
    blend_by_step (rows, near, far, 1, n, sums);
  else if (step == 2)
    blend_by_step (rows, near, far, 2, n, sums);
  else if (step == 4)
    blend_by_step (rows, near, far, 4, n, sums);
  else
    blend_by_step (rows, near, far, step, n, sums);
}

CLIP_VECTORISED static void
blend_words (const Between *rows, const guint16 *restrict near,
    const guint16 *restrict far, guint n, guint16 *restrict sums)
{
  for (gsize i = 0; i < n; i++)
    sums[i] = near[i] * rows->near_weight + far[i] * rows->far_weight;
}

/* Chroma samples as they are at the height of a row of Y', 4 times their value.
 *
 * @first: number of the first one; the row is repeated at its ends, so -1 and
 *   what is behind the last one are allowed
 * @scratch: [2, pitch] */
static void
read_chroma (const ClipPlanes *planes, guint plane, const Between *rows,
    gint first, guint n, guint16 *scratch, guint16 *to)
{
  const ClipFrame *frame = planes->frame;
  guint step = frame->samples.steps[plane];
  guint half = (planes->width + 1) / 2;
  guint last = (frame->samples.half_width ? half : planes->width) - 1;
  guint begin = MAX (first, 0), end = MIN (first + n, last + 1);
  guint before = begin - first, inside = end - begin;
  const guint8 *near = row_of (frame, plane, rows->near) + (gsize)begin * step;
  const guint8 *far = row_of (frame, plane, rows->far) + (gsize)begin * step;

  if (frame->colour.depth == 8) {
    blend_bytes (rows, near, far, step, inside, to + before);
  } else {
    read_words (frame, near, step, inside, scratch);
    read_words (frame, far, step, inside, scratch + planes->pitch);
    blend_words (rows, scratch, scratch + planes->pitch, inside, to + before);
  }
  if (before > 0)
    to[0] = to[1];
  for (guint i = before + inside; i < n; i++)
    to[i] = to[i - 1];
}

/* Chroma of half the width becomes one value for each pixel, 16 times its own
 * before it is scaled.
 *
 * @sums: 4 times a value, of which the first is left of the first pixel
 * @n: pixels, even */
CLIP_VECTORISED static void
spread (const ClipSamples *samples, const guint16 *restrict sums, guint n,
    ClipColourScale scale, gint16 *restrict to)
{
  const guint16 *left = sums, *here = sums + 1, *right = sums + 2;

  if (samples->cosited_x) {
    for (gsize i = 0; i < n / 2; i++) {
      to[2 * i] = clip_colour_scale (scale, here[i] * 4);
      to[2 * i + 1] = clip_colour_scale (scale, (here[i] + right[i]) * 2);
    }
  } else {
    for (gsize i = 0; i < n / 2; i++) {
      to[2 * i] = clip_colour_scale (scale, here[i] * 3 + left[i]);
      to[2 * i + 1] = clip_colour_scale (scale, here[i] * 3 + right[i]);
    }
  }
}

static gboolean
is_sampled_down (const ClipSamples *samples)
{
  return samples->half_width || samples->half_height;
}

/* One value for each column wanted of row @y, scaled.
 *
 * @scratch: [3, pitch]
 * @to: [pitch] */
static void
read_component (const ClipPlanes *planes, guint plane, guint y,
    const Between *rows, guint16 *scratch, gint16 *to)
{
  const ClipSamples *samples = &planes->frame->samples;
  ClipColourScale scale = planes->matrix.chroma;
  guint16 *sums = scratch + 2 * planes->pitch;
  guint x = planes->begin, n = planes->n;

  if (plane > 0 && samples->half_width) {
    guint even = n + n % 2;

    read_chroma (
        planes, plane, rows, (gint)(x / 2) - 1, even / 2 + 2, scratch, sums);
    spread (samples, sums, even, scale, to);
  } else if (plane > 0 && samples->half_height) {
    scale.unit *= 4;
    read_chroma (planes, plane, rows, (gint)x, n, scratch, sums);
    scale_words (sums, n, scale, to);
  } else {
    scale_samples (planes, plane, y, scratch, to);
  }
}

/* @row: [3, pitch] */
static void
read_yuv (const ClipPlanes *planes, guint y, guint8 *row)
{
  gsize pitch = planes->pitch;
  Between rows = find_rows (planes, y);

  for (guint c = 0; c < CHANNELS; c++)
    read_component (
        planes, c, y, &rows, planes->scratch, planes->values + c * pitch);
  planes->convert (
      &planes->matrix, planes->n_converted, planes->values, row, pitch);
}

void
clip_planes_init (ClipPlanes *planes)
{
  planes->n_converted =
      (planes->n + CLIP_COLOUR_STEP - 1) / CLIP_COLOUR_STEP * CLIP_COLOUR_STEP;
  planes->pitch = planes->width + CLIP_COLOUR_STEP;
  planes->convert = clip_colour_get_row (0);
  planes->strip = g_malloc0_n (planes->pitch, LANES * CHANNELS);
  planes->values = g_new0 (gint16, CHANNELS * planes->pitch);
  planes->scratch = g_new0 (guint16, N_SCRATCH * planes->pitch);
}

void
clip_planes_clear (ClipPlanes *planes)
{
  g_clear_pointer (&planes->strip, g_free);
  g_clear_pointer (&planes->values, g_free);
  g_clear_pointer (&planes->scratch, g_free);
}

void
clip_planes_set_frame (ClipPlanes *planes, const ClipFrame *frame)
{
  planes->frame = frame;
  if (frame->layout == CLIP_LAYOUT_YUV)
    clip_colour_matrix_init (&planes->matrix, &frame->colour,
        is_sampled_down (&frame->samples) ? CHROMA_BITS : 0);
}

/* @row: [3, pitch], scratch that the row is read into */
static void
read_row (const ClipPlanes *planes, guint y, guint8 *row)
{
  const ClipFrame *frame = planes->frame;

  if (frame->layout == CLIP_LAYOUT_YUV)
    read_yuv (planes, y, row);
  else if (frame->layout == CLIP_LAYOUT_ROWS)
    frame->read_row (frame->user_data, y, row);
}

void
clip_planes_read (ClipPlanes *planes, guint y, ClipStrip *strip)
{
  const ClipFrame *frame = planes->frame;
  gboolean packed = frame->layout == CLIP_LAYOUT_PACKED;
  gboolean yuv = frame->layout == CLIP_LAYOUT_YUV;
  gsize row_size = CHANNELS * planes->pitch;
  guint begin = MAX (y, planes->row_begin);
  guint end = MIN (y + LANES, planes->row_end);

  strip->step = packed ? frame->pixel_size : yuv ? 1 : CHANNELS;
  strip->size = yuv ? planes->pitch
                    : (gsize)(planes->width - planes->begin) * strip->step;
  for (guint i = begin; i < end; i++)
    read_row (planes, i, planes->strip + (i - begin) * row_size);
  for (guint i = 0; i < LANES; i++) {
    guint at = CLAMP (y + i, begin, end - 1);
    const guint8 *row = packed ? row_of (frame, 0, at)
                               : planes->strip + (at - begin) * row_size;

    for (guint c = 0; yuv && c < CHANNELS; c++)
      strip->rows[c * LANES + i] = row + c * planes->pitch;
    if (!yuv)
      strip->rows[i] = row + (gsize)planes->begin * strip->step;
  }
  for (guint c = 0; c < CHANNELS; c++)
    strip->offsets[c] = packed ? frame->offsets[c] : c;
}
