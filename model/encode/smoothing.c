/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/smoothing.h"

#include <math.h>
#include <string.h>

/* To what power of its largest value a channel is divided; the rest of it, to
 * 1, is that of its largest weight. */
static const gfloat powers[] = { 0.0f, 0.25f, 0.5f, 0.65f, 0.8f };

/* A layer whose squares of errors are not halved stays as it is: what little
 * is gained on some pictures is lost on others. */
#define LEAST_GAIN 0.5

/* Features looked at of each layer: they are alike enough. */
#define MAX_FEATURES 256

/* Beyond this a channel is next to dead. */
#define MOST_FACTOR 1e4f

/* Steps between neighbouring bytes of a row, and of a feature's weights. */
#define ROW_STEPS 255
#define WEIGHT_STEPS 254

static guint
get_stride (const ClipSmoothingCase *layer)
{
  return (layer->out_features + MAX_FEATURES - 1) / MAX_FEATURES;
}

/* @sizes: (out): of each channel the largest magnitude in every @stride-th of
 * @n rows */
static void
find_sizes (
    const gfloat *rows, guint n, guint stride, guint width, gfloat *sizes)
{
  memset (sizes, 0, width * sizeof *sizes);
  for (gsize i = 0; i < n; i += stride)
    for (guint k = 0; k < width; k++)
      sizes[k] = MAX (sizes[k], fabsf (rows[i * width + k]));
}

/* What rounding to bytes adds to the squares of all outputs, if the errors of
 * two values have nothing to do with each other: an error of a step's square /
 * 12 in each value is multiplied by the squares of what meets it. */
static gdouble
predict_error (const ClipSmoothingCase *layer, const gfloat *smoothing)
{
  guint width = layer->in_features;
  gdouble row_steps = 0, row_squares = 0, weight_steps = 0, weight_squares = 0;

  for (gsize m = 0; m < layer->rows; m++) {
    const gfloat *row = layer->src + m * width;
    gfloat least = G_MAXFLOAT, most = -G_MAXFLOAT;

    for (guint k = 0; k < width; k++) {
      gfloat value = row[k] / smoothing[k];

      least = MIN (least, value);
      most = MAX (most, value);
      row_squares += value * value;
    }
    row_steps += pow ((most - least) / ROW_STEPS, 2);
  }
  for (gsize n = 0; n < layer->out_features; n += get_stride (layer)) {
    const gfloat *row = layer->weights + n * width;
    gfloat most = 0;

    for (guint k = 0; k < width; k++) {
      gfloat value = row[k] * smoothing[k];

      most = MAX (most, fabsf (value));
      weight_squares += value * value;
    }
    weight_steps += pow (2 * most / WEIGHT_STEPS, 2);
  }
  return (row_steps * weight_squares + weight_steps * row_squares) / 12;
}

static void
compute_factors (const gfloat *src_sizes, const gfloat *weight_sizes,
    guint width, gfloat power, gfloat *smoothing)
{
  for (guint k = 0; k < width; k++) {
    gfloat factor =
        powf (src_sizes[k], power) / powf (weight_sizes[k], 1 - power);

    if (power == 0.0f || !(src_sizes[k] > 0) || !(weight_sizes[k] > 0))
      factor = 1;
    smoothing[k] = CLAMP (factor, 1 / MOST_FACTOR, MOST_FACTOR);
  }
}

gfloat
clip_smoothing_choose (const ClipSmoothingCase *layer, gfloat *smoothing)
{
  guint width = layer->in_features;
  g_autofree gfloat *src_sizes = g_new (gfloat, width);
  g_autofree gfloat *weight_sizes = g_new (gfloat, width);
  gdouble least = 0;
  gfloat best = 0;

  find_sizes (layer->src, layer->rows, 1, width, src_sizes);
  find_sizes (layer->weights, layer->out_features, get_stride (layer), width,
      weight_sizes);
  for (guint i = 0; i < G_N_ELEMENTS (powers); i++) {
    gdouble error;

    compute_factors (src_sizes, weight_sizes, width, powers[i], smoothing);
    error = predict_error (layer, smoothing);
    if (i == 0 || error < least * (best == 0 ? LEAST_GAIN : 1)) {
      least = error;
      best = powers[i];
    }
  }
  compute_factors (src_sizes, weight_sizes, width, best, smoothing);
  return best;
}
