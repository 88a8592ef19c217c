/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "score/score.h"

#include <math.h>

/* Partial sums, so that the loop vectorises; a fixed number of them, so that
 * every machine adds in the same order. */
#define N_SUMS 8

/* Returns: NaN where a value is not finite. */
static gfloat
cosine (const gfloat *a, const gfloat *b, guint n)
{
  gdouble sums[N_SUMS] = { 0 };
  gdouble sum = 0;
  guint whole = n - n % N_SUMS;

  for (guint i = 0; i < whole; i += N_SUMS) {
    for (guint k = 0; k < N_SUMS; k++)
      sums[k] += (gdouble)a[i + k] * b[i + k];
  }
  for (guint k = 0; k < N_SUMS; k++)
    sum += sums[k];
  for (guint i = whole; i < n; i++)
    sum += (gdouble)a[i] * b[i];
  return isfinite (sum) ? (gfloat)CLAMP (sum, -1, 1) : NAN;
}

/* Softmax over those that are numbers; the others get nothing. */
static void
set_probabilities (ClipScore *scores, guint n, gdouble scale)
{
  gdouble largest = -INFINITY;
  gdouble sum = 0;

  for (guint i = 0; i < n; i++)
    largest = fmax (largest, scale * scores[i].similarity);
  for (guint i = 0; i < n; i++) {
    if (!isnan (scores[i].similarity))
      sum += exp (scale * scores[i].similarity - largest);
  }
  for (guint i = 0; i < n; i++) {
    scores[i].probability =
        isnan (scores[i].similarity)
            ? 0
            : (gfloat)(exp (scale * scores[i].similarity - largest) / sum);
  }
}

/* A total order: NaN behind all numbers, equal ones by index. */
static gboolean
is_before (const ClipScore *a, const ClipScore *b)
{
  gboolean a_is_number = !isnan (a->similarity);

  if (a_is_number != !isnan (b->similarity))
    return a_is_number;
  if (a_is_number && a->similarity != b->similarity)
    return a->similarity > b->similarity;
  return a->index < b->index;
}

static void
swap (ClipScore *a, ClipScore *b)
{
  ClipScore kept = *a;

  *a = *b;
  *b = kept;
}

/* Restores the heap of n whose top is the last in order, below @top. */
static void
sift_down (ClipScore *heap, guint n, guint top)
{
  for (guint child; (child = 2 * top + 1) < n; top = child) {
    if (child + 1 < n && is_before (&heap[child], &heap[child + 1]))
      child++;
    if (!is_before (&heap[top], &heap[child]))
      return;
    swap (&heap[top], &heap[child]);
  }
}

/* Heapsort: in place, where the C library's sorts allocate. */
static void
sort (ClipScore *scores, guint n)
{
  for (guint i = n / 2; i > 0; i--)
    sift_down (scores, n, i - 1);
  for (guint last = n; last > 1; last--) {
    swap (&scores[0], &scores[last - 1]);
    sift_down (scores, last - 1, 0);
  }
}

void
clip_scores_compute (const gfloat *embedding, const gfloat *prompts,
    guint n_prompts, guint embed_dim, gfloat logit_scale, ClipScore *scores)
{
  for (guint i = 0; i < n_prompts; i++) {
    scores[i].index = i;
    scores[i].similarity =
        cosine (embedding, prompts + (gsize)i * embed_dim, embed_dim);
  }
  set_probabilities (scores, n_prompts, logit_scale);
  sort (scores, n_prompts);
}
