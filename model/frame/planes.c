/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/planes.h"

#include <string.h>

#include "clip-vector.h"

/* Pixels that are converted at once, on the stack; even. */
#define BLOCK 256

/* Chroma between samples is a sum of them whose weights make 4 in either
 * direction, and is not rounded: 12 bits a sample just fill a word. */
#define CHROMA_BITS 4

static const guint8 *
row_of (const ClipFrame *frame, guint plane, guint y)
{
  return frame->planes[plane] + (gssize)y * frame->strides[plane];
}

/* Three bytes of each @size; called with constants, so that each becomes a loop
 * without a variable step. */
static inline void
pick (const guint8 *restrict from, guint size, const guint *offsets,
    guint8 *restrict rgb, guint n)
{
  guint r = offsets[0], g = offsets[1], b = offsets[2];

  for (gsize i = 0; i < n; i++) {
    rgb[3 * i] = from[size * i + r];
    rgb[3 * i + 1] = from[size * i + g];
    rgb[3 * i + 2] = from[size * i + b];
  }
}

CLIP_VECTORISED_EXACTLY static void
read_packed (const ClipPlanes *planes, guint y, guint8 *rgb)
{
  const ClipFrame *frame = planes->frame;
  const guint8 *from =
      row_of (frame, 0, y) + (gsize)planes->begin * frame->pixel_size;

  if (frame->pixel_size == 4)
    pick (from, 4, frame->offsets, rgb, planes->n);
  else
    pick (from, 3, frame->offsets, rgb, planes->n);
}

