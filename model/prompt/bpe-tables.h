/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The tables of CLIP's byte-pair encoding, whichever files they come in:
 *
 *   vocab.json + merges.txt           tokens with ids, merges
 *   tokenizer.json                    both in one
 *   bpe_simple_vocab_16e6.txt(.gz)    merges, the ids follow from their order
 *
 * Told apart by content. */
#pragma once

#include "prompt/merges.h"
#include "load/load.h"

#define CLIP_BPE_START "<|startoftext|>"
#define CLIP_BPE_END "<|endoftext|>"

typedef struct {
  guint32 byte_ids[256];      /* of a byte inside a word */
  guint32 last_byte_ids[256]; /* of the last byte of a word */
  guint32 start_id, end_id;
  ClipMerges *merges;
} ClipBpeTables;

/* @vocab_size: rows of the model's token table. Tables without ids have to
 *   make as many tokens; tables with ids may make fewer.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NOT_FOUND, _OPEN, _READ,
 *   _FORMAT or _MODEL. */
ClipBpeTables *clip_bpe_tables_open (
    const ClipTokenizerConfig *config, guint vocab_size, GError **error);
void clip_bpe_tables_free (ClipBpeTables *tables);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipBpeTables, clip_bpe_tables_free)
