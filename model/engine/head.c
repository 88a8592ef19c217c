/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/head.h"

#include "engine/rows.h"

#include <math.h>

/* Scores of a block and what is made of them, in bytes: of the 1 MiB or more of
 * cache that a thread has to itself, with room for the operands. */
#define BLOCK_SIZE (768u << 10)

/* Columns that oneDNN multiplies at a time. */
#define KEY_STEP 32

/* bf16: oneDNN 2.6 multiplies matrices whose rows lie apart by its general
 * product, and dense ones by the one that uses the matrix units, in 0.6 of the
 * time with copying (197 to 577 tokens, AMX). f32 gains nothing. */
static gboolean
is_dense (const ClipHead *head)
{
  return head->spec.number != CLIP_F32;
}

/* A thread's scratch: scores, their softmax where it is no f32, the dense
 * copies, then the products' own. */
typedef struct {
  gsize softmax;
  gsize q, k, v, dst;
  gsize products;
} Layout;

static Layout
lay (const ClipHead *head)
{
  gsize scores = (gsize)head->block * head->stride * sizeof (gfloat);
  gsize rows = 0, dense = 0;
  Layout at = { 0 };

  if (is_dense (head)) {
    rows = (gsize)head->block * head->stride *
           clip_number_get_size (head->spec.number);
    dense = (gsize)head->keys * head->spec.head_width *
            clip_number_get_size (head->spec.number);
    at.softmax = scores;
  }
  at.q = CLIP_ROUND_UP (scores + rows, CLIP_LINE * sizeof (gfloat));
  dense = CLIP_ROUND_UP (dense, CLIP_LINE * sizeof (gfloat));
  at.k = at.q + dense;
  at.v = at.k + dense;
  at.dst = at.v + dense;
  at.products = at.dst + dense;
  return at;
}

/* [rows, columns], the values of a row or of a column @stride apart. */
static gboolean
init_matrix (ClipDesc *desc, const dnnl_dims_t dims, ClipNumber number,
    const dnnl_dims_t strides, GError **error)
{
  return CHECK (clip_desc_init_by_strides (
      desc, 2, dims, CLIP_DATA_TYPE (number), strides));
}

static gboolean
build (ClipHead *head, GError **error)
{
  const ClipAttentionSpec *spec = &head->spec;
  ClipNumber number = spec->number;
  dnnl_dim_t b = head->block, n = head->keys, d = spec->head_width;
  dnnl_dim_t q_stride = is_dense (head) ? d : (dnnl_dim_t)spec->q_stride;
  dnnl_dim_t kv_stride = is_dense (head) ? d : (dnnl_dim_t)spec->kv_stride;
  dnnl_dim_t dst_stride = is_dense (head) ? d : spec->heads * d;
  dnnl_dim_t stride = head->stride;
  g_auto (ClipDesc) q = { 0 };
  g_auto (ClipDesc) k = { 0 };
  g_auto (ClipDesc) s = { 0 };
  g_auto (ClipDesc) p = { 0 };
  g_auto (ClipDesc) v = { 0 };
  g_auto (ClipDesc) dst = { 0 };
  const ClipProductSpec scores = { .descs = { &q, &k, NULL, &s } };
  const ClipProductSpec values = { .descs = { &p, &v, NULL, &dst } };

  return init_matrix (&q, (dnnl_dims_t){ b, d }, number,
             (dnnl_dims_t){ q_stride, 1 }, error) &&
         init_matrix (&k, (dnnl_dims_t){ d, n }, number,
             (dnnl_dims_t){ 1, kv_stride }, error) &&
         init_matrix (&s, (dnnl_dims_t){ b, n }, CLIP_F32,
             (dnnl_dims_t){ stride, 1 }, error) &&
         init_matrix (&p, (dnnl_dims_t){ b, n }, number,
             (dnnl_dims_t){ stride, 1 }, error) &&
         init_matrix (&v, (dnnl_dims_t){ n, d }, number,
             (dnnl_dims_t){ kv_stride, 1 }, error) &&
         init_matrix (&dst, (dnnl_dims_t){ b, d }, number,
             (dnnl_dims_t){ dst_stride, 1 }, error) &&
         clip_product_init (&head->scores, head->engine, &scores, error) &&
         clip_product_init (&head->values, head->engine, &values, error);
}

