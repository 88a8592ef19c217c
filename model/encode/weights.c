/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/weights.h"

#include "clip-error.h"

#include <math.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* The same in every published ModifiedResNet. */
#define BATCH_NORM_EPS 1e-5

gfloat *
clip_weights_read_stacked (
    const ClipTensor *const *tensors, guint n, GError **error)
{
  g_autofree gfloat *values = NULL;
  gfloat *next = NULL;
  gsize n_elements = 0;

  for (guint i = 0; i < n; i++)
    n_elements += clip_tensor_get_n_elements (tensors[i]);
  next = values = g_try_new (gfloat, n_elements);
  if (values == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NO_SPACE,
        "no memory for the %" G_GSIZE_FORMAT " values of tensor '%s'",
        n_elements, clip_tensor_get_name (tensors[0]));
    return NULL;
  }
  for (guint i = 0; i < n; i++) {
    if (!clip_tensor_read_f32 (tensors[i], next, error))
      return NULL;
    next += clip_tensor_get_n_elements (tensors[i]);
  }
  return g_steal_pointer (&values);
}

gfloat *
clip_weights_read (const ClipTensor *tensor, GError **error)
{
  return clip_weights_read_stacked (&tensor, 1, error);
}

/* The scale of each channel. */
static gdouble *
read_scales (const ClipBatchNormTensors *bn, GError **error)
{
  gsize channels = clip_tensor_get_n_elements (bn->weight);
  g_autofree gfloat *gamma = clip_weights_read (bn->weight, error);
  g_autofree gfloat *var = NULL;
  g_autofree gdouble *scales = NULL;

  if (gamma == NULL)
    return NULL;
  var = clip_weights_read (bn->running_var, error);
  if (var == NULL)
    return NULL;
  scales = g_new (gdouble, channels);
  for (gsize c = 0; c < channels; c++) {
    if (var[c] < 0) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
          "tensor '%s' holds %g at index %" G_GSIZE_FORMAT
          ": a variance cannot be negative",
          clip_tensor_get_name (bn->running_var), var[c], c);
      return NULL;
    }
    scales[c] = gamma[c] / sqrt (var[c] + BATCH_NORM_EPS);
  }
  return g_steal_pointer (&scales);
}

gfloat *
clip_weights_read_folded (
    const ClipConvTensors *tensors, gfloat **bias, GError **error)
{
  gsize channels = clip_tensor_get_n_elements (tensors->bn.weight);
  gsize width = clip_tensor_get_n_elements (tensors->conv) / channels;
  g_autofree gdouble *scales = read_scales (&tensors->bn, error);
  g_autofree gfloat *weights = NULL;
  g_autofree gfloat *beta = NULL;
  g_autofree gfloat *mean = NULL;

  if (scales == NULL)
    return NULL;
  beta = clip_weights_read (tensors->bn.bias, error);
  if (beta == NULL)
    return NULL;
  mean = clip_weights_read (tensors->bn.running_mean, error);
  if (mean == NULL)
    return NULL;
  weights = clip_weights_read (tensors->conv, error);
  if (weights == NULL)
    return NULL;
  for (gsize c = 0; c < channels; c++) {
    beta[c] = (gfloat)(beta[c] - mean[c] * scales[c]);
    for (gsize i = 0; i < width; i++)
      weights[c * width + i] = (gfloat)(weights[c * width + i] * scales[c]);
  }
  *bias = g_steal_pointer (&beta);
  return g_steal_pointer (&weights);
}

gboolean
clip_weights_read_affine (
    ClipAffineTensors tensors, ClipAffineValues *values, GError **error)
{
  values->weights = clip_weights_read (tensors.weight, error);
  if (values->weights == NULL || tensors.bias == NULL)
    return values->weights != NULL;
  values->bias = clip_weights_read (tensors.bias, error);
  return values->bias != NULL;
}

void
clip_weights_clear_affine (ClipAffineValues *values)
{
  g_clear_pointer (&values->weights, g_free);
  g_clear_pointer (&values->bias, g_free);
}

ClipLinear *
clip_weights_linear (ClipEngine *engine, const ClipLinearSpec *spec,
    ClipAffineTensors tensors, GError **error)
{
  ClipLinearSpec named = *spec;
  g_auto (ClipAffineValues) values = { 0 };

  if (!clip_weights_read_affine (tensors, &values, error))
    return NULL;
  named.name = clip_tensor_get_name (tensors.weight);
  return clip_linear_new (engine, &named, values.weights, values.bias, error);
}

void
clip_weights_return_memory (void)
{
#ifdef __GLIBC__
  malloc_trim (0);
#endif
}
