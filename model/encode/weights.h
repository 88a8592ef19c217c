/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* From a checkpoint's tensors to the engine's layers, one layer at a time:
 * what is read here is freed as soon as the engine has packed it. */
#pragma once

#include "engine/engine.h"

/* The tensor as f32.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NO_SPACE, _READ or _MODEL. */
gfloat *clip_weights_read (const ClipTensor *tensor, GError **error);

/* Several tensors, one after the other: the rows of a stacked linear layer. */
gfloat *clip_weights_read_stacked (
    const ClipTensor *const *tensors, guint n, GError **error);

/* A convolution with the BatchNorm behind it folded in, in double precision:
 * weights s * W and bias b - mean * s, where s = weight / sqrt (var + 1e-5).
 *
 * @bias: (out) (transfer full): [C]
 *
 * Returns: (transfer full): OIHW; NULL also where a variance is negative. */
gfloat *clip_weights_read_folded (
    const ClipConvTensors *tensors, gfloat **bias, GError **error);

/* Of a linear layer. */
typedef struct {
  gfloat *weights, *bias; /* NULL: none */
} ClipAffineValues;

/* @tensors: .bias may be NULL
 * @values: zeroed; for clip_weights_clear_affine() also on failure */
gboolean clip_weights_read_affine (
    ClipAffineTensors tensors, ClipAffineValues *values, GError **error);
void clip_weights_clear_affine (ClipAffineValues *values);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ClipAffineValues, clip_weights_clear_affine)

/* A linear layer of the spec, which is named after its weight.
 *
 * @tensors: .bias may be NULL */
ClipLinear *clip_weights_linear (ClipEngine *engine, const ClipLinearSpec *spec,
    ClipAffineTensors tensors, GError **error);

/* Gives back to the system what the C library keeps of memory that was freed:
 * arrays as large as the largest tensor, which nothing later asks for. */
void clip_weights_return_memory (void);
