/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Each kernel runs over the rows from … to - 1 in one thread; the function of
 * the door divides the rows among the team. */

#include "engine/rows.h"

#include "engine/activation.h"
#include "engine/engine-private.h"

#include <math.h>

typedef struct {
  guint width;
  const gfloat *src;
  const gfloat *gamma;
  const gfloat *beta;
  gfloat eps;
  gfloat *dst;
} LayerNorm;

CLIP_VECTORISED static void
run_layer_norm (gconstpointer job, guint part, guint from, guint to)
{
  const LayerNorm *norm = job;
  const gfloat *gamma = norm->gamma, *beta = norm->beta;
  guint width = norm->width;

  for (gsize row = from; row < to; row++) {
    const gfloat *src = norm->src + row * width;
    gfloat *dst = norm->dst + row * width;
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
    /* src may be dst, element by element: no order is broken. */
#pragma omp simd
    for (guint i = 0; i < width; i++)
      dst[i] = (src[i] - mean) * scale * gamma[i] + beta[i];
  }
}

void
clip_rows_layer_norm (ClipEngine *engine, guint rows, guint width,
    const gfloat *src, const gfloat *gamma, const gfloat *beta, gfloat eps,
    gfloat *dst)
{
  const LayerNorm norm = { width, src, gamma, beta, eps, dst };

  clip_engine_share (engine, rows, (gsize)rows * width, run_layer_norm, &norm);
}

typedef struct {
  guint out_width; /* of dst, in pixels */
  guint channels;
  guint k;
  const gfloat *src;
  gfloat *dst;
} AveragePool;

/* A row of dst is made of k rows of src, whatever picture it belongs to. */
CLIP_VECTORISED static void
run_average_pool (gconstpointer job, guint part, guint from, guint to)
{
  const AveragePool *pool = job;
  guint k = pool->k, channels = pool->channels;
  gsize src_stride = (gsize)pool->out_width * k * channels;
  gfloat scale = 1.0f / ((gfloat)k * k);

  for (gsize y = from; y < to; y++)
    for (gsize x = 0; x < pool->out_width; x++) {
      const gfloat *src = pool->src + y * k * src_stride + x * k * channels;
      gfloat *dst = pool->dst + (y * pool->out_width + x) * channels;

      memset (dst, 0, channels * sizeof *dst);
      for (guint i = 0; i < k; i++)
        for (guint j = 0; j < k; j++)
#pragma omp simd
          for (gsize c = 0; c < channels; c++)
            dst[c] += src[i * src_stride + j * channels + c];
#pragma omp simd
      for (gsize c = 0; c < channels; c++)
        dst[c] *= scale;
    }
}

void
clip_rows_average_pool (ClipEngine *engine, guint batch, guint height,
    guint width, guint channels, guint k, const gfloat *src, gfloat *dst)
{
  const AveragePool pool = { width / k, channels, k, src, dst };

  g_return_if_fail (k > 0 && height % k == 0 && width % k == 0);
  clip_engine_share (engine, batch * (height / k),
      (gsize)batch * height * width * channels, run_average_pool, &pool);
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

/* The largest of n floats. Compilers keep the largest integer in a register,
 * and with all of NaN's rules to obey a float not; integers made from floats
 * like this have the floats' order, and the same step leads back. */
CLIP_INLINE gfloat
find_most (const gfloat *values, gsize n)
{
  gint32 most = G_MININT32;
  gfloat value;

  for (gsize i = 0; i < n; i++) {
    gint32 bits;

    memcpy (&bits, &values[i], sizeof bits);
    bits ^= (bits >> 31) & G_MAXINT32;
    most = MAX (most, bits);
  }
  most ^= (most >> 31) & G_MAXINT32;
  memcpy (&value, &most, sizeof value);
  return value;
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

CLIP_VECTORISED void
clip_rows_softmax (guint rows, guint width, gsize stride, guint n_keys,
    gboolean causal, gfloat scale, gfloat *scores)
{
  for (gsize t = 0; t < rows; t++) {
    gfloat *row = scores + t * stride;
    guint n = causal ? MIN ((guint)t + 1, n_keys) : n_keys;
    /* Whole lines, so that no row ends in single steps. */
    gsize whole = (gsize)((n + CLIP_LINE - 1) / CLIP_LINE) * CLIP_LINE;
    gfloat most, inverse;

    for (gsize i = n; i < whole; i++)
      row[i] = -G_MAXFLOAT;
    most = find_most (row, whole);
    for (gsize i = 0; i < whole; i++)
      row[i] = clip_exp ((row[i] - most) * scale);
    memset (row + n, 0, (MAX (width, whole) - n) * sizeof *row);
    inverse = 1.0f / add_up (row, whole);
    for (gsize i = 0; i < whole; i++)
      row[i] *= inverse;
  }
}
