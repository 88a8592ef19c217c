/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Each thread of the team takes a head after the other, so that a head's scores
 * stay in the thread's own cache and there is one parallel region for all. */

#include "clip-error.h"
#include "engine/head.h"
#include "engine/rows.h"

#include <math.h>

/* Scratch parts begin at a page, so that threads share no cache line. */
#define PAGE 4096

/* What one thread of the team runs. */
typedef struct {
  ClipHead head;
  GError *error;
} Slot;

typedef struct {
  guint tokens;
  Slot *slots; /* [n_threads], NULL if one_query */
} Shape;

struct _ClipAttention {
  ClipEngine *engine;
  ClipAttentionSpec spec; /* name is copied, tokens are in shapes */
  gchar *name;
  Shape shapes[CLIP_ENGINE_MAX_SHAPES];
  guint n_shapes;
  gsize part_size; /* scratch bytes of one thread */
};

/* One call of run. */
typedef struct {
  const ClipAttention *attention;
  const Shape *shape;
  guint n_keys;
  gconstpointer q;
  gconstpointer k;
  gconstpointer v;
  gpointer dst;
} Job;

static gboolean
check_spec (const ClipAttentionSpec *spec, GError **error)
{
  guint64 width = (guint64)spec->heads * spec->head_width;
  guint most;

  if (!clip_engine_check_counts (
          "token counts", spec->tokens, spec->n_tokens, error))
    return FALSE;
  most = spec->tokens[spec->n_tokens - 1];
  if (!clip_engine_check_dims ("the heads [tokens, heads, width]",
          (guint64[]){ spec->tokens[0], spec->heads, spec->head_width }, 3,
          error) ||
      !clip_engine_check_dims ("the scores [heads, tokens, tokens]",
          (guint64[]){ spec->heads, most, most }, 3, error) ||
      !clip_engine_check_dims ("the keys [tokens, stride]",
          (guint64[]){ most, spec->kv_stride }, 2, error) ||
      !clip_engine_check_dims ("the queries [tokens, stride]",
          (guint64[]){ most, spec->one_query ? width : spec->q_stride }, 2,
          error))
    return FALSE;
  if (spec->kv_stride < width || (!spec->one_query && spec->q_stride < width)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "strides of %" G_GSIZE_FORMAT " and %" G_GSIZE_FORMAT
        " values are less than the %" G_GUINT64_FORMAT " of all heads",
        spec->q_stride, spec->kv_stride, width);
    return FALSE;
  }
  if (spec->one_query && spec->causal) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "one query with a causal mask: give it the keys it sees instead");
    return FALSE;
  }
  return TRUE;
}

/* Of the one query: its scores, in whole cache lines, then sums of values. */
static gsize
count_scores (const Shape *shape)
{
  return ((gsize)shape->tokens + CLIP_LINE - 1) / CLIP_LINE * CLIP_LINE;
}

static gboolean
build_shape (ClipAttention *attention, Shape *shape, GError **error)
{
  const ClipAttentionSpec *spec = &attention->spec;
  guint n_threads = attention->engine->n_threads;
  gsize size = (count_scores (shape) + spec->head_width) * sizeof (gfloat);

  if (!spec->one_query) {
    shape->slots = g_new0 (Slot, n_threads);
    for (guint i = 0; i < n_threads; i++)
      if (!clip_head_init (&shape->slots[i].head, attention->engine, spec,
              shape->tokens, error))
        return FALSE;
    size = shape->slots[0].head.scratch_size;
  }
  size = (size + PAGE - 1) / PAGE * PAGE;
  attention->part_size = MAX (attention->part_size, size);
  return TRUE;
}

static gboolean
build (ClipAttention *attention, GError **error)
{
  ClipEngine *engine = attention->engine;

  for (guint i = 0; i < attention->n_shapes; i++)
    if (!build_shape (attention, &attention->shapes[i], error))
      return FALSE;
  return clip_engine_reserve (
      engine, attention->part_size * engine->n_threads, error);
}

ClipAttention *
clip_attention_new (
    ClipEngine *engine, const ClipAttentionSpec *spec, GError **error)
{
  g_autoptr (ClipAttention) attention = g_new0 (ClipAttention, 1);
  gboolean built;

  attention->engine = engine;
  attention->spec = *spec;
  attention->name = g_strdup (spec->name);
  if (!check_spec (spec, error) || !clip_engine_check_thread (engine, error)) {
    g_prefix_error (error, "%s: ", spec->name);
    return NULL;
  }
  attention->n_shapes = spec->n_tokens;
  for (guint i = 0; i < spec->n_tokens; i++)
    attention->shapes[i].tokens = spec->tokens[i];
  attention->spec.name = NULL;
  attention->spec.tokens = NULL;

  /* A head is one thread's work. */
  clip_engine_set_team (1);
  built = build (attention, error);
  clip_engine_set_team (engine->n_threads);
  if (!built) {
    g_prefix_error (error, "%s: ", spec->name);
    return NULL;
  }
  return g_steal_pointer (&attention);
}

void
clip_attention_free (ClipAttention *attention)
{
  if (attention == NULL)
    return;
  for (guint i = 0; i < attention->n_shapes; i++) {
    Slot *slots = attention->shapes[i].slots;

    for (guint j = 0; slots != NULL && j < attention->engine->n_threads; j++)
      clip_head_clear (&slots[j].head);
    g_free (slots);
  }
  g_free (attention->name);
  g_free (attention);
}

