/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* One row of one head that asks: products of oneDNN would cost more to call
 * than to compute. */
#pragma once

#include "engine/vector.h"

typedef struct {
  guint head_width;
  guint n_keys;
  gsize kv_stride;   /* values from a key's row to the next */
  ClipNumber number; /* of k, v and dst */
  const gfloat *q;   /* [head_width] */
  gconstpointer k;   /* the first key's */
  gconstpointer v;
  gpointer dst; /* [head_width] */
  gfloat *scratch;
} ClipQuery;

/* Floats of scratch for up to @n_keys keys. */
gsize clip_query_count_scratch (guint n_keys, guint head_width);

/* dst = softmax (q kᵀ / √D) v */
void clip_query_run (const ClipQuery *query);
