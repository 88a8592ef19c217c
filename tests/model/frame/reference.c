/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "reference.h"

#include <math.h>

static gdouble
kernel_value (ClipKernel kernel, gdouble x)
{
  gdouble a = -0.5;

  x = fabs (x);
  if (kernel == CLIP_KERNEL_BILINEAR)
    return fmax (0, 1 - x);
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

void
reference_window (ClipKernel kernel, guint source, guint target, guint t,
    guint *first, guint *end)
{
  gdouble scale = (gdouble)source / target;
  gdouble support = (kernel == CLIP_KERNEL_BICUBIC ? 2 : 1) * fmax (scale, 1);
  gdouble centre = (t + 0.5) * scale;

  *first = (guint)MAX (0, (gint)(centre - support + 0.5));
  *end = (guint)MIN ((gint)source, (gint)(centre + support + 0.5));
  if (source == target) {
    *first = t;
    *end = t + 1;
  }
}

/* One target pixel from values @step bytes apart. */
static guint8
resample (ClipKernel kernel, guint source, guint target, guint t,
    const guint8 *values, gsize step)
{
  gdouble scale = (gdouble)source / target;
  gdouble centre = (t + 0.5) * scale;
  gdouble inverse = 1 / fmax (scale, 1);
  gdouble total = 0;
  gint64 sum = 1 << 21;
  guint first, end;

  reference_window (kernel, source, target, t, &first, &end);
  for (guint i = first; i < end; i++)
    total += kernel_value (kernel, (i - centre + 0.5) * inverse);
  for (guint i = first; i < end; i++) {
    gdouble w =
        kernel_value (kernel, (i - centre + 0.5) * inverse) / total * 4194304;

    sum += values[i * step] * (gint64)(w < 0 ? w - 0.5 : w + 0.5);
  }
  sum >>= 22;
  return (guint8)CLAMP (sum, 0, 255);
}

void
reference_resize (Picture *picture, const Picture *source, ClipKernel kernel,
    const ReferenceSide *x, const ReferenceSide *y)
{
  gsize row = (gsize)x->n * 3;
  g_autofree guint8 *narrow = g_malloc (source->height * row);

  for (gsize i = 0; i < source->height * row; i++)
    narrow[i] = resample (kernel, source->width, x->target,
        x->begin + (guint)(i % row / 3),
        source->rgb + i / row * source->width * 3 + i % 3, 3);

  picture->width = x->n;
  picture->height = y->n;
  picture->rgb = g_malloc (y->n * row);
  for (gsize i = 0; i < y->n * row; i++)
    picture->rgb[i] = resample (kernel, source->height, y->target,
        y->begin + (guint)(i / row), narrow + i % row, row);
}
