/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Rows of a frame as values of R, G and B, whatever its layout. */
#pragma once

#include "frame/colour.h"
#include "frame/frame.h"
#include "frame/lanes.h"

/* What a reader of rows needs for one frame. */
typedef struct {
  const ClipFrame *frame;
  ClipColourMatrix matrix; /* YUV only */
  guint width, height;     /* of the frame */
  guint begin, n;          /* the columns wanted; @begin is even, so that pairs
                              with one chroma value stay together */
  guint8 *row;             /* ROWS only: a whole row of triplets, scratch */
  guint8 *strip;           /* [LANES, n, 3], scratch, not for PACKED */
} ClipPlanes;

/* As many rows as there are lanes, of which each is to be found where it is
 * stored, or converted. */
typedef struct {
  const guint8 *rows[CLIP_LANES]; /* from the first column wanted on */
  guint step;                     /* from pixel to pixel: 1, 3 or 4 bytes */
  gsize offsets[3];               /* of the first R, G and B; where @step is 1,
                                     n values of each follow one another */
} ClipStrip;

void clip_planes_set_frame (ClipPlanes *planes, const ClipFrame *frame);

/* @strip: (out caller-allocates): rows @y … @y + @n_rows - 1, 1 … LANES, the
 * last of them repeated; until the next one is read */
void clip_planes_read (
    ClipPlanes *planes, guint y, guint n_rows, ClipStrip *strip);
