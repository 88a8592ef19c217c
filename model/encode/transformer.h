/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A stack of transformer blocks, the norms before or behind: BERT's, and the
 * picture's and text's of CLIP. It works in place on rows in which one or more
 * sequences lie, and gives one row of each: the first, or of causal sequences
 * the last. Of the last block only that row is computed behind keys and values.
 *
 * Letters: R rows, C sequences (a count built for), W width, M MLP width. */
#pragma once

#include "encode/tower.h"

typedef struct {
  guint n_rows; /* one of the spec's rows */
  const ClipSequence *sequences;
  guint n_sequences;
  guint count; /* one of the spec's counts, at least n_sequences */
} ClipSequences;

typedef struct {
  const gchar *name; /* of the stack; a block's adds a dot and its number */
  guint width;
  guint heads;
  ClipActivation activation;
  gfloat eps;
  gboolean norm_after;     /* BERT: x = LN (x + f (x)), in f32 alone; else
                              x += f (LN (x)) */
  gboolean causal;         /* token t sees 0 … t, and the last row is given */
  gboolean shown_together; /* the trace shows the sequences at once */
  const guint *rows;       /* of all sequences together, ascending */
  guint n_rows;
  const guint *tokens; /* of one sequence, ascending */
  guint n_tokens;
  const guint *counts; /* of sequences, ascending */
  guint n_counts;
} ClipBlockSpec;

typedef struct _ClipTransformer ClipTransformer;

/* @spec: its name is static, its lists may be freed
 * @blocks: [n_blocks], read one tensor at a time; at least one
 *
 * Returns: (transfer full): NULL with the errors of engine/ and load/. */
ClipTransformer *clip_transformer_new (const ClipTowerContext *context,
    const ClipBlockSpec *spec, const ClipBlockTensors *blocks, guint n_blocks,
    GError **error);

/* The same in pieces, between which others may use the engine: begins without
 * any block, whose tensors and the spec's lists are needed until all are
 * packed. */
ClipTransformer *clip_transformer_begin (const ClipTowerContext *context,
    const ClipBlockSpec *spec, const ClipBlockTensors *blocks, guint n_blocks,
    GError **error);

/* Packs the next block.
 *
 * @done: (out): whether it was the last */
gboolean clip_transformer_pack (
    ClipTransformer *transformer, gboolean *done, GError **error);

/* Packs all blocks of one that has only begun, with the context's calibration:
 * each runs, and what runs decides how it is packed.
 *
 * @x, @pooled: as of clip_transformer_run(): what they become is that of layers
 *   that are not in bytes */
gboolean clip_transformer_calibrate (ClipTransformer *transformer,
    const ClipSequences *where, gfloat *x, gfloat *pooled, GError **error);

void clip_transformer_free (ClipTransformer *transformer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipTransformer, clip_transformer_free)

/* @x: [R, W], used up
 * @pooled: (out caller-allocates): [C, W], a row for each sequence */
gboolean clip_transformer_run (ClipTransformer *transformer,
    const ClipSequences *where, gfloat *x, gfloat *pooled, GError **error);

/* The same in pieces: block @i, after the one before it.
 *
 * @x: [R, W], what that one left
 * @pooled: untouched by all but the last
 * @done: (out): whether it was the last */
gboolean clip_transformer_run_block (ClipTransformer *transformer, guint i,
    const ClipSequences *where, gfloat *x, gfloat *pooled, gboolean *done,
    GError **error);
