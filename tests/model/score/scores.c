/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "score/score.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "support.h"

/* A row of a float32 result, from sums in double precision: half a unit in the
 * last place of 1. */
#define TOLERANCE 6e-8

static void
fill_unit_row (gfloat *row, guint n, const gchar *name, guint seed)
{
  gdouble norm = 0;

  for (guint i = 0; i < n; i++) {
    row[i] = test_uniform (seed * n + i, name);
    norm += (gdouble)row[i] * row[i];
  }
  for (guint i = 0; i < n; i++)
    row[i] = (gfloat)(row[i] / sqrt (norm));
}

/* The definition, in double precision, in the order of the prompts. */
static void
define_scores (const gfloat *embedding, const gfloat *prompts, guint n_prompts,
    guint embed_dim, gdouble *similarity, gdouble *probability)
{
  gdouble sum = 0;

  for (guint i = 0; i < n_prompts; i++) {
    similarity[i] = 0;
    for (guint k = 0; k < embed_dim; k++)
      similarity[i] += (gdouble)embedding[k] * prompts[i * embed_dim + k];
    sum += exp (100 * similarity[i]);
  }
  for (guint i = 0; i < n_prompts; i++)
    probability[i] = exp (100 * similarity[i]) / sum;
}

static void
scores_are_as_defined (void)
{
  static const guint sizes[][2] = { { 1, 1 }, { 2, 7 }, { 3, 8 }, { 5, 40 },
    { 31, 513 }, { 1000, 512 } };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint n = sizes[i][0], dim = sizes[i][1];
    g_autofree gfloat *embedding = g_new (gfloat, dim);
    g_autofree gfloat *prompts = g_new (gfloat, n * dim);
    g_autofree gdouble *similarity = g_new (gdouble, n);
    g_autofree gdouble *probability = g_new (gdouble, n);
    g_autofree ClipScore *scores = g_new (ClipScore, n);
    g_autofree gboolean *seen = g_new0 (gboolean, n);

    fill_unit_row (embedding, dim, "embedding", 0);
    for (guint k = 0; k < n; k++)
      fill_unit_row (prompts + k * dim, dim, "prompts", k);
    define_scores (embedding, prompts, n, dim, similarity, probability);
    clip_scores_compute (embedding, prompts, n, dim, 100, scores);
    for (guint k = 0; k < n; k++) {
      guint index = scores[k].index;

      g_assert_cmpuint (index, <, n);
      g_assert_false (seen[index]);
      seen[index] = TRUE;
      g_assert_cmpfloat_with_epsilon (
          scores[k].similarity, similarity[index], TOLERANCE);
      /* Times 100 in the exponent, of the rounded similarity. */
      g_assert_cmpfloat_with_epsilon (
          scores[k].probability, probability[index], 100 * TOLERANCE);
      if (k > 0)
        g_assert_cmpfloat (scores[k - 1].similarity, >=, scores[k].similarity);
    }
  }
}

static void
probabilities_sum_to_one (void)
{
  gfloat embedding[64], prompts[300 * 64];
  ClipScore scores[300];
  gdouble sum = 0;

  fill_unit_row (embedding, 64, "embedding", 0);
  for (guint k = 0; k < 300; k++)
    fill_unit_row (prompts + k * 64, 64, "prompts", k);
  clip_scores_compute (embedding, prompts, 300, 64, 100, scores);
  for (guint k = 0; k < 300; k++)
    sum += scores[k].probability;
  /* 300 roundings to float, the largest value below 1. */
  g_assert_cmpfloat_with_epsilon (sum, 1, 1e-6);
}

static void
equal_ones_are_ordered_by_index (void)
{
  static const gfloat embedding[2] = { 1, 0 };
  /* Three similarities, each of a third of the prompts. */
  static const gfloat levels[3] = { 0.25f, 0.5f, -1 };
  gfloat prompts[2 * 99];
  ClipScore scores[99];

  for (guint i = 0; i < 99; i++) {
    prompts[2 * i] = levels[i % 3];
    prompts[2 * i + 1] = 0;
  }
  clip_scores_compute (embedding, prompts, 99, 2, 10, scores);
  for (guint i = 0; i < 99; i++) {
    static const guint best_first[3] = { 1, 0, 2 };

    g_assert_cmpuint (scores[i].index, ==, i % 33 * 3 + best_first[i / 33]);
    g_assert_cmpfloat (scores[i].similarity, ==, levels[best_first[i / 33]]);
  }
}

static void
what_is_no_number_comes_last_and_weighs_nothing (void)
{
  static const gfloat embedding[2] = { 1, 0 };
  const gfloat prompts[] = { NAN, 0, 0.5f, 0, INFINITY, 0, 0.75f, 0, -INFINITY,
    0, 0.25f, NAN };
  static const guint order[] = { 3, 1, 0, 2, 4, 5 };
  ClipScore scores[6];

  clip_scores_compute (embedding, prompts, 6, 2, 4, scores);
  for (guint i = 0; i < 6; i++) {
    g_assert_cmpuint (scores[i].index, ==, order[i]);
    g_assert_true (!isnan (scores[i].similarity) == (i < 2));
    if (i >= 2)
      g_assert_cmpfloat (scores[i].probability, ==, 0);
  }
  /* 1 / (1 + exp (-1)): the softmax of 3 and 2. */
  g_assert_cmpfloat_with_epsilon (
      scores[0].probability, 0.7310585786300049, TOLERANCE);
}

