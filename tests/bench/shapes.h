/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The products, convolutions and attentions that an image tower cannot do
 * without, in the order in which it does them. */
#pragma once

#include "clip-precision.h"
#include "engine/engine-dnnl.h"
#include "load/load.h"

typedef enum {
  SHAPE_PRODUCT,
  SHAPE_CONVOLUTION, /* 3x3, padded by 1 */
  SHAPE_ATTENTION    /* Q Kᵀ and P V, without the softmax */
} ShapeKind;

/* What a product is for decides in which types it is done. */
typedef enum {
  ROLE_PATCHES,
  ROLE_QKV,
  ROLE_OUT,
  ROLE_FC,
  ROLE_PROJ,
  ROLE_EMBEDDING, /* the last one */
  ROLE_STEM,      /* a ResNet's first convolutions */
  ROLE_PIXELS,    /* the others, 1x1 as well */
  ROLE_MAPS,      /* what is added to a ResNet's residual stream */
  ROLE_SCORES,
  ROLE_VALUES,
  N_ROLES
} ShapeRole;

/* Equal ones are equal byte for byte: what a kind does not have is 0. */
typedef struct {
  ShapeKind kind;
  ShapeRole role; /* SCORES: and VALUES */
  guint rows;     /* PRODUCT */
  guint in;       /* features, channels, or the width of a head */
  guint out;      /* not of ATTENTION */
  guint batch;    /* CONVOLUTION, ATTENTION */
  guint side;     /* CONVOLUTION: of its input */
  guint stride;   /* CONVOLUTION */
  guint heads;    /* ATTENTION, as the next two */
  guint tokens;
  guint queries; /* @tokens, or 1 */
} Shape;

typedef struct {
  dnnl_data_type_t src, weights, dst;
} ShapeTypes;

/* (transfer full) (element-type Shape): of the picture side */
GArray *shapes_new (const ClipConfig *config, guint batch);

/* The table of precisions. @precision: not AUTO */
const ShapeTypes *shape_types (ShapeRole role, ClipPrecision precision);

gdouble shape_flops (const Shape *shape);

/* Elements of the largest operand before, and of the one behind. */
gsize shape_src_size (const Shape *shape);
gsize shape_dst_size (const Shape *shape);

/* "qkv 50 x 768 x 2304". (transfer full) */
gchar *shape_describe (const Shape *shape);
