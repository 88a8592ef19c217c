/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: M rows, K in features, N out features. */

#include "encode/block_linear.h"

#include "clip-error.h"
#include "encode/smoothing.h"
#include "encode/weights.h"

#include <math.h>
#include <string.h>

/* What a layer gives may be off by this part in bytes. Normal values are off by
 * some 1.5 %; of what adds up over a model's layers little is left behind the
 * norms. */
#define MOST_ERROR 0.05

/* Source rows that the smoothing is chosen by. */
#define MAX_SAMPLE 64

/* Those of the layer, which may be a part of its tensor's. */
static const gfloat *
get_weights (const ClipBlockLinear *linear, const ClipAffineValues *values)
{
  return values->weights +
         (gsize)linear->first_feature * linear->spec.in_features;
}

static ClipLinear *
build (const ClipBlockLinear *linear, ClipEngine *engine,
    const ClipAffineValues *values, GError **error)
{
  ClipLinearSpec spec = linear->spec;

  spec.name = clip_tensor_get_name (linear->tensors.weight);
  return clip_linear_new (engine, &spec, get_weights (linear, values),
      values->bias != NULL ? values->bias + linear->first_feature : NULL,
      error);
}

gboolean
clip_block_linear_build (ClipBlockLinear *linear, ClipBlockLinear *sibling,
    ClipEngine *engine, GError **error)
{
  g_auto (ClipAffineValues) values = { 0 };

  if (!clip_weights_read_affine (linear->tensors, &values, error))
    return FALSE;
  linear->linear = build (linear, engine, &values, error);
  if (linear->linear == NULL || sibling == NULL)
    return linear->linear != NULL;
  sibling->linear = build (sibling, engine, &values, error);
  return sibling->linear != NULL;
}

void
clip_block_linear_clear (ClipBlockLinear *linear)
{
  g_clear_pointer (&linear->linear, clip_linear_free);
}

/* --- in bytes --- */

/* @smoothing: (out caller-allocates): [K] */
static gfloat
choose_smoothing (const ClipBlockLinear *linear, const ClipAffineValues *values,
    guint rows, gconstpointer src, gfloat *smoothing)
{
  const ClipLinearSpec *spec = &linear->spec;
  guint n = MIN (rows, MAX_SAMPLE);
  gsize width = spec->in_features;
  g_autofree gfloat *sample = g_new (gfloat, n * width);
  const ClipSmoothingCase layer = { n, spec->in_features, spec->out_features,
    sample, get_weights (linear, values) };

  for (guint i = 0; i < n; i++)
    clip_rows_read (width, spec->src,
        clip_number_at (spec->src, src, (gsize)i * rows / n * width),
        sample + i * width);
  return clip_smoothing_choose (&layer, smoothing);
}

/* (transfer full): as f32 */
static gfloat *
copy_values (gsize n, ClipNumber number, gconstpointer values)
{
  gfloat *copy = g_new (gfloat, n);

  clip_rows_read (n, number, values, copy);
  return copy;
}

/* What the layers gave, without what dst held before. */
static gdouble
compare (
    gsize n, const gfloat *before, const gfloat *expected, const gfloat *found)
{
  gdouble squares = 0, errors = 0;

  for (gsize i = 0; i < n; i++) {
    gdouble value = (gdouble)expected[i] - (before != NULL ? before[i] : 0);
    gdouble error = (gdouble)found[i] - expected[i];

    squares += value * value;
    errors += error * error;
  }
  return errors == 0 ? 0 : sqrt (errors / squares);
}

/* Where the layer runs and is tried. */
typedef struct {
  ClipEngine *engine;
  guint rows;
  gconstpointer src;
  gpointer dst;
} Place;

