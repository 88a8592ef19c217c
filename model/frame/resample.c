/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/resample.h"

#include <math.h>

typedef struct {
  gdouble radius; /* in source pixels when enlarging */
  gdouble (*weigh) (gdouble x);
} Kernel;

static gdouble
weigh_bicubic (gdouble x)
{
  static const gdouble a = -0.5;

  x = fabs (x);
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2)
    return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

static gdouble
weigh_bilinear (gdouble x)
{
  x = fabs (x);
  return x < 1 ? 1 - x : 0;
}

static const Kernel kernels[] = {
  [CLIP_KERNEL_BICUBIC] = { 2, weigh_bicubic },
  [CLIP_KERNEL_BILINEAR] = { 1, weigh_bilinear },
};

/* The window of target pixel @t and where its centre lies, in source pixels. */
typedef struct {
  gdouble centre;
  guint first, count;
} Window;

static Window
window_of (gdouble scale, gdouble support, guint source, guint t)
{
  Window window = { .centre = (t + 0.5) * scale };
  gdouble from = window.centre - support + 0.5;
  gdouble to = window.centre + support + 0.5;

  window.first = from > 0 ? (guint)from : 0;
  window.count = MIN (source, (guint)to) - window.first;
  return window;
}

/* @exact: [window->count], scratch */
static void
weigh_window (const Kernel *kernel, gdouble scale, const Window *window,
    gdouble *exact, gint32 *weights)
{
  gdouble sum = 0;

  for (guint k = 0; k < window->count; k++) {
    exact[k] = kernel->weigh (
        (k + window->first - window->centre + 0.5) * (1 / scale));
    sum += exact[k];
  }
  for (guint k = 0; k < window->count; k++) {
    gdouble w = exact[k] / sum * (1 << CLIP_WEIGHT_BITS);

    weights[k] = (gint32)(w < 0 ? w - 0.5 : w + 0.5);
  }
}

void
clip_resample_axis_init (
    ClipAxis *axis, ClipKernel kernel, const ClipSide *side)
{
  gdouble scale = (gdouble)side->source / side->target;
  gdouble filter_scale = MAX (scale, 1);
  /* A side that keeps its size is copied, as Pillow does: the kernels are 0 at
   * all whole numbers but 0, so nothing else need be read. */
  gdouble support = side->source == side->target
                        ? 0.5
                        : kernels[kernel].radius * filter_scale;
  guint n_taps = MIN (side->source, 2 * (guint)ceil (support) + 1);
  g_autofree gdouble *exact = g_new (gdouble, n_taps);

  axis->n = side->n;
  axis->n_taps = n_taps;
  axis->first = g_new (guint, side->n);
  axis->count = g_new (guint, side->n);
  axis->weights = g_new0 (gint32, (gsize)side->n * n_taps);
  for (guint i = 0; i < side->n; i++) {
    Window window = window_of (scale, support, side->source, side->begin + i);

    weigh_window (&kernels[kernel], filter_scale, &window, exact,
        axis->weights + (gsize)i * n_taps);
    axis->first[i] = window.first;
    axis->count[i] = window.count;
  }
}

void
clip_resample_axis_clear (ClipAxis *axis)
{
  g_clear_pointer (&axis->first, g_free);
  g_clear_pointer (&axis->count, g_free);
  g_clear_pointer (&axis->weights, g_free);
  axis->n = 0;
}

guint
clip_resample_axis_end (const ClipAxis *axis)
{
  guint end = 0;

  for (guint i = 0; i < axis->n; i++)
    end = MAX (end, axis->first[i] + axis->count[i]);
  return end;
}
