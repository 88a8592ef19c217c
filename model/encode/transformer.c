/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/transformer.h"

#include "encode/block.h"

#include <string.h>

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
  ClipBlock *blocks;
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

/* Where there is a calibration each layer is built when it first runs. */
static gboolean
build_block (ClipTransformer *self, ClipBlock *block,
    const ClipBlockTensors *tensors, GError **error)
{
  gboolean is_last = block == &self->blocks[self->n_blocks - 1];
  ClipBlockLinear *last_q = is_last ? &self->last_q : NULL;
  gfloat eps = self->spec.eps;

  clip_block_plan (block, last_q, &self->spec, self->number, tensors);
  if (self->calibration == NULL &&
      !clip_block_build (block, last_q, self->engine, error))
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
  self->blocks = g_new0 (ClipBlock, n_blocks);
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
  for (guint i = 0; i < self->n_blocks; i++)
    clip_block_clear (&self->blocks[i]);
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
show (const ClipTransformer *self, const ClipBlock *block,
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

static gboolean
multiply (ClipTransformer *self, ClipBlockLinear *linear, guint rows,
    gconstpointer src, gpointer dst, GError **error)
{
  return self->calibration != NULL
             ? clip_block_linear_calibrate (linear, self->engine,
                   self->calibration, rows, src, dst, error)
             : clip_linear_run (linear->linear, rows, src, dst, error);
}

/* The same, and the norm behind it, whose rows the next layer gets; without a
 * norm it gets @dst. */
static gboolean
multiply_before (ClipTransformer *self, ClipBlockLinear *linear, guint rows,
    gconstpointer src, gpointer dst, const ClipNorm *norm,
    const ClipBlockLinear *next, GError **error)
{
  gboolean in_place = self->spec.norm_after;
  ClipLayerNorm run;
  ClipLinearNext then = { NULL, next->linear };

  if (norm != NULL) {
    run = clip_norm_describe (norm, rows, dst,
        in_place ? CLIP_F32 : self->number, in_place ? dst : self->normed);
    then.norm = &run;
  }
  if (self->calibration == NULL)
    return clip_linear_run_before (
        linear->linear, rows, src, dst, &then, error);
  if (!multiply (self, linear, rows, src, dst, error))
    return FALSE;
  if (norm != NULL)
    clip_rows_layer_norm (self->engine, &run);
  return TRUE;
}

/* What a block starts from, for @linear: x, or its norm.
 *
 * Returns: NULL with CLIP_ERROR_COMPUTE. */
static gconstpointer
norm_before (ClipTransformer *self, const ClipNorm *norm,
    const ClipBlockLinear *linear, guint rows, const gfloat *x, GError **error)
{
  const ClipLayerNorm run =
      clip_norm_describe (norm, rows, x, self->number, self->normed);

  if (self->spec.norm_after)
    return x;
  if (self->calibration != NULL)
    clip_rows_layer_norm (self->engine, &run);
  else if (!clip_linear_norm (linear->linear, &run, error))
    return NULL;
  return self->normed;
}

/* From ln_1 to queries, keys and values, as far as qkv has them. */
static gboolean
run_qkv (ClipTransformer *self, ClipBlock *block, const ClipSequences *where,
    const gfloat *x, GError **error)
{
  gconstpointer src =
      norm_before (self, &block->ln_1, &block->qkv, where->n_rows, x, error);

  if (src == NULL)
    return FALSE;
  show (self, block, where,
      (Shown){ self->number, src, self->spec.width, self->names->ln_1 });
  return multiply (self, &block->qkv, where->n_rows, src, self->qkv, error);
}

/* From the heads to the block's end. */
static gboolean
finish_block (ClipTransformer *self, ClipBlock *block,
    const ClipSequences *where, gfloat *x, GError **error)
{
  const Names *names = self->names;
  guint width = self->spec.width, rows = where->n_rows;
  ClipNumber number = self->number;
  gboolean is_after = self->spec.norm_after;
  gconstpointer src = is_after ? x : self->normed;

  show (
      self, block, where, (Shown){ number, self->heads, width, names->heads });
  if (!multiply_before (self, &block->out, rows, self->heads, x,
          is_after ? &block->ln_1 : &block->ln_2, &block->fc, error))
    return FALSE;
  show (self, block, where, (Shown){ CLIP_F32, x, width, names->half });
  show (self, block, where, (Shown){ number, src, width, names->ln_2 });
  if (!multiply_before (self, &block->fc, rows, src, self->hidden, NULL,
          &block->proj, error) ||
      !multiply (self, &block->proj, rows, self->hidden, x, error))
    return FALSE;
  if (is_after)
    clip_norm_run (&block->ln_2, self->engine, rows, x, CLIP_F32, x);
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
  ClipBlock *block = &self->blocks[self->n_blocks - 1];
  const ClipSequences rows = {
    .n_rows = where->count,
    .sequences = self->pooled,
    .n_sequences = where->n_sequences,
  };
  gconstpointer normed = NULL;

  if (!run_qkv (self, block, where, x, error))
    return FALSE;
  pool (self, where, x, pooled);
  normed = norm_before (
      self, &block->ln_1, &self->last_q, rows.n_rows, pooled, error);
  return normed != NULL &&
         multiply (self, &self->last_q, rows.n_rows, normed, self->q, error) &&
         attend_last (self, where, error) &&
         finish_block (self, block, &rows, pooled, error);
}

gboolean
clip_transformer_run_block (ClipTransformer *self, guint i,
    const ClipSequences *where, gfloat *x, gfloat *pooled, gboolean *done,
    GError **error)
{
  ClipBlock *block = &self->blocks[i];

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
