/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Y'CbCr to R'G'B' in integers. Each value lies within 0.54 of the exact one
 * before it is rounded into 0 … 255, so it differs from a correctly rounded one
 * by 1 at most, and only beside a tie. */
#pragma once

#include "frame/frame.h"

typedef struct {
  gint32 y_offset, chroma_offset;
  gint32 y, r_v, g_u, g_v, b_u; /* g_u, g_v negative */
  guint bits;                   /* of a sum, below 1 */
} ClipColourMatrix;

/* @colour: kr, kb > 0, kr + kb < 0.9, 12 bits at most, so that the sums fit 32
 *   bits
 * @chroma_bits: by how many bits chroma is finer than that, 4 at most */
void clip_colour_matrix_init (
    ClipColourMatrix *matrix, const ClipColour *colour, guint chroma_bits);

/* @yuv: [3, pitch]: of Y', Cb, Cr n values, chroma already one a pixel
 * @rgb: (out caller-allocates): [3, pitch]: of R, G, B n values */
void clip_colour_row (const ClipColourMatrix *matrix, gsize n,
    const guint16 *yuv, guint8 *rgb, gsize pitch);
