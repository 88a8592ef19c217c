/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A linear layer of a transformer block, which may multiply in bytes. */
#pragma once

#include "encode/calibration.h"
#include "engine/engine.h"

typedef struct {
  ClipLinear *linear; /* NULL until it is built */
  ClipLinearSpec spec;
  ClipAffineTensors tensors;
  guint first_feature; /* of the tensors, which may have more than the spec */
} ClipBlockLinear;

/* @linear: with all but .linear; the spec's rows live until it is built
 * @sibling: (nullable): another one of the same tensors, which are read once */
gboolean clip_block_linear_build (ClipBlockLinear *linear,
    ClipBlockLinear *sibling, ClipEngine *engine, GError **error);
void clip_block_linear_clear (ClipBlockLinear *linear);

/* Builds it, runs it, and where the same in bytes is near enough leaves that in
 * its place. Holds no more than this one layer beside what it leaves.
 *
 * @src, @dst: as of clip_linear_run(); @dst is the layer's that is not in
 *   bytes */
gboolean clip_block_linear_calibrate (ClipBlockLinear *linear,
    ClipEngine *engine, ClipCalibration *calibration, guint rows,
    gconstpointer src, gpointer dst, GError **error);
