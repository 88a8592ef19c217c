/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/transformer.h"

#include "encode/weights.h"

typedef struct {
  gfloat *gamma; /* [W] */
  gfloat *beta;
} Norm;

typedef struct {
  Norm ln_1;
  ClipLinear *qkv;
  ClipLinear *out;
  Norm ln_2;
  ClipLinear *fc;
  ClipLinear *proj;
} Block;

struct _ClipTransformer {
  ClipBlockSpec spec; /* its lists are not kept */
  ClipEngine *engine;
  const ClipTracer *tracer;
  ClipAttention *attention; /* one serves all blocks */
  Block *blocks;
  guint n_blocks;
  gfloat *normed; /* [R, W]; NULL with norm_after */
  gfloat *qkv;    /* [R, 3W] */
  gfloat *heads;  /* [R, W] */
  gfloat *hidden; /* [R, M] */
};

static gboolean
build_norm (Norm *norm, ClipAffineTensors tensors, GError **error)
{
  norm->gamma = clip_weights_read (tensors.weight, error);
  if (norm->gamma == NULL)
    return FALSE;
  norm->beta = clip_weights_read (tensors.bias, error);
  return norm->beta != NULL;
}

static gboolean
build_block (ClipTransformer *self, Block *block,
    const ClipBlockTensors *tensors, GError **error)
{
  const ClipBlockSpec *spec = &self->spec;
  const ClipLinearSpec qkv = { .in_features = spec->width,
    .out_features = 3 * spec->width,
    .rows = spec->rows,
    .n_rows = spec->n_rows };
  const ClipLinearSpec out = { .in_features = spec->width,
    .out_features = spec->width,
    .accumulate = TRUE,
    .rows = spec->rows,
    .n_rows = spec->n_rows };
  const ClipLinearSpec fc = { .in_features = spec->width,
    .out_features = spec->mlp_width,
    .activation = spec->activation,
    .rows = spec->rows,
    .n_rows = spec->n_rows };
  const ClipLinearSpec proj = { .in_features = spec->mlp_width,
    .out_features = spec->width,
    .accumulate = TRUE,
    .rows = spec->rows,
    .n_rows = spec->n_rows };
  const struct {
    ClipLinear **linear;
    const ClipLinearSpec *spec;
    ClipAffineTensors tensors;
  } linears[] = {
    { &block->qkv, &qkv, tensors->qkv },
    { &block->out, &out, tensors->out },
    { &block->fc, &fc, tensors->fc },
    { &block->proj, &proj, tensors->proj },
  };

  for (guint i = 0; i < G_N_ELEMENTS (linears); i++) {
    *linears[i].linear = clip_weights_linear (
        self->engine, linears[i].spec, linears[i].tensors, error);
    if (*linears[i].linear == NULL)
      return FALSE;
  }
  return build_norm (&block->ln_1, tensors->ln_1, error) &&
         build_norm (&block->ln_2, tensors->ln_2, error);
}

static gboolean
build_buffers (ClipTransformer *self, GError **error)
{
  const ClipBlockSpec *spec = &self->spec;
  gsize rows = spec->rows[spec->n_rows - 1];
  const struct {
    gfloat **buffer;
    gsize width;
  } buffers[] = {
    { &self->qkv, (gsize)3 * spec->width },
    { &self->heads, spec->width },
    { &self->hidden, spec->mlp_width },
    { &self->normed, spec->norm_after ? 0 : spec->width },
  };

  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++) {
    if (buffers[i].width == 0)
      continue;
    *buffers[i].buffer = clip_engine_alloc (rows * buffers[i].width, error);
    if (*buffers[i].buffer == NULL)
      return FALSE;
  }
  return TRUE;
}

ClipTransformer *
clip_transformer_new (const ClipTowerContext *context,
    const ClipBlockSpec *spec, const ClipBlockTensors *blocks, guint n_blocks,
    GError **error)
{
  g_autoptr (ClipTransformer) self = g_new0 (ClipTransformer, 1);
  const ClipAttentionSpec attention = { .name = spec->name,
    .heads = spec->heads,
    .head_width = spec->width / spec->heads,
    .q_stride = (gsize)3 * spec->width,
    .kv_stride = (gsize)3 * spec->width,
    .causal = spec->causal,
    .tokens = spec->tokens,
    .n_tokens = spec->n_tokens };

  self->spec = *spec;
  self->engine = context->engine;
  self->tracer = context->tracer;
  self->blocks = g_new0 (Block, n_blocks);
  self->n_blocks = n_blocks;
  self->attention = clip_attention_new (self->engine, &attention, error);
  if (self->attention == NULL || !build_buffers (self, error))
    return NULL;
  for (guint i = 0; i < n_blocks; i++)
    if (!build_block (self, &self->blocks[i], &blocks[i], error))
      return NULL;
  self->spec.rows = self->spec.tokens = NULL;
  return g_steal_pointer (&self);
}

