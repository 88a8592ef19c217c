/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* CLIP's ResNet: a stem of three convolutions, strides softened by average
 * pooling, and a pooling by attention at the end. Channels last; BatchNorm is
 * folded into the convolutions, and 1x1 convolutions are linear layers on the
 * pixels.
 *
 * In bf16 the stem stays f32. Where a picture has little contrast, most of
 * what it makes is the same everywhere and rounded as such, and what differs is
 * what counts: of 1,000 crops of real pictures (tests/bench/clip-accuracy) the
 * demonstration model's score differences were off by 0.0014 (rms) with all in
 * bf16, 0.0006 so.
 *
 * Letters: B batch, S picture's side, w width, C channels, E embedding. */

#include "encode/attention_pool.h"
#include "encode/weights.h"

#include "clip-error.h"

#define N_STAGES 4
#define STEM_SIZE 3
#define EXPANSION 4 /* of a bottleneck's last convolution */

typedef struct {
  guint stage; /* from 1, as in the names */
  guint index;
  guint side; /* of its input */
  guint stride;
  guint in_channels;
  guint planes;
  ClipLinear *conv1;
  ClipConvolution *conv2;
  ClipLinear *conv3;
  ClipLinear *downsample; /* NULL: the input itself is the shortcut */
} Bottleneck;

typedef struct {
  ClipTowerContext context;
  guint side;                       /* S */
  guint width;                      /* w */
  ClipConvolution *stem[STEM_SIZE]; /* f32 whatever the context says */
  Bottleneck *bottlenecks;
  guint n_bottlenecks;
  ClipAttentionPool *pool;
  gfloat *maps[2];  /* what goes from block to block */
  gpointer work[2]; /* what stays inside one, in the context's numbers */
  gpointer copy;    /* of maps[0] in those numbers; NULL where they are f32 */
} ModifiedResNet;

static void
modified_resnet_free (gpointer tower)
{
  ModifiedResNet *self = tower;

  if (self == NULL)
    return;
  for (guint i = 0; i < STEM_SIZE; i++)
    clip_convolution_free (self->stem[i]);
  for (guint i = 0; i < self->n_bottlenecks; i++) {
    clip_linear_free (self->bottlenecks[i].conv1);
    clip_convolution_free (self->bottlenecks[i].conv2);
    clip_linear_free (self->bottlenecks[i].conv3);
    clip_linear_free (self->bottlenecks[i].downsample);
  }
  g_free (self->bottlenecks);
  clip_attention_pool_free (self->pool);
  for (guint i = 0; i < 2; i++) {
    clip_engine_free_values (self->maps[i]);
    clip_engine_free_values (self->work[i]);
  }
  clip_engine_free_values (self->copy);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ModifiedResNet, modified_resnet_free)

/* 3x3, padded to keep its size at stride 1. */
static ClipConvolution *
build_convolution (const ClipTowerContext *context,
    const ClipConvTensors *tensors, guint side, guint stride, GError **error)
{
  const ClipConvolutionSpec spec = {
    .name = clip_tensor_get_name (tensors->conv),
    .in_channels = clip_tensor_get_dim (tensors->conv, 1),
    .out_channels = clip_tensor_get_dim (tensors->conv, 0),
    .number = context->number,
    .height = side,
    .width = side,
    .kernel = { 3, 3 },
    .stride = { stride, stride },
    .padding = { 1, 1 },
    .dilation = { 1, 1 },
    .groups = 1,
    .activation = CLIP_ACTIVATION_RELU,
    .batches = context->batches,
    .n_batches = context->n_batches,
  };
  g_autofree gfloat *bias = NULL;
  g_autofree gfloat *weights = clip_weights_read_folded (tensors, &bias, error);

  if (weights == NULL)
    return NULL;
  return clip_convolution_new (context->engine, &spec, weights, bias, error);
}

