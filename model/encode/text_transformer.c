/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* CLIP's text encoder: causal blocks with the norms before, the row of the end
 * token normed and projected into the shared space. */

#include "encode/text_stack.h"

/* The end token has the largest id, and the original takes the first of the
 * largest (openai/CLIP model.py, encode_text). What is behind has no influence:
 * attention is causal. */
static guint
select_tokens (const ClipTokens *tokens, guint *selected)
{
  guint end = 0;

  for (guint i = 0; i < tokens->n_ids; i++)
    if (tokens->ids[i] > tokens->ids[end])
      end = i;
  for (guint i = 0; i <= end; i++)
    selected[i] = i;
  return end + 1;
}

static gpointer
begin (const ClipTowerContext *context)
{
  const ClipTextTransformerTensors *tensors =
      clip_checkpoint_get_text_transformer (context->checkpoint);
  const ClipTextStackSpec spec = {
    .words = tensors->token_embedding,
    .positions = tensors->positional_embedding,
    .blocks = tensors->blocks,
    .n_blocks = tensors->n_blocks,
    .ln_output = tensors->ln_final,
    .projection = tensors->text_projection,
    .input_name = "token+position",
    .blocks_name = "transformer.resblocks",
    .output_name = "ln_final",
    .causal = TRUE,
    .select = select_tokens,
  };

  return clip_text_stack_new (context, &spec);
}

const ClipTextTower clip_text_transformer_tower = {
  .name = "text-transformer",
  .begin = begin,
  .pack = clip_text_stack_pack,
  .free = clip_text_stack_free,
  .lay = clip_text_stack_lay,
  .run = clip_text_stack_run,
};
