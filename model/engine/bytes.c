/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/bytes.h"

#include "engine/activation.h"
#include "engine/rows.h"

#include <math.h>

#define CODE_MAX 255.0f
#define WEIGHT_MAX 127.0f

/* Weights no larger are nothing: a float divided by them is none. */
#define NOTHING (WEIGHT_MAX * G_MINFLOAT)

/* Adding this to 0 … 2^22 leaves the nearest integer in the lower bits. */
#define ROUNDER 8388608.0f

/* Values that a thread makes of products at a time: they stay in the first
 * cache. */
#define PIECE 1024

gboolean
clip_bytes_init (ClipBytes *bytes, ClipEngine *engine,
    const ClipLinearSpec *spec, const gfloat *bias, gsize scratch_size,
    GError **error)
{
  gsize rows = spec->rows[spec->n_rows - 1];
  gsize n = spec->out_features;

  bytes->engine = engine;
  bytes->in_features = spec->in_features;
  bytes->out_features = spec->out_features;
  bytes->accumulate = spec->accumulate;
  bytes->activation = spec->activation;
  bytes->src = spec->src;
  bytes->dst = spec->dst;
  bytes->scales = g_new (gfloat, n);
  bytes->sums = g_new (gfloat, n);
  bytes->bias =
      bias != NULL ? g_memdup2 (bias, n * sizeof *bias) : g_new0 (gfloat, n);
  if (spec->smoothing != NULL) {
    bytes->smoothing = g_new (gfloat, spec->in_features);
    for (guint k = 0; k < spec->in_features; k++)
      bytes->smoothing[k] = 1.0f / spec->smoothing[k];
  }
  bytes->products_at = CLIP_ROUND_UP (scratch_size, CLIP_ENGINE_PAGE);
  return clip_engine_reserve (
             engine, bytes->products_at + rows * n * sizeof (gint32), error) &&
         clip_engine_reserve_codes (engine, rows * spec->in_features,
             rows * sizeof (ClipByteRow), error);
}

void
clip_bytes_clear (ClipBytes *bytes)
{
  g_free (bytes->smoothing);
  g_free (bytes->scales);
  g_free (bytes->sums);
  g_free (bytes->bias);
}

/* --- weights --- */

typedef struct {
  ClipBytes *bytes;
  const gfloat *weights;
  gint8 *codes;
} Pack;

/* The weight as the smoothed source needs it. */
CLIP_INLINE gfloat
smooth_weight (const Pack *pack, gsize feature, gsize k)
{
  const ClipBytes *bytes = pack->bytes;
  gfloat weight = pack->weights[feature * bytes->in_features + k];

  return bytes->smoothing != NULL ? weight / bytes->smoothing[k] : weight;
}

static void
pack_feature (const Pack *pack, gsize feature)
{
  ClipBytes *bytes = pack->bytes;
  gint8 *codes = pack->codes + feature * bytes->in_features;
  gfloat most = 0.0f, poison = 0.0f, inverse;
  gint sum = 0;

  for (gsize k = 0; k < bytes->in_features; k++) {
    gfloat weight = smooth_weight (pack, feature, k);

    most = MAX (most, fabsf (weight));
    poison += weight * 0.0f;
  }
  inverse = most > NOTHING && poison == 0.0f ? WEIGHT_MAX / most : 0.0f;
  for (gsize k = 0; k < bytes->in_features; k++) {
    codes[k] = inverse > 0.0f
                   ? (gint8)rintf (smooth_weight (pack, feature, k) * inverse)
                   : 0;
    sum += codes[k];
  }
  bytes->scales[feature] = most / WEIGHT_MAX + poison;
  bytes->sums[feature] = bytes->scales[feature] * sum;
}

static void
pack_features (gconstpointer job, guint part, guint from, guint to)
{
  for (gsize feature = from; feature < to; feature++)
    pack_feature (job, feature);
}

void
clip_bytes_pack (ClipBytes *bytes, const gfloat *weights, gint8 *codes)
{
  const Pack pack = { bytes, weights, codes };

  clip_engine_share (bytes->engine, bytes->out_features,
      (gsize)bytes->out_features * bytes->in_features, pack_features, &pack);
}

/* --- source --- */

static ClipByteRow *
get_row (const ClipBytes *bytes, gsize row)
{
  return (ClipByteRow *)bytes->engine->code_rows + row;
}

/* A value as it is encoded. @number is a constant, and whether @smoothing is
 * NULL known. */
CLIP_INLINE gfloat
load (gconstpointer values, gsize k, ClipNumber number, const gfloat *smoothing)
{
  gfloat value = clip_value_load (values, k, number);

  return smoothing != NULL ? value * smoothing[k] : value;
}

