/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Chinese-CLIP's text encoder: BERT without its pooler, the row of [CLS]
 * projected into the shared space.
 *
 * Letters: R rows of a block of texts, W width, E embedding, T positions. */

#include "encode/packing.h"
#include "encode/weights.h"

#include "clip-error.h"

#include <string.h>

/* [PAD]: in the original a masked key. Nothing that counts depends on its row,
 * so it gets none. */
#define PAD_ID 0

typedef struct {
  ClipEngine *engine;
  const ClipTracer *tracer;
  guint width;
  guint embed_dim;
  gfloat eps;
  ClipPacking packing;

  ClipDtype word_dtype;
  guint8 *words;     /* [V, W], in the file's type */
  gfloat *positions; /* [T, W], the first token type added */
  gfloat *gamma;     /* [W], of the embeddings' norm */
  gfloat *beta;
  ClipTransformer *transformer;
  ClipLinear *projection;

  gfloat *x;          /* [R, W] */
  gfloat *cls;        /* [CLIP_PACKING_MAX_SEQUENCES, W] */
  gfloat *embeddings; /* [CLIP_PACKING_MAX_SEQUENCES, E] */
} Bert;

static void
bert_free (gpointer tower)
{
  Bert *self = tower;

  if (self == NULL)
    return;
  g_free (self->words);
  g_free (self->positions);
  g_free (self->gamma);
  g_free (self->beta);
  clip_transformer_free (self->transformer);
  clip_linear_free (self->projection);
  clip_engine_free_floats (self->x);
  clip_engine_free_floats (self->cls);
  clip_engine_free_floats (self->embeddings);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bert, bert_free)

static gboolean
build_words (Bert *self, const ClipTensor *words, GError **error)
{
  gsize n = clip_tensor_get_n_elements (words);

  self->word_dtype = clip_tensor_get_dtype (words);
  self->words = g_try_malloc_n (n, clip_dtype_get_size (self->word_dtype));
  if (self->words == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NO_SPACE,
        "no memory for the %" G_GSIZE_FORMAT " values of tensor '%s'", n,
        clip_tensor_get_name (words));
    return FALSE;
  }
  return clip_tensor_read_raw (words, self->words, error);
}

/* Every token is of the first type, so its row is part of each position's. */
static gboolean
build_positions (Bert *self, const ClipBertTensors *tensors, GError **error)
{
  gsize n = clip_tensor_get_n_elements (tensors->position_embeddings);
  g_autofree gfloat *types =
      clip_weights_read (tensors->token_type_embeddings, error);

  if (types == NULL)
    return FALSE;
  self->positions = clip_weights_read (tensors->position_embeddings, error);
  if (self->positions == NULL)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    self->positions[i] += types[i % self->width];
  return TRUE;
}

static gboolean
build_embeddings (Bert *self, const ClipBertTensors *tensors, GError **error)
{
  if (!build_words (self, tensors->word_embeddings, error) ||
      !build_positions (self, tensors, error))
    return FALSE;
  self->gamma = clip_weights_read (tensors->ln.weight, error);
  if (self->gamma == NULL)
    return FALSE;
  self->beta = clip_weights_read (tensors->ln.bias, error);
  return self->beta != NULL;
}

static gboolean
build_layers (Bert *self, const ClipTowerContext *context, GError **error)
{
  const ClipTextConfig *config =
      &clip_checkpoint_get_config (context->checkpoint)->text;
  const ClipBertTensors *tensors =
      clip_checkpoint_get_bert (context->checkpoint);
  const ClipBlockSpec blocks = {
    .name = "bert.encoder.layer",
    .width = config->width,
    .heads = config->heads,
    .mlp_width = config->mlp_width,
    .activation = config->activation,
    .eps = config->eps,
    .norm_after = TRUE,
    .rows = self->packing.rows,
    .n_rows = CLIP_PACKING_N_BLOCKS,
    .tokens = self->packing.tokens,
    .n_tokens = self->packing.n_tokens,
    .heads_name = ".attention.self",
    .half_name = ".attention.output",
    .hidden_name = ".intermediate",
  };
  const ClipLinearSpec projection = {
    .in_features = self->width,
    .out_features = self->embed_dim,
    .transposed = TRUE,
    .rows = self->packing.counts,
    .n_rows = CLIP_PACKING_N_BLOCKS,
  };

  self->transformer = clip_transformer_new (
      context, &blocks, tensors->blocks, tensors->n_blocks, error);
  if (self->transformer == NULL)
    return FALSE;
  self->projection = clip_weights_linear (context->engine, &projection,
      (ClipAffineTensors){ .weight = tensors->text_projection }, error);
  return self->projection != NULL;
}

