/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The door of engine/: tensor work. The only room that speaks oneDNN (both
 * majors, 2.6 and 3.x); everybody else says "linear", "convolution",
 * "attention".
 *
 * Threads. An engine and everything made with it belong to ONE thread, the
 * worker that called clip_engine_new(): oneDNN's primitives take their blocking
 * and scratchpad from the OpenMP team of the thread that creates them, and all
 * of them share the engine's scratchpad, so one call runs at a time. Building
 * and running in another thread is refused.
 *
 * Memory. Layers own their packed weights (one copy, whatever the number of
 * shapes); the arrays given to a constructor are read and may be freed when it
 * returns. Activations belong to the caller: row-major, channels last, 64-byte
 * aligned (clip_engine_alloc()). No run function allocates.
 *
 * Numbers. Each layer says whether its operands are f32 or bf16; whatever they
 * are, sums are f32, and so are weights and biases as they are handed in. A
 * linear layer may multiply in bytes between them.
 *
 * Shapes are fixed at construction: each layer is told every row count (or
 * batch) it will ever run, ascending. Every dimension is bounded before oneDNN
 * sees it. */
#pragma once

#include "clip-precision.h"
#include "load/load.h"

/* Bounds: of one dimension, of one tensor's elements, and of a shape list. */
#define CLIP_ENGINE_MAX_DIM (1u << 24)
#define CLIP_ENGINE_MAX_ELEMENTS (G_GUINT64_CONSTANT (1) << 31)
#define CLIP_ENGINE_MAX_SHAPES 16

typedef struct _ClipEngine ClipEngine;

/* How the values of an array lie in memory. */
typedef enum {
  CLIP_F32, /* gfloat */
  CLIP_BF16 /* guint16: the upper half of a float, rounded to nearest even */
} ClipNumber;

/* Bytes of one. */
static inline gsize
clip_number_get_size (ClipNumber number)
{
  return number == CLIP_BF16 ? sizeof (guint16) : sizeof (gfloat);
}

/* The value @index of an array. */
static inline gpointer
clip_number_at (ClipNumber number, gconstpointer values, gsize index)
{
  return (guint8 *)values + index * clip_number_get_size (number);
}

/* Sets the calling thread's OpenMP team to @n_threads (clamped to 1 … the
 * usable CPUs and what the OMP_ variables allow) for as long as the thread
 * lives, and fixes it: a team that turned out smaller would leave parts undone.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_COMPUTE. */
ClipEngine *clip_engine_new (guint n_threads, GError **error);

/* After everything made with it. NULL is allowed. */
void clip_engine_free (ClipEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipEngine, clip_engine_free)

/* Lets the teams of other engines have the CPUs while layers are read.
 *
 * @turn: (nullable): called in this thread before (@begins) and after each
 *   layer is packed */
void clip_engine_set_turn (ClipEngine *engine,
    void (*turn) (gboolean begins, gpointer user_data), gpointer user_data);

/* Around what else keeps the team busy then. */
void clip_engine_take_turn (ClipEngine *engine, gboolean begins);

/* What runs on this CPU where @wanted is asked for: int8 where it has VNNI
 * (AVX512-VNNI, AVX-VNNI, AMX), bf16 where it has AVX512-BF16, else f32. What
 * @wanted int8 becomes without VNNI is what AUTO is. Never CLIP_PRECISION_AUTO.
 */
ClipPrecision clip_engine_choose_precision (ClipPrecision wanted);

guint clip_engine_get_n_threads (const ClipEngine *engine);

/* Bytes of packed weights held by all living layers of the engine. */
gsize clip_engine_get_packed_size (const ClipEngine *engine);

/* "oneDNN 2.6.3, avx512_core_bf16"; owned by the engine. */
const gchar *clip_engine_describe (const ClipEngine *engine);

/* @n zeroed activations, 64-byte aligned; huge pages where large (2 MiB and
 * up).
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NO_SPACE; free with
 *   clip_engine_free_values(). */
gpointer clip_engine_alloc (gsize n, ClipNumber number, GError **error);
void clip_engine_free_values (gpointer values); /* NULL is allowed */

/* --- linear: dst = activation (src · Wᵀ + bias [+ dst]) --- */