/* 1x1: a product on the pixels of a map of this side. */
static ClipLinear *
build_product (const ClipTowerContext *context, const ClipConvTensors *tensors,
    guint side, ClipLinearSpec spec, GError **error)
{
  guint rows[CLIP_ENGINE_MAX_SHAPES];
  g_autofree gfloat *bias = NULL;
  g_autofree gfloat *weights = clip_weights_read_folded (tensors, &bias, error);

  if (weights == NULL)
    return NULL;
  for (guint i = 0; i < context->n_batches; i++)
    rows[i] = context->batches[i] * side * side;
  spec.name = clip_tensor_get_name (tensors->conv);
  spec.in_features = clip_tensor_get_dim (tensors->conv, 1);
  spec.out_features = clip_tensor_get_dim (tensors->conv, 0);
  spec.rows = rows;
  spec.n_rows = context->n_batches;
  return clip_linear_new (context->engine, &spec, weights, bias, error);
}

static gboolean
build_bottleneck (const ClipTowerContext *context, Bottleneck *block,
    const ClipBottleneckTensors *tensors, GError **error)
{
  const ClipLinearSpec relu = { .src = context->number,
    .dst = context->number,
    .activation = CLIP_ACTIVATION_RELU };
  const ClipLinearSpec residual = { .src = context->number,
    .activation = CLIP_ACTIVATION_RELU,
    .accumulate = TRUE };
  const ClipLinearSpec plain = { .src = context->number };
  guint out_side = block->side / block->stride;

  block->conv1 =
      build_product (context, &tensors->conv1, block->side, relu, error);
  if (block->conv1 == NULL)
    return FALSE;
  block->conv2 =
      build_convolution (context, &tensors->conv2, block->side, 1, error);
  if (block->conv2 == NULL)
    return FALSE;
  block->conv3 =
      build_product (context, &tensors->conv3, out_side, residual, error);
  if (block->conv3 == NULL)
    return FALSE;
  if (tensors->downsample.conv == NULL)
    return TRUE;
  block->downsample =
      build_product (context, &tensors->downsample, out_side, plain, error);
  return block->downsample != NULL;
}

static gboolean
build_stem (
    ModifiedResNet *self, const ClipConvTensors *tensors, GError **error)
{
  ClipTowerContext context = self->context;

  context.number = CLIP_F32;
  for (guint i = 0; i < STEM_SIZE; i++) {
    self->stem[i] = build_convolution (&context, &tensors[i],
        i == 0 ? self->side : self->side / 2, i == 0 ? 2 : 1, error);
    if (self->stem[i] == NULL)
      return FALSE;
  }
  return TRUE;
}

/* Sides and channels of every bottleneck, from the stages' lengths. */
static void
plan_bottlenecks (ModifiedResNet *self, const guint *stage_layers)
{
  guint side = self->side / 4;
  guint channels = self->width;
  Bottleneck *block = self->bottlenecks;

  for (guint stage = 0; stage < N_STAGES; stage++) {
    for (guint i = 0; i < stage_layers[stage]; i++, block++) {
      *block = (Bottleneck){ .stage = stage + 1,
        .index = i,
        .side = side,
        .stride = stage > 0 && i == 0 ? 2 : 1,
        .in_channels = channels,
        .planes = self->width << stage };
      side /= block->stride;
      channels = EXPANSION * block->planes;
    }
  }
}

/* One picture's values in the largest of the maps and of the work buffers. */
static gboolean
build_buffers (ModifiedResNet *self, GError **error)
{
  ClipNumber number = self->context.number;
  gsize batch = self->context.batches[self->context.n_batches - 1];
  gsize half = self->side / 2;
  gsize stem_size = half * half * self->width * sizeof (gfloat);
  gsize work = stem_size / clip_number_get_size (number);
  gsize map = half / 2 * (half / 2) * self->width;

  for (guint i = 0; i < self->n_bottlenecks; i++) {
    const Bottleneck *block = &self->bottlenecks[i];
    gsize side = block->side;
    gsize out_side = side / block->stride;

    work = MAX (work, side * side * block->planes);
    work = MAX (work, out_side * out_side * block->in_channels);
    map = MAX (map, out_side * out_side * EXPANSION * block->planes);
  }
  for (guint i = 0; i < 2; i++) {
    self->maps[i] = clip_engine_alloc (batch * map, CLIP_F32, error);
    if (self->maps[i] == NULL)
      return FALSE;
    self->work[i] = clip_engine_alloc (batch * work, number, error);
    if (self->work[i] == NULL)
      return FALSE;
  }
  if (number == CLIP_F32)
    return TRUE;
  self->copy = clip_engine_alloc (batch * map, number, error);
  return self->copy != NULL;
}

