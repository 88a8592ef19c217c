/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/product.h"

#include "engine/activation.h"

static const int operand_args[CLIP_N_OPERANDS] = {
  [CLIP_OPERAND_SRC] = DNNL_ARG_SRC,
  [CLIP_OPERAND_WEIGHTS] = DNNL_ARG_WEIGHTS,
  [CLIP_OPERAND_BIAS] = DNNL_ARG_BIAS,
  [CLIP_OPERAND_DST] = DNNL_ARG_DST,
  [CLIP_OPERAND_SCRATCH] = DNNL_ARG_SCRATCHPAD,
};

static gboolean
build_attr (dnnl_primitive_attr_t *attr, gboolean accumulate,
    ClipActivation activation, GError **error)
{
  const ClipActivationEntry *entry = clip_activation_get_entry (activation);
  g_auto (dnnl_post_ops_t) ops = NULL;

  /* In f32 both majors do the sum and each activation inside the product, from
   * SSE4.1 to AVX-512. The library's own scratchpad belongs to the thread that
   * built the primitive, and crashes in another. */
  return CHECK (dnnl_primitive_attr_create (attr)) &&
         CHECK (dnnl_primitive_attr_set_scratchpad_mode (
             *attr, dnnl_scratchpad_mode_user)) &&
         CHECK (dnnl_post_ops_create (&ops)) &&
         (!accumulate || CHECK (clip_dnnl_append_sum (ops))) &&
         (entry->run == NULL || CHECK (clip_dnnl_append_eltwise (ops,
                                    entry->kind, entry->alpha, entry->beta))) &&
         CHECK (dnnl_primitive_attr_set_post_ops (*attr, ops));
}

static gboolean
build_desc (dnnl_primitive_desc_t *pd, ClipEngine *engine,
    const ClipProductSpec *spec, GError **error)
{
  g_auto (dnnl_primitive_attr_t) attr = NULL;

  if (!build_attr (&attr, spec->accumulate, spec->activation, error))
    return FALSE;
  if (spec->geometry != NULL)
    return CHECK (clip_dnnl_convolution (
        pd, engine->dnnl, spec->descs, spec->geometry, attr));
  return CHECK (clip_dnnl_matmul (pd, engine->dnnl, spec->descs, attr));
}

gboolean
clip_product_init (ClipProduct *product, ClipEngine *engine,
    const ClipProductSpec *spec, GError **error)
{
  g_auto (dnnl_primitive_desc_t) pd = NULL;
  ClipConstDesc scratch;

  memset (product, 0, sizeof *product);
  if (!build_desc (&pd, engine, spec, error) ||
      !CHECK (dnnl_primitive_create (&product->primitive, pd)) ||
      !CHECK (clip_desc_init_copy (&product->weights,
          dnnl_primitive_desc_query_md (pd, dnnl_query_weights_md, 0))))
    return FALSE;
  if (!CHECK (dnnl_primitive_desc_query (
          pd, dnnl_query_impl_info_str, 0, &product->implementation)))
    return FALSE;
  scratch = dnnl_primitive_desc_query_md (pd, dnnl_query_scratchpad_md, 0);
  product->scratch_size = dnnl_memory_desc_get_size (scratch);
  for (guint i = 0; i < CLIP_N_OPERANDS; i++) {
    ClipConstDesc desc = i == CLIP_OPERAND_SCRATCH ? scratch
                         : i == CLIP_OPERAND_WEIGHTS
                             ? clip_desc (&product->weights)
                             : clip_desc (spec->descs[i]);

    if (desc != NULL && !CHECK (dnnl_memory_create (&product->memories[i], desc,
                            engine->dnnl, DNNL_MEMORY_NONE)))
      return FALSE;
  }
  return TRUE;
}

void
clip_product_clear (ClipProduct *product)
{
  for (guint i = 0; i < CLIP_N_OPERANDS; i++)
    if (product->memories[i] != NULL)
      dnnl_memory_destroy (product->memories[i]);
  if (product->primitive != NULL)
    dnnl_primitive_destroy (product->primitive);
  clip_desc_clear (&product->weights);
  memset (product, 0, sizeof *product);
}

gboolean
clip_product_set (ClipProduct *product, ClipOperand operand, gconstpointer data,
    GError **error)
{
  return CHECK (
      dnnl_memory_set_data_handle (product->memories[operand], (gpointer)data));
}

gboolean
clip_product_run (ClipProduct *product, dnnl_stream_t stream, GError **error)
{
  dnnl_exec_arg_t args[CLIP_N_OPERANDS];
  gint n_args = 0;

  for (guint i = 0; i < CLIP_N_OPERANDS; i++)
    if (product->memories[i] != NULL)
      args[n_args++] =
          (dnnl_exec_arg_t){ operand_args[i], product->memories[i] };
  return CHECK (
      dnnl_primitive_execute (product->primitive, stream, n_args, args));
}
