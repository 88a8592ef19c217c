/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/block.h"

/* One row of each sequence of the last block asks, so the queries are a product
 * of their own there. */
static void
plan_qkv (ClipBlock *block, ClipBlockLinear *last_q, const ClipBlockSpec *spec,
    ClipNumber number, ClipAffineTensors tensors)
{
  gboolean is_last = last_q != NULL;

  block->qkv = (ClipBlockLinear){ .tensors = tensors,
    .first_feature = is_last ? spec->width : 0,
    .spec = { .src = number,
        .dst = number,
        .in_features = spec->width,
        .out_features = (is_last ? 2 : 3) * spec->width,
        .rows = spec->rows,
        .n_rows = spec->n_rows } };
  if (is_last)
    *last_q = (ClipBlockLinear){ .tensors = tensors,
      .spec = { .src = number,
          .in_features = spec->width,
          .out_features = spec->width,
          .rows = spec->counts,
          .n_rows = spec->n_counts } };
}

void
clip_block_plan (ClipBlock *block, ClipBlockLinear *last_q,
    const ClipBlockSpec *spec, ClipNumber number,
    const ClipBlockTensors *tensors)
{
  const guint *rows = last_q != NULL ? spec->counts : spec->rows;
  guint n_rows = last_q != NULL ? spec->n_counts : spec->n_rows;

  plan_qkv (block, last_q, spec, number, tensors->qkv);
  block->out = (ClipBlockLinear){ .tensors = tensors->out,
    .spec = { .src = number,
        .in_features = spec->width,
        .out_features = spec->width,
        .accumulate = TRUE,
        .rows = rows,
        .n_rows = n_rows } };
  block->fc = (ClipBlockLinear){ .tensors = tensors->fc,
    .spec = { .src = number,
        .dst = number,
        .in_features = spec->width,
        .out_features = block->mlp_width,
        .activation = spec->activation,
        .rows = rows,
        .n_rows = n_rows } };
  block->proj = (ClipBlockLinear){ .tensors = tensors->proj,
    .spec = { .src = number,
        .in_features = block->mlp_width,
        .out_features = spec->width,
        .accumulate = TRUE,
        .rows = rows,
        .n_rows = n_rows } };
}

gboolean
clip_block_build (ClipBlock *block, ClipBlockLinear *last_q, ClipEngine *engine,
    GError **error)
{
  return clip_block_linear_build (&block->qkv, last_q, engine, error) &&
         clip_block_linear_build (&block->out, NULL, engine, error) &&
         clip_block_linear_build (&block->fc, NULL, engine, error) &&
         clip_block_linear_build (&block->proj, NULL, engine, error);
}

void
clip_block_clear (ClipBlock *block)
{
  clip_block_linear_clear (&block->qkv);
  clip_block_linear_clear (&block->out);
  clip_block_linear_clear (&block->fc);
  clip_block_linear_clear (&block->proj);
  clip_norm_clear (&block->ln_1);
  clip_norm_clear (&block->ln_2);
}
