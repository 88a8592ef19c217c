/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A picture in very few numbers: whether two look alike, and whether there is
 * anything to see at all, without a model. */
#pragma once

#include <glib.h>

/* Cells in a row, and rows. */
#define CLIP_SIGNATURE_SIDE 16

/* Of a picture's sides, as frame.h bounds them. */
#define CLIP_SIGNATURE_MAX_SIZE 2048

/* What noise there is differs from pixel to pixel; the mean of a cell does not
 * tremble with it, and still moves with whatever fills a part of the cell. */
typedef struct {
  gfloat cells[CLIP_SIGNATURE_SIDE * CLIP_SIGNATURE_SIDE][3]; /* means of R, G,
                                                                 B, 0 … 255 */
} ClipSignature;

/* @picture: [size, size, 3], of 1 … CLIP_SIGNATURE_MAX_SIZE */
void clip_signature_compute (
    const guint8 *picture, guint size, ClipSignature *signature);

/* Returns: by how much the cell that differs most differs in one colour, as a
 *   part of the full range: 0 … 1; 0 for the same picture */
gdouble clip_signature_compare (const ClipSignature *a, const ClipSignature *b);

/* Returns: standard deviation of the cells' brightness (their mean of R, G and
 *   B), as a part of the full range: 0 for one plain colour */
gdouble clip_signature_get_contrast (const ClipSignature *signature);
