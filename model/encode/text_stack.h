/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What BERT and CLIP's text transformer have in common: words looked up and
 * laid side by side, several texts in one block of rows, run through a stack of
 * blocks, and one row of each text projected into the shared space. */
#pragma once

#include "encode/tower.h"

typedef struct {
  const ClipTensor *words;     /* [V, W] */
  const ClipTensor *positions; /* [T, W] */
  const ClipTensor *types;     /* [types, W], the first is added; or NULL */
  ClipAffineTensors ln_input;  /* before the blocks; .weight NULL: none */
  const ClipBlockTensors *blocks;
  guint n_blocks;
  ClipAffineTensors ln_output;  /* of the projected row; .weight NULL: none */
  const ClipTensor *projection; /* [W, E] */

  /* In the trace: the blocks' input and their number's prefix, ln_output. */
  const gchar *input_name;
  const gchar *blocks_name;
  const gchar *output_name;

  gboolean norm_after; /* as in ClipBlockSpec */
  gboolean causal;

  /* Which tokens get a row, by index, ascending; the rest has no influence.
   *
   * @selected: (out caller-allocates): as many as there are tokens
   *
   * Returns: how many, at least 1; the first is projected, or of causal texts
   *   the last */
  guint (*select) (const ClipTokens *tokens, guint *selected);
} ClipTextStackSpec;

typedef struct _ClipTextStack ClipTextStack;

/* Widths, heads and activation are those of the checkpoint's text side. A
 * ClipTextTower's begin; the functions below are its others.
 *
 * @spec: its names are static, its tensors the checkpoint's */
ClipTextStack *clip_text_stack_new (
    const ClipTowerContext *context, const ClipTextStackSpec *spec);
void clip_text_stack_free (gpointer stack);
gboolean clip_text_stack_pack (gpointer stack, gboolean *done, GError **error);
guint clip_text_stack_lay (gpointer stack, guint n, const ClipTokens *tokens);
gboolean clip_text_stack_run (
    gpointer stack, gfloat *embeddings, gboolean *done, GError **error);
