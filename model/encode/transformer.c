/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/transformer.h"

#include "encode/block_linear.h"
#include "encode/norm.h"

#include <string.h>

typedef struct {
  ClipNorm ln_1;
  ClipBlockLinear qkv; /* of the last block keys and values alone */
  ClipBlockLinear out;
  ClipNorm ln_2;
  ClipBlockLinear fc;
  ClipBlockLinear proj;
  guint mlp_width;
} Block;

/* What a block's trace adds to its name; NULL where the original code has no
 * such module. */
typedef struct {
  const gchar *ln_1;
  const gchar *heads; /* side by side */
  const gchar *half;  /* x behind the attention */
  const gchar *ln_2;
  const gchar *hidden; /* of the MLP */
} Names;

static const Names clip_names = {
  .ln_1 = ".ln_1",
  .ln_2 = ".ln_2",
  .hidden = ".mlp.gelu",
};

static const Names bert_names = {
  .heads = ".attention.self",
  .half = ".attention.output",
  .hidden = ".intermediate",
};

struct _ClipTransformer {
  ClipBlockSpec spec; /* its lists are not kept */
  const Names *names;
  ClipEngine *engine;
  const ClipTracer *tracer;
  ClipAttention *attention;      /* one serves all blocks but the last */
  ClipAttention *last_attention; /* of one query */
  ClipBlockLinear last_q;
  Block *blocks;
  guint n_blocks;
  const ClipBlockTensors *tensors; /* NULL once all blocks are packed */
  guint n_packed;
  ClipSequence *pooled;         /* [C], each of one row */
  ClipCalibration *calibration; /* NULL once built */
  ClipNumber number;            /* of all below but q */
  gpointer normed;              /* [R, W]; NULL with norm_after */
  gpointer qkv;                 /* [R, 3W]; in the last block [R, 2W] */
  gfloat *q;                    /* [C, W], of the last block */
  gpointer heads;               /* [R, W] */
  gpointer hidden;              /* [R, M] */
};

/* One row of each sequence of the last block asks, so the queries are a product
 * of their own there. */
static void
plan_qkv (ClipTransformer *self, Block *block, ClipAffineTensors tensors)
{
  const ClipBlockSpec *spec = &self->spec;
  gboolean is_last = block == &self->blocks[self->n_blocks - 1];

  block->qkv = (ClipBlockLinear){ .tensors = tensors,
    .first_feature = is_last ? spec->width : 0,
    .spec = { .src = self->number,
        .dst = self->number,
        .in_features = spec->width,
        .out_features = (is_last ? 2 : 3) * spec->width,
        .rows = spec->rows,
        .n_rows = spec->n_rows } };
  if (is_last)
    self->last_q = (ClipBlockLinear){ .tensors = tensors,
      .spec = { .src = self->number,
          .in_features = spec->width,
          .out_features = spec->width,
          .rows = spec->counts,
          .n_rows = spec->n_counts } };
}

static void
plan_block (
    ClipTransformer *self, Block *block, const ClipBlockTensors *tensors)
{
  const ClipBlockSpec *spec = &self->spec;
  gboolean is_last = block == &self->blocks[self->n_blocks - 1];
  const guint *rows = is_last ? spec->counts : spec->rows;
  guint n_rows = is_last ? spec->n_counts : spec->n_rows;

  plan_qkv (self, block, tensors->qkv);
  block->out = (ClipBlockLinear){ .tensors = tensors->out,
    .spec = { .src = self->number,
        .in_features = spec->width,
        .out_features = spec->width,
        .accumulate = TRUE,
        .rows = rows,
        .n_rows = n_rows } };
  block->fc = (ClipBlockLinear){ .tensors = tensors->fc,
    .spec = { .src = self->number,
        .dst = self->number,
        .in_features = spec->width,
        .out_features = block->mlp_width,
        .activation = spec->activation,
        .rows = rows,
        .n_rows = n_rows } };
  block->proj = (ClipBlockLinear){ .tensors = tensors->proj,
    .spec = { .src = self->number,
        .in_features = block->mlp_width,
        .out_features = spec->width,
        .accumulate = TRUE,
        .rows = rows,
        .n_rows = n_rows } };
}

