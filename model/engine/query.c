/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/query.h"

#include "engine/rows.h"

#include <math.h>

/* The scratch: sums of values, then scores in whole cache lines. */
gsize
clip_query_count_scratch (guint n_keys, guint head_width)
{
  return head_width + ((gsize)n_keys + CLIP_LINE - 1) / CLIP_LINE * CLIP_LINE;
}

CLIP_INLINE void
ask (const ClipQuery *query, ClipNumber number)
{
  gsize d = query->head_width, stride = query->kv_stride;
  const gfloat *q = query->q;
  gfloat *sums = query->scratch, *scores = sums + d;
  const ClipSoftmax softmax = { .rows = 1,
    .width = query->n_keys,
    .n_keys = query->n_keys,
    .scale = 1.0f / sqrtf (d),
    .scores = scores,
    .dst = scores };

  for (gsize i = 0; i < d; i++)
    sums[i] = 0.0f;
  for (gsize t = 0; t < query->n_keys; t++) {
    gfloat sum = 0.0f;

#pragma omp simd reduction(+ : sum)
    for (gsize i = 0; i < d; i++)
      sum += q[i] * clip_value_load (query->k, t * stride + i, number);
    scores[t] = sum;
  }
  clip_rows_softmax (&softmax);
  for (gsize t = 0; t < query->n_keys; t++)
#pragma omp simd
    for (gsize i = 0; i < d; i++)
      sums[i] += scores[t] * clip_value_load (query->v, t * stride + i, number);
#pragma omp simd
  for (gsize i = 0; i < d; i++)
    clip_value_store (query->dst, i, number, sums[i]);
}

CLIP_VECTORISED void
clip_query_run (const ClipQuery *query)
{
  if (query->number == CLIP_BF16)
    ask (query, CLIP_BF16);
  else
    ask (query, CLIP_F32);
}
