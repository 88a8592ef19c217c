/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What loops over floats are made of, for the compiler to turn into vectors.
 */
#pragma once

#include "clip-vector.h"
#include "engine/engine.h"

#include <string.h>

/* On what vectorised loops call: only inlined code is compiled for the copy. */
#define CLIP_INLINE static inline __attribute__ ((always_inline))

/* A cache line of floats, anywhere in an array of them. */
#define CLIP_LINE 16
typedef gfloat ClipLine __attribute__ ((
    vector_size (CLIP_LINE * sizeof (gfloat)), aligned (4), may_alias));

/* An integer that is larger where the float is: compilers keep the largest
 * integer of a loop in a register, and with all of NaN's rules to obey a float
 * not. NaN lies beyond infinity, on the side of its sign. */
CLIP_INLINE gint32
clip_order_from_float (gfloat value)
{
  gint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits ^ ((bits >> 31) & G_MAXINT32);
}

CLIP_INLINE gfloat
clip_order_to_float (gint32 order)
{
  gfloat value;

  order ^= (order >> 31) & G_MAXINT32;
  memcpy (&value, &order, sizeof value);
  return value;
}

/* A bf16 is the upper half of a float: 8 bits of exponent as there, 8 of
 * significand. Rounded to nearest, halves to even; NaN stays NaN. */
CLIP_INLINE guint16
clip_bf16_from_float (gfloat value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  if ((bits & G_MAXINT32) > 0x7f800000u)
    return (bits >> 16) | 0x40;
  return (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
}

CLIP_INLINE gfloat
clip_bf16_to_float (guint16 value)
{
  guint32 bits = (guint32)value << 16;
  gfloat result;

  memcpy (&result, &bits, sizeof result);
  return result;
}

/* The value @index of an array. @number is a constant wherever this is inlined,
 * and the branch is dropped. */
CLIP_INLINE gfloat
clip_value_load (gconstpointer values, gsize index, ClipNumber number)
{
  return number == CLIP_BF16
             ? clip_bf16_to_float (((const guint16 *)values)[index])
             : ((const gfloat *)values)[index];
}

CLIP_INLINE void
clip_value_store (gpointer values, gsize index, ClipNumber number, gfloat value)
{
  if (number == CLIP_BF16)
    ((guint16 *)values)[index] = clip_bf16_from_float (value);
  else
    ((gfloat *)values)[index] = value;
}

/* exp (x) within 1.2 units of the last place for -87.3 … 88.3, clamped to the
 * values there outside; NaN stays NaN.
 *
 * x = n ln 2 + r, |r| <= ln 2 / 2; exp (r) is its series, whose first term
 * left out is below 6e-9; 2^n is made of bits. Adding and taking away 1.5 *
 * 2^23 rounds to an integer in any instruction set. */
CLIP_INLINE gfloat
clip_exp (gfloat x)
{
  static const gfloat log2_e = 1.44269504f, ln2_high = 0.693145752f,
                      ln2_low = 1.42860677e-6f, rounder = 12582912.0f;
  gfloat n, r, p, power;
  gint32 bits;

  x = x < -87.3f ? -87.3f : x;
  x = x > 88.3f ? 88.3f : x;
  n = x * log2_e + rounder;
  n = n - rounder;
  r = (x - n * ln2_high) - n * ln2_low;
  p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  bits = ((gint32)n + 127) << 23;
  memcpy (&power, &bits, sizeof power);
  return p * power;
}
