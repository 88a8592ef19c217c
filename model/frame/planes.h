/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Rows of a frame as values of R, G and B, whatever its layout. */
#pragma once

#include "frame/colour.h"
#include "frame/frame.h"
#include "frame/lanes.h"

#define CLIP_PLANES_CHANNELS 3

/* What a reader of rows needs for one frame. */
typedef struct {
  const ClipFrame *frame;
  ClipColourMatrix matrix;  /* YUV only */
  guint width, height;      /* of the frame */
  guint begin, n;           /* the columns wanted; @begin is even, so that pairs
                               with one chroma value stay together */
  guint row_begin, row_end; /* the rows wanted */
  gsize pitch;   /* values of a row of scratch: @width and some more */
  guint8 *strip; /* [LANES, 3, pitch]: R, G and B of rows */
  ClipColourRow convert;
  gsize n_converted; /* @n, filled up */
  gint16 *values;    /* [3, pitch]: Y', Cb and Cr of a row, scaled */
  guint16 *scratch;  /* [3, pitch]: on the way there */
} ClipPlanes;

/* As many rows as there are lanes, from the first column wanted on, of which
 * each is to be found where it is stored, or converted. */
typedef struct {
  guint step; /* from pixel to pixel: 1, 3 or 4 bytes */
  gsize size; /* bytes of a row */
  /* Where @step is 1, those of R, those of G, those of B; else the first LANES
   * hold all three. */
  const guint8 *rows[CLIP_PLANES_CHANNELS * CLIP_LANES];
  guint offsets[CLIP_PLANES_CHANNELS]; /* of R, G and B in a pixel */
} ClipStrip;

/* Allocates for the sides and columns that are set. */
void clip_planes_init (ClipPlanes *planes);
void clip_planes_clear (ClipPlanes *planes);

void clip_planes_set_frame (ClipPlanes *planes, const ClipFrame *frame);

/* @strip: (out caller-allocates): rows from @y on; in the place of those that
 *   are not wanted, others again; until the next one is read */
void clip_planes_read (ClipPlanes *planes, guint y, ClipStrip *strip);
