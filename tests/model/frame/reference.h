/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A second, plain reading of model-spec.md section 6.2, one pixel after the
 * other: no rows in lanes, no ring, no table of weights. Itself held to
 * Pillow's checksums. */
#pragma once

#include "picture.h"

typedef struct {
  guint target; /* the whole side after the resize */
  guint begin, n;
} ReferenceSide;

/* The kept rectangle of @source after both passes. */
void reference_resize (Picture *picture, const Picture *source,
    ClipKernel kernel, const ReferenceSide *x, const ReferenceSide *y);

/* The source pixels that a target pixel depends on: @first … @end - 1. */
void reference_window (ClipKernel kernel, guint source, guint target, guint t,
    guint *first, guint *end);
