/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/engine-dnnl.h"

#if DNNL_VERSION_MAJOR >= 3

dnnl_status_t
clip_desc_init_by_tag (ClipDesc *desc, gint n_dims, const dnnl_dims_t dims,
    dnnl_data_type_t type, dnnl_format_tag_t tag)
{
  return dnnl_memory_desc_create_with_tag (&desc->md, n_dims, dims, type, tag);
}

dnnl_status_t
clip_desc_init_by_strides (ClipDesc *desc, gint n_dims, const dnnl_dims_t dims,
    dnnl_data_type_t type, const dnnl_dims_t strides)
{
  return dnnl_memory_desc_create_with_strides (
      &desc->md, n_dims, dims, type, strides);
}

dnnl_status_t
clip_desc_init_copy (ClipDesc *desc, ClipConstDesc other)
{
  return dnnl_memory_desc_clone (&desc->md, other);
}

dnnl_status_t
clip_dnnl_append_sum (dnnl_post_ops_t ops)
{
  return dnnl_post_ops_append_sum (ops, 1.0f, 0, dnnl_data_type_undef);
}

dnnl_status_t
clip_dnnl_append_eltwise (
    dnnl_post_ops_t ops, dnnl_alg_kind_t kind, gfloat alpha, gfloat beta)
{
  return dnnl_post_ops_append_eltwise (ops, kind, alpha, beta);
}

dnnl_status_t
clip_dnnl_matmul (dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
    const ClipDesc *const descs[4], const_dnnl_primitive_attr_t attr)
{
  return dnnl_matmul_primitive_desc_create (pd, engine, clip_desc (descs[0]),
      clip_desc (descs[1]), clip_desc (descs[2]), clip_desc (descs[3]), attr);
}

dnnl_status_t
clip_dnnl_inner_product (dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
    const ClipDesc *const descs[4], const_dnnl_primitive_attr_t attr)
{
  return dnnl_inner_product_forward_primitive_desc_create (pd, engine,
      dnnl_forward_inference, clip_desc (descs[0]), clip_desc (descs[1]),
      clip_desc (descs[2]), clip_desc (descs[3]), attr);
}

dnnl_status_t
clip_dnnl_convolution (dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
    const ClipDesc *const descs[4], const ClipConvolutionGeometry *geometry,
    const_dnnl_primitive_attr_t attr)
{
  return dnnl_convolution_forward_primitive_desc_create (pd, engine,
      dnnl_forward_inference, dnnl_convolution_direct, clip_desc (descs[0]),
      clip_desc (descs[1]), clip_desc (descs[2]), clip_desc (descs[3]),
      geometry->strides, geometry->dilates, geometry->padding,
      geometry->padding, attr);
}

#else

dnnl_status_t
clip_desc_init_by_tag (ClipDesc *desc, gint n_dims, const dnnl_dims_t dims,
    dnnl_data_type_t type, dnnl_format_tag_t tag)
{
  return dnnl_memory_desc_init_by_tag (&desc->md, n_dims, dims, type, tag);
}

dnnl_status_t
clip_desc_init_by_strides (ClipDesc *desc, gint n_dims, const dnnl_dims_t dims,
    dnnl_data_type_t type, const dnnl_dims_t strides)
{
  return dnnl_memory_desc_init_by_strides (
      &desc->md, n_dims, dims, type, strides);
}

dnnl_status_t
clip_desc_init_copy (ClipDesc *desc, ClipConstDesc other)
{
  desc->md = *other;
  return dnnl_success;
}

dnnl_status_t
clip_dnnl_append_sum (dnnl_post_ops_t ops)
{
  return dnnl_post_ops_append_sum (ops, 1.0f);
}

dnnl_status_t
clip_dnnl_append_eltwise (
    dnnl_post_ops_t ops, dnnl_alg_kind_t kind, gfloat alpha, gfloat beta)
{
  return dnnl_post_ops_append_eltwise (ops, 1.0f, kind, alpha, beta);
}

dnnl_status_t
clip_dnnl_matmul (dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
    const ClipDesc *const descs[4], const_dnnl_primitive_attr_t attr)
{
  dnnl_matmul_desc_t op;
  dnnl_status_t status = dnnl_matmul_desc_init (&op, clip_desc (descs[0]),
      clip_desc (descs[1]), clip_desc (descs[2]), clip_desc (descs[3]));

  if (status != dnnl_success)
    return status;
  return dnnl_primitive_desc_create (pd, &op, attr, engine, NULL);
}

dnnl_status_t
clip_dnnl_inner_product (dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
    const ClipDesc *const descs[4], const_dnnl_primitive_attr_t attr)
{
  dnnl_inner_product_desc_t op;
  dnnl_status_t status = dnnl_inner_product_forward_desc_init (&op,
      dnnl_forward_inference, clip_desc (descs[0]), clip_desc (descs[1]),
      clip_desc (descs[2]), clip_desc (descs[3]));

  if (status != dnnl_success)
    return status;
  return dnnl_primitive_desc_create (pd, &op, attr, engine, NULL);
}

dnnl_status_t
clip_dnnl_convolution (dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
    const ClipDesc *const descs[4], const ClipConvolutionGeometry *geometry,
    const_dnnl_primitive_attr_t attr)
{
  dnnl_convolution_desc_t op;
  dnnl_status_t status =
      dnnl_dilated_convolution_forward_desc_init (&op, dnnl_forward_inference,
          dnnl_convolution_direct, clip_desc (descs[0]), clip_desc (descs[1]),
          clip_desc (descs[2]), clip_desc (descs[3]), geometry->strides,
          geometry->dilates, geometry->padding, geometry->padding);

  if (status != dnnl_success)
    return status;
  return dnnl_primitive_desc_create (pd, &op, attr, engine, NULL);
}

#endif
