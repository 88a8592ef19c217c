/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How a model was trained to see: what is kept of a frame, and how its numbers
 * are scaled. */

#include "frame/frame.h"

#include <math.h>
#include <string.h>

#include "clip-error.h"
#include "frame/clones.h"
#include "frame/scaler.h"

#define CHANNELS 3
#define MAX_SIZE 2048

struct _ClipPreprocessor {
  ClipPreprocess preprocess;
  ClipSide x, y;
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
  return preprocessor;
}

void
clip_preprocessor_free (ClipPreprocessor *preprocessor)
{
  if (preprocessor == NULL)
    return;
  g_clear_pointer (&preprocessor->scaler, clip_scaler_free);
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

static void
crop (const ClipPreprocess *preprocess, ClipSide *side)
{
  guint spare = side->target - MIN (side->target, preprocess->size);

  side->n = side->target - spare;
  side->begin = spare / 2;
  if (!preprocess->crop_floor && spare % 4 == 3)
    side->begin++;
}

gboolean
clip_preprocessor_set_size (
    ClipPreprocessor *preprocessor, guint width, guint height, GError **error)
{
  const ClipPreprocess *preprocess = &preprocessor->preprocess;
  ClipSide *x = &preprocessor->x;
  ClipSide *y = &preprocessor->y;

  if (width < 1 || width > CLIP_FRAME_MAX_SIDE || height < 1 ||
      height > CLIP_FRAME_MAX_SIDE) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "A frame of %u x %u pixels cannot be prepared: each side must be 1 to "
        "%u; scale or crop the video before it comes here",
        width, height, CLIP_FRAME_MAX_SIDE);
    return FALSE;
  }
  x->source = width;
  y->source = height;
  fits[preprocess->fit](preprocess->resize_size, x, y);
  crop (preprocess, x);
  crop (preprocess, y);
  g_clear_pointer (&preprocessor->scaler, clip_scaler_free);
  preprocessor->scaler = clip_scaler_new (preprocess->kernel, x, y);
  return TRUE;
}

void
clip_preprocessor_run (
    ClipPreprocessor *preprocessor, const ClipFrame *frame, guint8 *picture)
{
  const ClipSide *x = &preprocessor->x;
  const ClipSide *y = &preprocessor->y;
  gsize size = preprocessor->preprocess.size;
  gsize stride = size * CHANNELS;

  g_return_if_fail (preprocessor->scaler != NULL);

  if (x->n < size || y->n < size)
    memset (picture, 0, stride * size);
  picture += (size - y->n) / 2 * stride + (size - x->n) / 2 * CHANNELS;
  clip_scaler_run (preprocessor->scaler, frame, picture, stride);
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

CLIP_CLONES void
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
