/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* oneDNN has two kinds of product with weights, and one packed copy serves one
 * kind. It is matmul for every shape: in 2.6.3 with AMX, 2 threads, a
 * transformer's inner_products take 0.95 to 1.47 of its time at 197 and 577
 * rows in bf16. At 50 rows, one picture of ViT-B/32, they take 0.92 to 0.99 in
 * bf16 and 0.94 to 1.04 in f32, but the same layers run batches of up to 400
 * rows. (clip-bench prints both.)
 *
 * Bytes are u8 by s8 to s32: the product alone, which both majors have in their
 * fast code, and what surrounds it is ours (bytes.h). In 2.6.3, AMD EPYC with
 * AVX512-VNNI, 2 threads, ms of one product in the best of 7 rounds over 12
 * layers of each shape:
 *
 *   M x K x N           bf16    matmul  s8 src  inner_product dnnl_gemm_u8s8s32
 *    50 x  768 x 2304   0.431   0.220   0.223   0.210          0.304
 *    50 x  768 x 3072   0.585   0.296   0.306   0.285          0.405
 *    50 x 3072 x  768   0.591   0.285   0.307   0.271          0.402
 *   400 x  768 x 3072   4.423   2.289   2.347   2.274          3.023
 *   197 x  768 x 2304   1.568   0.792   0.802   1.023          0.899
 *   197 x  768 x  768   0.524   0.264   0.269   0.340          0.298
 *   197 x 3072 x  768   2.063   1.038   1.039   1.328          1.156
 *   394 x  768 x 3072   4.188   2.122   2.142   2.399          2.229
 *   257 x 1024 x 4096   5.161   2.647   2.728   3.087          3.858
 *
 * Letters: M rows, K in features, N out features. */

#include "clip-error.h"
#include "engine/bytes.h"
#include "engine/layer.h"

struct _ClipLinear {
  ClipLayer layer;
  gboolean in_bytes;
  ClipBytes bytes;
};

static gboolean
check_spec (const ClipLinearSpec *spec, GError **error)
{
  guint most;

  if (!clip_engine_check_counts ("row counts", spec->rows, spec->n_rows, error))
    return FALSE;
  if (spec->src == CLIP_F32 && spec->dst != CLIP_F32) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "a product of f32 gives f32, not bf16");
    return FALSE;
  }
  if (spec->in_bytes && spec->transposed) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "transposed weights do not become bytes");
    return FALSE;
  }
  if (spec->in_bytes && spec->in_features > CLIP_BYTES_MAX_FEATURES) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "%u in features, and of bytes no more than %d add up in 32 bits",
        spec->in_features, CLIP_BYTES_MAX_FEATURES);
    return FALSE;
  }
  most = spec->rows[spec->n_rows - 1];
  return clip_engine_check_dims ("the weights [out, in]",
             (guint64[]){ spec->out_features, spec->in_features }, 2, error) &&
         clip_engine_check_dims ("the input [rows, in]",
             (guint64[]){ spec->rows[0], spec->in_features }, 2, error) &&
         clip_engine_check_dims ("the input [rows, in]",
             (guint64[]){ most, spec->in_features }, 2, error) &&
         clip_engine_check_dims ("the output [rows, out]",
             (guint64[]){ most, spec->out_features }, 2, error);
}

/* What oneDNN multiplies. */
typedef struct {
  dnnl_data_type_t src, weights, dst;
} Types;

static Types
choose_types (const ClipLinearSpec *spec)
{
  if (spec->in_bytes)
    return (Types){ dnnl_u8, dnnl_s8, dnnl_s32 };
  return (Types){ CLIP_DATA_TYPE (spec->src), CLIP_DATA_TYPE (spec->src),
    CLIP_DATA_TYPE (spec->dst) };
}

