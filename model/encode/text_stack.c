/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: R rows of a block of texts, W width, E embedding, T positions, V
 * words. */

#include "encode/text_stack.h"

#include "clip-error.h"
#include "encode/norm.h"
#include "encode/packing.h"
#include "encode/weights.h"

#include <string.h>

struct _ClipTextStack {
  ClipTextStackSpec spec;
  ClipTowerContext context;
  guint n_packed; /* pieces before the blocks */
  guint n_run;    /* blocks, over what is laid */
  guint width;
  guint embed_dim;
  ClipPacking packing;
  guint *selected; /* [context length]: of the text being laid */

  ClipDtype word_dtype;
  guint8 *words;     /* [V, W], in the file's type */
  gfloat *positions; /* [T, W], the first token type added */
  ClipNorm ln_input;
  ClipTransformer *transformer;
  ClipNorm ln_output;
  ClipLinear *projection;

  gfloat *x;          /* [R, W] */
  gfloat *pooled;     /* [CLIP_PACKING_MAX_SEQUENCES, W] */
  gfloat *embeddings; /* [CLIP_PACKING_MAX_SEQUENCES, E] */
};

void
clip_text_stack_free (gpointer stack)
{
  ClipTextStack *self = stack;

  if (self == NULL)
    return;
  g_free (self->selected);
  g_free (self->words);
  g_free (self->positions);
  clip_norm_clear (&self->ln_input);
  clip_transformer_free (self->transformer);
  clip_norm_clear (&self->ln_output);
  clip_linear_free (self->projection);
  clip_engine_free_values (self->x);
  clip_engine_free_values (self->pooled);
  clip_engine_free_values (self->embeddings);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipTextStack, clip_text_stack_free)

