/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* CLIP's vision transformer: patches and a class token, whose row is normed and
 * projected into the shared space. The patches are a convolution whose stride
 * is its kernel, so they are rows of a product, which is faster than oneDNN's
 * convolution (2.6.3, AVX-512: patches of 32 1.2 ms for 1.5, of 16 2.2 for 3.0,
 * eight pictures at once 15 for 26; cutting them is 0.1 of each).
 *
 * Letters: B batch, S picture's side, P patch's, G patches in a row, T tokens
 * (the class, then the patches), W width, E embedding. */

#include "encode/norm.h"
#include "encode/transformer.h"
#include "encode/weights.h"

#include <string.h>

#define CHANNELS 3

typedef struct {
  ClipTowerContext context;
  guint side;   /* S */
  guint patch;  /* P */
  guint grid;   /* G */
  guint tokens; /* T */
  guint width;
  guint embed_dim;
  ClipLinear *conv1;
  gfloat *positions; /* [T, W], the class embedding added to the first */
  ClipNorm ln_pre;
  ClipTransformer *transformer;
  ClipNorm ln_post;
  ClipLinear *proj;
  ClipSequence sequences[CLIP_ENCODER_MAX_BATCH];
  gpointer patches;  /* [B, G, G, P, P, 3], the context's numbers */
  gpointer embedded; /* [B, G, G, W], f32 as what follows */
  gpointer x;        /* [B, T, W] */
  gpointer pooled;   /* [B, W] */
  gpointer normed;   /* [B, W], the context's numbers */
} VisionTransformer;

static void
vision_transformer_free (gpointer tower)
{
  VisionTransformer *self = tower;

  if (self == NULL)
    return;
  clip_linear_free (self->conv1);
  g_free (self->positions);
  clip_norm_clear (&self->ln_pre);
  clip_transformer_free (self->transformer);
  clip_norm_clear (&self->ln_post);
  clip_linear_free (self->proj);
  clip_engine_free_values (self->patches);
  clip_engine_free_values (self->embedded);
  clip_engine_free_values (self->x);
  clip_engine_free_values (self->pooled);
  clip_engine_free_values (self->normed);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VisionTransformer, vision_transformer_free)

static void
multiply (const VisionTransformer *self, guint factor, guint *rows)
{
  for (guint i = 0; i < self->context.n_batches; i++)
    rows[i] = self->context.batches[i] * factor;
}

/* The kernels channels last, so that a line of a patch is a piece of a line of
 * the picture: [W, 3, P, P] -> [W, P, P, 3] */
static gfloat *
read_kernels (
    const VisionTransformer *self, const ClipTensor *conv1, GError **error)
{
  gsize n_pixels = (gsize)self->patch * self->patch;
  g_autofree gfloat *kernels = clip_weights_read (conv1, error);
  gfloat *kernel = kernels;
  g_autofree gfloat *planes = g_new (gfloat, CHANNELS * n_pixels);

  if (kernels == NULL)
    return NULL;
  for (guint i = 0; i < self->width; i++, kernel += CHANNELS * n_pixels) {
    memcpy (planes, kernel, sizeof (gfloat) * CHANNELS * n_pixels);
    for (gsize p = 0; p < n_pixels; p++)
      for (guint c = 0; c < CHANNELS; c++)
        kernel[p * CHANNELS + c] = planes[c * n_pixels + p];
  }
  return g_steal_pointer (&kernels);
}

static gboolean
build_patches (VisionTransformer *self,
    const ClipVisionTransformerTensors *tensors, GError **error)
{
  guint rows[CLIP_ENGINE_MAX_SHAPES];
  const ClipLinearSpec spec = {
    .name = clip_tensor_get_name (tensors->conv1),
    .src = self->context.number,
    .in_features = CHANNELS * self->patch * self->patch,
    .out_features = self->width,
    .rows = rows,
    .n_rows = self->context.n_batches,
  };
  g_autofree gfloat *kernels = read_kernels (self, tensors->conv1, error);
  g_autofree gfloat *class = NULL;

  if (kernels == NULL)
    return FALSE;
  multiply (self, self->grid * self->grid, rows);
  self->conv1 =
      clip_linear_new (self->context.engine, &spec, kernels, NULL, error);
  if (self->conv1 == NULL)
    return FALSE;
  class = clip_weights_read (tensors->class_embedding, error);
  if (class == NULL)
    return FALSE;
  self->positions = clip_weights_read (tensors->positional_embedding, error);
  if (self->positions == NULL)
    return FALSE;
  for (guint i = 0; i < self->width; i++)
    self->positions[i] += class[i];
  return TRUE;
}

