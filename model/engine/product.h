/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* One product of one shape: a oneDNN primitive, matmul or convolution, with
 * the memory objects that tell it where its operands lie. */
#pragma once

#include "engine/engine-private.h"

typedef enum {
  CLIP_OPERAND_SRC,
  CLIP_OPERAND_WEIGHTS,
  CLIP_OPERAND_BIAS,
  CLIP_OPERAND_DST,
  CLIP_OPERAND_SCRATCH
} ClipOperand;

#define CLIP_N_OPERANDS (CLIP_OPERAND_SCRATCH + 1)

typedef struct {
  const ClipDesc
      *descs[CLIP_OPERAND_SCRATCH];        /* by ClipOperand; bias or NULL */
  const ClipConvolutionGeometry *geometry; /* NULL: a matmul */
  gboolean accumulate;
  ClipActivation activation;
} ClipProductSpec;

typedef struct {
  dnnl_primitive_t primitive;
  dnnl_memory_t memories[CLIP_N_OPERANDS];
  gsize scratch_size;
  const gchar *implementation; /* oneDNN's name for it; static */
  ClipDesc weights;            /* the layout it reads */
} ClipProduct;

/* Returns: FALSE with CLIP_ERROR_COMPUTE; clear it all the same. */
gboolean clip_product_init (ClipProduct *product, ClipEngine *engine,
    const ClipProductSpec *spec, GError **error);
void clip_product_clear (ClipProduct *product);

/* oneDNN zeroes the padding of a blocked layout when it is handed over, so the
 * packed weights are set once, not at each run. */
gboolean clip_product_set (ClipProduct *product, ClipOperand operand,
    gconstpointer data, GError **error);

/* Runs on what was set. */
gboolean clip_product_run (
    ClipProduct *product, dnnl_stream_t stream, GError **error);
