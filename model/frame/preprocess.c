/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How a model was trained to see: what is kept of a frame, and how its numbers
 * are scaled. */

#include "frame/frame.h"

#include <math.h>
#include <string.h>

#include "clip-error.h"
#include "clip-vector.h"
#include "frame/scaler.h"

#define CHANNELS 3
#define MAX_SIZE 2048

/* So that a side of MAX_SIZE times as much fits 32 bits. */
#define MAX_SQUARED (1 << 19)

struct _ClipPreprocessor {
  ClipPreprocess preprocess;
  ClipGeometry geometry;
  ClipSide x, y;      /* of the frame as it is stored */
  guint8 *unturned;   /* the kept rectangle, where it is turned */
  ClipScaler *scaler; /* NULL until a size is set */
};

ClipPreprocessor *
clip_preprocessor_new (const ClipPreprocess *preprocess)
{
  ClipPreprocessor *preprocessor;

  g_return_val_if_fail (preprocess->size >= 1, NULL);
  g_return_val_if_fail (preprocess->size <= preprocess->resize_size, NULL);
  g_return_val_if_fail (preprocess->resize_size <= MAX_SIZE, NULL);

  preprocessor = g_new0 (ClipPreprocessor, 1);
  preprocessor->preprocess = *preprocess;
  preprocessor->unturned =
      g_malloc0_n ((gsize)preprocess->size * preprocess->size, CHANNELS);
  return preprocessor;
}

void
clip_preprocessor_free (ClipPreprocessor *preprocessor)
{
  if (preprocessor == NULL)
    return;
  g_clear_pointer (&preprocessor->scaler, clip_scaler_free);
  g_free (preprocessor->unturned);
  g_free (preprocessor);
}

static void
fit_shortest (guint size, ClipSide *x, ClipSide *y)
{
  guint shortest = MIN (x->source, y->source);

  x->target = (guint)((guint64)size * x->source / shortest);
  y->target = (guint)((guint64)size * y->source / shortest);
}

static void
fit_squash (guint size, ClipSide *x, ClipSide *y)
{
  x->target = y->target = size;
}

/* Division by the ratio, as open_clip has it: times its inverse would round
 * some halves the other way. A side never vanishes. */
static void
fit_longest (guint size, ClipSide *x, ClipSide *y)
{
  gdouble ratio = (gdouble)MAX (x->source, y->source) / size;

  x->target = MAX (1, (guint)rint (x->source / ratio));
  y->target = MAX (1, (guint)rint (y->source / ratio));
}

static void (*const fits[]) (guint size, ClipSide *x, ClipSide *y) = {
  [CLIP_FIT_SHORTEST] = fit_shortest,
  [CLIP_FIT_SQUASH] = fit_squash,
  [CLIP_FIT_LONGEST] = fit_longest,
};

/* @mirrored: the crop's rounding is that of the other end */
static void
crop (const ClipPreprocess *preprocess, gboolean mirrored, ClipSide *side)
{
  guint spare = side->target - MIN (side->target, preprocess->size);

  side->n = side->target - spare;
  side->begin = spare / 2;
  if (!preprocess->crop_floor && spare % 4 == 3)
    side->begin++;
  if (mirrored)
    side->begin = spare - side->begin;
}

static guint64
multiply (guint side, guint numerator, guint denominator)
{
  return ((guint64)side * numerator + denominator / 2) / denominator;
}

/* The sides of the frame were its pixels square, as sources of @x and @y. */
static gboolean
square (const ClipGeometry *geometry, ClipSide *x, ClipSide *y, GError **error)
{
  guint pixel_width = geometry->pixel_width;
  guint pixel_height = geometry->pixel_height;
  guint64 width = geometry->width, height = geometry->height;

  if (width < 1 || width > CLIP_FRAME_MAX_SIDE || height < 1 ||
      height > CLIP_FRAME_MAX_SIDE) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "A frame of %u x %u pixels cannot be prepared: each side must be 1 to "
        "%u; scale or crop the video before it comes here",
        geometry->width, geometry->height, CLIP_FRAME_MAX_SIDE);
    return FALSE;
  }
  if (pixel_width > pixel_height)
    width = multiply (geometry->width, pixel_width, pixel_height);
  else
    height = multiply (geometry->height, pixel_height, pixel_width);
  if (MAX (width, height) > MAX_SQUARED) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "A frame of %u x %u pixels with pixel-aspect-ratio %u/%u cannot be "
        "prepared: a side would be %" G_GUINT64_FORMAT " pixels long, at most "
        "%u are allowed; set the pixel-aspect-ratio right before it comes here",
        geometry->width, geometry->height, pixel_width, pixel_height,
        MAX (width, height), MAX_SQUARED);
    return FALSE;
  }
  x->source = (guint)width;
  y->source = (guint)height;
  return TRUE;
}