static void
all_that_is_no_number_is_still_an_answer (void)
{
  const gfloat embedding[2] = { NAN, 0 };
  static const gfloat prompts[] = { 1, 0, 0, 1 };
  ClipScore scores[2];

  clip_scores_compute (embedding, prompts, 2, 2, 100, scores);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpuint (scores[i].index, ==, i);
    g_assert_true (isnan (scores[i].similarity));
    g_assert_cmpfloat (scores[i].probability, ==, 0);
  }
}

/* exp (1e4) is no double. */
static void
a_large_scale_overflows_nothing (void)
{
  static const gfloat embedding[2] = { 1, 0 };
  static const gfloat prompts[] = { -1, 0, 1, 0, 0, 1 };
  ClipScore scores[3];

  clip_scores_compute (embedding, prompts, 3, 2, 1e4f, scores);
  g_assert_cmpuint (scores[0].index, ==, 1);
  g_assert_cmpfloat (scores[0].probability, ==, 1);
  g_assert_cmpfloat (scores[1].probability, ==, 0);
  g_assert_cmpfloat (scores[2].probability, ==, 0);
}

/* A row that is a little too long stays a cosine. */
static void
a_similarity_is_at_most_one (void)
{
  static const gfloat embedding[2] = { 1.0000001f, 0 };
  static const gfloat prompts[] = { 1.0000001f, 0, -1.0000001f, 0 };
  ClipScore scores[2];

  clip_scores_compute (embedding, prompts, 2, 2, 1, scores);
  g_assert_cmpfloat (scores[0].similarity, ==, 1);
  g_assert_cmpfloat (scores[1].similarity, ==, -1);
}

static void
no_prompts_touch_nothing (void)
{
  static const gfloat embedding[2] = { 1, 0 };
  ClipScore score = { .index = 7 };

  clip_scores_compute (embedding, NULL, 0, 2, 1, &score);
  g_assert_cmpuint (score.index, ==, 7);
}

static void
read_row (json_t *array, gfloat *row)
{
  json_t *value;
  gsize i;

  json_array_foreach (array, i, value)
  {
    row[i] = (gfloat)json_number_value (value);
  }
}

/* All pictures of one model against all of its prompts. */
static void
check_model (json_t *expected)
{
  json_t *prompts = json_object_get (expected, "prompts");
  json_t *images = json_object_get (expected, "images");
  guint n = (guint)json_array_size (prompts);
  guint dim =
      (guint)json_integer_value (json_object_get (expected, "embed_dim"));
  gfloat scale =
      (gfloat)json_number_value (json_object_get (expected, "logit_scale"));
  g_autofree gfloat *rows = g_new (gfloat, n * dim);
  g_autofree gfloat *embedding = g_new (gfloat, dim);
  g_autofree ClipScore *scores = g_new (ClipScore, n);

  for (guint k = 0; k < n; k++)
    read_row (json_object_get (json_array_get (prompts, k), "embedding"),
        rows + k * dim);
  for (gsize i = 0; i < json_array_size (images); i++) {
    json_t *cosine = json_array_get (json_object_get (expected, "cosine"), i);
    json_t *softmax = json_array_get (json_object_get (expected, "softmax"), i);

    read_row (
        json_object_get (json_array_get (images, i), "embedding"), embedding);
    clip_scores_compute (embedding, rows, n, dim, scale, scores);
    for (guint k = 0; k < n; k++) {
      guint index = scores[k].index;

      /* The original sums in float32 and prints nine digits: 7.8e-7 of the
       * goldens' README is what its sums are off, 1.1e-5 its softmax. */
      g_assert_cmpfloat_with_epsilon (scores[k].similarity,
          json_number_value (json_array_get (cosine, index)), 1e-6);
      g_assert_cmpfloat_with_epsilon (scores[k].probability,
          json_number_value (json_array_get (softmax, index)), 2e-5);
    }
  }
}

static void
goldens_agree (void)
{
  static const gchar *const models[] = { "openai-rn", "openai-vit",
    "hf-clip-f32", "hf-clip-fp16", "hf-clip-bf16-gelu", "hf-clip-sharded",
    "open-clip", "chinese-vit", "hf-chinese-clip", "chinese-rn" };
  g_autofree gchar *goldens = test_shared_or_skip ("goldens");

  if (goldens == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autofree gchar *path =
        g_build_filename (goldens, models[i], "expected.json", NULL);
    json_t *expected = json_load_file (path, 0, NULL);

    g_test_message ("%s", models[i]);
    check_model (expected);
    json_decref (expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/score/scores/are-as-defined", scores_are_as_defined);
  g_test_add_func (
      "/score/scores/probabilities-sum-to-one", probabilities_sum_to_one);
  g_test_add_func ("/score/scores/equal-ones-are-ordered-by-index",
      equal_ones_are_ordered_by_index);
  g_test_add_func (
      "/score/scores/what-is-no-number-comes-last-and-weighs-nothing",
      what_is_no_number_comes_last_and_weighs_nothing);
  g_test_add_func ("/score/scores/all-that-is-no-number-is-still-an-answer",
      all_that_is_no_number_is_still_an_answer);
  g_test_add_func ("/score/scores/a-large-scale-overflows-nothing",
      a_large_scale_overflows_nothing);
  g_test_add_func (
      "/score/scores/a-similarity-is-at-most-one", a_similarity_is_at_most_one);
  g_test_add_func (
      "/score/scores/no-prompts-touch-nothing", no_prompts_touch_nothing);
  g_test_add_func ("/score/scores/goldens-agree", goldens_agree);
  return g_test_run ();
}
