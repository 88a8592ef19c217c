/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The ModifiedResNet's head: attention with the mean of all pixels as the only
 * query, then the projection into the shared space. */
#pragma once

#include "encode/tower.h"

typedef struct _ClipAttentionPool ClipAttentionPool;

/* Returns: (transfer full): NULL with the errors of engine/ and load/. */
ClipAttentionPool *clip_attention_pool_new (const ClipTowerContext *context,
    const ClipModifiedResNetTensors *tensors, guint heads, GError **error);
void clip_attention_pool_free (ClipAttentionPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipAttentionPool, clip_attention_pool_free)

/* @map: [batch, pixels, C]
 * @embeddings: (out caller-allocates): [batch, E] */
gboolean clip_attention_pool_run (ClipAttentionPool *pool, guint batch,
    const gfloat *map, gfloat *embeddings, GError **error);