gboolean
clip_preprocessor_set_geometry (ClipPreprocessor *preprocessor,
    const ClipGeometry *geometry, GError **error)
{
  const ClipPreprocess *preprocess = &preprocessor->preprocess;
  gboolean transpose = geometry->transpose;
  ClipSide x = { 0 }, y = { 0 };

  g_return_val_if_fail (geometry->pixel_width > 0, FALSE);
  g_return_val_if_fail (geometry->pixel_height > 0, FALSE);

  if (!square (geometry, &x, &y, error))
    return FALSE;
  /* Each fit does the same with both sides, so it may come before the turn. */
  fits[preprocess->fit](preprocess->resize_size, &x, &y);
  x.source = geometry->width;
  y.source = geometry->height;
  crop (preprocess, transpose ? geometry->mirror_y : geometry->mirror_x, &x);
  crop (preprocess, transpose ? geometry->mirror_x : geometry->mirror_y, &y);
  g_clear_pointer (&preprocessor->scaler, clip_scaler_free);
  preprocessor->scaler = clip_scaler_new (preprocess->kernel, &x, &y);
  preprocessor->geometry = *geometry;
  preprocessor->x = x;
  preprocessor->y = y;
  return TRUE;
}

gboolean
clip_preprocessor_set_size (
    ClipPreprocessor *preprocessor, guint width, guint height, GError **error)
{
  ClipGeometry geometry = {
    .width = width, .height = height, .pixel_width = 1, .pixel_height = 1
  };

  return clip_preprocessor_set_geometry (preprocessor, &geometry, error);
}

/* @picture: (out): @width by @height pixels, turned, rows @stride bytes apart
 */
static void
turn (const ClipPreprocessor *preprocessor, guint width, guint height,
    guint8 *picture, gsize stride)
{
  const ClipGeometry *geometry = &preprocessor->geometry;
  gssize row = (gssize)preprocessor->x.n * CHANNELS;
  gssize step_x = geometry->transpose ? row : CHANNELS;
  gssize step_y = geometry->transpose ? CHANNELS : row;
  const guint8 *from = preprocessor->unturned;

  if (geometry->mirror_x) {
    from += step_x * (width - 1);
    step_x = -step_x;
  }
  if (geometry->mirror_y) {
    from += step_y * (height - 1);
    step_y = -step_y;
  }
  for (guint y = 0; y < height; y++) {
    for (guint x = 0; x < width; x++)
      memcpy (picture + y * stride + (gsize)x * CHANNELS,
          from + y * step_y + x * step_x, CHANNELS);
  }
}

void
clip_preprocessor_run (
    ClipPreprocessor *preprocessor, const ClipFrame *frame, guint8 *picture)
{
  const ClipGeometry *geometry = &preprocessor->geometry;
  const ClipSide *x = &preprocessor->x, *y = &preprocessor->y;
  guint width = geometry->transpose ? y->n : x->n;
  guint height = geometry->transpose ? x->n : y->n;
  gsize size = preprocessor->preprocess.size;
  gsize stride = size * CHANNELS;

  g_return_if_fail (preprocessor->scaler != NULL);

  if (width < size || height < size)
    memset (picture, 0, stride * size);
  picture += (size - height) / 2 * stride + (size - width) / 2 * CHANNELS;
  if (!geometry->transpose && !geometry->mirror_x && !geometry->mirror_y) {
    clip_scaler_run (preprocessor->scaler, frame, picture, stride);
    return;
  }
  clip_scaler_run (preprocessor->scaler, frame, preprocessor->unturned,
      (gsize)x->n * CHANNELS);
  turn (preprocessor, width, height, picture, stride);
}

void
clip_preprocessor_get_region (const ClipPreprocessor *preprocessor, gdouble *x,
    gdouble *y, gdouble *width, gdouble *height)
{
  const ClipSide *columns = &preprocessor->x;
  const ClipSide *rows = &preprocessor->y;

  g_return_if_fail (preprocessor->scaler != NULL);

  *x = (gdouble)columns->begin / columns->target;
  *y = (gdouble)rows->begin / rows->target;
  *width = (gdouble)columns->n / columns->target;
  *height = (gdouble)rows->n / rows->target;
}

/* Pixels that a step of the loop takes, so that it has as many equal lanes. */
#define STEP 16

CLIP_VECTORISED_EXACTLY void
clip_preprocess_normalise (const ClipPreprocess *preprocess, gsize n_pixels,
    const guint8 *restrict picture, gfloat *restrict pixels)
{
  gfloat mean[STEP * CHANNELS], std[STEP * CHANNELS];
  gsize n = n_pixels * CHANNELS;
  gsize i = 0;

  for (guint k = 0; k < STEP * CHANNELS; k++) {
    mean[k] = preprocess->mean[k % CHANNELS];
    std[k] = preprocess->std[k % CHANNELS];
  }
  for (; i + STEP * CHANNELS <= n; i += STEP * CHANNELS) {
    for (guint k = 0; k < STEP * CHANNELS; k++)
      pixels[i + k] = (picture[i + k] / 255.0f - mean[k]) / std[k];
  }
  for (guint k = 0; i + k < n; k++)
    pixels[i + k] = (picture[i + k] / 255.0f - mean[k]) / std[k];
}
