/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What surrounds a product of bytes, which oneDNN multiplies four at a time
 * and adds up in integers. A source value is offset + scale * code, with an
 * offset and a scale for each row, found when it runs, and codes of 0 … 255
 * from the row's least value to its most, so a row that is almost all on one
 * side of 0 loses none of them. A weight is scale * code, with a scale for each
 * out feature and codes of -127 … 127. Then
 *
 *   src · w = (row scale * out scale) * (codes · codes)
 *             + row offset * (out scale * sum of the weights' codes)
 *
 * is exact but for the rounding of the codes.
 *
 * Letters: M rows, K in features, N out features. */
#pragma once

#include "engine/engine-private.h"

/* In features whose products add up in 32 bits, however large the codes. */
#define CLIP_BYTES_MAX_FEATURES (G_MAXINT32 / (255 * 127))

typedef struct {
  gfloat scale;
  gfloat offset;
} ClipByteRow;

typedef struct {
  ClipEngine *engine;
  guint in_features;
  guint out_features;
  gboolean accumulate;
  ClipActivation activation;
  ClipNumber src;
  ClipNumber dst;
  gfloat *smoothing; /* [K], what the source is multiplied by; or NULL */
  gfloat *scales;    /* [N] */
  gfloat *sums;      /* [N], of the weights as their codes have them */
  gfloat *bias;      /* [N] */
  gsize products_at; /* in the engine's scratch: [M, N] gint32 */
} ClipBytes;

/* Codes lie where the engine has them, so that the next layer's are written
 * while this one's products are read; products behind the product's own
 * scratch.
 *
 * @bytes: zeroed; for clip_bytes_clear() also on failure
 * @bias: (nullable)
 * @scratch_size: of the product
 *
 * Returns: FALSE with CLIP_ERROR_NO_SPACE. */
gboolean clip_bytes_init (ClipBytes *bytes, ClipEngine *engine,
    const ClipLinearSpec *spec, const gfloat *bias, gsize scratch_size,
    GError **error);
void clip_bytes_clear (ClipBytes *bytes);

/* @weights: [N, K]; one that is not finite makes its feature NaN
 * @codes: (out caller-allocates): [N, K] */
void clip_bytes_pack (ClipBytes *bytes, const gfloat *weights, gint8 *codes);

/* What a run does row by row, in one parallel region: each part may be left
 * out. */
typedef struct {
  const ClipBytes *decoded;  /* whose products become @dst */
  gpointer dst;              /* [rows, N] */
  const ClipLayerNorm *norm; /* of what that made, or of anything */
  const ClipBytes *encoded;  /* for which codes are made of @src */
  gconstpointer src;         /* [rows, K]; may be what the parts before made */
} ClipByteWork;

/* A row with a value that is not finite gives a row of NaN. */
void clip_bytes_work (
    const ClipEngine *engine, guint rows, const ClipByteWork *work);
