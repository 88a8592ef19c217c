/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: B batch, T tokens, W width, M MLP width, E embedding, P side of a
 * patch. */

#include "shapes.h"

#include "engine/engine.h"

#define EXPANSION 4 /* of a bottleneck's last convolution */

static const gchar *const role_names[N_ROLES] = {
  [ROLE_PATCHES] = "patches",
  [ROLE_QKV] = "qkv",
  [ROLE_OUT] = "out",
  [ROLE_FC] = "fc",
  [ROLE_PROJ] = "proj",
  [ROLE_EMBEDDING] = "embedding",
  [ROLE_STEM] = "stem",
  [ROLE_PIXELS] = "pixels",
  [ROLE_MAPS] = "maps",
  [ROLE_SCORES] = "attention",
  [ROLE_VALUES] = "values",
};

/* As the engine multiplies: what is added to the residual stream, what softmax
 * reads and what becomes the embedding stays in 32 bits. */
/* clang-format off */
static const ShapeTypes f32 = { dnnl_f32, dnnl_f32, dnnl_f32 };
static const ShapeTypes bf16[N_ROLES] = {
  [ROLE_PATCHES] =   { dnnl_bf16, dnnl_bf16, dnnl_f32 },
  [ROLE_QKV] =       { dnnl_bf16, dnnl_bf16, dnnl_bf16 },
  [ROLE_OUT] =       { dnnl_bf16, dnnl_bf16, dnnl_f32 },
  [ROLE_FC] =        { dnnl_bf16, dnnl_bf16, dnnl_bf16 },
  [ROLE_PROJ] =      { dnnl_bf16, dnnl_bf16, dnnl_f32 },
  [ROLE_EMBEDDING] = { dnnl_bf16, dnnl_bf16, dnnl_f32 },
  [ROLE_STEM] =      { dnnl_f32, dnnl_f32, dnnl_f32 },
  [ROLE_PIXELS] =    { dnnl_bf16, dnnl_bf16, dnnl_bf16 },
  [ROLE_MAPS] =      { dnnl_bf16, dnnl_bf16, dnnl_f32 },
  [ROLE_SCORES] =    { dnnl_bf16, dnnl_bf16, dnnl_f32 },
  [ROLE_VALUES] =    { dnnl_bf16, dnnl_bf16, dnnl_bf16 },
};
/* clang-format on */

static const ShapeTypes bytes = { dnnl_u8, dnnl_s8, dnnl_s32 };

static gboolean
is_in_bytes (ShapeRole role)
{
  return role == ROLE_QKV || role == ROLE_OUT || role == ROLE_FC ||
         role == ROLE_PROJ;
}

const ShapeTypes *
shape_types (ShapeRole role, ClipPrecision precision)
{
  if (precision == CLIP_PRECISION_INT8 && is_in_bytes (role))
    return &bytes;
  if (precision == CLIP_PRECISION_INT8)
    precision = clip_engine_choose_precision (CLIP_PRECISION_AUTO);
  return precision == CLIP_PRECISION_BF16 ? &bf16[role] : &f32;
}

static void
add_product (GArray *shapes, ShapeRole role, guint rows, guint in, guint out)
{
  const Shape shape = { SHAPE_PRODUCT, role, rows, in, out };

  g_array_append_val (shapes, shape);
}

static void
add_block (
    GArray *shapes, const ClipVisionConfig *vision, guint batch, guint tokens)
{
  guint rows = batch * tokens, W = vision->width, M = vision->mlp_width;
  const Shape attention = { .kind = SHAPE_ATTENTION,
    .role = ROLE_SCORES,
    .batch = batch,
    .heads = vision->heads,
    .in = W / vision->heads,
    .tokens = tokens,
    .queries = tokens };

  add_product (shapes, ROLE_QKV, rows, W, 3 * W);
  g_array_append_val (shapes, attention);
  add_product (shapes, ROLE_OUT, rows, W, W);
  add_product (shapes, ROLE_FC, rows, W, M);
  add_product (shapes, ROLE_PROJ, rows, M, W);
}

/* Keys and values of all rows, all else of one. */
static void
add_one_query (GArray *shapes, guint batch, guint tokens, guint W, guint heads)
{
  const Shape attention = { .kind = SHAPE_ATTENTION,
    .role = ROLE_SCORES,
    .batch = batch,
    .heads = heads,
    .in = W / heads,
    .tokens = tokens,
    .queries = 1 };

  add_product (shapes, ROLE_QKV, batch * tokens, W, 2 * W);
  add_product (shapes, ROLE_QKV, batch, W, W);
  g_array_append_val (shapes, attention);
}

static void
add_vision_transformer (GArray *shapes, const ClipConfig *config, guint batch)
{
  const ClipVisionConfig *vision = &config->vision;
  guint W = vision->width, M = vision->mlp_width, P = vision->patch_size;
  guint n_patches = (vision->image_size / P) * (vision->image_size / P);

  add_product (shapes, ROLE_PATCHES, batch * n_patches, 3 * P * P, W);
  for (guint i = 0; i + 1 < vision->n_layers; i++)
    add_block (shapes, vision, batch, n_patches + 1);
  add_one_query (shapes, batch, n_patches + 1, W, vision->heads);
  add_product (shapes, ROLE_OUT, batch, W, W);
  add_product (shapes, ROLE_FC, batch, W, M);
  add_product (shapes, ROLE_PROJ, batch, M, W);
  add_product (shapes, ROLE_EMBEDDING, batch, W, config->embed_dim);
}