static gboolean
build_pool (ModifiedResNet *self, const ClipModifiedResNetTensors *tensors,
    GError **error)
{
  const ClipConfig *config =
      clip_checkpoint_get_config (self->context.checkpoint);

  self->pool = clip_attention_pool_new (
      &self->context, tensors, config->vision.heads, error);
  return self->pool != NULL;
}

static gpointer
modified_resnet_build (const ClipTowerContext *context, GError **error)
{
  const ClipVisionConfig *config =
      &clip_checkpoint_get_config (context->checkpoint)->vision;
  const ClipModifiedResNetTensors *tensors =
      clip_checkpoint_get_modified_resnet (context->checkpoint);
  g_autoptr (ModifiedResNet) self = g_new0 (ModifiedResNet, 1);
  guint batch = context->batches[context->n_batches - 1];
  guint64 side = config->image_size / 4;

  if (side * side * batch > CLIP_ENGINE_MAX_DIM) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NO_SPACE,
        "%u pictures of %u x %u pixels make more than the %u rows of one "
        "product: lower the batch size",
        batch, config->image_size, config->image_size, CLIP_ENGINE_MAX_DIM);
    return NULL;
  }
  self->context = *context;
  self->side = config->image_size;
  self->width = config->width;
  self->bottlenecks = g_new0 (Bottleneck, tensors->n_bottlenecks);
  self->n_bottlenecks = tensors->n_bottlenecks;
  plan_bottlenecks (self, config->stage_layers);
  if (!build_buffers (self, error) || !build_stem (self, tensors->stem, error))
    return NULL;
  for (guint i = 0; i < self->n_bottlenecks; i++)
    if (!build_bottleneck (&self->context, &self->bottlenecks[i],
            &tensors->bottlenecks[i], error))
      return NULL;
  if (!build_pool (self, tensors, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* What a layer of the context's numbers gave, or one of f32. */
static ClipShown
shown (const ModifiedResNet *self, gconstpointer values, gsize n_pixels,
    gsize channels)
{
  return (ClipShown){ self->context.number, values, n_pixels, channels };
}

/* maps[0] in the context's numbers: what a block's products read. */
static gpointer
get_input (const ModifiedResNet *self)
{
  return self->copy != NULL ? self->copy : self->maps[0];
}

/* What a block's products read follows from maps[0]. */
static void
copy_map (ModifiedResNet *self, gsize n)
{
  if (self->copy != NULL)
    clip_rows_convert (self->context.engine, n, self->maps[0],
        self->context.number, self->copy);
}

/* pixels: [B, S, S, 3] -> maps[0] and its copy: [B, S/4, S/4, w] */
static gboolean
run_stem (
    ModifiedResNet *self, guint batch, const gfloat *pixels, GError **error)
{
  /* The original has one ReLU module and uses it three times. */
  static const gchar *const names[STEM_SIZE] = { "visual.relu", "visual.relu#2",
    "visual.relu#3" };
  const ClipTowerContext *context = &self->context;
  guint half = self->side / 2;
  gsize n_pixels = (gsize)batch * (half / 2) * (half / 2);
  ClipAveragePool pool = { .batch = batch,
    .height = half,
    .width = half,
    .channels = self->width,
    .k = 2,
    .number = CLIP_F32,
    .dst = self->maps[0] };
  gconstpointer src = pixels;

  for (guint i = 0; i < STEM_SIZE; i++) {
    gpointer dst = self->work[i % 2];
    guint channels = i == STEM_SIZE - 1 ? self->width : self->width / 2;

    if (!clip_convolution_run (self->stem[i], batch, src, dst, error))
      return FALSE;
    clip_tracer_show (context->tracer,
        (ClipShown){ CLIP_F32, dst, (gsize)batch * half * half, channels },
        "%s", names[i]);
    src = dst;
  }
  pool.src = src;
  clip_rows_average_pool (context->engine, &pool);
  copy_map (self, n_pixels * self->width);
  clip_tracer_show (context->tracer,
      (ClipShown){ CLIP_F32, pool.dst, n_pixels, self->width },
      "visual.avgpool");
  return TRUE;
}

/* Puts the shortcut into maps[0], where the last convolution adds to it.
 * work[0] is in use. */
static gboolean
run_shortcut (
    ModifiedResNet *self, const Bottleneck *block, guint batch, GError **error)
{
  const ClipTowerContext *context = &self->context;
  guint out_side = block->side / block->stride;
  guint rows = batch * out_side * out_side;
  gfloat *other = self->maps[1];
  gconstpointer src = get_input (self);

  if (block->downsample == NULL)
    return TRUE;
  if (block->stride > 1) {
    const ClipAveragePool pool = { .batch = batch,
      .height = block->side,
      .width = block->side,
      .channels = block->in_channels,
      .k = block->stride,
      .number = context->number,
      .src = src,
      .dst = self->work[1] };

    clip_rows_average_pool (context->engine, &pool);
    src = self->work[1];
  }
  if (!clip_linear_run (block->downsample, rows, src, other, error))
    return FALSE;
  self->maps[1] = self->maps[0];
  self->maps[0] = other;
  clip_tracer_show (context->tracer,
      (ClipShown){ CLIP_F32, other, rows, EXPANSION * block->planes },
      "visual.layer%u.%u.downsample", block->stage, block->index);
  return TRUE;
}

/* conv1, conv2 and the pooling behind them: input -> work[0] */
static gboolean
run_branch (
    ModifiedResNet *self, const Bottleneck *block, guint batch, GError **error)
{
  const ClipTracer *tracer = self->context.tracer;
  guint rows = batch * block->side * block->side;
  gpointer inner = self->work[1];
  const ClipAveragePool pool = { .batch = batch,
    .height = block->side,
    .width = block->side,
    .channels = block->planes,
    .k = block->stride,
    .number = self->context.number,
    .src = self->work[1],
    .dst = self->work[0] };

  if (!clip_linear_run (
          block->conv1, rows, get_input (self), self->work[0], error))
    return FALSE;
  clip_tracer_show (tracer, shown (self, self->work[0], rows, block->planes),
      "visual.layer%u.%u.relu", block->stage, block->index);
  if (!clip_convolution_run (
          block->conv2, batch, self->work[0], self->work[1], error))
    return FALSE;
  clip_tracer_show (tracer, shown (self, self->work[1], rows, block->planes),
      "visual.layer%u.%u.relu#2", block->stage, block->index);
  if (block->stride == 1) {
    self->work[1] = self->work[0];
    self->work[0] = inner;
    return TRUE;
  }
  clip_rows_average_pool (self->context.engine, &pool);
  clip_tracer_show (tracer,
      shown (self, self->work[0], rows / (block->stride * block->stride),
          block->planes),
      "visual.layer%u.%u.avgpool", block->stage, block->index);
  return TRUE;
}

/* maps[0] and its copy -> maps[0] and its copy */
static gboolean
run_bottleneck (
    ModifiedResNet *self, const Bottleneck *block, guint batch, GError **error)
{
  guint out_side = block->side / block->stride;
  guint channels = EXPANSION * block->planes;
  guint rows = batch * out_side * out_side;

  if (!run_branch (self, block, batch, error) ||
      !run_shortcut (self, block, batch, error) ||
      !clip_linear_run (
          block->conv3, rows, self->work[0], self->maps[0], error))
    return FALSE;
  copy_map (self, (gsize)rows * channels);
  clip_tracer_show (self->context.tracer,
      (ClipShown){ CLIP_F32, self->maps[0], rows, channels },
      "visual.layer%u.%u", block->stage, block->index);
  return TRUE;
}

static gboolean
modified_resnet_run (gpointer tower, guint batch, const gfloat *pixels,
    gfloat *embeddings, GError **error)
{
  ModifiedResNet *self = tower;

  if (!run_stem (self, batch, pixels, error))
    return FALSE;
  for (guint i = 0; i < self->n_bottlenecks; i++)
    if (!run_bottleneck (self, &self->bottlenecks[i], batch, error))
      return FALSE;
  return clip_attention_pool_run (
      self->pool, batch, self->maps[0], embeddings, error);
}

const ClipVisionTower clip_modified_resnet_tower = {
  .name = "modified-resnet",
  .build = modified_resnet_build,
  .free = modified_resnet_free,
  .run = modified_resnet_run,
};