static gboolean
run_head (const Job *job, guint part, guint head, GError **error)
{
  const ClipAttention *attention = job->attention;
  ClipNumber number = attention->spec.number;
  gsize column = (gsize)head * attention->spec.head_width;
  const ClipHeadOperands operands = {
    .q = clip_number_at (number, job->q, column),
    .k = clip_number_at (number, job->k, column),
    .v = clip_number_at (number, job->v, column),
    .dst = clip_number_at (number, job->dst, column),
    .n_keys = job->n_keys,
  };

  return clip_head_run (&job->shape->slots[part].head,
      attention->engine->streams[part], &operands,
      attention->engine->scratch + part * attention->part_size, error);
}

static void
run_heads (gconstpointer data, guint part, guint from, guint to)
{
  const Job *job = data;
  GError **error = &job->shape->slots[part].error;

  for (guint head = from; head < to && *error == NULL; head++)
    run_head (job, part, head, error);
}

/* One head's one query: dst = softmax (q kᵀ / √D) v. */
CLIP_INLINE void
ask (const Job *job, guint head, gfloat *scores, ClipNumber number)
{
  const ClipAttention *attention = job->attention;
  gsize stride = attention->spec.kv_stride, d = attention->spec.head_width;
  gsize column = head * d;
  const gfloat *q = (const gfloat *)job->q + column;
  gfloat *sums = scores + count_scores (job->shape);
  const ClipSoftmax softmax = { .rows = 1,
    .width = job->n_keys,
    .n_keys = job->n_keys,
    .scale = 1.0f / sqrtf (d),
    .scores = scores,
    .dst = scores };

  for (gsize t = 0; t < job->n_keys; t++) {
    gsize k = t * stride + column;
    gfloat sum = 0.0f;

#pragma omp simd reduction(+ : sum)
    for (gsize i = 0; i < d; i++)
      sum += q[i] * clip_value_load (job->k, k + i, number);
    scores[t] = sum;
  }
  clip_rows_softmax (&softmax);
  for (gsize i = 0; i < d; i++)
    sums[i] = 0.0f;
  for (gsize t = 0; t < job->n_keys; t++) {
    gsize v = t * stride + column;

#pragma omp simd
    for (gsize i = 0; i < d; i++)
      sums[i] += scores[t] * clip_value_load (job->v, v + i, number);
  }
#pragma omp simd
  for (gsize i = 0; i < d; i++)
    clip_value_store (job->dst, column + i, number, sums[i]);
}

/* The query is one row: products of oneDNN would cost more to call than to
 * compute. */
CLIP_VECTORISED static void
run_one_query (gconstpointer data, guint part, guint from, guint to)
{
  const Job *job = data;
  const ClipAttention *attention = job->attention;
  gfloat *scores =
      (gfloat *)(attention->engine->scratch + part * attention->part_size);

  for (guint head = from; head < to; head++)
    if (attention->spec.number == CLIP_BF16)
      ask (job, head, scores, CLIP_BF16);
    else
      ask (job, head, scores, CLIP_F32);
}

static gboolean
collect_errors (
    const ClipAttention *attention, const Shape *shape, GError **error)
{
  gboolean succeeded = TRUE;

  for (guint i = 0; i < attention->engine->n_threads; i++) {
    GError *slot_error = g_steal_pointer (&shape->slots[i].error);

    if (slot_error == NULL)
      continue;
    if (succeeded)
      g_propagate_prefixed_error (error, slot_error, "%s: ", attention->name);
    else
      g_error_free (slot_error);
    succeeded = FALSE;
  }
  return succeeded;
}

static const Shape *
find_shape (const ClipAttention *attention, guint tokens, GError **error)
{
  for (guint i = 0; i < attention->n_shapes; i++)
    if (attention->shapes[i].tokens == tokens)
      return &attention->shapes[i];
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
      "%s was not built for %u tokens", attention->name, tokens);
  return NULL;
}

gboolean
clip_attention_run (ClipAttention *attention, guint tokens, guint n_keys,
    gconstpointer q, gconstpointer k, gconstpointer v, gpointer dst,
    GError **error)
{
  ClipEngine *engine = attention->engine;
  const ClipAttentionSpec *spec = &attention->spec;
  const Shape *shape = find_shape (attention, tokens, error);
  const Job job = { attention, shape, n_keys, q, k, v, dst };
  gsize n_floats = (gsize)tokens * spec->heads * spec->head_width;

  if (shape == NULL || !clip_engine_check_thread (engine, error))
    return FALSE;
  if (n_keys < 1 || n_keys > tokens) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "%s: %u keys, not 1 to the %u tokens", attention->name, n_keys, tokens);
    return FALSE;
  }
  if (spec->one_query) {
    clip_engine_share (engine, spec->heads, n_floats, run_one_query, &job);
    return TRUE;
  }
  /* A thread that runs what was built for one must not offer oneDNN more. */
  clip_engine_set_team (1);
  clip_engine_share (engine, spec->heads, n_floats * tokens, run_heads, &job);
  clip_engine_set_team (engine->n_threads);
  return collect_errors (attention, shape, error);
}
