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
  gsize codes_at;    /* in the engine's scratch: [M, K] */
  gsize rows_at;     /* [M] ClipByteRow */
  gsize products_at; /* [M, N] gint32 */
} ClipBytes;

/* Where in the scratch the operands lie: behind the product's own.
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

/* Makes codes of @src, [rows, K]. A row with a value that is not finite gives
 * a row of NaN. */
void clip_bytes_encode (ClipBytes *bytes, guint rows, gconstpointer src);

/* Makes @dst, [rows, N], of the products. */
void clip_bytes_decode (ClipBytes *bytes, guint rows, gpointer dst);
