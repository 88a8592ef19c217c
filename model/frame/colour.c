/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/colour.h"

#include <math.h>
#include <string.h>

#include "clip-vector.h"

#define BITS 16

/* Pixels that are converted at once. */
#define BLOCK 256

static gint32
to_fixed (gdouble factor, guint bits)
{
  return (gint32)lrint (factor * (1 << bits));
}

void
clip_colour_matrix_init (
    ClipColourMatrix *matrix, const ClipColour *colour, guint chroma_bits)
{
  guint extra = colour->depth - 8;
  gdouble kg = 1 - colour->kr - colour->kb;
  /* Studio range grows by whole bits, full range from 255 to 2^depth - 1. */
  gdouble full = 255.0 * (1 << extra) / ((1 << colour->depth) - 1);
  gdouble y = colour->full_range ? full : 255.0 / 219;
  gdouble chroma = colour->full_range ? full : 255.0 / 224;
  gdouble r_v = 2 * (1 - colour->kr) * chroma;
  gdouble b_u = 2 * (1 - colour->kb) * chroma;

  g_return_if_fail (colour->kr > 0 && colour->kb > 0 && kg > 0.1);
  g_return_if_fail (colour->depth >= 8 && colour->depth <= 12);

  matrix->y_offset = colour->full_range ? 0 : 16 << extra;
  matrix->chroma_offset = 128 << (extra + chroma_bits);
  matrix->y = to_fixed (y, BITS);
  matrix->r_v = to_fixed (r_v, BITS - chroma_bits);
  matrix->g_u = to_fixed (-b_u * colour->kb / kg, BITS - chroma_bits);
  matrix->g_v = to_fixed (-r_v * colour->kr / kg, BITS - chroma_bits);
  matrix->b_u = to_fixed (b_u, BITS - chroma_bits);
  matrix->bits = BITS + extra;
}

/* One step after the other, which compilers turn into vectors of 32 bits; of
 * one expression they make bytes too early. */
static inline guint8
to_byte (gint32 sum, guint bits)
{
  sum >>= bits;
  sum = MAX (sum, 0);
  sum = MIN (sum, 255);
  return (guint8)sum;
}

CLIP_VECTORISED void
clip_colour_row (const ClipColourMatrix *matrix, gsize n,
    const guint16 *restrict yuv, guint8 *restrict rgb, gsize pitch)
{
  const ClipColourMatrix m = *matrix;

  for (gsize i = 0; i < n; i++) {
    gint32 luma = (yuv[i] - m.y_offset) * m.y + (1 << (m.bits - 1));
    gint32 cb = yuv[pitch + i] - m.chroma_offset;
    gint32 cr = yuv[2 * pitch + i] - m.chroma_offset;

    rgb[i] = to_byte (luma + cr * m.r_v, m.bits);
    rgb[pitch + i] = to_byte (luma + cb * m.g_u + cr * m.g_v, m.bits);
    rgb[2 * pitch + i] = to_byte (luma + cb * m.b_u, m.bits);
  }
}

void
clip_colour_convert (
    const ClipColour *colour, guint n, const guint16 *const yuv[3], guint8 *rgb)
{
  ClipColourMatrix matrix;
  guint16 from[3 * BLOCK];
  guint8 to[3 * BLOCK];

  clip_colour_matrix_init (&matrix, colour, 0);
  for (guint x = 0; x < n; x += BLOCK) {
    guint n_block = MIN (BLOCK, n - x);

    for (guint c = 0; c < 3; c++)
      memcpy (from + c * BLOCK, yuv[c] + x, n_block * sizeof (guint16));
    clip_colour_row (&matrix, n_block, from, to, BLOCK);
    for (guint i = 0; i < n_block; i++, rgb += 3) {
      for (guint c = 0; c < 3; c++)
        rgb[c] = to[c * BLOCK + i];
    }
  }
}