static gboolean
run_in_turn (
    ClipLinear *linear, const Place *place, gpointer dst, GError **error)
{
  gboolean succeeded;

  clip_engine_take_turn (place->engine, TRUE);
  succeeded = clip_linear_run (linear, place->rows, place->src, dst, error);
  clip_engine_take_turn (place->engine, FALSE);
  return succeeded;
}

/* The same layer in bytes on the same source.
 *
 * @before: (nullable): what dst held, where the layer adds to it
 * @error_found: (out): relative, of all outputs */
static ClipLinear *
try_bytes (const ClipBlockLinear *linear, const ClipAffineValues *values,
    const Place *place, const gfloat *before, const gfloat *smoothing,
    gdouble *error_found, GError **error)
{
  ClipBlockLinear other = *linear;
  gsize n = (gsize)place->rows * linear->spec.out_features;
  g_autofree gfloat *expected = copy_values (n, linear->spec.dst, place->dst);
  g_autofree gfloat *found = NULL;
  g_autoptr (ClipLinear) made = NULL;
  gpointer dst = NULL;

  other.spec.in_bytes = TRUE;
  other.spec.smoothing = smoothing;
  made = build (&other, place->engine, values, error);
  if (made == NULL)
    return NULL;
  dst = clip_engine_alloc (n, linear->spec.dst, error);
  if (dst == NULL)
    return NULL;
  if (before != NULL)
    memcpy (dst, before, n * sizeof *before);
  if (!run_in_turn (made, place, dst, error)) {
    clip_engine_free_values (dst);
    return NULL;
  }
  found = copy_values (n, linear->spec.dst, dst);
  clip_engine_free_values (dst);
  *error_found = compare (n, before, expected, found);
  return g_steal_pointer (&made);
}

static gboolean
choose (ClipBlockLinear *linear, const ClipAffineValues *values,
    const Place *place, const gfloat *before, ClipCalibration *calibration,
    GError **error)
{
  g_autofree gfloat *smoothing = g_new (gfloat, linear->spec.in_features);
  ClipLayerChoice choice = { .name = clip_tensor_get_name (
                                 linear->tensors.weight) };
  g_autoptr (ClipLinear) bytes = NULL;
  g_autoptr (GError) own_error = NULL;
  gdouble error_found = INFINITY;
  gboolean is_good;

  choice.smoothing =
      choose_smoothing (linear, values, place->rows, place->src, smoothing);
  bytes = try_bytes (linear, values, place, before,
      choice.smoothing > 0 ? smoothing : NULL, &error_found, &own_error);
  if (bytes == NULL &&
      !g_error_matches (own_error, CLIP_ERROR, CLIP_ERROR_COMPUTE)) {
    g_propagate_error (error, g_steal_pointer (&own_error));
    return FALSE;
  }
  choice.error = error_found;
  is_good = error_found <= MOST_ERROR;
  choice.precision = is_good
                         ? CLIP_PRECISION_INT8
                         : clip_engine_choose_precision (CLIP_PRECISION_AUTO);
  clip_calibration_add (calibration, &choice);
  if (is_good) {
    clip_linear_free (linear->linear);
    linear->linear = g_steal_pointer (&bytes);
  }
  return TRUE;
}

gboolean
clip_block_linear_calibrate (ClipBlockLinear *linear, ClipEngine *engine,
    ClipCalibration *calibration, guint rows, gconstpointer src, gpointer dst,
    GError **error)
{
  const Place place = { engine, rows, src, dst };
  g_autofree gfloat *before = NULL;
  g_auto (ClipAffineValues) values = { 0 };

  if (!clip_weights_read_affine (linear->tensors, &values, error))
    return FALSE;
  linear->linear = build (linear, engine, &values, error);
  if (linear->linear == NULL)
    return FALSE;
  if (linear->spec.accumulate)
    before = copy_values (
        (gsize)rows * linear->spec.out_features, linear->spec.dst, dst);
  return run_in_turn (linear->linear, &place, dst, error) &&
         choose (linear, &values, &place, before, calibration, error);
}
