/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "clip-error.h"
#include "reference.h"

typedef struct {
  guint heads;
  guint width; /* of a head */
  guint tokens;
  guint n_keys;
  gboolean causal;
  gboolean one_query;
  gboolean apart; /* q, k, v are three matrices, not columns of one */
} Case;

/* clang-format off */
static const Case cases[] = {
  { 12, 64, 50, 50 }, { 3, 64, 197, 197 }, { 3, 64, 7, 7 },
  { 1, 64, 1, 1 }, { 3, 32, 17, 17 }, { 3, 48, 17, 17 }, { 3, 80, 17, 17 },
  { 2, 80, 257, 257 }, { 5, 48, 33, 33 }, { 8, 64, 77, 77, .causal = TRUE },
  { 3, 32, 5, 5, .causal = TRUE }, { 2, 48, 16, 16, .causal = TRUE },
  { 2, 64, 1, 1, .causal = TRUE },
  { 12, 64, 52, 17 }, { 12, 64, 52, 1 }, { 3, 32, 5, 4 },
  { 8, 64, 77, 20, .causal = TRUE }, { 8, 64, 32, 31, .causal = TRUE },
  { 12, 64, 197, 197, .one_query = TRUE }, { 3, 48, 17, 17, .one_query = TRUE },
  { 3, 32, 17, 5, .one_query = TRUE }, { 2, 80, 50, 50, .one_query = TRUE },
  { 2, 64, 1, 1, .one_query = TRUE },
  { 32, 64, 50, 50, .one_query = TRUE, .apart = TRUE },
  { 4, 64, 50, 50, .apart = TRUE },
  { 2, 64, 577, 577 }, { 1, 64, 600, 590, .causal = TRUE },
};
/* clang-format on */

/* The softmax is rounded, then what it is multiplied to. */
#define BF16_TOLERANCE (2 * REFERENCE_BF16_TOLERANCE)

static void
attend_row (const Case *a, gsize row, gsize stride, const gfloat *const qkv[3],
    gdouble *scores, gfloat *dst)
{
  guint n = a->causal ? MIN (row + 1, a->n_keys) : a->n_keys;
  gsize width = (gsize)a->heads * a->width;

  for (gsize h = 0; h < a->heads; h++) {
    gdouble sum = 0.0;

    for (gsize t = 0; t < n; t++) {
      gdouble dot = 0.0;

      for (gsize i = h * a->width; i < (h + 1) * a->width; i++)
        dot += (gdouble)qkv[0][row * stride + i] * qkv[1][t * stride + i];
      scores[t] = exp (dot / sqrt (a->width));
      sum += scores[t];
    }
    for (gsize i = h * a->width; i < (h + 1) * a->width; i++) {
      gdouble value = 0.0;

      for (gsize t = 0; t < n; t++)
        value += scores[t] / sum * qkv[2][t * stride + i];
      dst[row * width + i] = value;
    }
  }
}

static void
check_case (ClipEngine *engine, const Case *a, ClipNumber number)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *what = g_strdup_printf (
      "%u heads of %u, %u of %u tokens, causal %d, one query %d, number %d",
      a->heads, a->width, a->n_keys, a->tokens, a->causal, a->one_query,
      number);
  gsize width = (gsize)a->heads * a->width;
  gsize stride = a->apart ? width : 3 * width;
  gsize step = a->apart ? a->tokens * width : width;
  guint rows = a->one_query ? 1 : a->tokens;
  gfloat *src = reference_values (a->tokens * 3 * width, "qkv");
  const gfloat *const qkv[3] = { src, src + step, src + 2 * step };
  gfloat *expected = reference_values (rows * width, "dst");
  g_autofree gdouble *scores = g_new (gdouble, a->tokens);
  const ClipAttentionSpec spec = { "test", a->heads, a->width, stride, stride,
    a->causal, a->one_query, &a->tokens, 1, number };
  g_autoptr (ClipAttention) attention =
      clip_attention_new (engine, &spec, &error);
  gpointer packed, dst = reference_pack (rows * width, number, expected);
  gfloat *result;

  g_assert_no_error (error);
  /* Sharper than the uniform inputs would give, so that a wrong scale shows. */
  for (gsize i = 0; i < a->tokens * 3 * width; i++)
    src[i] *= 2.0f;
  reference_round (a->tokens * 3 * width, number, src);
  packed = reference_pack (a->tokens * 3 * width, number, src);
  for (guint row = 0; row < rows; row++)
    attend_row (a, row, stride, qkv, scores, expected);
  reference_attend (attention, a->tokens, a->n_keys,
      (gconstpointer[]){ a->one_query ? qkv[0] : packed,
          clip_number_at (number, packed, step),
          clip_number_at (number, packed, 2 * step) },
      dst, &error);
  g_assert_no_error (error);
  result = reference_unpack (rows * width, number, dst);
  reference_assert_close (what, result, expected, rows * width,
      number == CLIP_F32 ? REFERENCE_TOLERANCE : BF16_TOLERANCE);
  clip_engine_free_values (src);
  clip_engine_free_values (packed);
  clip_engine_free_values (dst);
  clip_engine_free_values (result);
  clip_engine_free_values (expected);
}

