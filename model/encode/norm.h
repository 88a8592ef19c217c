/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A LayerNorm with its weights, and where there is none. */
#pragma once

#include "engine/engine.h"

typedef struct {
  guint width;
  gfloat eps;
  gfloat *gamma; /* [width]; NULL: the rows stay as they are */
  gfloat *beta;
} ClipNorm;

/* @norm: zeroed; for clip_norm_clear() also on failure
 * @tensors: .weight NULL where the model has no norm at this place
 *
 * Returns: FALSE with CLIP_ERROR_NO_SPACE, _READ or _MODEL. */
gboolean clip_norm_init (
    ClipNorm *norm, ClipAffineTensors tensors, gfloat eps, GError **error);
void clip_norm_clear (ClipNorm *norm);

/* @src: [rows, width]
 * @number: of @dst
 * @dst: [rows, width]; may be @src where it is f32, and is where there is no
 *   norm */
void clip_norm_run (const ClipNorm *norm, ClipEngine *engine, guint rows,
    const gfloat *src, ClipNumber number, gpointer dst);

/* What clip_norm_run() does, for the engine: only where there is a norm. */
ClipLayerNorm clip_norm_describe (const ClipNorm *norm, guint rows,
    const gfloat *src, ClipNumber number, gpointer dst);
