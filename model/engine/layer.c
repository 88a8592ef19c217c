/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/layer.h"

#include "clip-error.h"
#include "engine/memory.h"

void
clip_layer_init (ClipLayer *layer, ClipEngine *engine, const gchar *name,
    const guint *counts, guint n_counts)
{
  layer->engine = engine;
  layer->name = g_strdup (name);
  layer->n_shapes = n_counts;
  for (guint i = 0; i < n_counts; i++)
    layer->shapes[i].count = counts[i];
}

void
clip_layer_clear (ClipLayer *layer)
{
  for (guint i = 0; i < layer->n_shapes; i++)
    clip_product_clear (&layer->shapes[i].product);
  if (layer->engine != NULL)
    layer->engine->packed_size -= layer->packed_size;
  clip_memory_free (layer->packed);
  g_free (layer->bias);
  g_free (layer->name);
}

gboolean
clip_layer_build (
    ClipLayer *layer, guint shape, const ClipProductSpec *spec, GError **error)
{
  guint last = layer->n_shapes - 1;
  ClipProduct *product = &layer->shapes[shape].product;
  ClipProductSpec with_layout = *spec;

  if (shape != last)
    with_layout.descs[CLIP_OPERAND_WEIGHTS] =
        &layer->shapes[last].product.weights;
  return clip_product_init (product, layer->engine, &with_layout, error) &&
         clip_engine_reserve (layer->engine, product->scratch_size, error);
}

/* From the file's order to the packed layout. */
static gboolean
reorder (ClipLayer *layer, const ClipDesc *desc, gconstpointer weights,
    GError **error)
{
  ClipEngine *engine = layer->engine;
  const ClipDesc *packed_desc =
      &layer->shapes[layer->n_shapes - 1].product.weights;
  g_auto (dnnl_primitive_attr_t) attr = NULL;
  g_auto (dnnl_primitive_desc_t) pd = NULL;
  g_auto (dnnl_primitive_t) primitive = NULL;
  g_auto (dnnl_memory_t) src = NULL;
  g_auto (dnnl_memory_t) dst = NULL;
  g_auto (dnnl_memory_t) scratch = NULL;
  ClipConstDesc scratch_desc;

  if (!CHECK (dnnl_primitive_attr_create (&attr)) ||
      !CHECK (dnnl_primitive_attr_set_scratchpad_mode (
          attr, dnnl_scratchpad_mode_user)) ||
      !CHECK (dnnl_reorder_primitive_desc_create (&pd, clip_desc (desc),
          engine->dnnl, clip_desc (packed_desc), engine->dnnl, attr)))
    return FALSE;
  scratch_desc = dnnl_primitive_desc_query_md (pd, dnnl_query_scratchpad_md, 0);
  if (!clip_engine_reserve (
          engine, dnnl_memory_desc_get_size (scratch_desc), error) ||
      !CHECK (dnnl_primitive_create (&primitive, pd)) ||
      !CHECK (dnnl_memory_create (
          &src, clip_desc (desc), engine->dnnl, (gpointer)weights)) ||
      !CHECK (dnnl_memory_create (
          &dst, clip_desc (packed_desc), engine->dnnl, layer->packed)) ||
      !CHECK (dnnl_memory_create (
          &scratch, scratch_desc, engine->dnnl, engine->scratch)))
    return FALSE;
  return CHECK (dnnl_primitive_execute (primitive, engine->streams[0], 3,
             (dnnl_exec_arg_t[]){ { DNNL_ARG_FROM, src }, { DNNL_ARG_TO, dst },
                 { DNNL_ARG_SCRATCHPAD, scratch } })) &&
         CHECK (dnnl_stream_wait (engine->streams[0]));
}

gboolean
clip_layer_pack (ClipLayer *layer, const ClipDesc *desc, gconstpointer weights,
    const gfloat *bias, GError **error)
{
  gsize size = dnnl_memory_desc_get_size (
      clip_desc (&layer->shapes[layer->n_shapes - 1].product.weights));

  layer->packed = clip_memory_alloc (size, error);
  if (layer->packed == NULL)
    return FALSE;
  layer->packed_size = size;
  layer->engine->packed_size += size;
  if (!reorder (layer, desc, weights, error))
    return FALSE;
  if (bias != NULL)
    layer->bias = g_memdup2 (bias, layer->dst_width * sizeof *bias);
  for (guint i = 0; i < layer->n_shapes; i++) {
    ClipProduct *product = &layer->shapes[i].product;

    if (!clip_product_set (
            product, CLIP_OPERAND_WEIGHTS, layer->packed, error) ||
        (bias != NULL &&
            !clip_product_set (product, CLIP_OPERAND_BIAS, layer->bias, error)))
      return FALSE;
  }
  return TRUE;
}

static ClipLayerShape *
find_shape (ClipLayer *layer, guint count, GError **error)
{
  for (guint i = 0; i < layer->n_shapes; i++)
    if (layer->shapes[i].count == count)
      return &layer->shapes[i];
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
      "%s was not built for %u rows or pictures", layer->name, count);
  return NULL;
}

gboolean
clip_layer_check (ClipLayer *layer, guint count, GError **error)
{
  return find_shape (layer, count, error) != NULL &&
         clip_engine_check_thread (layer->engine, error);
}

gboolean
clip_layer_run (ClipLayer *layer, guint count, gconstpointer src, gpointer dst,
    GError **error)
{
  ClipEngine *engine = layer->engine;
  ClipLayerShape *shape = find_shape (layer, count, error);
  ClipProduct *product;

  if (shape == NULL || !clip_engine_check_thread (engine, error))
    return FALSE;
  product = &shape->product;
  if (!clip_product_set (product, CLIP_OPERAND_SRC, src, error) ||
      !clip_product_set (product, CLIP_OPERAND_DST, dst, error) ||
      !clip_product_set (
          product, CLIP_OPERAND_SCRATCH, engine->scratch, error) ||
      !clip_product_run (product, engine->streams[0], error)) {
    g_prefix_error (error, "%s: ", layer->name);
    return FALSE;
  }
  return TRUE;
}
