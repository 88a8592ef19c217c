/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/norm.h"

#include "encode/weights.h"

gboolean
clip_norm_init (
    ClipNorm *norm, ClipAffineTensors tensors, gfloat eps, GError **error)
{
  if (tensors.weight == NULL)
    return TRUE;
  norm->width = clip_tensor_get_n_elements (tensors.weight);
  norm->eps = eps;
  norm->gamma = clip_weights_read (tensors.weight, error);
  if (norm->gamma == NULL)
    return FALSE;
  norm->beta = clip_weights_read (tensors.bias, error);
  return norm->beta != NULL;
}

void
clip_norm_clear (ClipNorm *norm)
{
  g_clear_pointer (&norm->gamma, g_free);
  g_clear_pointer (&norm->beta, g_free);
}

ClipLayerNorm
clip_norm_describe (const ClipNorm *norm, guint rows, const gfloat *src,
    ClipNumber number, gpointer dst)
{
  return (ClipLayerNorm){ .rows = rows,
    .width = norm->width,
    .src = src,
    .gamma = norm->gamma,
    .beta = norm->beta,
    .eps = norm->eps,
    .number = number,
    .dst = dst };
}

void
clip_norm_run (const ClipNorm *norm, ClipEngine *engine, guint rows,
    const gfloat *src, ClipNumber number, gpointer dst)
{
  const ClipLayerNorm run = clip_norm_describe (norm, rows, src, number, dst);

  if (norm->gamma != NULL)
    clip_rows_layer_norm (engine, &run);
}
