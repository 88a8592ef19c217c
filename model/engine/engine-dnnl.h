/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What differs between oneDNN 2.6 and 3.x, and nothing else. Memory descriptors
 * are structs in 2.x and owned handles in 3.x; ClipDesc is both, and
 * clip_desc() gives what the functions of either version take. With
 * engine-dnnl.c the only place that knows the major version. */
#pragma once

#include <glib.h>
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>
#include <string.h>

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (dnnl_primitive_t, dnnl_primitive_destroy, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (
    dnnl_primitive_desc_t, dnnl_primitive_desc_destroy, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (
    dnnl_primitive_attr_t, dnnl_primitive_attr_destroy, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (dnnl_post_ops_t, dnnl_post_ops_destroy, NULL)
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (dnnl_memory_t, dnnl_memory_destroy, NULL)

typedef struct {
  dnnl_memory_desc_t md;
} ClipDesc;

/* oneDNN's word for a ClipNumber. */
#define CLIP_DATA_TYPE(number) ((number) == CLIP_BF16 ? dnnl_bf16 : dnnl_f32)

/* What a convolution is, beside its four descriptors. */
typedef struct {
  dnnl_dims_t strides;
  dnnl_dims_t dilates; /* 0 = dense, as oneDNN counts */
  dnnl_dims_t padding;
} ClipConvolutionGeometry;

#if DNNL_VERSION_MAJOR >= 3

typedef const_dnnl_memory_desc_t ClipConstDesc;

static inline ClipConstDesc
clip_desc (const ClipDesc *desc)
{
  return desc != NULL ? desc->md : NULL;
}

static inline void
clip_desc_clear (ClipDesc *desc)
{
  if (desc->md != NULL)
    dnnl_memory_desc_destroy (desc->md);
  desc->md = NULL;
}

#else

typedef const dnnl_memory_desc_t *ClipConstDesc;

static inline ClipConstDesc
clip_desc (const ClipDesc *desc)
{
  return desc != NULL ? &desc->md : NULL;
}

static inline void
clip_desc_clear (ClipDesc *desc)
{
  memset (desc, 0, sizeof *desc);
}

#endif

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ClipDesc, clip_desc_clear)

dnnl_status_t clip_desc_init_by_tag (ClipDesc *desc, gint n_dims,
    const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag);
dnnl_status_t clip_desc_init_by_strides (ClipDesc *desc, gint n_dims,
    const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides);
dnnl_status_t clip_desc_init_copy (ClipDesc *desc, ClipConstDesc other);

dnnl_status_t clip_dnnl_append_sum (dnnl_post_ops_t ops);
dnnl_status_t clip_dnnl_append_eltwise (
    dnnl_post_ops_t ops, dnnl_alg_kind_t kind, gfloat alpha, gfloat beta);

/* @descs: src, weights, bias (nullable), dst */
dnnl_status_t clip_dnnl_matmul (dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
    const ClipDesc *const descs[4], const_dnnl_primitive_attr_t attr);
/* The weights' descriptor is [out, in] here. */
dnnl_status_t clip_dnnl_inner_product (dnnl_primitive_desc_t *pd,
    dnnl_engine_t engine, const ClipDesc *const descs[4],
    const_dnnl_primitive_attr_t attr);
dnnl_status_t clip_dnnl_convolution (dnnl_primitive_desc_t *pd,
    dnnl_engine_t engine, const ClipDesc *const descs[4],
    const ClipConvolutionGeometry *geometry, const_dnnl_primitive_attr_t attr);
