/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/planes.h"

#include <string.h>

#include "clip-vector.h"

#define BLOCK CLIP_COLOUR_BLOCK

/* Chroma between samples is a sum of them whose weights make 4 in either
 * direction, and is not rounded: 12 bits a sample just fill a word. */
#define CHROMA_BITS 4

static const guint8 *
row_of (const ClipFrame *frame, guint plane, guint y)
{
  return frame->planes[plane] + (gssize)y * frame->strides[plane];
}

CLIP_VECTORISED static void
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
CLIP_VECTORISED static void
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
CLIP_VECTORISED static void
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
CLIP_VECTORISED static void
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

CLIP_VECTORISED static void
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
read_yuv (const ClipPlanes *planes, guint y, guint8 *rows)
{
  const Between luma = { .near = y };
  Between chroma = find_rows (planes, y);

  for (guint x = 0; x < planes->n; x += BLOCK) {
    guint n = MIN (BLOCK, planes->n - x);
    guint16 yuv[3 * BLOCK];

    for (guint c = 0; c < 3; c++)
      read_component (planes, c, c == 0 ? &luma : &chroma, planes->begin + x, n,
          yuv + c * BLOCK);
    clip_colour_row (&planes->matrix, n, yuv, rows + x, planes->n);
  }
}

static void
read_row (const ClipPlanes *planes, guint y, guint8 *rgb)
{
  const ClipFrame *frame = planes->frame;

  frame->read_row (frame->user_data, y, planes->row);
  memcpy (rgb, planes->row + 3 * (gsize)planes->begin, 3 * (gsize)planes->n);
}

void
clip_planes_set_frame (ClipPlanes *planes, const ClipFrame *frame)
{
  planes->frame = frame;
  if (frame->layout == CLIP_LAYOUT_YUV)
    clip_colour_matrix_init (&planes->matrix, &frame->colour,
        is_sampled_down (&frame->samples) ? CHROMA_BITS : 0);
}

/* Rows as they lie in the frame. */
static void
find_strip (ClipPlanes *planes, guint y, guint n_rows, ClipStrip *strip)
{
  const ClipFrame *frame = planes->frame;

  for (guint i = 0; i < n_rows; i++)
    strip->rows[i] =
        row_of (frame, 0, y + i) + (gsize)planes->begin * frame->pixel_size;
  strip->step = frame->pixel_size;
  for (guint c = 0; c < 3; c++)
    strip->offsets[c] = frame->offsets[c];
}

static void
convert_strip (ClipPlanes *planes, guint y, guint n_rows, ClipStrip *strip)
{
  gboolean is_yuv = planes->frame->layout == CLIP_LAYOUT_YUV;
  gsize n = planes->n;

  for (guint i = 0; i < n_rows; i++) {
    guint8 *row = planes->strip + i * n * 3;

    if (is_yuv)
      read_yuv (planes, y + i, row);
    else
      read_row (planes, y + i, row);
    strip->rows[i] = row;
  }
  strip->step = is_yuv ? 1 : 3;
  for (guint c = 0; c < 3; c++)
    strip->offsets[c] = is_yuv ? c * n : c;
}

void
clip_planes_read (ClipPlanes *planes, guint y, guint n_rows, ClipStrip *strip)
{
  if (planes->frame->layout == CLIP_LAYOUT_PACKED)
    find_strip (planes, y, n_rows, strip);
  else
    convert_strip (planes, y, n_rows, strip);
  for (guint i = n_rows; i < CLIP_LANES; i++)
    strip->rows[i] = strip->rows[n_rows - 1];
}