static void
attention_is_right (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (guint number = 0; number <= reference_last_number (); number++)
      check_case (engine, &cases[i], number);
}

/* A masked key has no weight at all: what stands in it changes no bit. */
static void
masked_keys_weigh_exactly_nothing (void)
{
  static const guint tokens[] = { 5, 9 };
  enum {
    HEADS = 2,
    WIDTH = 32,
    ROW = 3 * HEADS * WIDTH
  };
  static const ClipAttentionSpec specs[] = {
    { "full", HEADS, WIDTH, ROW, ROW, FALSE, FALSE, tokens, 2 },
    { "causal", HEADS, WIDTH, ROW, ROW, TRUE, FALSE, tokens, 2 },
    { "one query", HEADS, WIDTH, ROW, ROW, FALSE, TRUE, tokens, 2 },
  };
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++) {
    g_autoptr (ClipAttention) attention =
        clip_attention_new (engine, &specs[i], NULL);
    gsize size = (specs[i].one_query ? 1 : 9) * HEADS * WIDTH;
    gfloat *qkv = reference_values (9 * ROW, "qkv");
    gfloat *before = reference_zeros (size);
    gfloat *after = reference_zeros (size);
    const gconstpointer columns[] = { qkv, qkv + HEADS * WIDTH,
      qkv + 2 * HEADS * WIDTH };

    g_assert_true (reference_attend (attention, 9, 6, columns, before, NULL));
    for (gsize t = 6; t < 9; t++)
      for (gsize c = HEADS * WIDTH; c < ROW; c++)
        qkv[t * ROW + c] = 1e6f * test_uniform (t * ROW + c, "others");
    g_assert_true (reference_attend (attention, 9, 6, columns, after, NULL));
    g_assert_cmpmem (
        after, size * sizeof *after, before, size * sizeof *before);
    clip_engine_free_values (qkv);
    clip_engine_free_values (before);
    clip_engine_free_values (after);
  }
}

/* Scores far apart: the largest wins, nothing overflows. */
static void
large_scores_stay_finite (void)
{
  static const guint tokens = 5;
  static const ClipAttentionSpec spec = { "test", 1, 32, 96, 96, FALSE, FALSE,
    &tokens, 1 };
  g_autoptr (ClipEngine) engine = reference_engine ();
  g_autoptr (ClipAttention) attention =
      clip_attention_new (engine, &spec, NULL);
  gfloat *qkv = reference_values (5 * 96, "qkv");
  gfloat *dst = reference_zeros (5 * 32);

  for (gsize t = 0; t < 5; t++)
    for (gsize c = 0; c < 64; c++)
      qkv[t * 96 + c] = c < 32 ? 1e4f : 1e4f * t;
  g_assert_true (reference_attend (attention, 5, 5,
      (gconstpointer[]){ qkv, qkv + 32, qkv + 64 }, dst, NULL));
  for (gsize t = 0; t < 5; t++)
    reference_assert_close (
        "the last row of v", dst + t * 32, qkv + 4 * 96 + 64, 32, 1e-6);
  clip_engine_free_values (qkv);
  clip_engine_free_values (dst);
}

