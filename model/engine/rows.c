/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Each kernel runs over the rows from … to - 1 in one thread; the function of
 * the door divides the rows among the team. */

#include "engine/rows.h"

#include "engine/activation.h"
#include "engine/engine-private.h"

#include <math.h>

/* src may be dst, element by element: no order is broken. */
CLIP_INLINE void
norm_row (const ClipLayerNorm *norm, gsize row, ClipNumber number)
{
  const gfloat *gamma = norm->gamma, *beta = norm->beta;
  guint width = norm->width;
  const gfloat *src = norm->src + row * width;
  gpointer dst = clip_number_at (number, norm->dst, row * width);
  gdouble sum = 0.0, squares = 0.0; /* exact whatever the vector's width */
  gfloat mean, scale;

#pragma omp simd reduction(+ : sum)
  for (guint i = 0; i < width; i++)
    sum += src[i];
  mean = sum / width;
#pragma omp simd reduction(+ : squares)
  for (guint i = 0; i < width; i++)
    squares += (src[i] - mean) * (src[i] - mean);
  scale = 1.0 / sqrt (squares / width + norm->eps);
#pragma omp simd
  for (guint i = 0; i < width; i++)
    clip_value_store (
        dst, i, number, (src[i] - mean) * scale * gamma[i] + beta[i]);
}

CLIP_VECTORISED void
clip_rows_norm_part (gconstpointer job, guint part, guint from, guint to)
{
  const ClipLayerNorm *norm = job;

  if (norm->number == CLIP_BF16)
    for (gsize row = from; row < to; row++)
      norm_row (norm, row, CLIP_BF16);
  else
    for (gsize row = from; row < to; row++)
      norm_row (norm, row, CLIP_F32);
}

void
clip_rows_layer_norm (ClipEngine *engine, const ClipLayerNorm *norm)
{
  clip_engine_share (engine, norm->rows, (gsize)norm->rows * norm->width,
      clip_rows_norm_part, norm);
}

/* Channels added up at a time: they stay in registers. */
#define POOL_CHANNELS 64

/* One pixel of dst, of k x k of src; @y counts the rows of all pictures. */
CLIP_INLINE void
pool_pixel (const ClipAveragePool *pool, gsize y, gsize x, ClipNumber number)
{
  gsize k = pool->k, channels = pool->channels;
  gsize src_stride = (gsize)pool->width * channels;
  gsize src = y * k * src_stride + x * k * channels;
  gsize dst = (y * (pool->width / k) + x) * channels;
  gfloat scale = 1.0f / ((gfloat)k * k);

  for (gsize first = 0; first < channels; first += POOL_CHANNELS) {
    gsize n = MIN (POOL_CHANNELS, channels - first);
    gfloat sums[POOL_CHANNELS] = { 0 };

    for (gsize i = 0; i < k; i++)
      for (gsize j = 0; j < k; j++)
#pragma omp simd
        for (gsize c = 0; c < n; c++)
          sums[c] += clip_value_load (pool->src,
              src + i * src_stride + j * channels + first + c, number);
#pragma omp simd
    for (gsize c = 0; c < n; c++)
      clip_value_store (pool->dst, dst + first + c, number, sums[c] * scale);
  }
}

/* A row of dst is made of k rows of src, whatever picture it belongs to. */
CLIP_VECTORISED static void
run_average_pool (gconstpointer job, guint part, guint from, guint to)
{
  const ClipAveragePool *pool = job;

  for (gsize y = from; y < to; y++)
    for (gsize x = 0; x < pool->width / pool->k; x++)
      if (pool->number == CLIP_BF16)
        pool_pixel (pool, y, x, CLIP_BF16);
      else
        pool_pixel (pool, y, x, CLIP_F32);
}

void
clip_rows_average_pool (ClipEngine *engine, const ClipAveragePool *pool)
{
  guint k = pool->k;

  g_return_if_fail (k > 0 && pool->height % k == 0 && pool->width % k == 0);
  clip_engine_share (engine, pool->batch * (pool->height / k),
      (gsize)pool->batch * pool->height * pool->width * pool->channels,
      run_average_pool, pool);
}

typedef struct {
  gsize n;
  const gfloat *src;
  ClipNumber number;
  gpointer dst;
} Convert;

CLIP_VECTORISED static void
run_convert (gconstpointer job, guint part, guint from, guint to)
{
  const Convert *convert = job;
  gsize first = (gsize)from * CLIP_LINE;
  gsize end = MIN ((gsize)to * CLIP_LINE, convert->n);

  if (convert->number == CLIP_BF16)
#pragma omp simd
    for (gsize i = first; i < end; i++)
      clip_value_store (convert->dst, i, CLIP_BF16, convert->src[i]);
  else
    memcpy ((gfloat *)convert->dst + first, convert->src + first,
        sizeof (gfloat) * (end - first));
}

