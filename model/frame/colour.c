/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "frame/colour.h"

#include <math.h>

#include "frame/clones.h"

#define BITS 16

static gint32
to_fixed (gdouble factor)
{
  return (gint32)lrint (factor * (1 << BITS));
}

void
clip_colour_matrix_init (ClipColourMatrix *matrix, const ClipColour *colour)
{
  gdouble kg = 1 - colour->kr - colour->kb;
  gdouble y = colour->full_range ? 1 : 255.0 / 219;
  gdouble chroma = colour->full_range ? 1 : 255.0 / 224;
  gdouble r_v = 2 * (1 - colour->kr) * chroma;
  gdouble b_u = 2 * (1 - colour->kb) * chroma;

  g_return_if_fail (colour->kr > 0 && colour->kb > 0 && kg > 0.1);

  matrix->y_offset = colour->full_range ? 0 : 16;
  matrix->y = to_fixed (y);
  matrix->r_v = to_fixed (r_v);
  matrix->g_u = to_fixed (-b_u * colour->kb / kg);
  matrix->g_v = to_fixed (-r_v * colour->kr / kg);
  matrix->b_u = to_fixed (b_u);
}

static inline guint8
to_byte (gint32 sum)
{
  gint32 value = sum >> BITS;

  return (guint8)CLAMP (value, 0, 255);
}

CLIP_CLONES void
clip_colour_row (const ClipColourMatrix *matrix, guint n,
    const guint8 *const yuv[3], guint8 *restrict rgb)
{
  const ClipColourMatrix m = *matrix;
  const guint8 *y = yuv[0];
  const guint8 *u = yuv[1];
  const guint8 *v = yuv[2];

  for (gsize i = 0; i < n; i++) {
    gint32 luma = (y[i] - m.y_offset) * m.y + (1 << (BITS - 1));
    gint32 cb = u[i] - 128;
    gint32 cr = v[i] - 128;

    rgb[3 * i] = to_byte (luma + cr * m.r_v);
    rgb[3 * i + 1] = to_byte (luma + cb * m.g_u + cr * m.g_v);
    rgb[3 * i + 2] = to_byte (luma + cb * m.b_u);
  }
}

void
clip_colour_convert (
    const ClipColour *colour, guint n, const guint8 *const yuv[3], guint8 *rgb)
{
  ClipColourMatrix matrix;

  clip_colour_matrix_init (&matrix, colour);
  clip_colour_row (&matrix, n, yuv, rgb);
}
