/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The kept rectangle of a resized frame, computed from no more than the source
 * rows and columns that it depends on. */
#pragma once

#include "frame/frame.h"
#include "frame/resample.h"

typedef struct _ClipScaler ClipScaler;

ClipScaler *clip_scaler_new (
    ClipKernel kernel, const ClipSide *x, const ClipSide *y);
void clip_scaler_free (ClipScaler *scaler);

/* Allocates nothing. Reads each source row at most once, from top to bottom.
 *
 * @frame: of x.source by y.source pixels
 * @picture: (out caller-allocates): y.n rows of x.n RGB triplets, @stride bytes
 *   apart; what lies between the rows is left alone */
void clip_scaler_run (
    ClipScaler *scaler, const ClipFrame *frame, guint8 *picture, gsize stride);
