/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Y'CbCr of 8-bit values to R'G'B' in integers. Each value lies within 0.51 of
 * the exact one before it is rounded into 0 … 255, so it differs from a
 * correctly rounded one by 1 at most, and only beside a tie. */
#pragma once

#include "frame/frame.h"

typedef struct {
  gint32 y_offset;
  gint32 y, r_v, g_u, g_v, b_u; /* fractions of 2^16; g_u, g_v negative */
} ClipColourMatrix;

/* @colour: kr, kb > 0, kr + kb < 0.9, so that the products fit 32 bits */
void clip_colour_matrix_init (
    ClipColourMatrix *matrix, const ClipColour *colour);

/* @y, @u, @v: n values each, chroma already one a pixel
 * @rgb: (out caller-allocates): n triplets */
void clip_colour_row (const ClipColourMatrix *matrix, guint n,
    const guint8 *const yuv[3], guint8 *rgb);
