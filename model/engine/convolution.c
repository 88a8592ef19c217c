/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: B batch, C in channels, O out channels, G groups, H height, W width;
 * index 0 of a pair is the height's, 1 the width's. */

#include "clip-error.h"
#include "engine/layer.h"

struct _ClipConvolution {
  ClipLayer layer;    /* unused where it is a product on rows */
  ClipLinear *linear; /* 1x1, or NULL */
  guint src_pixels;
  guint out[2];
};

static gboolean
is_pointwise (const ClipConvolutionSpec *spec)
{
  return spec->kernel[0] == 1 && spec->kernel[1] == 1;
}

static gboolean
is_plain (const ClipConvolutionSpec *spec)
{
  return spec->stride[0] == 1 && spec->stride[1] == 1 &&
         spec->padding[0] == 0 && spec->padding[1] == 0 && spec->groups == 1;
}

/* One side: what the kernel spans, and how often it fits. */
static gboolean
measure_side (
    const ClipConvolutionSpec *spec, guint side, guint *out, GError **error)
{
  guint64 size = side == 0 ? spec->height : spec->width;
  guint64 span = (guint64)(spec->kernel[side] - 1) * spec->dilation[side] + 1;
  guint64 padded = size + 2 * (guint64)spec->padding[side];

  if (spec->padding[side] >= span || span > padded) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "a kernel that spans %" G_GUINT64_FORMAT
        " pixels does not fit %" G_GUINT64_FORMAT " with a padding of %u",
        span, size, spec->padding[side]);
    return FALSE;
  }
  *out = (padded - span) / spec->stride[side] + 1;
  return TRUE;
}

static gboolean
check_groups (const ClipConvolutionSpec *spec, GError **error)
{
  if (spec->in_channels % spec->groups == 0 &&
      spec->out_channels % spec->groups == 0)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
      "%u input and %u output channels do not divide into %u groups",
      spec->in_channels, spec->out_channels, spec->groups);
  return FALSE;
}

static gboolean
check_spec (const ClipConvolutionSpec *spec, guint out[2], GError **error)
{
  guint least, most;

  if (!clip_engine_check_counts (
          "batches", spec->batches, spec->n_batches, error))
    return FALSE;
  least = spec->batches[0];
  most = spec->batches[spec->n_batches - 1];
  if (is_pointwise (spec) && !is_plain (spec)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "a 1x1 kernel with stride, padding or groups is not supported");
    return FALSE;
  }
  return clip_engine_check_dims ("the weights [out, in, height, width]",
             (guint64[]){ spec->out_channels, spec->in_channels,
                 spec->kernel[0], spec->kernel[1] },
             4, error) &&
         clip_engine_check_dims ("stride, dilation and groups",
             (guint64[]){ spec->stride[0], spec->stride[1], spec->dilation[0],
                 spec->dilation[1], spec->groups, least },
             6, error) &&
         clip_engine_check_dims ("the input [batch, height, width, channels]",
             (guint64[]){ most, spec->height, spec->width, spec->in_channels },
             4, error) &&
         check_groups (spec, error) && measure_side (spec, 0, &out[0], error) &&
         measure_side (spec, 1, &out[1], error) &&
         clip_engine_check_dims ("the output [batch, height, width, channels]",
             (guint64[]){ most, out[0], out[1], spec->out_channels }, 4, error);
}

/* weights: [G, O / G, C / G, H, W] */
static gboolean
init_weights_desc (ClipDesc *desc, const ClipConvolutionSpec *spec,
    gboolean packed, GError **error)
{
  dnnl_dim_t g = spec->groups;
  dnnl_data_type_t type = packed ? CLIP_DATA_TYPE (spec->number) : dnnl_f32;

  if (g == 1)
    return CHECK (clip_desc_init_by_tag (desc, 4,
        (dnnl_dims_t){ spec->out_channels, spec->in_channels, spec->kernel[0],
            spec->kernel[1] },
        type, packed ? dnnl_format_tag_any : dnnl_oihw));
  return CHECK (clip_desc_init_by_tag (desc, 5,
      (dnnl_dims_t){ g, spec->out_channels / g, spec->in_channels / g,
          spec->kernel[0], spec->kernel[1] },
      type, packed ? dnnl_format_tag_any : dnnl_goihw));
}