static gboolean
build_buffers (VisionTransformer *self, GError **error)
{
  gsize batch = self->context.batches[self->context.n_batches - 1];
  gsize n_patches = batch * self->grid * self->grid;
  ClipNumber number = self->context.number;
  const struct {
    gpointer *buffer;
    gsize n;
    ClipNumber number;
  } buffers[] = {
    { &self->patches, n_patches * self->patch * self->patch * CHANNELS,
        number },
    { &self->embedded, n_patches * self->width, CLIP_F32 },
    { &self->x, batch * self->tokens * self->width, CLIP_F32 },
    { &self->pooled, batch * self->width, CLIP_F32 },
    { &self->normed, batch * self->width, number },
  };

  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++) {
    *buffers[i].buffer =
        clip_engine_alloc (buffers[i].n, buffers[i].number, error);
    if (*buffers[i].buffer == NULL)
      return FALSE;
  }
  for (guint b = 0; b < batch; b++)
    self->sequences[b] = (ClipSequence){ .first_row = b * self->tokens,
      .n_rows = self->tokens,
      .n_tokens = self->tokens };
  return TRUE;
}

/* pixels: [B, S, S, 3] -> patches: [B, G, G, P, P, 3] */
static void
cut (VisionTransformer *self, guint batch, const gfloat *pixels)
{
  gsize grid = self->grid, patch = self->patch;
  gsize line = patch * CHANNELS, patch_size = patch * line;
  ClipNumber number = self->context.number;

  for (guint b = 0; b < batch; b++) {
    for (gsize y = 0; y < grid * patch; y++) {
      const gfloat *src = pixels + (b * self->side + y) * self->side * CHANNELS;
      gsize dst = (b * grid + y / patch) * grid * patch_size + y % patch * line;

      for (gsize x = 0; x < grid; x++)
        clip_rows_convert (self->context.engine, line, src + x * line, number,
            clip_number_at (number, self->patches, dst + x * patch_size));
    }
  }
}

/* embedded: [B, G, G, W] -> x: [B, T, W] */
static void
build_tokens (VisionTransformer *self, guint batch)
{
  gsize width = self->width;
  gsize n = (self->tokens - 1) * width;

  for (guint b = 0; b < batch; b++) {
    const gfloat *src = (const gfloat *)self->embedded + b * n;
    const gfloat *positions = self->positions + width;
    gfloat *dst = (gfloat *)self->x + b * self->tokens * width;

    memcpy (dst, self->positions, sizeof (gfloat) * width);
    dst += width;
    for (gsize i = 0; i < n; i++)
      dst[i] = src[i] + positions[i];
  }
}

static gboolean
run_patches (
    VisionTransformer *self, guint batch, const gfloat *pixels, GError **error)
{
  const ClipTracer *tracer = self->context.tracer;
  guint n_patches = batch * self->grid * self->grid;
  guint rows = batch * self->tokens;

  cut (self, batch, pixels);
  if (!clip_linear_run (
          self->conv1, n_patches, self->patches, self->embedded, error))
    return FALSE;
  clip_tracer_show (tracer,
      (ClipShown){ CLIP_F32, self->embedded, n_patches, self->width },
      "visual.conv1");
  build_tokens (self, batch);
  clip_tracer_show (tracer, (ClipShown){ CLIP_F32, self->x, rows, self->width },
      "visual.class+patch+position");
  clip_norm_run (
      &self->ln_pre, self->context.engine, rows, self->x, CLIP_F32, self->x);
  clip_tracer_show (tracer, (ClipShown){ CLIP_F32, self->x, rows, self->width },
      "visual.ln_pre");
  return TRUE;
}

/* pooled: [B, W] -> embeddings: [B, E] */
static gboolean
project (
    VisionTransformer *self, guint batch, gfloat *embeddings, GError **error)
{
  clip_norm_run (&self->ln_post, self->context.engine, batch, self->pooled,
      self->context.number, self->normed);
  clip_tracer_show (self->context.tracer,
      (ClipShown){ self->context.number, self->normed, batch, self->width },
      "visual.ln_post");
  return clip_linear_run (self->proj, batch, self->normed, embeddings, error);
}