CLIP_VECTORISED_EXACTLY static void
widen_bytes (const guint8 *restrict from, guint step, guint n, guint16 *to)
{
  if (step == 1) {
    for (gsize i = 0; i < n; i++)
      to[i] = from[i];
  } else if (step == 2) {
    for (gsize i = 0; i < n; i++)
      to[i] = from[2 * i];
  } else {
    for (gsize i = 0; i < n; i++)
      to[i] = from[step * i];
  }
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
CLIP_VECTORISED_EXACTLY static void
widen_words (const ClipFrame *frame, const guint8 *restrict from, guint step,
    guint n, guint16 *to)
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

static void
read_samples (const ClipFrame *frame, guint plane, const guint8 *from, guint n,
    guint16 *to)
{
  guint step = frame->samples.steps[plane];

  if (frame->colour.depth == 8)
    widen_bytes (from, step, n, to);
  else
    widen_words (frame, from, step, n, to);
}

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
CLIP_VECTORISED_EXACTLY static void
blend (const Between *rows, const guint16 *restrict near,
    const guint16 *restrict far, guint n, guint16 *restrict sums)
{
  for (gsize i = 0; i < n; i++)
    sums[i] = near[i] * rows->near_weight + far[i] * rows->far_weight;
}

/* Chroma samples as they are at the height of a row of Y', 4 times their value.
 *
 * @first: number of the first one; the row is repeated at its ends, so -1 and
 *   what is behind the last one are allowed
 * @n: BLOCK at most */
static void
read_chroma (const ClipPlanes *planes, guint plane, const Between *rows,
    gint first, guint n, guint16 *to)
{
  const ClipFrame *frame = planes->frame;
  guint half = (planes->width + 1) / 2;
  guint last = (frame->samples.half_width ? half : planes->width) - 1;
  guint begin = MAX (first, 0), end = MIN (first + n, last + 1);
  gsize at = (gsize)begin * frame->samples.steps[plane];
  guint before = begin - first, inside = end - begin;
  guint16 near[BLOCK], far[BLOCK];

  read_samples (
      frame, plane, row_of (frame, plane, rows->near) + at, inside, near);
  if (rows->far != rows->near)
    read_samples (
        frame, plane, row_of (frame, plane, rows->far) + at, inside, far);
  blend (rows, near, rows->far != rows->near ? far : near, inside, to + before);
  if (before > 0)
    to[0] = to[1];
  for (guint i = before + inside; i < n; i++)
    to[i] = to[i - 1];
}

/* Chroma of half the width becomes one value for each pixel, 16 times its own.
 *
 * @sums: 4 times a value, of which the first is left of the first pixel
 * @n: pixels, even */
CLIP_VECTORISED_EXACTLY static void
spread (const ClipSamples *samples, const guint16 *restrict sums, guint n,
    guint16 *restrict to)
{
  const guint16 *left = sums, *here = sums + 1, *right = sums + 2;

  if (samples->cosited_x) {
    for (gsize i = 0; i < n / 2; i++) {
      to[2 * i] = here[i] * 4;
      to[2 * i + 1] = (here[i] + right[i]) * 2;
    }
  } else {
    for (gsize i = 0; i < n / 2; i++) {
      to[2 * i] = here[i] * 3 + left[i];
      to[2 * i + 1] = here[i] * 3 + right[i];
    }
  }
}

CLIP_VECTORISED_EXACTLY static void
quadruple (const guint16 *restrict sums, guint n, guint16 *restrict to)
{
  for (gsize i = 0; i < n; i++)
    to[i] = sums[i] * 4;
}

static gboolean
is_sampled_down (const ClipSamples *samples)
{
  return samples->half_width || samples->half_height;
}

/* One value for each of @n pixels from column @x on, which is even; chroma that
 * was sampled down is CHROMA_BITS finer.
 *
 * @to: [BLOCK] */
static void
read_component (const ClipPlanes *planes, guint plane, const Between *rows,
    guint x, guint n, guint16 *to)
{
  const ClipSamples *samples = &planes->frame->samples;
  guint16 sums[BLOCK];

  if (plane > 0 && samples->half_width) {
    guint even = n + n % 2;

    read_chroma (planes, plane, rows, (gint)(x / 2) - 1, even / 2 + 2, sums);
    spread (samples, sums, even, to);
  } else if (plane > 0 && samples->half_height) {
    read_chroma (planes, plane, rows, (gint)x, n, sums);
    quadruple (sums, n, to);
  } else {
    read_samples (planes->frame, plane,
        row_of (planes->frame, plane, rows->near) +
            (gsize)x * samples->steps[plane],
        n, to);
  }
}

static void
read_yuv (const ClipPlanes *planes, guint y, guint8 *rgb)
{
  const Between luma = { .near = y };
  Between chroma = find_rows (planes, y);

  for (guint x = 0; x < planes->n; x += BLOCK) {
    guint n = MIN (BLOCK, planes->n - x);
    guint16 values[3][BLOCK];
    const guint16 *const yuv[3] = { values[0], values[1], values[2] };

    for (guint c = 0; c < 3; c++)
      read_component (
          planes, c, c == 0 ? &luma : &chroma, planes->begin + x, n, values[c]);
    clip_colour_row (&planes->matrix, n, yuv, rgb + 3 * (gsize)x);
  }
}

static void
read_rows (const ClipPlanes *planes, guint y, guint8 *rgb)
{
  const ClipFrame *frame = planes->frame;

  frame->read_row (frame->user_data, y, planes->row);
  memcpy (rgb, planes->row + 3 * (gsize)planes->begin, 3 * (gsize)planes->n);
}

static void (*const readers[]) (
    const ClipPlanes *planes, guint y, guint8 *rgb) = {
  [CLIP_LAYOUT_PACKED] = read_packed,
  [CLIP_LAYOUT_YUV] = read_yuv,
  [CLIP_LAYOUT_ROWS] = read_rows,
};

void
clip_planes_set_frame (ClipPlanes *planes, const ClipFrame *frame)
{
  planes->frame = frame;
  if (frame->layout == CLIP_LAYOUT_YUV)
    clip_colour_matrix_init (&planes->matrix, &frame->colour,
        is_sampled_down (&frame->samples) ? CHROMA_BITS : 0);
}

void
clip_planes_read (const ClipPlanes *planes, guint y, guint8 *rgb)
{
  readers[planes->frame->layout](planes, y, rgb);
}
