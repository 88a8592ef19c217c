/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Each thread of the team takes a head after the other, so that a head's scores
 * stay in the thread's own cache and there is one parallel region for all. */

#include "clip-error.h"
#include "engine/head.h"
#include "engine/query.h"

typedef struct {
  guint tokens;
  ClipHead *heads; /* [n_threads], NULL if one_query */
} Shape;

struct _ClipAttention {
  ClipEngine *engine;
  ClipAttentionSpec spec; /* name is copied, tokens are in shapes */
  gchar *name;
  Shape shapes[CLIP_ENGINE_MAX_SHAPES];
  guint n_shapes;
  gsize part_size; /* scratch bytes of one thread */
  GError **errors; /* [n_threads], of a run */
};

/* One call of run. */
typedef struct {
  ClipAttention *attention;
  const ClipAttentionRun *run;
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

static gboolean
build_shape (ClipAttention *attention, Shape *shape, GError **error)
{
  const ClipAttentionSpec *spec = &attention->spec;
  guint n_threads = attention->engine->n_threads;
  gsize size = clip_query_count_scratch (shape->tokens, spec->head_width) *
               sizeof (gfloat);

  if (!spec->one_query) {
    shape->heads = g_new0 (ClipHead, n_threads);
    for (guint i = 0; i < n_threads; i++)
      if (!clip_head_init (
              &shape->heads[i], attention->engine, spec, shape->tokens, error))
        return FALSE;
    size = shape->heads[0].scratch_size;
  }
  size = CLIP_ROUND_UP (size, CLIP_ENGINE_PAGE);
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
  attention->errors = g_new0 (GError *, engine->n_threads);
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
    ClipHead *heads = attention->shapes[i].heads;

    for (guint j = 0; heads != NULL && j < attention->engine->n_threads; j++)
      clip_head_clear (&heads[j]);
    g_free (heads);
  }
  g_free (attention->errors);
  g_free (attention->name);
  g_free (attention);
}

static const Shape *
find_shape (const ClipAttention *attention, guint tokens)
{
  for (guint i = 0; i < attention->n_shapes; i++)
    if (attention->shapes[i].tokens == tokens)
      return &attention->shapes[i];
  return NULL;
}

static gboolean
run_head (const Job *job, guint part, const ClipSequence *sequence, guint head,
    GError **error)
{
  const ClipAttention *attention = job->attention;
  const ClipAttentionSpec *spec = &attention->spec;
  const ClipAttentionRun *run = job->run;
  ClipNumber number = spec->number;
  gsize row = sequence->first_row, column = (gsize)head * spec->head_width;
  gsize q = row * spec->q_stride + column;
  gsize kv = row * spec->kv_stride + column;
  const ClipHeadOperands operands = {
    .q = clip_number_at (number, run->q, q),
    .k = clip_number_at (number, run->k, kv),
    .v = clip_number_at (number, run->v, kv),
    .dst = clip_number_at (
        number, run->dst, row * spec->heads * spec->head_width + column),
    .n_keys = sequence->n_tokens,
  };

  return clip_head_run (&find_shape (attention, sequence->n_rows)->heads[part],
      attention->engine->streams[part], &operands,
      attention->engine->scratch + part * attention->part_size, error);
}

/* Items are the heads of one sequence after the other. */
static void
run_heads (gconstpointer data, guint part, guint from, guint to)
{
  const Job *job = data;
  guint heads = job->attention->spec.heads;
  GError **error = &job->attention->errors[part];

  for (guint i = from; i < to && *error == NULL; i++)
    run_head (job, part, &job->run->sequences[i / heads], i % heads, error);
}

static void
run_one_query (gconstpointer data, guint part, guint from, guint to)
{
  const Job *job = data;
  const ClipAttention *attention = job->attention;
  const ClipAttentionSpec *spec = &attention->spec;
  const ClipAttentionRun *run = job->run;
  guint heads = spec->heads;

  for (guint i = from; i < to; i++) {
    const ClipSequence *sequence = &run->sequences[i / heads];
    gsize column = (gsize)(i % heads) * spec->head_width;
    gsize row = (gsize)(i / heads) * heads * spec->head_width + column;
    gsize kv = (gsize)sequence->first_row * spec->kv_stride + column;
    const ClipQuery query = { .head_width = spec->head_width,
      .n_keys = sequence->n_tokens,
      .kv_stride = spec->kv_stride,
      .number = spec->number,
      .q = clip_number_at (CLIP_F32, run->q, row),
      .k = clip_number_at (spec->number, run->k, kv),
      .v = clip_number_at (spec->number, run->v, kv),
      .dst = clip_number_at (spec->number, run->dst, row),
      .scratch = (gfloat *)(attention->engine->scratch +
                            part * attention->part_size) };

    clip_query_run (&query);
  }
}

static gboolean
collect_errors (const ClipAttention *attention, GError **error)
{
  gboolean succeeded = TRUE;

  for (guint i = 0; i < attention->engine->n_threads; i++) {
    GError *part_error = g_steal_pointer (&attention->errors[i]);

    if (part_error == NULL)
      continue;
    if (succeeded)
      g_propagate_prefixed_error (error, part_error, "%s: ", attention->name);
    else
      g_error_free (part_error);
    succeeded = FALSE;
  }
  return succeeded;
}

/* @n_products: of one column, to be added up */
static gboolean
check_sequence (const ClipAttention *attention, const ClipSequence *sequence,
    gsize *n_products, GError **error)
{
  guint rows = sequence->n_rows, tokens = sequence->n_tokens;

  if (find_shape (attention, rows) == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "%s was not built for %u tokens", attention->name, rows);
    return FALSE;
  }
  if (tokens < 1 || tokens > rows) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "%s: %u keys, not 1 to the %u tokens", attention->name, tokens, rows);
    return FALSE;
  }
  *n_products += (gsize)rows * (attention->spec.one_query ? 1 : rows);
  return TRUE;
}

gboolean
clip_attention_run (
    ClipAttention *attention, const ClipAttentionRun *run, GError **error)
{
  ClipEngine *engine = attention->engine;
  const ClipAttentionSpec *spec = &attention->spec;
  const Job job = { attention, run };
  gsize n_products = 0;

  if (!clip_engine_check_thread (engine, error))
    return FALSE;
  for (guint i = 0; i < run->n_sequences; i++)
    if (!check_sequence (attention, &run->sequences[i], &n_products, error))
      return FALSE;
  /* A thread that runs what was built for one must not offer oneDNN more. */
  clip_engine_set_team (1);
  clip_engine_share (engine, run->n_sequences * spec->heads,
      n_products * spec->heads * spec->head_width,
      spec->one_query ? run_one_query : run_heads, &job);
  clip_engine_set_team (engine->n_threads);
  return collect_errors (attention, error);
}
