/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "ages.h"

#include <math.h>

#define CLASSES_PER_DOUBLING 8

/* The first class is all below a millisecond, the last all above. */
void
camera_ages_add (CameraAges *ages, GstClockTime age)
{
  gdouble ms = (gdouble)age / GST_MSECOND;
  guint i = 0;

  if (ms >= 1)
    i = 1 + (guint)MIN (CLASSES_PER_DOUBLING * log2 (ms), CAMERA_N_AGES - 2);
  ages->counts[i]++;
  ages->n++;
}

gdouble
camera_ages_get_quantile (const CameraAges *ages, gdouble q)
{
  guint64 wanted = (guint64)ceil (q * (gdouble)ages->n);
  guint64 n = 0;
  guint i = 0;

  if (ages->n == 0)
    return 0;
  for (; i < CAMERA_N_AGES - 1; i++) {
    n += ages->counts[i];
    if (n >= MAX (wanted, 1))
      break;
  }
  if (i == 0)
    return 0.0005;
  return exp2 ((i - 0.5) / CLASSES_PER_DOUBLING) / 1000;
}
