/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Rows of bytes turned on their side and back: columns of CLIP_LANES values, as
 * floats, for sums that run along a row. */
#pragma once

#include "frame/sum.h"

/* @rows: [LANES], each of at least @offset + @n bytes
 * @lanes: (out caller-allocates): [n, LANES], what is at @offset first */
void clip_lanes_read (
    const guint8 *const *rows, gsize offset, gsize n, gfloat *lanes);

/* @lanes: [n, LANES]
 * @n: a multiple of LANES
 * @rows: (out caller-allocates): LANES rows of @n floats, @stride floats apart
 */
void clip_lanes_write (
    const guint8 *lanes, gsize n, gfloat *rows, gsize stride);