static void
add_convolution (GArray *shapes, ShapeRole role, guint batch, guint side,
    guint stride, const guint widths[2])
{
  const Shape shape = { .kind = SHAPE_CONVOLUTION,
    .role = role,
    .batch = batch,
    .side = side,
    .stride = stride,
    .in = widths[0],
    .out = widths[1] };

  g_array_append_val (shapes, shape);
}

/* Returns the side of what comes out. */
static guint
add_bottleneck (GArray *shapes, guint batch, guint side, guint stride,
    const guint widths[2])
{
  guint channels = widths[0], planes = widths[1];
  guint out_side = side / stride, out_rows = batch * out_side * out_side;

  add_product (shapes, ROLE_PIXELS, batch * side * side, channels, planes);
  add_convolution (
      shapes, ROLE_PIXELS, batch, side, 1, (guint[2]){ planes, planes });
  if (channels != EXPANSION * planes || stride > 1)
    add_product (shapes, ROLE_MAPS, out_rows, channels, EXPANSION * planes);
  add_product (shapes, ROLE_MAPS, out_rows, planes, EXPANSION * planes);
  return out_side;
}

static void
add_modified_resnet (GArray *shapes, const ClipConfig *config, guint batch)
{
  const ClipVisionConfig *vision = &config->vision;
  guint W = vision->width, channels = W, side = vision->image_size / 2;

  add_convolution (
      shapes, ROLE_STEM, batch, vision->image_size, 2, (guint[2]){ 3, W / 2 });
  add_convolution (
      shapes, ROLE_STEM, batch, side, 1, (guint[2]){ W / 2, W / 2 });
  add_convolution (shapes, ROLE_STEM, batch, side, 1, (guint[2]){ W / 2, W });
  side /= 2;
  for (guint stage = 0; stage < G_N_ELEMENTS (vision->stage_layers); stage++)
    for (guint i = 0; i < vision->stage_layers[stage]; i++) {
      side = add_bottleneck (shapes, batch, side, stage > 0 && i == 0 ? 2 : 1,
          (guint[2]){ channels, W << stage });
      channels = EXPANSION * (W << stage);
    }
  add_one_query (shapes, batch, side * side + 1, channels, vision->heads);
  add_product (shapes, ROLE_EMBEDDING, batch, channels, config->embed_dim);
}

GArray *
shapes_new (const ClipConfig *config, guint batch)
{
  GArray *shapes = g_array_new (FALSE, TRUE, sizeof (Shape));

  if (config->vision.kind == CLIP_VISION_TRANSFORMER)
    add_vision_transformer (shapes, config, batch);
  else
    add_modified_resnet (shapes, config, batch);
  return shapes;
}

gdouble
shape_flops (const Shape *shape)
{
  gdouble out_side = shape->side / MAX (shape->stride, 1);

  switch (shape->kind) {
  case SHAPE_PRODUCT:
    return 2.0 * shape->rows * shape->in * shape->out;
  case SHAPE_CONVOLUTION:
    return 2.0 * 9 * shape->batch * out_side * out_side * shape->in *
           shape->out;
  default:
    return 2.0 * 2 * shape->batch * shape->heads * shape->queries *
           shape->tokens * shape->in;
  }
}

gsize
shape_src_size (const Shape *shape)
{
  switch (shape->kind) {
  case SHAPE_PRODUCT:
    return (gsize)shape->rows * shape->in;
  case SHAPE_CONVOLUTION:
    return (gsize)shape->batch * shape->side * shape->side * shape->in;
  default: /* q, k and v side by side */
    return (gsize)3 * shape->batch * shape->tokens * shape->heads * shape->in;
  }
}

gsize
shape_dst_size (const Shape *shape)
{
  gsize out_side = shape->side / MAX (shape->stride, 1);

  switch (shape->kind) {
  case SHAPE_PRODUCT:
    return (gsize)shape->rows * shape->out;
  case SHAPE_CONVOLUTION:
    return shape->batch * out_side * out_side * shape->out;
  default:
    return (gsize)shape->batch * shape->queries * shape->heads * shape->in;
  }
}

gchar *
shape_describe (const Shape *shape)
{
  const gchar *name = role_names[shape->role];

  switch (shape->kind) {
  case SHAPE_PRODUCT:
    return g_strdup_printf (
        "%s %u x %u x %u", name, shape->rows, shape->in, shape->out);
  case SHAPE_CONVOLUTION:
    return g_strdup_printf ("3x3 %u x %u x %u, %u to %u", shape->batch,
        shape->side, shape->side, shape->in, shape->out);
  default:
    return g_strdup_printf ("%s %u x %u heads, %u x %u x %u", name,
        shape->batch, shape->heads, shape->queries, shape->tokens, shape->in);
  }
}