typedef struct {
  const gchar *name; /* for error messages; copied */
  guint in_features;
  guint out_features;
  gboolean transposed; /* @weights are [in, out]: a bare CLIP projection */
  gboolean accumulate; /* add what dst holds before the activation (residual) */
  ClipActivation activation;
  const guint *rows; /* ascending, at most CLIP_ENGINE_MAX_SHAPES */
  guint n_rows;
  ClipNumber src;    /* of src and, where not @in_bytes, the packed weights */
  ClipNumber dst;    /* bf16 only where src is */
  gboolean in_bytes; /* multiply 8-bit integers: weights with a scale for each
                        out feature, src with one for each row and run. For
                        clip_engine_choose_precision (CLIP_PRECISION_INT8); not
                        @transposed, and not more than 66311 in_features, whose
                        products 32 bits hold */
  const gfloat *smoothing; /* (nullable): [in_features], above 0: with
                              @in_bytes, by what src is divided and the weights
                              are multiplied before they become bytes */
} ClipLinearSpec;

typedef struct _ClipLinear ClipLinear;

/* @weights: [out, in] as PyTorch has it (or [in, out] if @transposed)
 * @bias: (nullable): [out]
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_COMPUTE or _NO_SPACE. */
ClipLinear *clip_linear_new (ClipEngine *engine, const ClipLinearSpec *spec,
    const gfloat *weights, const gfloat *bias, GError **error);
void clip_linear_free (ClipLinear *linear);

/* oneDNN's name for the code that multiplies the most rows: static. */
const gchar *clip_linear_get_implementation (const ClipLinear *linear);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipLinear, clip_linear_free)

/* @rows: one of the spec's
 * @src: [rows, in_features]
 * @dst: [rows, out_features]; must not overlap @src; untouched rows beyond
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE. */
gboolean clip_linear_run (ClipLinear *linear, guint rows, gconstpointer src,
    gpointer dst, GError **error);

/* --- convolution: NHWC, dst = activation (src * W + bias [+ dst]) --- */

typedef struct {
  const gchar *name; /* copied */
  guint in_channels;
  guint out_channels;
  guint height; /* of src */
  guint width;
  guint kernel[2];   /* height, width */
  guint stride[2];   /* at least 1 */
  guint padding[2];  /* zeros, on both sides */
  guint dilation[2]; /* 1 = dense, as PyTorch counts */
  guint groups;      /* at least 1 */
  gboolean accumulate;
  ClipActivation activation;
  const guint *batches; /* ascending, at most CLIP_ENGINE_MAX_SHAPES */
  guint n_batches;
  ClipNumber number; /* of src, the packed weights and dst */
} ClipConvolutionSpec;

typedef struct _ClipConvolution ClipConvolution;

/* A 1x1 convolution of stride 1, without padding and groups, is a linear layer
 * on the NHWC rows (as fast, and it avoids a division by zero inside oneDNN
 * 3.7.2 on some virtual machines). Other 1x1 convolutions are refused.
 *
 * @weights: [out, in / groups, kernel height, kernel width] as PyTorch has it
 * @bias: (nullable): [out]
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_COMPUTE or _NO_SPACE. */
ClipConvolution *clip_convolution_new (ClipEngine *engine,
    const ClipConvolutionSpec *spec, const gfloat *weights, const gfloat *bias,
    GError **error);
void clip_convolution_free (ClipConvolution *convolution);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipConvolution, clip_convolution_free)

/* Height and width of dst. */
guint clip_convolution_get_out_height (const ClipConvolution *convolution);
guint clip_convolution_get_out_width (const ClipConvolution *convolution);

/* @batch: one of the spec's
 * @src: [batch, height, width, in_channels]
 * @dst: [batch, out height, out width, out_channels]; must not overlap @src
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE. */
gboolean clip_convolution_run (ClipConvolution *convolution, guint batch,
    gconstpointer src, gpointer dst, GError **error);

/* --- attention: softmax (Q Kᵀ / √D + mask) V, by groups of heads --- */

