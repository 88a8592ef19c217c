/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "product.h"

#include "engine/memory.h"
#include "support.h"

/* --- operands --- */

static void
fill (gpointer data, dnnl_data_type_t type, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    gfloat value = test_uniform ((guint32)(i % 65521), "floor");
    guint32 bits;

    memcpy (&bits, &value, sizeof bits);
    if (type == dnnl_f32)
      ((gfloat *)data)[i] = value;
    else if (type == dnnl_bf16)
      ((guint16 *)data)[i] = bits >> 16;
    else
      ((guint8 *)data)[i] = (guint8)(128 + 127 * value);
  }
}

gboolean
operands_init (Operands *operands, const gsize sizes[2], GError **error)
{
  operands->src_f32 = clip_memory_alloc (sizes[0] * sizeof (gfloat), error);
  if (operands->src_f32 == NULL)
    return FALSE;
  operands->src_bf16 = clip_memory_alloc (sizes[0] * sizeof (guint16), error);
  if (operands->src_bf16 == NULL)
    return FALSE;
  operands->src_u8 = clip_memory_alloc (sizes[0], error);
  if (operands->src_u8 == NULL)
    return FALSE;
  fill (operands->src_u8, dnnl_u8, sizes[0]);
  fill (operands->src_f32, dnnl_f32, sizes[0]);
  fill (operands->src_bf16, dnnl_bf16, sizes[0]);
  operands->dst = clip_memory_alloc (sizes[1] * sizeof (gfloat), error);
  return operands->dst != NULL;
}

void
operands_clear (Operands *operands)
{
  clip_memory_free (operands->src_f32);
  clip_memory_free (operands->src_bf16);
  clip_memory_free (operands->src_u8);
  clip_memory_free (operands->dst);
}

gpointer
operands_src (const Operands *operands, dnnl_data_type_t type)
{
  return type == dnnl_f32    ? operands->src_f32
         : type == dnnl_bf16 ? operands->src_bf16
                             : operands->src_u8;
}

/* --- the ways to ask for a product --- */

typedef struct {
  ClipDesc src, weights, dst;
  ClipDesc plain; /* the weights as they come: f32 */
} Descs;

static void
descs_clear (Descs *descs)
{
  clip_desc_clear (&descs->src);
  clip_desc_clear (&descs->weights);
  clip_desc_clear (&descs->dst);
  clip_desc_clear (&descs->plain);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Descs, descs_clear)

static gboolean
init_desc (ClipDesc *desc, dnnl_data_type_t type, dnnl_format_tag_t tag,
    const dnnl_dims_t dims, GError **error)
{
  return CHECK (
      clip_desc_init_by_tag (desc, dims[2] > 0 ? 4 : 2, dims, type, tag));
}

static gboolean
init_rows (
    Descs *descs, const Shape *shape, const ShapeTypes *types, GError **error)
{
  const dnnl_dims_t src = { shape->rows, shape->in };
  const dnnl_dims_t dst = { shape->rows, shape->out };

  return init_desc (&descs->src, types->src, dnnl_ab, src, error) &&
         init_desc (&descs->dst, types->dst, dnnl_ab, dst, error);
}

static gboolean
init_matmul (
    Descs *descs, const Shape *shape, const ShapeTypes *types, GError **error)
{
  const dnnl_dims_t weights = { shape->in, shape->out };

  return init_rows (descs, shape, types, error) &&
         init_desc (&descs->weights, types->weights, dnnl_format_tag_any,
             weights, error) &&
         init_desc (&descs->plain, dnnl_f32, dnnl_ab, weights, error);
}

static gboolean
init_inner_product (
    Descs *descs, const Shape *shape, const ShapeTypes *types, GError **error)
{
  const dnnl_dims_t weights = { shape->out, shape->in };

  return init_rows (descs, shape, types, error) &&
         init_desc (&descs->weights, types->weights, dnnl_format_tag_any,
             weights, error) &&
         init_desc (&descs->plain, dnnl_f32, dnnl_ab, weights, error);
}

