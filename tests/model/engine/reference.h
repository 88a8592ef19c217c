/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What engine/'s tests expect: loops in double precision straight from the
 * definitions, and inputs that anybody can make again. */
#pragma once

#include "engine/engine.h"
#include "support.h"

#include <math.h>

/* Products of f32 inputs in f32: each of K sums rounds by 6e-8, in random
 * directions, so some sqrt (K) * 6e-8 of the whole: 3e-6 at K = 3072 in the
 * worst order of summing, a tenth of it in blocks. */
#define REFERENCE_TOLERANCE 2e-6

/* A result of 8 bits of significand: each is off by up to 2^-9 of itself, 0.6
 * of that on average. */
#define REFERENCE_BF16_TOLERANCE 2e-3

#define REFERENCE_THREADS 2

/* What a layer's operands may be, and how far it may be off where they are. */
typedef struct {
  ClipNumber src;
  ClipNumber dst;
  gdouble tolerance;
} ReferenceNumbers;

static const ReferenceNumbers reference_numbers[] = {
  { CLIP_F32, CLIP_F32, REFERENCE_TOLERANCE },
  { CLIP_BF16, CLIP_F32, REFERENCE_TOLERANCE },
  { CLIP_BF16, CLIP_BF16, REFERENCE_BF16_TOLERANCE },
};

/* The last number that this CPU multiplies. */
static inline ClipNumber
reference_last_number (void)
{
  return clip_engine_choose_precision (CLIP_PRECISION_BF16) ==
                 CLIP_PRECISION_BF16
             ? CLIP_BF16
             : CLIP_F32;
}

static inline ClipEngine *
reference_engine (void)
{
  g_autoptr (GError) error = NULL;
  ClipEngine *engine = clip_engine_new (REFERENCE_THREADS, &error);

  g_assert_no_error (error);
  return engine;
}

/* (transfer full) of clip_engine_free_values() */
static inline gfloat *
reference_zeros (gsize n)
{
  g_autoptr (GError) error = NULL;
  gfloat *values = clip_engine_alloc (n, CLIP_F32, &error);

  g_assert_no_error (error);
  return values;
}

/* Uniform in [-1, 1). (transfer full) of clip_engine_free_values() */
static inline gfloat *
reference_values (gsize n, const gchar *name)
{
  gfloat *values = reference_zeros (n);

  for (gsize i = 0; i < n; i++)
    values[i] = test_uniform (i, name);
  return values;
}

/* The values that @number can hold nearest to these, halves to even. */
static inline void
reference_round (gsize n, ClipNumber number, gfloat *values)
{
  for (gsize i = 0; number == CLIP_BF16 && i < n; i++) {
    gint exponent;
    gdouble fraction = frexp (values[i], &exponent);

    values[i] = ldexp (rint (ldexp (fraction, 8)), exponent - 8);
  }
}

/* From f32, which are rounded, to an array of @number and back.
 * (transfer full) of clip_engine_free_values() */
static inline gpointer
reference_pack (gsize n, ClipNumber number, const gfloat *values)
{
  g_autoptr (GError) error = NULL;
  guint8 *packed = clip_engine_alloc (n, number, &error);
  gsize size = clip_number_get_size (number);

  g_assert_no_error (error);
  /* A bf16 is the upper half, which lies behind the lower. */
  for (gsize i = 0; i < n; i++)
    memcpy (packed + i * size,
        (const guint8 *)&values[i] + sizeof (gfloat) - size, size);
  return packed;
}

static inline gfloat *
reference_unpack (gsize n, ClipNumber number, gconstpointer packed)
{
  gfloat *values = reference_zeros (n);
  gsize size = clip_number_get_size (number);

  for (gsize i = 0; i < n; i++)
    memcpy ((guint8 *)&values[i] + sizeof (gfloat) - size,
        (const guint8 *)packed + i * size, size);
  return values;
}

static inline gdouble
reference_activate (ClipActivation activation, gdouble x)
{
  switch (activation) {
  case CLIP_ACTIVATION_NONE:
    return x;
  case CLIP_ACTIVATION_RELU:
    return x > 0 ? x : 0;
  case CLIP_ACTIVATION_QUICK_GELU:
    return x / (1 + exp (-1.702 * x));
  case CLIP_ACTIVATION_GELU_ERF:
    return 0.5 * x * (1 + erf (x / sqrt (2)));
  case CLIP_ACTIVATION_GELU_TANH:
    return 0.5 * x * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x)));
  }
  g_assert_not_reached ();
}

/* One sequence of @tokens rows, @n_keys of which count. */
static inline gboolean
reference_attend (ClipAttention *attention, guint tokens, guint n_keys,
    const gconstpointer qkv[3], gpointer dst, GError **error)
{
  const ClipSequence sequence = { 0, tokens, n_keys };
  const ClipAttentionRun run = { &sequence, 1, qkv[0], qkv[1], qkv[2], dst };

  return clip_attention_run (attention, &run, error);
}

static inline void
reference_assert_close (const gchar *what, const gfloat *actual,
    const gfloat *expected, gsize n, gdouble tolerance)
{
  gdouble distance = test_relative_l2 (actual, expected, n);
  gsize where = 0;
  gdouble most = test_max_difference (actual, expected, n, &where);

  if (!(distance <= tolerance))
    g_error ("%s: relative L2 %g, not %g; most at %" G_GSIZE_FORMAT
             ": %g, expected %g, difference %g",
        what, distance, tolerance, where, actual[where], expected[where], most);
}