void
clip_rows_convert (ClipEngine *engine, gsize n, const gfloat *src,
    ClipNumber number, gpointer dst)
{
  const Convert convert = { n, src, number, dst };

  clip_engine_share (
      engine, (n + CLIP_LINE - 1) / CLIP_LINE, n, run_convert, &convert);
}

void
clip_rows_read (gsize n, ClipNumber number, gconstpointer src, gfloat *dst)
{
  for (gsize i = 0; i < n; i++)
    dst[i] = clip_value_load (src, i, number);
}

typedef struct {
  const ClipActivationEntry *entry;
  gsize n_floats;
  gfloat *values;
} Activate;

static void
run_activate (gconstpointer job, guint part, guint from, guint to)
{
  const Activate *activate = job;
  gsize first = (gsize)from * CLIP_LINE;
  gsize end = MIN ((gsize)to * CLIP_LINE, activate->n_floats);

  activate->entry->run (end - first, activate->values + first);
}

void
clip_rows_activate (ClipEngine *engine, ClipActivation activation,
    gsize n_floats, gfloat *values)
{
  const Activate activate = { clip_activation_get_entry (activation), n_floats,
    values };

  if (activate.entry->run != NULL && n_floats > 0)
    clip_engine_share (engine, (n_floats + CLIP_LINE - 1) / CLIP_LINE, n_floats,
        run_activate, &activate);
}

gboolean
clip_rows_normalise (guint width, gfloat *row)
{
  gdouble squares = 0.0, scale;

  for (guint i = 0; i < width; i++)
    squares += (gdouble)row[i] * row[i];
  if (!(squares > 0.0) || !isfinite (squares))
    return FALSE;
  scale = 1.0 / sqrt (squares);
  for (guint i = 0; i < width; i++)
    row[i] = row[i] * scale;
  return TRUE;
}

/* The largest of n floats. */
CLIP_INLINE gfloat
find_most (const gfloat *values, gsize n)
{
  gint32 most = G_MININT32;

  for (gsize i = 0; i < n; i++) {
    gint32 order = clip_order_from_float (values[i]);

    most = MAX (most, order);
  }
  return clip_order_to_float (most);
}

/* The sum of whole lines. */
CLIP_INLINE gfloat
add_up (const gfloat *values, gsize n)
{
  ClipLine sums = { 0 };
  gfloat sum = 0.0f;

  for (gsize i = 0; i < n; i += CLIP_LINE)
    sums += *(const ClipLine *)(values + i);
  for (guint i = 0; i < CLIP_LINE / 4; i++)
    sum += (sums[i] + sums[i + 4]) + (sums[i + 8] + sums[i + 12]);
  return sum;
}

/* e to this, over a sum of up to a thousand, is still a normal number: what is
 * less is 0. With subnormal weights oneDNN multiplies the values of 12 heads
 * and 197 tokens in 63 ms instead of 0.4 (2.6.3, f32, AVX-512): attention that
 * is sharp would stop a camera. */
#define NOTHING -80.0f

CLIP_INLINE void
softmax_rows (const ClipSoftmax *softmax, ClipNumber number)
{
  for (gsize t = 0; t < softmax->rows; t++) {
    gfloat *row = softmax->scores + t * softmax->stride;
    guint n_keys = softmax->n_keys, width = softmax->width;
    guint seen = softmax->causal ? softmax->first + t + 1 : n_keys;
    guint n = MIN (seen, n_keys);
    gsize first = t * softmax->stride;
    /* Whole lines, so that no row ends in single steps. */
    gsize whole = (gsize)((n + CLIP_LINE - 1) / CLIP_LINE) * CLIP_LINE;
    gfloat most, inverse;

    for (gsize i = n; i < whole; i++)
      row[i] = -G_MAXFLOAT;
    most = find_most (row, whole);
    for (gsize i = 0; i < whole; i++) {
      gfloat x = (row[i] - most) * softmax->scale;

      row[i] = x < NOTHING ? 0.0f : clip_exp (x);
    }
    memset (row + n, 0, (MAX (width, whole) - n) * sizeof *row);
    inverse = 1.0f / add_up (row, whole);
    for (gsize i = 0; i < whole; i++)
      clip_value_store (softmax->dst, first + i, number, row[i] * inverse);
    for (gsize i = whole; i < width; i++)
      clip_value_store (softmax->dst, first + i, number, 0.0f);
  }
}

CLIP_VECTORISED void
clip_rows_softmax (const ClipSoftmax *softmax)
{
  if (softmax->number == CLIP_BF16)
    softmax_rows (softmax, CLIP_BF16);
  else
    softmax_rows (softmax, CLIP_F32);
}
