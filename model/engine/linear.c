/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* oneDNN has two kinds of product with weights, and one packed copy serves one
 * kind. It is matmul for every shape: in 2.6.3 with AMX, 2 threads, a
 * transformer's inner_products take 0.95 to 1.47 of its time at 197 and 577
 * rows in bf16. At 50 rows, one picture of ViT-B/32, they take 0.92 to 0.99 in
 * bf16 and 0.94 to 1.04 in f32, but the same layers run batches of up to 400
 * rows. (clip-bench prints both.)
 *
 * Letters: M rows, K in features, N out features. */

#include "clip-error.h"
#include "engine/layer.h"

struct _ClipLinear {
  ClipLayer layer;
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

/* src: [M, K], weights: [K, N], bias: [1, N] -> dst: [M, N] */
static gboolean
build_shape (ClipLinear *linear, const ClipLinearSpec *spec, guint shape,
    gboolean has_bias, GError **error)
{
  dnnl_dim_t m = spec->rows[shape], k = spec->in_features,
             n = spec->out_features;
  g_auto (ClipDesc) src = { 0 };
  g_auto (ClipDesc) weights = { 0 };
  g_auto (ClipDesc) bias = { 0 };
  g_auto (ClipDesc) dst = { 0 };
  const ClipProductSpec product = { .descs = { &src, &weights,
                                        has_bias ? &bias : NULL, &dst },
    .accumulate = spec->accumulate,
    .activation = spec->activation };

  return CHECK (clip_desc_init_by_tag (&src, 2, (dnnl_dims_t){ m, k },
             CLIP_DATA_TYPE (spec->src), dnnl_ab)) &&
         CHECK (clip_desc_init_by_tag (&weights, 2, (dnnl_dims_t){ k, n },
             CLIP_DATA_TYPE (spec->src), dnnl_format_tag_any)) &&
         CHECK (clip_desc_init_by_tag (
             &bias, 2, (dnnl_dims_t){ 1, n }, dnnl_f32, dnnl_ab)) &&
         CHECK (clip_desc_init_by_tag (&dst, 2, (dnnl_dims_t){ m, n },
             CLIP_DATA_TYPE (spec->dst), dnnl_ab)) &&
         clip_layer_build (&linear->layer, shape, &product, error);
}

static gboolean
build (ClipLinear *linear, const ClipLinearSpec *spec, const gfloat *weights,
    const gfloat *bias, GError **error)
{
  g_auto (ClipDesc) desc = { 0 };

  for (guint i = spec->n_rows; i-- > 0;)
    if (!build_shape (linear, spec, i, bias != NULL, error))
      return FALSE;
  return CHECK (clip_desc_init_by_tag (&desc, 2,
             (dnnl_dims_t){ spec->in_features, spec->out_features }, dnnl_f32,
             spec->transposed ? dnnl_ab : dnnl_ba)) &&
         clip_layer_pack (&linear->layer, &desc, weights, bias, error);
}

ClipLinear *
clip_linear_new (ClipEngine *engine, const ClipLinearSpec *spec,
    const gfloat *weights, const gfloat *bias, GError **error)
{
  g_autoptr (ClipLinear) linear = g_new0 (ClipLinear, 1);

  if (!check_spec (spec, error) || !clip_engine_check_thread (engine, error)) {
    g_prefix_error (error, "%s: ", spec->name);
    return NULL;
  }
  clip_layer_init (
      &linear->layer, engine, spec->name, spec->rows, spec->n_rows);
  linear->layer.dst_width = spec->out_features;
  if (!build (linear, spec, weights, bias, error)) {
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
  g_free (linear);
}

gboolean
clip_linear_run (ClipLinear *linear, guint rows, gconstpointer src,
    gpointer dst, GError **error)
{
  return clip_layer_run (&linear->layer, rows, src, dst, error);
}
