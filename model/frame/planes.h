/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Rows of a frame as RGB triplets, whatever its layout. */
#pragma once

#include "frame/colour.h"
#include "frame/frame.h"

/* What a reader of rows needs for one frame. */
typedef struct {
  const ClipFrame *frame;
  ClipColourMatrix matrix; /* YUV only */
  guint width, height;     /* of the frame */
  guint begin, n;          /* the columns wanted; @begin is even, so that pairs
                              with one chroma value stay together */
  guint8 *row;             /* ROWS only: a whole row of triplets, scratch */
} ClipPlanes;

void clip_planes_set_frame (ClipPlanes *planes, const ClipFrame *frame);

/* @rgb: (out caller-allocates): planes->n triplets of row @y */
void clip_planes_read (const ClipPlanes *planes, guint y, guint8 *rgb);