/* Where there is a calibration each layer is built when it first runs. */
static gboolean
build_block (ClipTransformer *self, Block *block,
    const ClipBlockTensors *tensors, GError **error)
{
  ClipBlockLinear *const linears[] = { &block->qkv, &block->out, &block->fc,
    &block->proj, &self->last_q };
  gboolean is_last = block == &self->blocks[self->n_blocks - 1];
  gfloat eps = self->spec.eps;

  plan_block (self, block, tensors);
  for (guint i = 0; self->calibration == NULL &&
                    i < G_N_ELEMENTS (linears) - (is_last ? 0 : 1);
       i++)
    if (!clip_block_linear_build (linears[i], self->engine, error))
      return FALSE;
  return clip_norm_init (&block->ln_1, tensors->ln_1, eps, error) &&
         clip_norm_init (&block->ln_2, tensors->ln_2, eps, error);
}

static gboolean
build_attention (ClipTransformer *self, GError **error)
{
  const ClipBlockSpec *spec = &self->spec;
  ClipAttentionSpec attention = { .name = spec->name,
    .heads = spec->heads,
    .head_width = spec->width / spec->heads,
    .number = self->number,
    .q_stride = (gsize)3 * spec->width,
    .kv_stride = (gsize)3 * spec->width,
    .causal = spec->causal,
    .tokens = spec->tokens,
    .n_tokens = spec->n_tokens };

  self->attention = clip_attention_new (self->engine, &attention, error);
  if (self->attention == NULL)
    return FALSE;
  attention.q_stride = spec->width;
  attention.kv_stride = (gsize)2 * spec->width;
  attention.causal = FALSE;
  attention.one_query = TRUE;
  self->last_attention = clip_attention_new (self->engine, &attention, error);
  return self->last_attention != NULL;
}

static gboolean
build_buffers (ClipTransformer *self, GError **error)
{
  const ClipBlockSpec *spec = &self->spec;
  gsize rows = spec->rows[spec->n_rows - 1];
  gsize count = spec->counts[spec->n_counts - 1];
  gsize mlp_width = 0;

  for (guint i = 0; i < self->n_blocks; i++)
    mlp_width = MAX (mlp_width, self->blocks[i].mlp_width);
  self->pooled = g_new (ClipSequence, count);
  for (guint i = 0; i < count; i++)
    self->pooled[i] =
        (ClipSequence){ .first_row = i, .n_rows = 1, .n_tokens = 1 };

  const struct {
    gpointer *buffer;
    gsize n;
  } buffers[] = {
    { &self->qkv, rows * 3 * spec->width },
    { &self->heads, rows * spec->width },
    { &self->hidden, rows * mlp_width },
    { &self->normed, spec->norm_after ? 0 : rows * spec->width },
  };

  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++) {
    if (buffers[i].n == 0)
      continue;
    *buffers[i].buffer = clip_engine_alloc (buffers[i].n, self->number, error);
    if (*buffers[i].buffer == NULL)
      return FALSE;
  }
  self->q = clip_engine_alloc (count * spec->width, CLIP_F32, error);
  return self->q != NULL;
}