static gboolean
build_words (ClipTextStack *self, GError **error)
{
  const ClipTensor *words = self->spec.words;
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
build_positions (ClipTextStack *self, GError **error)
{
  const ClipTextStackSpec *spec = &self->spec;
  gsize n = clip_tensor_get_n_elements (spec->positions);
  g_autofree gfloat *types = NULL;

  self->positions = clip_weights_read (spec->positions, error);
  if (self->positions == NULL)
    return FALSE;
  if (spec->types == NULL)
    return TRUE;
  types = clip_weights_read (spec->types, error);
  if (types == NULL)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    self->positions[i] += types[i % self->width];
  return TRUE;
}

/* All but the blocks. */
static gboolean
build_layers (ClipTextStack *self, GError **error)
{
  const ClipTextStackSpec *spec = &self->spec;
  const ClipTextConfig *config =
      &clip_checkpoint_get_config (self->context.checkpoint)->text;
  const ClipBlockSpec blocks = {
    .name = spec->blocks_name,
    .width = config->width,
    .heads = config->heads,
    .activation = config->activation,
    .eps = config->eps,
    .norm_after = spec->norm_after,
    .causal = spec->causal,
    .rows = self->packing.rows,
    .n_rows = CLIP_PACKING_N_BLOCKS,
    .tokens = self->packing.tokens,
    .n_tokens = self->packing.n_tokens,
    .counts = self->packing.counts,
    .n_counts = CLIP_PACKING_N_BLOCKS,
  };
  const ClipLinearSpec projection = {
    .in_features = self->width,
    .out_features = self->embed_dim,
    .transposed = TRUE,
    .rows = self->packing.counts,
    .n_rows = CLIP_PACKING_N_BLOCKS,
  };

  if (!clip_norm_init (&self->ln_input, spec->ln_input, config->eps, error) ||
      !clip_norm_init (&self->ln_output, spec->ln_output, config->eps, error))
    return FALSE;
  self->transformer = clip_transformer_begin (
      &self->context, &blocks, spec->blocks, spec->n_blocks, error);
  if (self->transformer == NULL)
    return FALSE;
  self->projection = clip_weights_linear (self->context.engine, &projection,
      (ClipAffineTensors){ .weight = spec->projection }, error);
  return self->projection != NULL;
}

static gboolean
build_buffers (ClipTextStack *self, GError **error)
{
  gsize rows = self->packing.rows[CLIP_PACKING_N_BLOCKS - 1];

  self->x = clip_engine_alloc (rows * self->width, CLIP_F32, error);
  if (self->x == NULL)
    return FALSE;
  self->pooled = clip_engine_alloc (
      (gsize)CLIP_PACKING_MAX_SEQUENCES * self->width, CLIP_F32, error);
  if (self->pooled == NULL)
    return FALSE;
  self->embeddings = clip_engine_alloc (
      (gsize)CLIP_PACKING_MAX_SEQUENCES * self->embed_dim, CLIP_F32, error);
  return self->embeddings != NULL;
}

static gboolean (*const pieces[]) (ClipTextStack *self, GError **error) = {
  build_words,
  build_positions,
  build_layers,
  build_buffers,
};

ClipTextStack *
clip_text_stack_new (
    const ClipTowerContext *context, const ClipTextStackSpec *spec)
{
  const ClipConfig *config = clip_checkpoint_get_config (context->checkpoint);
  ClipTextStack *self = g_new0 (ClipTextStack, 1);

  self->spec = *spec;
  self->context = *context;
  self->width = config->text.width;
  self->embed_dim = config->embed_dim;
  self->selected = g_new (guint, config->text.context_length);
  clip_packing_init (&self->packing, config->text.context_length);
  return self;
}

gboolean
clip_text_stack_pack (gpointer stack, gboolean *done, GError **error)
{
  ClipTextStack *self = stack;

  if (self->n_packed == G_N_ELEMENTS (pieces))
    return clip_transformer_pack (self->transformer, done, error);
  *done = FALSE;
  return pieces[self->n_packed++](self, error);
}

/* word[id] + position [+ first token type], a row for each selected token */
static void
embed (const ClipTextStack *self, const ClipTokens *tokens,
    const ClipSequence *sequence)
{
  gsize width = self->width;
  gsize word_size = width * clip_dtype_get_size (self->word_dtype);
  gfloat *row = self->x + sequence->first_row * width;

  for (guint i = 0; i < sequence->n_tokens; i++, row += width) {
    guint t = self->selected[i];
    const gfloat *position = self->positions + t * width;

    clip_dtype_to_f32 (
        self->word_dtype, self->words + tokens->ids[t] * word_size, row, width);
    for (gsize j = 0; j < width; j++)
      row[j] += position[j];
  }
}

guint
clip_text_stack_lay (gpointer stack, guint n, const ClipTokens *tokens)
{
  ClipTextStack *self = stack;
  ClipPacking *packing = &self->packing;
  guint filled = 0;

  clip_packing_clear (packing);
  memset (self->x, 0,
      sizeof (gfloat) * self->width * packing->rows[CLIP_PACKING_N_BLOCKS - 1]);
  while (
      filled < n && clip_packing_add (packing,
                        self->spec.select (&tokens[filled], self->selected))) {
    embed (self, &tokens[filled], &packing->sequences[filled]);
    filled++;
  }
  self->n_run = 0;
  return filled;
}

static ClipSequences
get_sequences (const ClipTextStack *self)
{
  const ClipPacking *packing = &self->packing;

  return (ClipSequences){
    .n_rows = packing->rows[clip_packing_get_block (packing)],
    .sequences = packing->sequences,
    .n_sequences = packing->n_sequences,
    .count = packing->counts[clip_packing_get_count (packing)],
  };
}

/* Before the first block. */
static void
run_input (ClipTextStack *self, const ClipSequences *where)
{
  clip_norm_run (&self->ln_input, self->context.engine, where->n_rows, self->x,
      CLIP_F32, self->x);
  for (guint i = 0; i < where->n_sequences; i++)
    clip_tracer_show (self->context.tracer,
        (ClipShown){ CLIP_F32,
            self->x + (gsize)where->sequences[i].first_row * self->width,
            where->sequences[i].n_tokens, self->width },
        "%s", self->spec.input_name);
}

/* Behind the last block. */
static gboolean
run_output (ClipTextStack *self, const ClipSequences *where, gfloat *embeddings,
    GError **error)
{
  clip_norm_run (&self->ln_output, self->context.engine, where->count,
      self->pooled, CLIP_F32, self->pooled);
  for (guint i = 0; self->spec.output_name != NULL && i < where->n_sequences;
       i++)
    clip_tracer_show (self->context.tracer,
        (ClipShown){
            CLIP_F32, self->pooled + (gsize)i * self->width, 1, self->width },
        "%s", self->spec.output_name);
  if (!clip_linear_run (self->projection, where->count, self->pooled,
          self->embeddings, error))
    return FALSE;
  memcpy (embeddings, self->embeddings,
      sizeof (gfloat) * where->n_sequences * self->embed_dim);
  return TRUE;
}

gboolean
clip_text_stack_run (
    gpointer stack, gfloat *embeddings, gboolean *done, GError **error)
{
  ClipTextStack *self = stack;
  const ClipSequences where = get_sequences (self);

  if (self->n_run == 0)
    run_input (self, &where);
  return clip_transformer_run_block (self->transformer, self->n_run++, &where,
             self->x, self->pooled, done, error) &&
         (!*done || run_output (self, &where, embeddings, error));
}