gboolean
clip_head_init (ClipHead *head, ClipEngine *engine,
    const ClipAttentionSpec *spec, guint tokens, GError **error)
{
  gsize row_size, n_blocks;

  head->engine = engine;
  head->spec = *spec;
  head->tokens = tokens;
  head->keys = is_dense (head) ? CLIP_ROUND_UP (tokens, KEY_STEP) : tokens;
  head->stride = CLIP_ROUND_UP ((gsize)head->keys, CLIP_LINE);
  row_size = head->stride * sizeof (gfloat);
  if (is_dense (head))
    row_size += head->stride * clip_number_get_size (spec->number);
  n_blocks = (tokens * row_size + BLOCK_SIZE - 1) / BLOCK_SIZE;
  head->block = (tokens + n_blocks - 1) / n_blocks;
  if (!build (head, error))
    return FALSE;
  head->scratch_size = lay (head).products + MAX (head->scores.scratch_size,
                                                 head->values.scratch_size);
  return TRUE;
}

void
clip_head_clear (ClipHead *head)
{
  clip_product_clear (&head->scores);
  clip_product_clear (&head->values);
}

/* The head's columns to a matrix of their own, zeros behind the tokens.
 *
 * Returns: @dst */
static gconstpointer
gather (const ClipHead *head, gconstpointer src, gsize stride, gpointer dst)
{
  ClipNumber number = head->spec.number;
  gsize width = head->spec.head_width;
  gsize size = width * clip_number_get_size (number);

  for (gsize t = 0; t < head->tokens; t++)
    memcpy (clip_number_at (number, dst, t * width),
        clip_number_at (number, src, t * stride), size);
  memset (clip_number_at (number, dst, head->tokens * width), 0,
      (head->keys - head->tokens) * size);
  return dst;
}

static void
scatter (const ClipHead *head, gconstpointer src, gpointer dst)
{
  ClipNumber number = head->spec.number;
  gsize width = head->spec.head_width, stride = head->spec.heads * width;

  for (gsize t = 0; t < head->tokens; t++)
    memcpy (clip_number_at (number, dst, t * stride),
        clip_number_at (number, src, t * width),
        width * clip_number_get_size (number));
}

/* The rows from @first on. */
static gboolean
run_block (ClipHead *head, dnnl_stream_t stream,
    const ClipHeadOperands *operands, guint first, guint8 *scratch,
    GError **error)
{
  const ClipAttentionSpec *spec = &head->spec;
  gsize width = spec->head_width;
  gsize q_stride = is_dense (head) ? width : spec->q_stride;
  gsize dst_stride = is_dense (head) ? width : spec->heads * width;
  gpointer p = scratch + lay (head).softmax;
  const ClipSoftmax softmax = { .rows = head->block,
    .width = head->keys,
    .stride = head->stride,
    .n_keys = operands->n_keys,
    .causal = spec->causal,
    .first = first,
    .scale = 1.0f / sqrtf (width),
    .scores = (gfloat *)scratch,
    .number = spec->number,
    .dst = p };

  if (!clip_product_set (&head->scores, CLIP_OPERAND_SRC,
          clip_number_at (spec->number, operands->q, first * q_stride),
          error) ||
      !clip_product_set (&head->scores, CLIP_OPERAND_DST, scratch, error) ||
      !clip_product_run (&head->scores, stream, error))
    return FALSE;
  clip_rows_softmax (&softmax);
  return clip_product_set (&head->values, CLIP_OPERAND_SRC, p, error) &&
         clip_product_set (&head->values, CLIP_OPERAND_DST,
             clip_number_at (spec->number, operands->dst, first * dst_stride),
             error) &&
         clip_product_run (&head->values, stream, error);
}

gboolean
clip_head_run (ClipHead *head, dnnl_stream_t stream,
    const ClipHeadOperands *operands, guint8 *scratch, GError **error)
{
  const ClipAttentionSpec *spec = &head->spec;
  ClipHeadOperands where = *operands;
  Layout at = lay (head);

  if (is_dense (head)) {
    where.q = gather (head, operands->q, spec->q_stride, scratch + at.q);
    where.k = gather (head, operands->k, spec->kv_stride, scratch + at.k);
    where.v = gather (head, operands->v, spec->kv_stride, scratch + at.v);
    where.dst = scratch + at.dst;
  }
  if (!clip_product_set (&head->scores, CLIP_OPERAND_WEIGHTS, where.k, error) ||
      !clip_product_set (&head->values, CLIP_OPERAND_WEIGHTS, where.v, error) ||
      !clip_product_set (
          &head->scores, CLIP_OPERAND_SCRATCH, scratch + at.products, error) ||
      !clip_product_set (
          &head->values, CLIP_OPERAND_SCRATCH, scratch + at.products, error))
    return FALSE;
  /* The last block takes rows of the one before once more rather than ending
   * early, for which it would need products of its own. */
  for (guint row = 0; row < head->tokens; row += head->block)
    if (!run_block (head, stream, &where, MIN (row, head->tokens - head->block),
            scratch, error))
      return FALSE;
  if (is_dense (head))
    scatter (head, where.dst, operands->dst);
  return TRUE;
}
