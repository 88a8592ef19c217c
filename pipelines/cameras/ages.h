/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How old results were when they came: counted in classes, each 9 % wider than
 * the one before, from 1 ms to 17 minutes. */
#pragma once

#include <gst/gst.h>

#define CAMERA_N_AGES 162

typedef struct {
  guint64 counts[CAMERA_N_AGES];
  guint64 n;
} CameraAges;

void camera_ages_add (CameraAges *ages, GstClockTime age);

/* @q: from 0 to 1
 *
 * Returns: seconds, the middle of the class; 0 where there is none */
gdouble camera_ages_get_quantile (const CameraAges *ages, gdouble q);