typedef struct {
  const gchar *name; /* copied */
  guint heads;
  guint head_width;
  gsize q_stride;      /* values from one row to the next; 3 * heads * */
  gsize kv_stride;     /* head_width where q, k, v come from one product */
  gboolean causal;     /* token t sees 0 … t */
  gboolean one_query;  /* one row asks, any one: dst has one row */
  const guint *tokens; /* row counts of one sequence, ascending */
  guint n_tokens;      /* at most CLIP_ENGINE_MAX_SHAPES */
  ClipNumber number;   /* of q, k, v and dst; the one query's q is f32 */
} ClipAttentionSpec;

typedef struct _ClipAttention ClipAttention;

/* The strides are fixed here because oneDNN's products read q, k and v where
 * they lie. @one_query with @causal is refused: which token asks is not known,
 * @n_keys says what it sees.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_COMPUTE or _NO_SPACE. */
ClipAttention *clip_attention_new (
    ClipEngine *engine, const ClipAttentionSpec *spec, GError **error);
void clip_attention_free (ClipAttention *attention);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipAttention, clip_attention_free)

/* Where a sequence lies among the rows. Those beyond its tokens are padding:
 * finite, computed, and masked for the tokens. */
typedef struct {
  guint first_row;
  guint n_rows;   /* one of the spec's tokens */
  guint n_tokens; /* 1 … n_rows */
} ClipSequence;

/* A head h is the columns h*D … (h+1)*D - 1. */
typedef struct {
  const ClipSequence *sequences;
  guint n_sequences;
  /* Row 0 of each; the strides are the spec's. Of one query, q has a dense row
   * for each sequence. */
  gconstpointer q;
  gconstpointer k;
  gconstpointer v;
  gpointer dst; /* rows as of q, heads * head_width, dense */
} ClipAttentionRun;

/* All sequences and heads in one parallel region.
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE. */
gboolean clip_attention_run (
    ClipAttention *attention, const ClipAttentionRun *run, GError **error);

/* --- rows: what is not a product; plain C that the compiler vectorises, in
 * the engine's team --- */

typedef struct {
  guint rows;
  guint width;
  const gfloat *src;   /* [rows, width] */
  const gfloat *gamma; /* [width] */
  const gfloat *beta;
  gfloat eps;
  ClipNumber number; /* of dst */
  gpointer dst;      /* may be src where that is f32 */
} ClipLayerNorm;

/* (x - mean) / sqrt (biased variance + eps) * gamma + beta over each row. */
void clip_rows_layer_norm (ClipEngine *engine, const ClipLayerNorm *norm);

/* The same, and between layers in bytes also what @linear begins with, while
 * each row is warm: its clip_linear_run(), with the norm's dst as src, must be
 * the next of the engine's runs.
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE. */
gboolean clip_linear_norm (
    ClipLinear *linear, const ClipLayerNorm *norm, GError **error);

typedef struct {
  const ClipLayerNorm *norm; /* (nullable): of what the layer gives */
  ClipLinear *linear;        /* whose src its dst is, or the layer's own */
} ClipLinearNext;

/* As clip_linear_run(), clip_rows_layer_norm() and, between layers in bytes,
 * what @next->linear begins with, while each row is warm: its run, of as many
 * rows, must be the next of the engine's runs.
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE. */
gboolean clip_linear_run_before (ClipLinear *linear, guint rows,
    gconstpointer src, gpointer dst, const ClipLinearNext *next,
    GError **error);

typedef struct {
  guint batch;
  guint height; /* of src, as width a multiple of k */
  guint width;
  guint channels;
  guint k;
  ClipNumber number; /* of src and dst */
  gconstpointer src; /* [batch, height, width, channels] */
  gpointer dst;      /* [batch, height / k, width / k, channels] */
} ClipAveragePool;

/* The mean of k x k pixels, with stride k. */
void clip_rows_average_pool (ClipEngine *engine, const ClipAveragePool *pool);

/* f32 to @number. */
void clip_rows_convert (ClipEngine *engine, gsize n, const gfloat *src,
    ClipNumber number, gpointer dst);

/* @number to f32. */
void clip_rows_read (
    gsize n, ClipNumber number, gconstpointer src, gfloat *dst);

/* In place; from the table that the products' activations come from. */
void clip_rows_activate (ClipEngine *engine, ClipActivation activation,
    gsize n_floats, gfloat *values);

/* Scales @row to length 1. Returns: FALSE where its length is 0 or not finite
 * (row untouched). */
gboolean clip_rows_normalise (guint width, gfloat *row);
