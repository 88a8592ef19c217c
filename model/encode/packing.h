/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Short texts lie back to back in one block of rows, each beginning at a
 * multiple of a step, so that a product runs over all of them at once and its
 * row count comes from a short fixed list. */
#pragma once

#include "encode/transformer.h"

#define CLIP_PACKING_MAX_SEQUENCES 16
#define CLIP_PACKING_N_BLOCKS 5

typedef struct {
  /* The shapes, fixed for a context length. */
  guint step;
  guint rows[CLIP_PACKING_N_BLOCKS];   /* of a block: step * 1, 2, 4, 8, 16 */
  guint counts[CLIP_PACKING_N_BLOCKS]; /* of its sequences: 1, 2, 4, 8, 16 */
  guint tokens[CLIP_PACKING_MAX_SEQUENCES]; /* of a sequence: step * 1, 2, … */
  guint n_tokens;

  /* What lies in the block. */
  ClipSequence sequences[CLIP_PACKING_MAX_SEQUENCES];
  guint n_sequences;
  guint n_used; /* rows */
} ClipPacking;

void clip_packing_init (ClipPacking *packing, guint context_length);

/* Empties the block; the shapes stay. */
void clip_packing_clear (ClipPacking *packing);

/* Lays one more sequence; the first of a block always fits.
 *
 * @n_tokens: 1 … the context length
 *
 * Returns: FALSE where the block has no room for it. */
gboolean clip_packing_add (ClipPacking *packing, guint n_tokens);

/* Which entry of @rows holds all that lies in the block, of @counts all its
 * sequences. */
guint clip_packing_get_block (const ClipPacking *packing);
guint clip_packing_get_count (const ClipPacking *packing);
