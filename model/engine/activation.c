/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/activation.h"

#include "engine/vector.h"

#include <math.h>

#define QUICK_GELU_ALPHA 1.702f /* openai/CLIP model.py, QuickGELU */

CLIP_INLINE gfloat
sigmoid (gfloat x)
{
  return 1.0f / (1.0f + clip_exp (-x));
}

CLIP_VECTORISED static void
run_relu (gsize n_floats, gfloat *values)
{
  for (gsize i = 0; i < n_floats; i++)
    values[i] = values[i] < 0.0f ? 0.0f : values[i];
}

CLIP_VECTORISED static void
run_quick_gelu (gsize n_floats, gfloat *values)
{
  for (gsize i = 0; i < n_floats; i++)
    values[i] *= sigmoid (QUICK_GELU_ALPHA * values[i]);
}

/* x (1 + erf (x / sqrt 2)) / 2, by erfc of the magnitude (Abramowitz and
 * Stegun 7.1.26, within 1.5e-7), so that nothing cancels at -x. */
CLIP_VECTORISED static void
run_gelu_erf (gsize n_floats, gfloat *values)
{
  for (gsize i = 0; i < n_floats; i++) {
    gfloat x = values[i];
    gfloat z = fabsf (x) * (gfloat)G_SQRT2 * 0.5f;
    gfloat t = 1.0f / (1.0f + 0.3275911f * z);
    gfloat p = 1.061405429f;

    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    p = p * t * clip_exp (-z * z);
    values[i] = 0.5f * x * (x < 0.0f ? p : 2.0f - p);
  }
}

/* (1 + tanh u) / 2 is the sigmoid of 2 u. */
CLIP_VECTORISED static void
run_gelu_tanh (gsize n_floats, gfloat *values)
{
  for (gsize i = 0; i < n_floats; i++) {
    gfloat x = values[i];

    values[i] = x * sigmoid (1.59576912f * (x + 0.044715f * x * x * x));
  }
}

/* clang-format off */
static const ClipActivationEntry entries[] = {
  [CLIP_ACTIVATION_NONE] =       { dnnl_alg_kind_undef, 0, 0, NULL },
  [CLIP_ACTIVATION_RELU] =       { dnnl_eltwise_relu, 0, 0, run_relu },
  [CLIP_ACTIVATION_QUICK_GELU] = { dnnl_eltwise_swish, QUICK_GELU_ALPHA, 0,
                                   run_quick_gelu },
  [CLIP_ACTIVATION_GELU_ERF] =   { dnnl_eltwise_gelu_erf, 0, 0, run_gelu_erf },
  [CLIP_ACTIVATION_GELU_TANH] =  { dnnl_eltwise_gelu_tanh, 0, 0,
                                   run_gelu_tanh },
};
/* clang-format on */

const ClipActivationEntry *
clip_activation_get_entry (ClipActivation activation)
{
  g_return_val_if_fail ((guint)activation < G_N_ELEMENTS (entries), entries);
  return &entries[activation];
}
