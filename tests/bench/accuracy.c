/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: N crops, P prompts, E embedding. */

#include "accuracy.h"

#include "machine.h"

#include "clip-error.h"

#include <math.h>

#define ALARM_PART 0.1 /* of the crops are beyond a prompt's threshold */

void
vectors_clear (Vectors *vectors)
{
  g_clear_pointer (&vectors->values, g_free);
}

gboolean
accuracy_encode (ClipModel *model, ClipPrecision precision,
    const Pictures *pictures, Vectors *embeddings, GError **error)
{
  const ClipEncoderOptions options = {
    .n_threads = 2, .max_batch = CLIP_ENCODER_MAX_BATCH, .precision = precision
  };
  g_autoptr (ClipEncoder) encoder = clip_encoder_new (model, &options, error);
  guint width = clip_model_get_info (model)->embed_dim;
  g_auto (Vectors) made = { pictures->n_crops, width, NULL };

  if (encoder == NULL)
    return FALSE;
  if (clip_encoder_get_precision (encoder) != precision) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "%s cannot be had on this CPU", clip_precision_get_name (precision));
    return FALSE;
  }
  made.values = g_new (gfloat, (gsize)made.n_rows * width);
  for (guint i = 0; i < made.n_rows; i += options.max_batch)
    if (!clip_encoder_encode_pictures (encoder,
            MIN (options.max_batch, made.n_rows - i),
            (const guint8 *const *)pictures->crops + i,
            made.values + (gsize)i * width, error))
      return FALSE;
  *embeddings = made;
  made.values = NULL;
  return TRUE;
}

static gdouble
dot (const gfloat *a, const gfloat *b, guint width)
{
  gdouble sum = 0;

  for (guint i = 0; i < width; i++)
    sum += (gdouble)a[i] * b[i];
  return sum;
}

static const gfloat *
row (const Vectors *vectors, guint index)
{
  return vectors->values + (gsize)index * vectors->width;
}

gdouble
accuracy_min_cosine (const Vectors *a, const Vectors *b)
{
  gdouble least = 1;

  for (guint i = 0; i < MIN (a->n_rows, b->n_rows); i++)
    least = MIN (least, dot (row (a, i), row (b, i), a->width));
  return least;
}

/* [N, P]: each picture against each prompt */
static gdouble *
compute_similarities (const Vectors *embeddings, const Vectors *prompts)
{
  gdouble *all = g_new (gdouble, (gsize)embeddings->n_rows * prompts->n_rows);

  for (guint i = 0; i < embeddings->n_rows; i++)
    for (guint j = 0; j < prompts->n_rows; j++)
      all[(gsize)i * prompts->n_rows + j] =
          dot (row (embeddings, i), row (prompts, j), prompts->width);
  return all;
}

/* The two lists of similarities, and what is asked of them. */
typedef struct {
  guint n_crops, n_prompts;
  const gdouble *f32, *other; /* [N, P] */
  AccuracyFigures *figures;
} Comparison;

/* Over a crop's pairs a, b: sum of (e_a - e_b)^2 = P sum e^2 - (sum e)^2 */
static void
compare_similarities (const Comparison *comparison)
{
  guint n = comparison->n_prompts;
  g_autoptr (GArray) errors = g_array_new (FALSE, FALSE, sizeof (gdouble));
  gdouble all_pairs = 0, n_pairs = n * (n - 1) / 2.0;

  for (guint i = 0; i < comparison->n_crops; i++) {
    gdouble sum = 0, squares = 0;

    for (guint j = 0; j < n; j++) {
      gsize at = (gsize)i * n + j;
      gdouble e = comparison->other[at] - comparison->f32[at], size = fabs (e);

      sum += e;
      squares += e * e;
      g_array_append_val (errors, size);
    }
    all_pairs += n * squares - sum * sum;
  }
  comparison->figures->difference_rms =
      sqrt (all_pairs / (comparison->n_crops * n_pairs));
  comparison->figures->similarity_p999 = machine_quantile (errors, 0.999);
}

/* @margin: (out): to the next best */
static guint
find_best (const gdouble *similarities, guint n, gdouble *margin)
{
  gdouble second = -INFINITY;
  guint best = 0;

  for (guint i = 1; i < n; i++)
    if (similarities[i] > similarities[best]) {
      second = similarities[best];
      best = i;
    } else {
      second = MAX (second, similarities[i]);
    }
  *margin = similarities[best] - second;
  return best;
}

static void
compare_best (const Comparison *comparison)
{
  AccuracyFigures *figures = comparison->figures;
  guint n_same = 0, n_clear = 0, n_clear_same = 0;

  for (guint i = 0; i < comparison->n_crops; i++) {
    gsize at = (gsize)i * comparison->n_prompts;
    gdouble margin, ignored;
    guint expected =
        find_best (comparison->f32 + at, comparison->n_prompts, &margin);
    gboolean is_same = find_best (comparison->other + at, comparison->n_prompts,
                           &ignored) == expected;
    gboolean is_clear = margin > ACCURACY_CLEAR_MARGIN;

    n_same += is_same;
    n_clear += is_clear;
    n_clear_same += is_clear && is_same;
  }
  figures->agreement = (gdouble)n_same / comparison->n_crops;
  figures->clear_agreement = n_clear > 0 ? (gdouble)n_clear_same / n_clear : 1;
  figures->clear_part = (gdouble)n_clear / comparison->n_crops;
}

static void
compare_alarms (const Comparison *comparison)
{
  guint n = comparison->n_prompts, n_flips = 0;
  gint shift = 0;
  gdouble n_all = (gdouble)n * comparison->n_crops;

  for (guint j = 0; j < n; j++) {
    g_autoptr (GArray) column = g_array_new (FALSE, FALSE, sizeof (gdouble));
    gdouble threshold;

    for (guint i = 0; i < comparison->n_crops; i++)
      g_array_append_val (column, comparison->f32[(gsize)i * n + j]);
    threshold = machine_quantile (column, 1 - ALARM_PART);
    for (guint i = 0; i < comparison->n_crops; i++) {
      gboolean expected = comparison->f32[(gsize)i * n + j] > threshold,
               got = comparison->other[(gsize)i * n + j] > threshold;

      shift += got - expected;
      n_flips += got != expected;
    }
  }
  comparison->figures->alarm_shift = shift / n_all;
  comparison->figures->alarm_flips = n_flips / n_all;
}

static void
compare_embeddings (const Vectors *reference, const Vectors *embeddings,
    AccuracyFigures *figures)
{
  guint n = reference->n_rows;

  for (guint i = 0; i < n; i++) {
    figures->mean_cosine +=
        dot (row (reference, i), row (embeddings, i), reference->width) / n;
    figures->spread += dot (row (reference, i),
                           row (reference, (i + n / 2) % n), reference->width) /
                       n;
  }
  figures->min_cosine = accuracy_min_cosine (reference, embeddings);
}

void
accuracy_compare (const Vectors *reference, const Vectors *embeddings,
    const Vectors *prompts, AccuracyFigures *figures)
{
  g_autofree gdouble *f32 = compute_similarities (reference, prompts);
  g_autofree gdouble *other = compute_similarities (embeddings, prompts);
  const Comparison comparison = { .n_crops = reference->n_rows,
    .n_prompts = prompts->n_rows,
    .f32 = f32,
    .other = other,
    .figures = figures };

  *figures = (AccuracyFigures){ .n_crops = reference->n_rows,
    .n_prompts = prompts->n_rows };
  compare_embeddings (reference, embeddings, figures);
  compare_similarities (&comparison);
  compare_best (&comparison);
  compare_alarms (&comparison);
}