static gboolean
init_convolution (
    Descs *descs, const Shape *shape, const ShapeTypes *types, GError **error)
{
  dnnl_dim_t out_side = shape->side / shape->stride;
  const dnnl_dims_t src = { shape->batch, shape->in, shape->side, shape->side };
  const dnnl_dims_t dst = { shape->batch, shape->out, out_side, out_side };
  const dnnl_dims_t weights = { shape->out, shape->in, 3, 3 };

  return init_desc (&descs->src, types->src, dnnl_nhwc, src, error) &&
         init_desc (&descs->dst, types->dst, dnnl_nhwc, dst, error) &&
         init_desc (&descs->weights, types->weights, dnnl_format_tag_any,
             weights, error) &&
         init_desc (&descs->plain, dnnl_f32, dnnl_oihw, weights, error);
}

static const struct {
  const gchar *name;
  gboolean (*init) (Descs *descs, const Shape *shape, const ShapeTypes *types,
      GError **error);
} ways[N_PRODUCT_WAYS] = {
  [PRODUCT_MATMUL] = { "matmul", init_matmul },
  [PRODUCT_INNER_PRODUCT] = { "inner_product", init_inner_product },
  [PRODUCT_CONVOLUTION] = { "convolution", init_convolution },
};

const gchar *
product_way_name (ProductWay way)
{
  return ways[way].name;
}

dnnl_status_t
product_attr (dnnl_primitive_attr_t *attr)
{
  dnnl_status_t status = dnnl_primitive_attr_create (attr);

  if (status != dnnl_success)
    return status;
  return dnnl_primitive_attr_set_scratchpad_mode (
      *attr, dnnl_scratchpad_mode_user);
}

static gboolean
build_desc (dnnl_primitive_desc_t *pd, const ClipEngine *engine, ProductWay way,
    const Shape *shape, const Descs *descs, GError **error)
{
  const ClipDesc *const list[4] = { &descs->src, &descs->weights, NULL,
    &descs->dst };
  const ClipConvolutionGeometry geometry = {
    .strides = { shape->stride, shape->stride }, .padding = { 1, 1 }
  };
  g_auto (dnnl_primitive_attr_t) attr = NULL;

  if (!CHECK (product_attr (&attr)))
    return FALSE;
  if (way == PRODUCT_CONVOLUTION)
    return CHECK (
        clip_dnnl_convolution (pd, engine->dnnl, list, &geometry, attr));
  if (way == PRODUCT_INNER_PRODUCT)
    return CHECK (clip_dnnl_inner_product (pd, engine->dnnl, list, attr));
  return CHECK (clip_dnnl_matmul (pd, engine->dnnl, list, attr));
}

/* --- weights --- */

/* The first; the others are copies, since only where they lie counts. */
static gboolean
pack (Product *product, const ClipDesc *plain, ClipConstDesc packed,
    GError **error)
{
  dnnl_engine_t dnnl = product->engine->dnnl;
  dnnl_stream_t stream = product->engine->streams[0];
  gsize n = dnnl_memory_desc_get_size (clip_desc (plain)) / sizeof (gfloat);
  g_autofree gfloat *values = g_new (gfloat, n);
  g_auto (dnnl_primitive_desc_t) pd = NULL;
  g_auto (dnnl_primitive_t) reorder = NULL;
  g_auto (dnnl_memory_t) src = NULL;

  fill (values, dnnl_f32, n);
  return CHECK (dnnl_reorder_primitive_desc_create (
             &pd, clip_desc (plain), dnnl, packed, dnnl, NULL)) &&
         CHECK (dnnl_primitive_create (&reorder, pd)) &&
         CHECK (dnnl_memory_create (&src, clip_desc (plain), dnnl, values)) &&
         CHECK (dnnl_primitive_execute (reorder, stream, 2,
             (dnnl_exec_arg_t[]){ { DNNL_ARG_FROM, src },
                 { DNNL_ARG_TO, product->weights[0] } })) &&
         CHECK (dnnl_stream_wait (stream));
}

