/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* One bare product of oneDNN, as often as there are matrices for it: plain dst,
 * no bias, nothing fused. */
#pragma once

#include "shapes.h"

#include "engine/engine-private.h"

/* What products read and write, so large that any fits: filled with numbers
 * between -1 and 1, or 0 and 255. */
typedef struct {
  gpointer src_f32, src_bf16, src_u8, dst;
} Operands;

/* @sizes: elements of the largest src and dst */
gboolean operands_init (
    Operands *operands, const gsize sizes[2], GError **error);
void operands_clear (Operands *operands);
gpointer operands_src (const Operands *operands, dnnl_data_type_t type);

typedef struct {
  ClipEngine *engine;
  dnnl_primitive_t primitive;
  dnnl_memory_t src, dst, scratch;
  dnnl_memory_t *weights; /* [n_weights] */
  gpointer *packed;       /* [n_weights] */
  guint n_weights;
  gsize weights_size; /* bytes of all */
} Product;

/* How oneDNN may be asked for the same. */
typedef enum {
  PRODUCT_MATMUL,
  PRODUCT_INNER_PRODUCT,
  PRODUCT_CONVOLUTION,
  N_PRODUCT_WAYS
} ProductWay;

const gchar *product_way_name (ProductWay way);

/* @n_weights: how many matrices of the shape, each in its own memory
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE, _NO_SPACE; clear it all the same. */
gboolean product_init (Product *product, ClipEngine *engine,
    const Operands *operands, ProductWay way, const Shape *shape,
    const ShapeTypes *types, guint n_weights, GError **error);
void product_clear (Product *product);
gboolean product_run (Product *product, guint layer, GError **error);

/* A primitive that needs no scratch of the library's own. */
dnnl_status_t product_attr (dnnl_primitive_attr_t *attr);