/* src: [M, K], weights: [K, N], bias: [1, N] -> dst: [M, N] */
static gboolean
build_shape (ClipLinear *linear, const ClipLinearSpec *spec, guint shape,
    gboolean has_bias, GError **error)
{
  dnnl_dim_t m = spec->rows[shape], k = spec->in_features,
             n = spec->out_features;
  const Types types = choose_types (spec);
  g_auto (ClipDesc) src = { 0 };
  g_auto (ClipDesc) weights = { 0 };
  g_auto (ClipDesc) bias = { 0 };
  g_auto (ClipDesc) dst = { 0 };
  ClipProductSpec product = { .descs = { &src, &weights,
                                  has_bias ? &bias : NULL, &dst },
    .accumulate = spec->accumulate,
    .activation = spec->activation };

  if (spec->in_bytes)
    product = (ClipProductSpec){ .descs = { &src, &weights, NULL, &dst } };
  return CHECK (clip_desc_init_by_tag (
             &src, 2, (dnnl_dims_t){ m, k }, types.src, dnnl_ab)) &&
         CHECK (clip_desc_init_by_tag (&weights, 2, (dnnl_dims_t){ k, n },
             types.weights, dnnl_format_tag_any)) &&
         CHECK (clip_desc_init_by_tag (
             &bias, 2, (dnnl_dims_t){ 1, n }, dnnl_f32, dnnl_ab)) &&
         CHECK (clip_desc_init_by_tag (
             &dst, 2, (dnnl_dims_t){ m, n }, types.dst, dnnl_ab)) &&
         clip_layer_build (&linear->layer, shape, &product, error);
}

static gboolean
pack (ClipLinear *linear, const ClipLinearSpec *spec, const gfloat *weights,
    const gfloat *bias, GError **error)
{
  g_auto (ClipDesc) desc = { 0 };

  return CHECK (clip_desc_init_by_tag (&desc, 2,
             (dnnl_dims_t){ spec->in_features, spec->out_features }, dnnl_f32,
             spec->transposed ? dnnl_ab : dnnl_ba)) &&
         clip_layer_pack (&linear->layer, &desc, weights, bias, error);
}

static gboolean
pack_bytes (ClipLinear *linear, const ClipLinearSpec *spec,
    const gfloat *weights, const gfloat *bias, GError **error)
{
  gsize size = (gsize)spec->in_features * spec->out_features, scratch_size = 0;
  g_auto (ClipDesc) desc = { 0 };
  g_autofree gint8 *codes = NULL;

  for (guint i = 0; i < spec->n_rows; i++)
    scratch_size =
        MAX (scratch_size, linear->layer.shapes[i].product.scratch_size);
  if (!clip_bytes_init (&linear->bytes, linear->layer.engine, spec, bias,
          scratch_size, error))
    return FALSE;
  codes = g_try_malloc (size);
  if (codes == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NO_SPACE,
        "no memory for %" G_GSIZE_FORMAT " weights in bytes", size);
    return FALSE;
  }
  clip_bytes_pack (&linear->bytes, weights, codes);
  return CHECK (clip_desc_init_by_tag (&desc, 2,
             (dnnl_dims_t){ spec->in_features, spec->out_features }, dnnl_s8,
             dnnl_ba)) &&
         clip_layer_pack (&linear->layer, &desc, codes, NULL, error);
}

static gboolean
build (ClipLinear *linear, const ClipLinearSpec *spec, const gfloat *weights,
    const gfloat *bias, GError **error)
{
  for (guint i = spec->n_rows; i-- > 0;)
    if (!build_shape (linear, spec, i, bias != NULL, error))
      return FALSE;
  if (spec->in_bytes &&
      g_str_has_prefix (clip_linear_get_implementation (linear), "ref")) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "oneDNN multiplies these bytes slowly");
    return FALSE;
  }
  return (spec->in_bytes ? pack_bytes : pack) (
      linear, spec, weights, bias, error);
}

