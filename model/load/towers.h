/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The towers of one checkpoint, bound by the names of its dialect. */
#pragma once

#include "load/binder.h"
#include "load/config.h"
#include "load/names.h"

typedef struct {
  ClipModifiedResNetTensors modified_resnet;
  ClipBertTensors bert;
  const ClipTensor *logit_scale;
} ClipTowers;

/* Fills @towers as @config says; what does not fit is noted in @binder.
 *
 * @towers: (out caller-allocates): zeroed; for clip_towers_clear() */
void clip_towers_bind (
    ClipTowers *towers, const ClipConfig *config, ClipBinder *binder);
void clip_towers_clear (ClipTowers *towers);