static gboolean
build_buffers (Bert *self, GError **error)
{
  gsize rows = self->packing.rows[CLIP_PACKING_N_BLOCKS - 1];

  self->x = clip_engine_alloc (rows * self->width, error);
  if (self->x == NULL)
    return FALSE;
  self->cls = clip_engine_alloc (
      (gsize)CLIP_PACKING_MAX_SEQUENCES * self->width, error);
  if (self->cls == NULL)
    return FALSE;
  self->embeddings = clip_engine_alloc (
      (gsize)CLIP_PACKING_MAX_SEQUENCES * self->embed_dim, error);
  return self->embeddings != NULL;
}

static gpointer
bert_build (const ClipTowerContext *context, GError **error)
{
  const ClipConfig *config = clip_checkpoint_get_config (context->checkpoint);
  const ClipBertTensors *tensors =
      clip_checkpoint_get_bert (context->checkpoint);
  g_autoptr (Bert) self = g_new0 (Bert, 1);

  self->engine = context->engine;
  self->tracer = context->tracer;
  self->width = config->text.width;
  self->embed_dim = config->embed_dim;
  self->eps = config->text.eps;
  clip_packing_init (&self->packing, config->text.context_length);
  if (!build_embeddings (self, tensors, error) ||
      !build_layers (self, context, error) || !build_buffers (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* The first row is the one that is pooled, whatever its id. */
static gboolean
has_row (const ClipTokens *tokens, guint index)
{
  return index == 0 || tokens->ids[index] != PAD_ID;
}

static guint
count_rows (const ClipTokens *tokens)
{
  guint n = 0;

  for (guint i = 0; i < tokens->n_ids; i++)
    n += has_row (tokens, i);
  return n;
}

/* word[id] + position + first token type, a row for each token that has one */
static void
embed (const Bert *self, const ClipTokens *tokens, gfloat *row)
{
  gsize width = self->width;
  gsize word_size = width * clip_dtype_get_size (self->word_dtype);

  for (guint t = 0; t < tokens->n_ids; t++) {
    const gfloat *position = self->positions + t * width;

    if (!has_row (tokens, t))
      continue;
    clip_dtype_to_f32 (
        self->word_dtype, self->words + tokens->ids[t] * word_size, row, width);
    for (gsize i = 0; i < width; i++)
      row[i] += position[i];
    row += width;
  }
}

/* Lays as many texts as fit into the block.
 *
 * Returns: how many, at least 1 */
static guint
fill_block (Bert *self, guint n, const ClipTokens *tokens)
{
  ClipPacking *packing = &self->packing;
  guint filled = 0;

  clip_packing_clear (packing);
  while (filled < n && clip_packing_add (packing, count_rows (&tokens[filled])))
    filled++;
  memset (self->x, 0,
      sizeof (gfloat) * self->width *
          packing->rows[clip_packing_get_block (packing)]);
  for (guint i = 0; i < filled; i++)
    embed (self, &tokens[i],
        self->x + (gsize)packing->sequences[i].first_row * self->width);
  return filled;
}

static gboolean
run_block (Bert *self, GError **error)
{
  const ClipPacking *packing = &self->packing;
  const ClipSequences where = {
    .n_rows = packing->rows[clip_packing_get_block (packing)],
    .sequences = packing->sequences,
    .n_sequences = packing->n_sequences,
  };

  clip_rows_layer_norm (self->engine, where.n_rows, self->width, self->x,
      self->gamma, self->beta, self->eps, self->x);
  for (guint i = 0; i < where.n_sequences; i++)
    clip_tracer_show (self->tracer,
        self->x + (gsize)where.sequences[i].first_row * self->width,
        where.sequences[i].n_tokens, self->width, "bert.embeddings");
  if (!clip_transformer_run (self->transformer, &where, self->x, error))
    return FALSE;
  for (guint i = 0; i < where.n_sequences; i++)
    memcpy (self->cls + (gsize)i * self->width,
        self->x + (gsize)where.sequences[i].first_row * self->width,
        sizeof (gfloat) * self->width);
  return clip_linear_run (self->projection,
      packing->counts[clip_packing_get_count (packing)], self->cls,
      self->embeddings, error);
}

static gboolean
bert_run (gpointer tower, guint n, const ClipTokens *tokens, gfloat *embeddings,
    GError **error)
{
  Bert *self = tower;
  guint done = 0;

  while (done < n) {
    guint filled = fill_block (self, n - done, tokens + done);

    if (!run_block (self, error))
      return FALSE;
    memcpy (embeddings + (gsize)done * self->embed_dim, self->embeddings,
        sizeof (gfloat) * filled * self->embed_dim);
    done += filled;
  }
  return TRUE;
}

const ClipTextTower clip_bert_tower = {
  .name = "bert",
  .build = bert_build,
  .free = bert_free,
  .run = bert_run,
};
