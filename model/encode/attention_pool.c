/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/attention_pool.h"

#include "encode/weights.h"

#include <string.h>

/* Letters: B batch, T tokens (the mean, then the pixels), C channels, E
 * embedding. */
struct _ClipAttentionPool {
  const ClipTracer *tracer;
  guint tokens;
  guint channels;
  guint embed_dim;
  gfloat *positions; /* [T, C] */
  ClipLinear *q;
  ClipLinear *kv; /* keys and values are one product */
  ClipAttention *attention;
  ClipLinear *c;
  gfloat *x;       /* [B, T, C] */
  gfloat *means;   /* [B, C]: the first rows of x */
  gfloat *queries; /* [B, C] */
  gfloat *kvs;     /* [B, T, 2C] */
  gfloat *heads;   /* [B, C] */
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
    .in_features = self->channels,
    .out_features = 2 * self->channels,
    .rows = rows,
    .n_rows = context->n_batches };
  const ClipLinearSpec q = { .in_features = self->channels,
    .out_features = self->channels,
    .rows = context->batches,
    .n_rows = context->n_batches };
  const ClipLinearSpec c = { .in_features = self->channels,
    .out_features = self->embed_dim,
    .rows = context->batches,
    .n_rows = context->n_batches };
  const ClipAttentionSpec attention = { .name = "visual.attnpool",
    .heads = heads,
    .head_width = self->channels / heads,
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
    gfloat **buffer;
    gsize n_floats;
  } buffers[] = {
    { &self->x, batch * self->tokens * self->channels },
    { &self->means, batch * self->channels },
    { &self->queries, batch * self->channels },
    { &self->kvs, batch * self->tokens * 2 * self->channels },
    { &self->heads, batch * self->channels },
  };

  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++) {
    *buffers[i].buffer = clip_engine_alloc (buffers[i].n_floats, error);
    if (*buffers[i].buffer == NULL)
      return FALSE;
  }
  return TRUE;
}

ClipAttentionPool *
clip_attention_pool_new (const ClipTowerContext *context,
    const ClipModifiedResNetTensors *tensors, guint heads, GError **error)
{
  g_autoptr (ClipAttentionPool) self = g_new0 (ClipAttentionPool, 1);

  self->tracer = context->tracer;
  self->tokens = clip_tensor_get_dim (tensors->positional_embedding, 0);
  self->channels = clip_tensor_get_dim (tensors->positional_embedding, 1);
  self->embed_dim = clip_tensor_get_dim (tensors->c_proj.weight, 0);
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
  clip_engine_free_floats (self->x);
  clip_engine_free_floats (self->means);
  clip_engine_free_floats (self->queries);
  clip_engine_free_floats (self->kvs);
  clip_engine_free_floats (self->heads);
  g_free (self);
}

/* map: [T - 1, C] -> x: [T, C], the mean first, positions added */
static void
build_tokens (const ClipAttentionPool *self, const gfloat *map, gfloat *x)
{
  gsize channels = self->channels;
  gsize n_pixels = self->tokens - 1;
  gfloat scale = 1.0f / n_pixels;

  memset (x, 0, sizeof (gfloat) * channels);
  for (gsize p = 0; p < n_pixels; p++) {
    const gfloat *pixel = map + p * channels;
    const gfloat *position = self->positions + (p + 1) * channels;
    gfloat *row = x + (p + 1) * channels;

    for (gsize c = 0; c < channels; c++) {
      x[c] += pixel[c];
      row[c] = pixel[c] + position[c];
    }
  }
  for (gsize c = 0; c < channels; c++)
    x[c] = x[c] * scale + self->positions[c];
}

gboolean
clip_attention_pool_run (ClipAttentionPool *self, guint batch,
    const gfloat *map, gfloat *embeddings, GError **error)
{
  gsize channels = self->channels;
  gsize size = self->tokens * channels;

  for (guint b = 0; b < batch; b++) {
    build_tokens (self, map + b * (size - channels), self->x + b * size);
    memcpy (self->means + b * channels, self->x + b * size,
        sizeof (gfloat) * channels);
  }
  if (!clip_linear_run (self->q, batch, self->means, self->queries, error) ||
      !clip_linear_run (
          self->kv, batch * self->tokens, self->x, self->kvs, error))
    return FALSE;
  for (guint b = 0; b < batch; b++) {
    const gfloat *k = self->kvs + b * 2 * size;

    if (!clip_attention_run (self->attention, self->tokens, self->tokens,
            self->queries + b * channels, k, k + channels,
            self->heads + b * channels, error))
      return FALSE;
  }
  if (!clip_linear_run (self->c, batch, self->heads, embeddings, error))
    return FALSE;
  clip_tracer_show (
      self->tracer, embeddings, batch, self->embed_dim, "visual.attnpool");
  return TRUE;
}