/* oneDNN names the dimensions of NHWC memory in the order NCHW. */
static gboolean
build_shape (ClipConvolution *convolution, const ClipConvolutionSpec *spec,
    guint shape, gboolean has_bias, GError **error)
{
  dnnl_dim_t b = spec->batches[shape];
  dnnl_data_type_t type = CLIP_DATA_TYPE (spec->number);
  const ClipConvolutionGeometry geometry = { .strides = { spec->stride[0],
                                                 spec->stride[1] },
    .dilates = { spec->dilation[0] - 1, spec->dilation[1] - 1 },
    .padding = { spec->padding[0], spec->padding[1] } };
  g_auto (ClipDesc) src = { 0 };
  g_auto (ClipDesc) weights = { 0 };
  g_auto (ClipDesc) bias = { 0 };
  g_auto (ClipDesc) dst = { 0 };
  const ClipProductSpec product = { .descs = { &src, &weights,
                                        has_bias ? &bias : NULL, &dst },
    .geometry = &geometry,
    .accumulate = spec->accumulate,
    .activation = spec->activation };

  return CHECK (clip_desc_init_by_tag (&src, 4,
             (dnnl_dims_t){ b, spec->in_channels, spec->height, spec->width },
             type, dnnl_nhwc)) &&
         init_weights_desc (&weights, spec, TRUE, error) &&
         CHECK (clip_desc_init_by_tag (&bias, 1,
             (dnnl_dims_t){ spec->out_channels }, dnnl_f32, dnnl_a)) &&
         CHECK (clip_desc_init_by_tag (&dst, 4,
             (dnnl_dims_t){ b, spec->out_channels, convolution->out[0],
                 convolution->out[1] },
             type, dnnl_nhwc)) &&
         clip_layer_build (&convolution->layer, shape, &product, error);
}

static gboolean
build (ClipConvolution *convolution, const ClipConvolutionSpec *spec,
    const gfloat *weights, const gfloat *bias, GError **error)
{
  g_auto (ClipDesc) desc = { 0 };

  for (guint i = spec->n_batches; i-- > 0;)
    if (!build_shape (convolution, spec, i, bias != NULL, error))
      return FALSE;
  return init_weights_desc (&desc, spec, FALSE, error) &&
         clip_layer_pack (&convolution->layer, &desc, weights, bias, error);
}

static ClipLinear *
build_linear (ClipEngine *engine, const ClipConvolutionSpec *spec,
    const gfloat *weights, const gfloat *bias, GError **error)
{
  guint rows[CLIP_ENGINE_MAX_SHAPES];
  const ClipLinearSpec linear = { .name = spec->name,
    .in_features = spec->in_channels,
    .out_features = spec->out_channels,
    .src = spec->number,
    .dst = spec->number,
    .accumulate = spec->accumulate,
    .activation = spec->activation,
    .rows = rows,
    .n_rows = spec->n_batches };

  for (guint i = 0; i < spec->n_batches; i++)
    rows[i] = spec->batches[i] * spec->height * spec->width;
  return clip_linear_new (engine, &linear, weights, bias, error);
}

ClipConvolution *
clip_convolution_new (ClipEngine *engine, const ClipConvolutionSpec *spec,
    const gfloat *weights, const gfloat *bias, GError **error)
{
  g_autoptr (ClipConvolution) convolution = g_new0 (ClipConvolution, 1);
  gboolean is_built;

  if (!check_spec (spec, convolution->out, error) ||
      !clip_engine_check_thread (engine, error)) {
    g_prefix_error (error, "%s: ", spec->name);
    return NULL;
  }
  convolution->src_pixels = spec->height * spec->width;
  if (is_pointwise (spec)) {
    convolution->linear = build_linear (engine, spec, weights, bias, error);
    return convolution->linear != NULL ? g_steal_pointer (&convolution) : NULL;
  }
  clip_layer_init (
      &convolution->layer, engine, spec->name, spec->batches, spec->n_batches);
  convolution->layer.dst_width = spec->out_channels;
  clip_engine_take_turn (engine, TRUE);
  is_built = build (convolution, spec, weights, bias, error);
  clip_engine_take_turn (engine, FALSE);
  if (!is_built) {
    g_prefix_error (error, "%s: ", spec->name);
    return NULL;
  }
  return g_steal_pointer (&convolution);
}

void
clip_convolution_free (ClipConvolution *convolution)
{
  if (convolution == NULL)
    return;
  clip_linear_free (convolution->linear);
  clip_layer_clear (&convolution->layer);
  g_free (convolution);
}

guint
clip_convolution_get_out_height (const ClipConvolution *convolution)
{
  return convolution->out[0];
}

guint
clip_convolution_get_out_width (const ClipConvolution *convolution)
{
  return convolution->out[1];
}

gboolean
clip_convolution_run (ClipConvolution *convolution, guint batch,
    gconstpointer src, gpointer dst, GError **error)
{
  if (convolution->linear != NULL)
    return clip_linear_run (
        convolution->linear, batch * convolution->src_pixels, src, dst, error);
  return clip_layer_run (&convolution->layer, batch, src, dst, error);
}
