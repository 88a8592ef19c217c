/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Chinese-CLIP's text encoder: BERT without its pooler, the row of [CLS]
 * projected into the shared space. */

#include "encode/text_stack.h"

/* [PAD]: in the original a masked key. Nothing that counts depends on its row,
 * so it gets none. */
#define PAD_ID 0

/* The first row is the one that is projected, whatever its id. */
static guint
select_tokens (const ClipTokens *tokens, guint *selected)
{
  guint n = 0;

  for (guint i = 0; i < tokens->n_ids; i++)
    if (i == 0 || tokens->ids[i] != PAD_ID)
      selected[n++] = i;
  return n;
}

static gpointer
begin (const ClipTowerContext *context)
{
  const ClipBertTensors *tensors =
      clip_checkpoint_get_bert (context->checkpoint);
  const ClipTextStackSpec spec = {
    .words = tensors->word_embeddings,
    .positions = tensors->position_embeddings,
    .types = tensors->token_type_embeddings,
    .ln_input = tensors->ln,
    .blocks = tensors->blocks,
    .n_blocks = tensors->n_blocks,
    .projection = tensors->text_projection,
    .input_name = "bert.embeddings",
    .blocks_name = "bert.encoder.layer",
    .norm_after = TRUE,
    .select = select_tokens,
  };

  return clip_text_stack_new (context, &spec);
}

const ClipTextTower clip_bert_tower = {
  .name = "bert",
  .begin = begin,
  .pack = clip_text_stack_pack,
  .free = clip_text_stack_free,
  .lay = clip_text_stack_lay,
  .run = clip_text_stack_run,
};
