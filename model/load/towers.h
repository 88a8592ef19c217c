/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The towers of one checkpoint, bound by the names of its dialect. */
#pragma once

#include "load/binder.h"
#include "load/names.h"

typedef struct {
  ClipModifiedResNetTensors modified_resnet;
  ClipVisionTransformerTensors vision_transformer;
  ClipTextTransformerTensors text_transformer;
  ClipBertTensors bert;
  const ClipTensor *logit_scale; /* NULL without a text side and where absent */
} ClipTowers;

/* Fills @towers as @config says; what does not fit is noted in @binder.
 *
 * @towers: (out caller-allocates): zeroed; for clip_towers_clear()
 * @follows_tensors: whether each block's MLP is as wide as its own tensors are,
 *   @config having no say; @config has the widest then */
void clip_towers_bind (ClipTowers *towers, const ClipConfig *config,
    gboolean follows_tensors, ClipBinder *binder);
void clip_towers_clear (ClipTowers *towers);
