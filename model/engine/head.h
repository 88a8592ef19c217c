/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* One head's attention in one thread: two products of oneDNN built for a team
 * of one, and the softmax between them. Rows are taken in blocks whose scores
 * stay in the thread's own cache.
 *
 * Letters: T tokens, K keys (T, or more where they are padded), B rows of a
 * block, D head width. */
#pragma once

#include "engine/product.h"

typedef struct {
  ClipEngine *engine;
  ClipAttentionSpec spec; /* its name and tokens are not kept */
  guint tokens;           /* T */
  gsize stride;           /* values of a row of scores: whole cache lines */
  guint keys;             /* K */
  guint block;            /* B */
  ClipProduct scores;     /* q kᵀ: [B, K], f32 */
  ClipProduct values;     /* p v: [B, D] */
  gsize scratch_size;     /* bytes that a run needs */
} ClipHead;

/* The first value of the head in each; the strides are the spec's. */
typedef struct {
  gconstpointer q;
  gconstpointer k;
  gconstpointer v;
  gpointer dst;
  guint n_keys;
} ClipHeadOperands;

/* Returns: FALSE with CLIP_ERROR_COMPUTE; clear it all the same. */
gboolean clip_head_init (ClipHead *head, ClipEngine *engine,
    const ClipAttentionSpec *spec, guint tokens, GError **error);
void clip_head_clear (ClipHead *head);

/* @scratch: at a page, of scratch_size bytes, the thread's own */
gboolean clip_head_run (ClipHead *head, dnnl_stream_t stream,
    const ClipHeadOperands *operands, guint8 *scratch, GError **error);
