/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/attention_pool.h"

#include "encode/weights.h"

#include <string.h>

/* Letters: B batch, T tokens (the mean, then the pixels), C channels, E
 * embedding. */
struct _ClipAttentionPool {
  const ClipTracer *tracer;
  ClipEngine *engine;
  guint tokens;
  guint channels;
  guint embed_dim;
  gfloat *positions; /* [T, C] */
  ClipLinear *q;
  ClipLinear *kv; /* keys and values are one product */
  ClipAttention *attention;
  ClipSequence sequences[CLIP_ENCODER_MAX_BATCH];
  ClipLinear *c;
  gfloat *token; /* [2, C]: the mean, and one more before it is a row of x */
  ClipNumber number; /* of all below but queries */
  gpointer x;        /* [B, T, C] */
  gpointer means;    /* [B, C]: the first rows of x */
  gfloat *queries;   /* [B, C] */
  gpointer kvs;      /* [B, T, 2C] */
  gpointer heads;    /* [B, C] */
};

/* k_proj's rows above v_proj's. */
static ClipLinear *
build_kv (ClipEngine *engine, const ClipLinearSpec *spec,
    const ClipModifiedResNetTensors *tensors, GError **error)
{
  const ClipTensor *const weights[] = { tensors->k_proj.weight,
    tensors->v_proj.weight };
  const ClipTensor *const biases[] = { tensors->k_proj.bias,
    tensors->v_proj.bias };
  g_autofree gfloat *weight = clip_weights_read_stacked (weights, 2, error);
  g_autofree gfloat *bias = NULL;

  if (weight == NULL)
    return NULL;
  bias = clip_weights_read_stacked (biases, 2, error);
  if (bias == NULL)
    return NULL;
  return clip_linear_new (engine, spec, weight, bias, error);
}

static gboolean
build_layers (ClipAttentionPool *self, const ClipTowerContext *context,
    const ClipModifiedResNetTensors *tensors, guint heads, GError **error)
{
  guint rows[CLIP_ENGINE_MAX_SHAPES];
  const ClipLinearSpec kv = { .name = "visual.attnpool.k_proj, v_proj",
    .src = self->number,
    .dst = self->number,
    .in_features = self->channels,
    .out_features = 2 * self->channels,
    .rows = rows,
    .n_rows = context->n_batches };
  const ClipLinearSpec q = { .src = self->number,
    .in_features = self->channels,
    .out_features = self->channels,
    .rows = context->batches,
    .n_rows = context->n_batches };
  const ClipLinearSpec c = { .src = self->number,
    .in_features = self->channels,
    .out_features = self->embed_dim,
    .rows = context->batches,
    .n_rows = context->n_batches };
  const ClipAttentionSpec attention = { .name = "visual.attnpool",
    .heads = heads,
    .head_width = self->channels / heads,
    .number = self->number,
    .q_stride = self->channels,
    .kv_stride = (gsize)2 * self->channels,
    .one_query = TRUE,
    .tokens = &self->tokens,
    .n_tokens = 1 };

  for (guint i = 0; i < context->n_batches; i++)
    rows[i] = context->batches[i] * self->tokens;
  self->q = clip_weights_linear (context->engine, &q, tensors->q_proj, error);
  if (self->q == NULL)
    return FALSE;
  self->kv = build_kv (context->engine, &kv, tensors, error);
  if (self->kv == NULL)
    return FALSE;
  self->c = clip_weights_linear (context->engine, &c, tensors->c_proj, error);
  if (self->c == NULL)
    return FALSE;
  self->attention = clip_attention_new (context->engine, &attention, error);
  return self->attention != NULL;
}

static gboolean
build_buffers (ClipAttentionPool *self, gsize batch, GError **error)
{
  const struct {
    gpointer *buffer;
    gsize n;
  } buffers[] = {
    { &self->x, batch * self->tokens * self->channels },
    { &self->means, batch * self->channels },
    { &self->kvs, batch * self->tokens * 2 * self->channels },
    { &self->heads, batch * self->channels },
  };

  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++) {
    *buffers[i].buffer = clip_engine_alloc (buffers[i].n, self->number, error);
    if (*buffers[i].buffer == NULL)
      return FALSE;
  }
  self->token = clip_engine_alloc (2 * (gsize)self->channels, CLIP_F32, error);
  if (self->token == NULL)
    return FALSE;
  self->queries = clip_engine_alloc (batch * self->channels, CLIP_F32, error);
  return self->queries != NULL;
}

