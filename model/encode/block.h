/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The layers of a transformer's block. */
#pragma once

#include "encode/block_linear.h"
#include "encode/norm.h"
#include "encode/transformer.h"

typedef struct {
  ClipNorm ln_1;
  ClipBlockLinear qkv; /* of the last block keys and values alone */
  ClipBlockLinear out;
  ClipNorm ln_2;
  ClipBlockLinear fc;
  ClipBlockLinear proj;
  guint mlp_width;
} ClipBlock;

/* Says which linear layers it will have; its MLP's width is known.
 *
 * @last_q: (out caller-allocates) (nullable): of the last block, the queries'
 * @number: of what lies between the layers */
void clip_block_plan (ClipBlock *block, ClipBlockLinear *last_q,
    const ClipBlockSpec *spec, ClipNumber number,
    const ClipBlockTensors *tensors);

/* Builds the linear layers that were planned, @last_q among them. */
gboolean clip_block_build (ClipBlock *block, ClipBlockLinear *last_q,
    ClipEngine *engine, GError **error);
void clip_block_clear (ClipBlock *block);
