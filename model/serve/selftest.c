/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "serve/selftest.h"

#include "clip-error.h"
#include "serve/threads.h"

#include <math.h>
#include <string.h>

/* Two embeddings closer than this are the same: some hundred times the
 * rounding of a 32-bit evaluation, and far below what any two pictures differ
 * by. */
#define SAME 1e-4

/* A tenth of a per cent off length 1 is not rounding. */
#define LENGTH_TOLERANCE 1e-3

static gdouble
get_distance (const gfloat *a, const gfloat *b, guint n)
{
  gdouble sum = 0;

  for (guint i = 0; i < n; i++) {
    gdouble d = (gdouble)a[i] - (b != NULL ? b[i] : 0);
    sum += d * d;
  }
  return sqrt (sum);
}

/* @what: "pictures" or "texts"
 * @embeddings: [2, n] */
static gboolean
check_pair (
    const gchar *what, const gfloat *embeddings, guint n, GError **error)
{
  for (guint i = 0; i < 2; i++) {
    gdouble length = get_distance (embeddings + i * (gsize)n, NULL, n);

    if (!(fabs (length - 1) <= LENGTH_TOLERANCE)) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
          "self-test: an embedding of the built-in %s has length %g instead "
          "of 1: the weights do not make a working model",
          what, length);
      return FALSE;
    }
  }
  if (get_distance (embeddings, embeddings + n, n) < SAME) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "self-test: two different %s get the same embedding: the weights do "
        "not make a working model",
        what);
    return FALSE;
  }
  return TRUE;
}

/* A ramp from dark to bright with a colour cast, and a chequered board. */
static void
draw_pictures (guint size, guint8 *ramp, guint8 *board)
{
  for (guint y = 0; y < size; y++) {
    for (guint x = 0; x < size; x++) {
      gsize at = ((gsize)y * size + x) * 3;
      gboolean light = ((x * 8 / size) + (y * 8 / size)) % 2 == 0;

      ramp[at] = (guint8)(x * 255 / size);
      ramp[at + 1] = (guint8)(y * 255 / size);
      ramp[at + 2] = 96;
      memset (board + at, light ? 224 : 32, 3);
    }
  }
}

gboolean
clip_selftest_pictures (
    ClipEncoder *encoder, guint64 *encode_time, GError **error)
{
  const ClipModelInfo *info =
      clip_model_get_info (clip_encoder_get_model (encoder));
  gsize bytes = (gsize)info->image_size * info->image_size * 3;
  g_autofree guint8 *ramp = g_malloc (bytes);
  g_autofree guint8 *board = g_malloc (bytes);
  g_autofree gfloat *embeddings = g_new (gfloat, 2 * (gsize)info->embed_dim);
  const guint8 *pictures[] = { ramp, board };

  draw_pictures (info->image_size, ramp, board);
  /* One at a time: the largest batch may be 1. */
  for (guint i = 0; i < 2; i++) {
    guint64 start = clip_threads_now ();

    if (!clip_encoder_encode_pictures (encoder, 1, &pictures[i],
            embeddings + i * (gsize)info->embed_dim, error))
      return FALSE;
    *encode_time = clip_threads_now () - start;
  }
  return check_pair ("pictures", embeddings, info->embed_dim, error);
}

gboolean
clip_selftest_lay_text (
    ClipEncoder *encoder, const ClipTokenizer *tokenizer, GError **error)
{
  const ClipModelInfo *info =
      clip_model_get_info (clip_encoder_get_model (encoder));
  g_autofree guint32 *ids = g_new (guint32, info->context_length);
  guint32 texts[2][3];
  ClipTokens tokens[2];
  guint n_ids;

  /* An empty text is start and end; one id of the table between them makes a
   * text that does not depend on which words the vocabulary has. */
  if (!clip_tokenizer_encode (tokenizer, "", ids, &n_ids, NULL, error))
    return FALSE;
  for (guint i = 0; i < 2; i++) {
    texts[i][0] = ids[0];
    texts[i][1] = 5 + i;
    texts[i][2] = ids[n_ids - 1];
    tokens[i].ids = texts[i];
    tokens[i].n_ids = 3;
  }
  /* Two so short fit together. */
  return clip_encoder_lay_tokens (encoder, 2, tokens, error) == 2;
}

gboolean
clip_selftest_run_text (ClipEncoder *encoder, gboolean *done, GError **error)
{
  guint embed_dim =
      clip_model_get_info (clip_encoder_get_model (encoder))->embed_dim;
  g_autofree gfloat *embeddings = g_new (gfloat, 2 * (gsize)embed_dim);

  return clip_encoder_encode_laid (encoder, embeddings, done, error) &&
         (!*done || check_pair ("texts", embeddings, embed_dim, error));
}