ClipAttentionPool *
clip_attention_pool_new (const ClipTowerContext *context,
    const ClipModifiedResNetTensors *tensors, guint heads, GError **error)
{
  g_autoptr (ClipAttentionPool) self = g_new0 (ClipAttentionPool, 1);

  self->tracer = context->tracer;
  self->engine = context->engine;
  self->number = context->number;
  self->tokens = clip_tensor_get_dim (tensors->positional_embedding, 0);
  self->channels = clip_tensor_get_dim (tensors->positional_embedding, 1);
  self->embed_dim = clip_tensor_get_dim (tensors->c_proj.weight, 0);
  for (guint b = 0; b < CLIP_ENCODER_MAX_BATCH; b++)
    self->sequences[b] = (ClipSequence){ .first_row = b * self->tokens,
      .n_rows = self->tokens,
      .n_tokens = self->tokens };
  self->positions = clip_weights_read (tensors->positional_embedding, error);
  if (self->positions == NULL ||
      !build_buffers (self, context->batches[context->n_batches - 1], error) ||
      !build_layers (self, context, tensors, heads, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
clip_attention_pool_free (ClipAttentionPool *self)
{
  if (self == NULL)
    return;
  g_free (self->positions);
  clip_linear_free (self->q);
  clip_linear_free (self->kv);
  clip_linear_free (self->c);
  clip_attention_free (self->attention);
  clip_engine_free_values (self->token);
  clip_engine_free_values (self->x);
  clip_engine_free_values (self->means);
  clip_engine_free_values (self->queries);
  clip_engine_free_values (self->kvs);
  clip_engine_free_values (self->heads);
  g_free (self);
}

/* Token @t of picture @b, from f32. */
static void
put_token (ClipAttentionPool *self, guint b, gsize t, const gfloat *token)
{
  gsize row = b * self->tokens + t;

  clip_rows_convert (self->engine, self->channels, token, self->number,
      clip_number_at (self->number, self->x, row * self->channels));
}

/* map: [T - 1, C] -> x: [T, C], the mean first, positions added */
static void
build_tokens (ClipAttentionPool *self, guint b, const gfloat *map)
{
  gsize channels = self->channels;
  gsize n_pixels = self->tokens - 1;
  gfloat scale = 1.0f / n_pixels;
  gfloat *mean = self->token, *token = self->token + channels;

  memset (mean, 0, sizeof (gfloat) * channels);
  for (gsize p = 0; p < n_pixels; p++) {
    const gfloat *pixel = map + p * channels;
    const gfloat *position = self->positions + (p + 1) * channels;

    for (gsize c = 0; c < channels; c++) {
      mean[c] += pixel[c];
      token[c] = pixel[c] + position[c];
    }
    put_token (self, b, p + 1, token);
  }
  for (gsize c = 0; c < channels; c++)
    mean[c] = mean[c] * scale + self->positions[c];
  put_token (self, b, 0, mean);
  clip_rows_convert (self->engine, channels, mean, self->number,
      clip_number_at (self->number, self->means, b * channels));
}

gboolean
clip_attention_pool_run (ClipAttentionPool *self, guint batch,
    const gfloat *map, gfloat *embeddings, GError **error)
{
  gsize channels = self->channels;
  gsize size = self->tokens * channels;
  const ClipAttentionRun run = { .sequences = self->sequences,
    .n_sequences = batch,
    .q = self->queries,
    .k = self->kvs,
    .v = clip_number_at (self->number, self->kvs, channels),
    .dst = self->heads };

  for (guint b = 0; b < batch; b++)
    build_tokens (self, b, map + b * (size - channels));
  if (!clip_linear_run (self->q, batch, self->means, self->queries, error) ||
      !clip_linear_run (
          self->kv, batch * self->tokens, self->x, self->kvs, error))
    return FALSE;
  if (!clip_attention_run (self->attention, &run, error))
    return FALSE;
  if (!clip_linear_run (self->c, batch, self->heads, embeddings, error))
    return FALSE;
  clip_tracer_show (self->tracer,
      (ClipShown){ CLIP_F32, embeddings, batch, self->embed_dim },
      "visual.attnpool");
  return TRUE;
}