ClipLinear *
clip_linear_new (ClipEngine *engine, const ClipLinearSpec *spec,
    const gfloat *weights, const gfloat *bias, GError **error)
{
  g_autoptr (ClipLinear) linear = g_new0 (ClipLinear, 1);
  gboolean is_built;

  if (!check_spec (spec, error) || !clip_engine_check_thread (engine, error)) {
    g_prefix_error (error, "%s: ", spec->name);
    return NULL;
  }
  clip_layer_init (
      &linear->layer, engine, spec->name, spec->rows, spec->n_rows);
  linear->layer.dst_width = spec->out_features;
  linear->in_bytes = spec->in_bytes;
  clip_engine_take_turn (engine, TRUE);
  is_built = build (linear, spec, weights, bias, error);
  clip_engine_take_turn (engine, FALSE);
  if (!is_built) {
    g_prefix_error (error, "%s: ", spec->name);
    return NULL;
  }
  return g_steal_pointer (&linear);
}

void
clip_linear_free (ClipLinear *linear)
{
  if (linear == NULL)
    return;
  clip_layer_clear (&linear->layer);
  clip_bytes_clear (&linear->bytes);
  g_free (linear);
}

const gchar *
clip_linear_get_implementation (const ClipLinear *linear)
{
  return linear->layer.shapes[linear->layer.n_shapes - 1]
      .product.implementation;
}

/* From the source to the products. */
static gboolean
multiply_bytes (
    ClipLinear *linear, guint rows, gconstpointer src, GError **error)
{
  ClipEngine *engine = linear->layer.engine;
  const ClipByteWork work = { .encoded = &linear->bytes, .src = src };
  gboolean is_encoded =
      engine->encoded == linear && engine->encoded_rows == rows;

  if (!clip_layer_check (&linear->layer, rows, error))
    return FALSE;
  engine->encoded = NULL;
  if (!is_encoded)
    clip_bytes_work (engine, rows, &work);
  return clip_layer_run (&linear->layer, rows, engine->codes,
      engine->scratch + linear->bytes.products_at, error);
}

gboolean
clip_linear_run (ClipLinear *linear, guint rows, gconstpointer src,
    gpointer dst, GError **error)
{
  const ClipByteWork work = { .decoded = &linear->bytes, .dst = dst };

  if (!linear->in_bytes)
    return clip_layer_run (&linear->layer, rows, src, dst, error);
  if (!multiply_bytes (linear, rows, src, error))
    return FALSE;
  clip_bytes_work (linear->layer.engine, rows, &work);
  return TRUE;
}

static void
mark_encoded (ClipLinear *linear, guint rows)
{
  linear->layer.engine->encoded = linear;
  linear->layer.engine->encoded_rows = rows;
}

gboolean
clip_linear_run_before (ClipLinear *linear, guint rows, gconstpointer src,
    gpointer dst, const ClipLinearNext *next, GError **error)
{
  ClipEngine *engine = linear->layer.engine;
  const ClipByteWork work = { .decoded = &linear->bytes,
    .dst = dst,
    .norm = next->norm,
    .encoded = &next->linear->bytes,
    .src = next->norm != NULL ? next->norm->dst : dst };

  if (!linear->in_bytes || !next->linear->in_bytes) {
    if (!clip_linear_run (linear, rows, src, dst, error))
      return FALSE;
    if (next->norm != NULL)
      clip_rows_layer_norm (engine, next->norm);
    return TRUE;
  }
  if (!clip_layer_check (&next->linear->layer, rows, error) ||
      !multiply_bytes (linear, rows, src, error))
    return FALSE;
  clip_bytes_work (engine, rows, &work);
  mark_encoded (next->linear, rows);
  return TRUE;
}

gboolean
clip_linear_norm (ClipLinear *linear, const ClipLayerNorm *norm, GError **error)
{
  ClipEngine *engine = linear->layer.engine;
  const ClipByteWork work = {
    .norm = norm, .encoded = &linear->bytes, .src = norm->dst
  };

  if (!linear->in_bytes) {
    clip_rows_layer_norm (engine, norm);
    return TRUE;
  }
  if (!clip_layer_check (&linear->layer, norm->rows, error))
    return FALSE;
  clip_bytes_work (engine, norm->rows, &work);
  mark_encoded (linear, norm->rows);
  return TRUE;
}