static ClipSequences
get_sequences (const VisionTransformer *self, guint batch)
{
  return (ClipSequences){
    .n_rows = batch * self->tokens,
    .sequences = self->sequences,
    .n_sequences = batch,
    .count = batch,
  };
}

static gboolean
vision_transformer_run (gpointer tower, guint batch, const gfloat *pixels,
    gfloat *embeddings, GError **error)
{
  VisionTransformer *self = tower;
  const ClipSequences where = get_sequences (self, batch);

  return run_patches (self, batch, pixels, error) &&
         clip_transformer_run (
             self->transformer, &where, self->x, self->pooled, error) &&
         project (self, batch, embeddings, error);
}

/* --- building, which may include running --- */

/* The transformer's blocks, and what they make of the pictures. */
static gboolean
calibrate (VisionTransformer *self, GError **error)
{
  ClipCalibration *calibration = self->context.calibration;
  guint batch = calibration->batch;
  const ClipSequences where = get_sequences (self, batch);
  gboolean succeeded;

  if (!run_patches (self, batch, calibration->pixels, error) ||
      !clip_transformer_calibrate (
          self->transformer, &where, self->x, self->pooled, error) ||
      !project (self, batch, calibration->embeddings, error))
    return FALSE;
  clip_calibration_expect (calibration);
  clip_engine_take_turn (self->context.engine, TRUE);
  succeeded = vision_transformer_run (
      self, batch, calibration->pixels, calibration->embeddings, error);
  clip_engine_take_turn (self->context.engine, FALSE);
  if (!succeeded)
    return FALSE;
  clip_calibration_compare (calibration);
  return TRUE;
}

static gboolean
build_layers (VisionTransformer *self, const ClipVisionConfig *config,
    const ClipVisionTransformerTensors *tensors, GError **error)
{
  const ClipTowerContext *context = &self->context;
  guint rows[CLIP_ENGINE_MAX_SHAPES];
  const ClipBlockSpec blocks = {
    .name = "visual.transformer.resblocks",
    .width = config->width,
    .heads = config->heads,
    .activation = config->activation,
    .eps = config->eps,
    .shown_together = TRUE,
    .rows = rows,
    .n_rows = context->n_batches,
    .tokens = &self->tokens,
    .n_tokens = 1,
    .counts = context->batches,
    .n_counts = context->n_batches,
  };
  const ClipLinearSpec proj = {
    .src = context->number,
    .in_features = self->width,
    .out_features = self->embed_dim,
    .transposed = TRUE,
    .rows = context->batches,
    .n_rows = context->n_batches,
  };

  multiply (self, self->tokens, rows);
  if (!clip_norm_init (&self->ln_pre, tensors->ln_pre, config->eps, error) ||
      !clip_norm_init (&self->ln_post, tensors->ln_post, config->eps, error))
    return FALSE;
  self->proj = clip_weights_linear (context->engine, &proj,
      (ClipAffineTensors){ .weight = tensors->proj }, error);
  if (self->proj == NULL)
    return FALSE;
  self->transformer = (context->calibration != NULL ? clip_transformer_begin
                                                    : clip_transformer_new) (
      context, &blocks, tensors->blocks, tensors->n_blocks, error);
  return self->transformer != NULL &&
         (context->calibration == NULL || calibrate (self, error));
}

static gpointer
vision_transformer_build (const ClipTowerContext *context, GError **error)
{
  const ClipConfig *config = clip_checkpoint_get_config (context->checkpoint);
  const ClipVisionTransformerTensors *tensors =
      clip_checkpoint_get_vision_transformer (context->checkpoint);
  g_autoptr (VisionTransformer) self = g_new0 (VisionTransformer, 1);

  self->context = *context;
  self->side = config->vision.image_size;
  self->patch = config->vision.patch_size;
  self->grid = self->side / self->patch;
  self->tokens = self->grid * self->grid + 1;
  self->width = config->vision.width;
  self->embed_dim = config->embed_dim;
  if (!build_patches (self, tensors, error) || !build_buffers (self, error) ||
      !build_layers (self, &config->vision, tensors, error))
    return NULL;
  return g_steal_pointer (&self);
}

const ClipVisionTower clip_vision_transformer_tower = {
  .name = "vision-transformer",
  .build = vision_transformer_build,
  .free = vision_transformer_free,
  .run = vision_transformer_run,
};