ClipTransformer *
clip_transformer_begin (const ClipTowerContext *context,
    const ClipBlockSpec *spec, const ClipBlockTensors *blocks, guint n_blocks,
    GError **error)
{
  g_autoptr (ClipTransformer) self = g_new0 (ClipTransformer, 1);

  self->spec = *spec;
  self->names = spec->norm_after ? &bert_names : &clip_names;
  self->engine = context->engine;
  self->tracer = context->tracer;
  self->calibration = context->calibration;
  self->number = context->number;
  self->blocks = g_new0 (Block, n_blocks);
  self->n_blocks = n_blocks;
  self->tensors = blocks;
  for (guint i = 0; i < n_blocks; i++)
    self->blocks[i].mlp_width = clip_tensor_get_dim (blocks[i].fc.weight, 0);
  if (!build_attention (self, error) || !build_buffers (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

gboolean
clip_transformer_pack (ClipTransformer *self, gboolean *done, GError **error)
{
  guint i = self->n_packed;

  if (!build_block (self, &self->blocks[i], &self->tensors[i], error))
    return FALSE;
  *done = ++self->n_packed == self->n_blocks;
  if (*done) {
    self->spec.rows = self->spec.tokens = self->spec.counts = NULL;
    self->tensors = NULL;
  }
  return TRUE;
}

ClipTransformer *
clip_transformer_new (const ClipTowerContext *context,
    const ClipBlockSpec *spec, const ClipBlockTensors *blocks, guint n_blocks,
    GError **error)
{
  g_autoptr (ClipTransformer) self =
      clip_transformer_begin (context, spec, blocks, n_blocks, error);
  gboolean done = FALSE;

  while (self != NULL && !done)
    if (!clip_transformer_pack (self, &done, error))
      return NULL;
  return g_steal_pointer (&self);
}

gboolean
clip_transformer_calibrate (ClipTransformer *self, const ClipSequences *where,
    gfloat *x, gfloat *pooled, GError **error)
{
  gboolean done = FALSE;

  for (guint i = 0; !done; i++)
    if (!clip_transformer_pack (self, &done, error) ||
        !clip_transformer_run_block (self, i, where, x, pooled, &done, error))
      return FALSE;
  self->calibration = NULL;
  return TRUE;
}

void
clip_transformer_free (ClipTransformer *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->n_blocks; i++) {
    Block *block = &self->blocks[i];

    clip_block_linear_clear (&block->qkv);
    clip_block_linear_clear (&block->out);
    clip_block_linear_clear (&block->fc);
    clip_block_linear_clear (&block->proj);
    clip_norm_clear (&block->ln_1);
    clip_norm_clear (&block->ln_2);
  }
  g_free (self->blocks);
  clip_attention_free (self->attention);
  clip_attention_free (self->last_attention);
  clip_block_linear_clear (&self->last_q);
  g_free (self->pooled);
  clip_engine_free_values (self->normed);
  clip_engine_free_values (self->qkv);
  clip_engine_free_values (self->q);
  clip_engine_free_values (self->heads);
  clip_engine_free_values (self->hidden);
  g_free (self);
}

typedef struct {
  ClipNumber number;
  gconstpointer values; /* [R, width] */
  gsize width;
  const gchar *name; /* behind the block's; NULL: not shown */
} Shown;

/* All at once, or each sequence by itself and its padding left out. */
static void
show (const ClipTransformer *self, const Block *block,
    const ClipSequences *where, Shown shown)
{
  const ClipSequence together = { .n_tokens = where->n_rows };
  const ClipSequence *sequences =
      self->spec.shown_together ? &together : where->sequences;
  guint n = self->spec.shown_together ? 1 : where->n_sequences;

  if (shown.name == NULL || self->tracer->trace == NULL)
    return;
  for (guint i = 0; i < n; i++)
    clip_tracer_show (self->tracer,
        (ClipShown){ shown.number,
            clip_number_at (shown.number, shown.values,
                sequences[i].first_row * shown.width),
            sequences[i].n_tokens, shown.width },
        "%s.%u%s", self->spec.name, (guint)(block - self->blocks), shown.name);
}

static gpointer
at (const ClipTransformer *self, gconstpointer values, gsize index)
{
  return clip_number_at (self->number, values, index);
}

/* qkv: [R, 3W] -> heads: [R, W] */
static gboolean
attend (ClipTransformer *self, const ClipSequences *where, GError **error)
{
  const ClipAttentionRun run = { .sequences = where->sequences,
    .n_sequences = where->n_sequences,
    .q = self->qkv,
    .k = at (self, self->qkv, self->spec.width),
    .v = at (self, self->qkv, 2 * (gsize)self->spec.width),
    .dst = self->heads };

  return clip_attention_run (self->attention, &run, error);
}

/* q: [C, W], qkv: [R, 2W] -> heads: [C, W] */
static gboolean
attend_last (ClipTransformer *self, const ClipSequences *where, GError **error)
{
  const ClipAttentionRun run = { .sequences = where->sequences,
    .n_sequences = where->n_sequences,
    .q = self->q,
    .k = self->qkv,
    .v = at (self, self->qkv, self->spec.width),
    .dst = self->heads };

  return clip_attention_run (self->last_attention, &run, error);
}

/* What a half of a block starts from: x, or its norm. */
static gconstpointer
norm_before (
    ClipTransformer *self, const ClipNorm *norm, guint rows, const gfloat *x)
{
  if (self->spec.norm_after)
    return x;
  clip_norm_run (norm, self->engine, rows, x, self->number, self->normed);
  return self->normed;
}

static void
norm_after (ClipTransformer *self, const ClipNorm *norm, guint rows, gfloat *x)
{
  if (self->spec.norm_after)
    clip_norm_run (norm, self->engine, rows, x, CLIP_F32, x);
}

static gboolean
multiply (ClipTransformer *self, ClipBlockLinear *linear, guint rows,
    gconstpointer src, gpointer dst, GError **error)
{
  return self->calibration != NULL
             ? clip_block_linear_calibrate (linear, self->engine,
                   self->calibration, rows, src, dst, error)
             : clip_linear_run (linear->linear, rows, src, dst, error);
}

/* From ln_1 to queries, keys and values, as far as qkv has them. */
static gboolean
run_qkv (ClipTransformer *self, Block *block, const ClipSequences *where,
    const gfloat *x, GError **error)
{
  gconstpointer src = norm_before (self, &block->ln_1, where->n_rows, x);

  show (self, block, where,
      (Shown){ self->number, src, self->spec.width, self->names->ln_1 });
  return multiply (self, &block->qkv, where->n_rows, src, self->qkv, error);
}

/* From the heads to the block's end. */
static gboolean
finish_block (ClipTransformer *self, Block *block, const ClipSequences *where,
    gfloat *x, GError **error)
{
  const Names *names = self->names;
  guint width = self->spec.width, rows = where->n_rows;
  ClipNumber number = self->number;
  gconstpointer src = NULL;

  show (
      self, block, where, (Shown){ number, self->heads, width, names->heads });
  if (!multiply (self, &block->out, rows, self->heads, x, error))
    return FALSE;
  norm_after (self, &block->ln_1, rows, x);
  show (self, block, where, (Shown){ CLIP_F32, x, width, names->half });

  src = norm_before (self, &block->ln_2, rows, x);
  show (self, block, where, (Shown){ number, src, width, names->ln_2 });
  if (!multiply (self, &block->fc, rows, src, self->hidden, error) ||
      !multiply (self, &block->proj, rows, self->hidden, x, error))
    return FALSE;
  norm_after (self, &block->ln_2, rows, x);
  show (self, block, where,
      (Shown){ number, self->hidden, block->mlp_width, names->hidden });
  show (self, block, where, (Shown){ CLIP_F32, x, width, "" });
  return TRUE;
}

static void
pool (const ClipTransformer *self, const ClipSequences *where, const gfloat *x,
    gfloat *pooled)
{
  gsize width = self->spec.width;

  for (guint i = 0; i < where->n_sequences; i++) {
    const ClipSequence *sequence = &where->sequences[i];
    gsize row = sequence->first_row;

    if (self->spec.causal)
      row += sequence->n_tokens - 1;
    memcpy (pooled + i * width, x + row * width, sizeof (gfloat) * width);
  }
}

static gboolean
run_last_block (ClipTransformer *self, const ClipSequences *where, gfloat *x,
    gfloat *pooled, GError **error)
{
  Block *block = &self->blocks[self->n_blocks - 1];
  const ClipSequences rows = {
    .n_rows = where->count,
    .sequences = self->pooled,
    .n_sequences = where->n_sequences,
  };

  if (!run_qkv (self, block, where, x, error))
    return FALSE;
  pool (self, where, x, pooled);
  return multiply (self, &self->last_q, rows.n_rows,
             norm_before (self, &block->ln_1, rows.n_rows, pooled), self->q,
             error) &&
         attend_last (self, where, error) &&
         finish_block (self, block, &rows, pooled, error);
}

gboolean
clip_transformer_run_block (ClipTransformer *self, guint i,
    const ClipSequences *where, gfloat *x, gfloat *pooled, gboolean *done,
    GError **error)
{
  Block *block = &self->blocks[i];

  *done = i + 1 == self->n_blocks;
  if (*done)
    return run_last_block (self, where, x, pooled, error);
  return run_qkv (self, block, where, x, error) &&
         attend (self, where, error) &&
         finish_block (self, block, where, x, error);
}

gboolean
clip_transformer_run (ClipTransformer *self, const ClipSequences *where,
    gfloat *x, gfloat *pooled, GError **error)
{
  gboolean done = FALSE;

  for (guint i = 0; !done; i++)
    if (!clip_transformer_run_block (self, i, where, x, pooled, &done, error))
      return FALSE;
  return TRUE;
}
