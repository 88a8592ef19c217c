/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/resample.h"

#include <math.h>
#include <string.h>

#include "clip-vector.h"

#define CHANNELS 3
#define GROUP (CHANNELS * CLIP_RESAMPLE_LANES)

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
    gdouble w = exact[k] / sum * (1 << CLIP_RESAMPLE_BITS);

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

/* @to: the two halves of @from, byte by byte in turn */
CLIP_VECTORISED_EXACTLY static void
shuffle (const guint8 *restrict from, guint8 *restrict to, gsize half)
{
  for (gsize i = 0; i < half; i++) {
    to[2 * i] = from[i];
    to[2 * i + 1] = from[half + i];
  }
}

/* A shuffle of 2^b rows moves one bit of the row's number to the end of the
 * address; after b of them the whole number is there. */
void
clip_resample_lanes (guint8 *rows, guint8 *spare, gsize n)
{
  gsize half = n * CLIP_RESAMPLE_LANES / 2;

  G_STATIC_ASSERT (CLIP_RESAMPLE_LANES == 16);
  shuffle (rows, spare, half);
  shuffle (spare, rows, half);
  shuffle (rows, spare, half);
  shuffle (spare, rows, half);
}

static inline guint8
to_byte (gint32 sum)
{
  gint32 value = sum >> CLIP_RESAMPLE_BITS;

  return (guint8)CLAMP (value, 0, 255);
}

/* One target pixel of all lanes. */
CLIP_VECTORISED_EXACTLY static void
sum_window (const gint32 *weights, guint count, const guint8 *restrict lanes,
    guint8 *restrict target)
{
  gint32 sums[GROUP];

  for (guint i = 0; i < GROUP; i++)
    sums[i] = 1 << (CLIP_RESAMPLE_BITS - 1);
  for (guint k = 0; k < count; k++, lanes += GROUP) {
    for (guint i = 0; i < GROUP; i++)
      sums[i] += lanes[i] * weights[k];
  }
  for (guint i = 0; i < GROUP; i++)
    target[i] = to_byte (sums[i]);
}

void
clip_resample_columns (const ClipAxis *axis, const guint8 *lanes, guint origin,
    guint8 *const *rows)
{
  for (guint t = 0; t < axis->n; t++) {
    guint8 pixels[GROUP];

    sum_window (axis->weights + (gsize)t * axis->n_taps, axis->count[t],
        lanes + (gsize)(axis->first[t] - origin) * GROUP, pixels);
    for (guint row = 0; row < CLIP_RESAMPLE_LANES; row++) {
      for (guint c = 0; c < CHANNELS; c++)
        rows[row][t * CHANNELS + c] = pixels[c * CLIP_RESAMPLE_LANES + row];
    }
  }
}

CLIP_VECTORISED_EXACTLY static void
add_row (
    gint32 *restrict sums, const guint8 *restrict row, gint32 weight, guint n)
{
  for (guint i = 0; i < n; i++)
    sums[i] += row[i] * weight;
}

CLIP_VECTORISED_EXACTLY static void
to_bytes (const gint32 *restrict sums, guint8 *restrict target, guint n)
{
  for (guint i = 0; i < n; i++)
    target[i] = to_byte (sums[i]);
}

void
clip_resample_row (const gint32 *weights, guint n_rows,
    const guint8 *const *rows, guint n, gint32 *sums, guint8 *target)
{
  for (guint i = 0; i < n; i++)
    sums[i] = 1 << (CLIP_RESAMPLE_BITS - 1);
  for (guint k = 0; k < n_rows; k++)
    add_row (sums, rows[k], weights[k], n);
  to_bytes (sums, target, n);
}