/* Of values that are not finite the codes are any, and the row is NaN by its
 * scale or its offset. */
CLIP_INLINE void
encode_row (const ClipByteWork *work, gsize row, ClipNumber number,
    const gfloat *smoothing)
{
  const ClipBytes *bytes = work->encoded;
  gsize width = bytes->in_features;
  gconstpointer values = clip_number_at (number, work->src, row * width);
  guint8 *codes = bytes->engine->codes + row * width;
  gint32 lowest = G_MAXINT32, highest = G_MININT32;
  gfloat least, most, inverse;

  for (gsize k = 0; k < width; k++) {
    gint32 order = clip_order_from_float (load (values, k, number, smoothing));

    lowest = MIN (lowest, order);
    highest = MAX (highest, order);
  }
  least = clip_order_to_float (lowest);
  most = clip_order_to_float (highest);
  inverse = most - least > G_MINFLOAT ? CODE_MAX / (most - least) : 0.0f;
  *get_row (bytes, row) = (ClipByteRow){ (most - least) / CODE_MAX, least };
#pragma omp simd
  for (gsize k = 0; k < width; k++) {
    gfloat code =
        (load (values, k, number, smoothing) - least) * inverse + ROUNDER;
    guint32 bits;

    memcpy (&bits, &code, sizeof bits);
    codes[k] = (guint8)bits;
  }
}

CLIP_VECTORISED static void
encode (const ClipByteWork *work, gsize row)
{
  const gfloat *smoothing = work->encoded->smoothing;

  if (work->encoded->src == CLIP_BF16 && smoothing != NULL)
    encode_row (work, row, CLIP_BF16, smoothing);
  else if (work->encoded->src == CLIP_BF16)
    encode_row (work, row, CLIP_BF16, NULL);
  else if (smoothing != NULL)
    encode_row (work, row, CLIP_F32, smoothing);
  else
    encode_row (work, row, CLIP_F32, NULL);
}

/* --- what comes of it --- */

/* @n values from feature @first on. */
CLIP_INLINE void
decode_piece (const ClipByteWork *work, gsize row, gsize first, gsize n,
    ClipNumber number)
{
  const ClipBytes *bytes = work->decoded;
  const ClipByteRow *of = get_row (bytes, row);
  gsize at = row * bytes->out_features + first;
  const gint32 *products =
      (const gint32 *)(bytes->engine->scratch + bytes->products_at) + at;
  const gfloat *scales = bytes->scales + first, *sums = bytes->sums + first;
  const gfloat *bias = bytes->bias + first;
  const ClipActivationEntry *activation =
      clip_activation_get_entry (bytes->activation);
  gfloat scale = of->scale, offset = of->offset;
  gfloat piece[PIECE];

#pragma omp simd
  for (gsize i = 0; i < n; i++)
    piece[i] = products[i] * (scale * scales[i]) + (offset * sums[i] + bias[i]);
  if (bytes->accumulate)
#pragma omp simd
    for (gsize i = 0; i < n; i++)
      piece[i] += clip_value_load (work->dst, at + i, number);
  if (activation->run != NULL)
    activation->run (n, piece);
#pragma omp simd
  for (gsize i = 0; i < n; i++)
    clip_value_store (work->dst, at + i, number, piece[i]);
}

CLIP_VECTORISED static void
decode (const ClipByteWork *work, gsize row)
{
  gsize width = work->decoded->out_features;

  for (gsize first = 0; first < width; first += PIECE)
    if (work->decoded->dst == CLIP_BF16)
      decode_piece (work, row, first, MIN (PIECE, width - first), CLIP_BF16);
    else
      decode_piece (work, row, first, MIN (PIECE, width - first), CLIP_F32);
}

/* Of a row the codes are written when its products have been read. */
static void
run_work (gconstpointer job, guint part, guint from, guint to)
{
  const ClipByteWork *work = job;

  for (guint row = from; row < to; row++) {
    if (work->decoded != NULL)
      decode (work, row);
    if (work->norm != NULL)
      clip_rows_norm_part (work->norm, part, row, row + 1);
    if (work->encoded != NULL)
      encode (work, row);
  }
}

void
clip_bytes_work (const ClipEngine *engine, guint rows, const ClipByteWork *work)
{
  gsize width = 0;

  if (work->decoded != NULL)
    width += work->decoded->out_features;
  if (work->encoded != NULL)
    width += work->encoded->in_features;
  clip_engine_share (engine, rows, rows * width, run_work, work);
}
