/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Bytes are a polynomial over GF(2), lowest powers last and each byte's bits
 * reversed, and a CRC is its remainder. A register of 128 bits moves on by
 * multiplying its halves with the remainders of the powers it moves by; what
 * four of them have become in the end has the remainder of all they passed. */

#include "load/checksum.h"

#include <zlib.h>

#ifdef __x86_64__

#include <immintrin.h>

#define N_LANES 4
#define STEP (N_LANES * sizeof (__m128i))

/* x^(n + 32) and x^(n - 32) modulo the polynomial, reversed, for a move by n
 * bits (V. Gopal et al., Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ, 2009). */
static const guint64 move_512[] = { 0x154442bd4, 0x1c6e41596 };
static const guint64 move_128[] = { 0x1751997d0, 0x0ccaa009e };

#define FOLDING __attribute__ ((target ("pclmul,sse4.1")))

FOLDING static inline __m128i
load (gconstpointer bytes)
{
  return _mm_loadu_si128 (bytes);
}

FOLDING static inline __m128i
fold (__m128i lane, __m128i powers, __m128i next)
{
  return _mm_xor_si128 (_mm_xor_si128 (_mm_clmulepi64_si128 (lane, powers, 0),
                            _mm_clmulepi64_si128 (lane, powers, 0x11)),
      next);
}

/* @size: a multiple of STEP, and not 0 */
FOLDING static guint32
update_by_folding (guint32 crc, const guint8 *bytes, gsize size)
{
  const __m128i far = load (move_512), near = load (move_128);
  __m128i lanes[N_LANES];
  guint8 folded[sizeof (__m128i)];

  for (guint i = 0; i < N_LANES; i++)
    lanes[i] = load (bytes + i * sizeof *lanes);
  lanes[0] = _mm_xor_si128 (lanes[0], _mm_cvtsi32_si128 ((gint)~crc));
  for (gsize at = STEP; at < size; at += STEP)
    for (guint i = 0; i < N_LANES; i++)
      lanes[i] = fold (lanes[i], far, load (bytes + at + i * sizeof *lanes));
  for (guint i = 1; i < N_LANES; i++)
    lanes[i] = fold (lanes[i - 1], near, lanes[i]);
  _mm_storeu_si128 ((gpointer)folded, lanes[N_LANES - 1]);
  return (guint32)crc32_z (G_MAXUINT32, folded, sizeof folded);
}

static gboolean
can_fold (void)
{
  return __builtin_cpu_supports ("pclmul") && __builtin_cpu_supports ("sse4.1");
}

#else

#define STEP 1

static guint32
update_by_folding (guint32 crc, const guint8 *bytes, gsize size)
{
  return (guint32)crc32_z (crc, bytes, size);
}

static gboolean
can_fold (void)
{
  return FALSE;
}

#endif

guint32
clip_checksum_update (guint32 crc, gconstpointer data, gsize size)
{
  const guint8 *bytes = data;
  const gsize n_folded = can_fold () ? size / STEP * STEP : 0;

  if (n_folded > 0)
    crc = update_by_folding (crc, bytes, n_folded);
  return (guint32)crc32_z (crc, bytes + n_folded, size - n_folded);
}