static void
unknown_counts_are_errors (void)
{
  static const guint tokens = 5;
  static const ClipAttentionSpec spec = { "blocks.3", 1, 32, 96, 96, FALSE,
    FALSE, &tokens, 1 };
  static const guint wrong[][2] = { { 6, 6 }, { 5, 0 }, { 5, 6 }, { 0, 0 } };
  g_autoptr (ClipEngine) engine = reference_engine ();
  g_autoptr (ClipAttention) attention =
      clip_attention_new (engine, &spec, NULL);
  gfloat row[96] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (reference_attend (attention, wrong[i][0], wrong[i][1],
        (gconstpointer[]){ row, row, row }, row, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
    g_assert_nonnull (strstr (error->message, "blocks.3"));
  }
}

typedef struct {
  guint heads;
  guint width;
  gsize q_stride;
  gsize kv_stride;
  gboolean causal;
  gboolean one_query;
  guint tokens;
  const gchar *says;
} Broken;

/* clang-format off */
static const Broken broken[] = {
  { 0, 64, 192, 192, FALSE, FALSE, 5, "dimension 1 of the heads" },
  { 1, 0, 192, 192, FALSE, FALSE, 5, "dimension 2 of the heads" },
  { 1, 64, 192, 192, FALSE, FALSE, 0, "dimension 0 of the heads" },
  { 1, 64, 0, 192, FALSE, FALSE, 5, "dimension 1 of the queries" },
  { 1, 64, 192, 0, FALSE, FALSE, 5, "dimension 1 of the keys" },
  { 2, 64, 127, 128, FALSE, FALSE, 5, "less than the 128" },
  { 2, 64, 128, 127, FALSE, FALSE, 5, "less than the 128" },
  { 2, 64, 0, 127, FALSE, TRUE, 5, "less than the 128" },
  { 2, 64, 128, 128, TRUE, TRUE, 5, "causal mask" },
  { 1, 64, 192, G_MAXSIZE, FALSE, FALSE, 5, "dimension 1 of the keys" },
  { 1, 64, (gsize)1 << 62, 192, FALSE, FALSE, 5, "dimension 1 of the queries" },
  { G_MAXUINT, 64, 192, 192, FALSE, FALSE, 5, "dimension 1 of the heads" },
  { 1, G_MAXUINT, 192, 192, FALSE, FALSE, 5, "dimension 2 of the heads" },
  { 1, 64, 192, 192, FALSE, FALSE, G_MAXUINT, "4294967295" },
  { 16, 64, 3072, 3072, FALSE, FALSE, 1 << 20, "the scores" },
  { 1 << 16, 1 << 16, 192, 192, FALSE, FALSE, 5, "the heads" },
};
/* clang-format on */

static void
impossible_shapes_are_errors (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();

  for (guint i = 0; i < G_N_ELEMENTS (broken); i++) {
    const Broken *a = &broken[i];
    g_autoptr (GError) error = NULL;
    const ClipAttentionSpec spec = { "test", a->heads, a->width, a->q_stride,
      a->kv_stride, a->causal, a->one_query, &a->tokens, 1 };

    g_assert_null (clip_attention_new (engine, &spec, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
    g_assert_true (g_str_has_prefix (error->message, "test: "));
    if (strstr (error->message, a->says) == NULL)
      g_error ("'%s' does not say '%s'", error->message, a->says);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/attention/attention-is-right", attention_is_right);
  g_test_add_func ("/engine/attention/masked-keys-weigh-exactly-nothing",
      masked_keys_weigh_exactly_nothing);
  g_test_add_func (
      "/engine/attention/large-scores-stay-finite", large_scores_stay_finite);
  g_test_add_func (
      "/engine/attention/unknown-counts-are-errors", unknown_counts_are_errors);
  g_test_add_func ("/engine/attention/impossible-shapes-are-errors",
      impossible_shapes_are_errors);
  return g_test_run ();
}
