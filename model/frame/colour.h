/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Y'CbCr to R'G'B' in integers. Each value lies within 0.53 of the exact one
 * before it is rounded into 0 … 255, so it differs from a correctly rounded one
 * by 1 at most, and only beside a tie. The same bytes on every CPU. */
#pragma once

#include "frame/frame.h"

/* How a value comes to fill 16 bits, 0 in the middle for chroma, at black for
 * Y'; what does not fit wraps around on the way. */
typedef struct {
  guint16 unit, offset;
} ClipColourScale;

typedef struct {
  ClipColourScale luma, chroma;
  gint16 y, r_v, g_u, g_v, b_u; /* g_u, g_v negative */
} ClipColourMatrix;

/* @colour: kr, kb > 0, kr + kb < 0.8, 12 bits at most
 * @chroma_bits: by how many bits chroma is finer than that, 4 at most */
void clip_colour_matrix_init (
    ClipColourMatrix *matrix, const ClipColour *colour, guint chroma_bits);

static inline gint16
clip_colour_scale (ClipColourScale scale, guint16 value)
{
  return (gint16)(guint16)(value * scale.unit - scale.offset);
}

/* Pixels that are converted at once: rows have room for a multiple of it. */
#define CLIP_COLOUR_STEP 32

/* @yuv: [3, pitch]: of Y', Cb, Cr @n values, scaled, chroma one a pixel
 * @n: a multiple of CLIP_COLOUR_STEP
 * @rgb: (out caller-allocates): [3, pitch]: of R, G, B @n values */
typedef void (*ClipColourRow) (const ClipColourMatrix *matrix, gsize n,
    const gint16 *yuv, guint8 *rgb, gsize pitch);

/* Returns: the @i-th of those that this CPU knows, the fastest first; NULL
 *   behind the last. */
ClipColourRow clip_colour_get_row (guint i);
