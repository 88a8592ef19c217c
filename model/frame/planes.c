/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/planes.h"

#include <string.h>

#include "frame/clones.h"

/* Pixels whose chroma is spread at once, on the stack; even. */
#define BLOCK 256

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

CLIP_CLONES static void
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

/* Each chroma value for two pixels. */
CLIP_CLONES static void
spread (const guint8 *restrict chroma, guint n, guint step, guint8 *restrict to)
{
  if (step == 1) {
    for (gsize i = 0; i < n; i++)
      to[2 * i] = to[2 * i + 1] = chroma[i];
  } else {
    for (gsize i = 0; i < n; i++)
      to[2 * i] = to[2 * i + 1] = chroma[2 * i];
  }
}

static void
read_yuv (const ClipPlanes *planes, guint y, const guint8 *const chroma[2],
    guint step, guint8 *rgb)
{
  const guint8 *luma = row_of (planes->frame, 0, y) + planes->begin;

  for (guint x = 0; x < planes->n; x += BLOCK) {
    guint n = MIN (BLOCK, planes->n - x);
    guint8 u[BLOCK], v[BLOCK];
    const guint8 *yuv[3] = { luma + x, u, v };
    gsize at = (gsize)(planes->begin + x) / 2 * step;

    spread (chroma[0] + at, (n + 1) / 2, step, u);
    spread (chroma[1] + at, (n + 1) / 2, step, v);
    clip_colour_row (&planes->matrix, n, yuv, rgb + 3 * (gsize)x);
  }
}

static void
read_planar (const ClipPlanes *planes, guint y, guint8 *rgb)
{
  const guint8 *chroma[2] = { row_of (planes->frame, 1, y / 2),
    row_of (planes->frame, 2, y / 2) };

  read_yuv (planes, y, chroma, 1, rgb);
}

static void
read_semi (const ClipPlanes *planes, guint y, guint8 *rgb)
{
  const guint8 *pairs = row_of (planes->frame, 1, y / 2);
  const guint8 *chroma[2] = { pairs + planes->frame->offsets[0],
    pairs + planes->frame->offsets[1] };

  read_yuv (planes, y, chroma, 2, rgb);
}

static void
read_rows (const ClipPlanes *planes, guint y, guint8 *rgb)
{
  const ClipFrame *frame = planes->frame;

  frame->read_row (frame->user_data, y, planes->row);
  memcpy (rgb, planes->row + 3 * (gsize)planes->begin, 3 * (gsize)planes->n);
}

typedef struct {
  void (*read) (const ClipPlanes *planes, guint y, guint8 *rgb);
  gboolean yuv;
} Layout;

static const Layout layouts[] = {
  [CLIP_LAYOUT_PACKED] = { read_packed, FALSE },
  [CLIP_LAYOUT_PLANAR_420] = { read_planar, TRUE },
  [CLIP_LAYOUT_SEMI_420] = { read_semi, TRUE },
  [CLIP_LAYOUT_ROWS] = { read_rows, FALSE },
};

void
clip_planes_set_frame (ClipPlanes *planes, const ClipFrame *frame)
{
  planes->frame = frame;
  if (layouts[frame->layout].yuv)
    clip_colour_matrix_init (&planes->matrix, &frame->colour);
}

void
clip_planes_read (const ClipPlanes *planes, guint y, guint8 *rgb)
{
  layouts[planes->frame->layout].read (planes, y, rgb);
}