static gboolean
build_weights (Product *product, const ClipDesc *plain, ClipConstDesc packed,
    GError **error)
{
  gsize size = dnnl_memory_desc_get_size (packed);

  product->weights_size = size * product->n_weights;
  for (guint i = 0; i < product->n_weights; i++) {
    product->packed[i] = clip_memory_alloc (size, error);
    if (product->packed[i] == NULL ||
        !CHECK (dnnl_memory_create (&product->weights[i], packed,
            product->engine->dnnl, product->packed[i])))
      return FALSE;
    if (i > 0)
      memcpy (product->packed[i], product->packed[0], size);
    else if (!pack (product, plain, packed, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
build (Product *product, const Operands *operands, const Descs *descs,
    dnnl_primitive_desc_t pd, const ShapeTypes *types, GError **error)
{
  dnnl_engine_t dnnl = product->engine->dnnl;
  ClipConstDesc scratch =
      dnnl_primitive_desc_query_md (pd, dnnl_query_scratchpad_md, 0);

  return CHECK (dnnl_primitive_create (&product->primitive, pd)) &&
         CHECK (dnnl_memory_create (&product->src, clip_desc (&descs->src),
             dnnl, operands_src (operands, types->src))) &&
         CHECK (dnnl_memory_create (
             &product->dst, clip_desc (&descs->dst), dnnl, operands->dst)) &&
         CHECK (dnnl_memory_create (
             &product->scratch, scratch, dnnl, DNNL_MEMORY_NONE)) &&
         clip_engine_reserve (
             product->engine, dnnl_memory_desc_get_size (scratch), error) &&
         build_weights (product, &descs->plain,
             dnnl_primitive_desc_query_md (pd, dnnl_query_weights_md, 0),
             error);
}

gboolean
product_init (Product *product, ClipEngine *engine, const Operands *operands,
    ProductWay way, const Shape *shape, const ShapeTypes *types,
    guint n_weights, GError **error)
{
  g_auto (Descs) descs = { 0 };
  g_auto (dnnl_primitive_desc_t) pd = NULL;

  product->engine = engine;
  product->weights = g_new0 (dnnl_memory_t, n_weights);
  product->packed = g_new0 (gpointer, n_weights);
  product->n_weights = n_weights;
  return ways[way].init (&descs, shape, types, error) &&
         build_desc (&pd, engine, way, shape, &descs, error) &&
         build (product, operands, &descs, pd, types, error);
}

void
product_clear (Product *product)
{
  const dnnl_memory_t memories[] = { product->src, product->dst,
    product->scratch };

  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    if (memories[i] != NULL)
      dnnl_memory_destroy (memories[i]);
  for (guint i = 0; i < product->n_weights; i++) {
    if (product->weights[i] != NULL)
      dnnl_memory_destroy (product->weights[i]);
    clip_memory_free (product->packed[i]);
  }
  if (product->primitive != NULL)
    dnnl_primitive_destroy (product->primitive);
  g_free (product->weights);
  g_free (product->packed);
  memset (product, 0, sizeof *product);
}

gboolean
product_run (Product *product, guint layer, GError **error)
{
  return CHECK (dnnl_memory_set_data_handle (
             product->scratch, product->engine->scratch)) &&
         CHECK (dnnl_primitive_execute (product->primitive,
             product->engine->streams[0], 4,
             (dnnl_exec_arg_t[]){ { DNNL_ARG_SRC, product->src },
                 { DNNL_ARG_WEIGHTS, product->weights[layer] },
                 { DNNL_ARG_DST, product->dst },
                 { DNNL_ARG_SCRATCHPAD, product->scratch } }));
}