void
clip_transformer_free (ClipTransformer *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->n_blocks; i++) {
    Block *block = &self->blocks[i];

    clip_linear_free (block->qkv);
    clip_linear_free (block->out);
    clip_linear_free (block->fc);
    clip_linear_free (block->proj);
    g_free (block->ln_1.gamma);
    g_free (block->ln_1.beta);
    g_free (block->ln_2.gamma);
    g_free (block->ln_2.beta);
  }
  g_free (self->blocks);
  clip_attention_free (self->attention);
  clip_engine_free_floats (self->normed);
  clip_engine_free_floats (self->qkv);
  clip_engine_free_floats (self->heads);
  clip_engine_free_floats (self->hidden);
  g_free (self);
}

typedef struct {
  const gfloat *values; /* [R, width] */
  gsize width;
  const gchar *name; /* behind the block's; NULL: not shown */
} Shown;

/* Each sequence by itself, its padding left out. */
static void
show (const ClipTransformer *self, const Block *block,
    const ClipSequences *where, Shown shown)
{
  guint index = block - self->blocks;

  if (shown.name == NULL || self->tracer->trace == NULL)
    return;
  for (guint i = 0; i < where->n_sequences; i++) {
    const ClipSequence *sequence = &where->sequences[i];

    clip_tracer_show (self->tracer,
        shown.values + sequence->first_row * shown.width, sequence->n_tokens,
        shown.width, "%s.%u%s", self->spec.name, index, shown.name);
  }
}

/* qkv: [R, 3W] -> heads: [R, W] */
static gboolean
attend (ClipTransformer *self, const ClipSequences *where, GError **error)
{
  gsize width = self->spec.width;

  for (guint i = 0; i < where->n_sequences; i++) {
    const ClipSequence *sequence = &where->sequences[i];
    const gfloat *q = self->qkv + sequence->first_row * 3 * width;

    if (!clip_attention_run (self->attention, sequence->n_rows,
            sequence->n_tokens, q, q + width, q + 2 * width,
            self->heads + sequence->first_row * width, error))
      return FALSE;
  }
  return TRUE;
}

/* What a half of a block starts from: x, or its norm. */
static const gfloat *
norm_before (
    ClipTransformer *self, const Norm *norm, guint rows, const gfloat *x)
{
  if (self->spec.norm_after)
    return x;
  clip_rows_layer_norm (self->engine, rows, self->spec.width, x, norm->gamma,
      norm->beta, self->spec.eps, self->normed);
  return self->normed;
}

static void
norm_after (ClipTransformer *self, const Norm *norm, guint rows, gfloat *x)
{
  if (self->spec.norm_after)
    clip_rows_layer_norm (self->engine, rows, self->spec.width, x, norm->gamma,
        norm->beta, self->spec.eps, x);
}

static gboolean
run_block (ClipTransformer *self, const Block *block,
    const ClipSequences *where, gfloat *x, GError **error)
{
  const ClipBlockSpec *spec = &self->spec;
  guint rows = where->n_rows;

  if (!clip_linear_run (block->qkv, rows,
          norm_before (self, &block->ln_1, rows, x), self->qkv, error) ||
      !attend (self, where, error) ||
      !clip_linear_run (block->out, rows, self->heads, x, error))
    return FALSE;
  norm_after (self, &block->ln_1, rows, x);
  show (self, block, where,
      (Shown){ self->heads, spec->width, spec->heads_name });
  show (self, block, where, (Shown){ x, spec->width, spec->half_name });

  if (!clip_linear_run (block->fc, rows,
          norm_before (self, &block->ln_2, rows, x), self->hidden, error) ||
      !clip_linear_run (block->proj, rows, self->hidden, x, error))
    return FALSE;
  norm_after (self, &block->ln_2, rows, x);
  show (self, block, where,
      (Shown){ self->hidden, spec->mlp_width, spec->hidden_name });
  show (self, block, where, (Shown){ x, spec->width, "" });
  return TRUE;
}

gboolean
clip_transformer_run (ClipTransformer *self, const ClipSequences *where,
    gfloat *x, GError **error)
{
  for (guint i = 0; i < self->n_blocks; i++)
    if (!run_block (self, &self->blocks[i], where, x, error))
      return FALSE;
  return TRUE;
}
