/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the suites of encode/ share: an encoder of a folder, its layers'
 * outputs kept by name, and the comparison with model-spec.md's tables. */
#pragma once

#include "encode/encode.h"
#include "support.h"

#include <math.h>
#include <string.h>

/* Of an embedding, relative L2: model-spec.md section 10. The original code in
 * f32 is within 4e-7 of itself in f64, and the smallest mistake that was
 * measured (LayerNorm's epsilon) makes 2.5e-5. */
#define EMBEDDING_TOLERANCE 1e-5

/* Of one value inside, as a share of the root mean square of its layer: three
 * times what was seen to be lost in f32, and less than LayerNorm's epsilon
 * makes in a block, which the embedding alone does not show. */
#define LAYER_TOLERANCE 4e-6

typedef struct {
  gchar *name;
  gfloat *values; /* [n_rows, n_columns] */
  gsize n_rows;
  gsize n_columns;
} Layer;

static inline void
layer_free (gpointer data)
{
  Layer *layer = data;

  g_free (layer->name);
  g_free (layer->values);
  g_free (layer);
}

/* A ClipTrace; @user_data: a GPtrArray of Layer. */
static inline void
layer_keep (gpointer user_data, const gchar *name, const gfloat *values,
    gsize n_rows, gsize n_columns)
{
  Layer *layer = g_new0 (Layer, 1);

  layer->name = g_strdup (name);
  layer->values = g_memdup2 (values, n_rows * n_columns * sizeof (gfloat));
  layer->n_rows = n_rows;
  layer->n_columns = n_columns;
  g_ptr_array_add (user_data, layer);
}

static inline const Layer *
layer_find (const GPtrArray *layers, const gchar *name)
{
  for (guint i = 0; i < layers->len; i++) {
    const Layer *layer = g_ptr_array_index (layers, i);
    if (g_str_equal (layer->name, name))
      return layer;
  }
  g_error ("no layer '%s' was shown", name);
}

static inline ClipEncoder *
encoder_open_in (const gchar *folder, const ClipEncoderOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipModel) model = clip_model_open (folder, &error);
  ClipEncoder *encoder = NULL;

  g_assert_no_error (error);
  encoder = clip_encoder_new (model, options, &error);
  g_assert_no_error (error);
  return encoder;
}

static inline ClipEncoder *
encoder_open (const gchar *folder, guint n_threads, guint max_batch)
{
  const ClipEncoderOptions options = { n_threads, max_batch,
    CLIP_PRECISION_F32 };

  return encoder_open_in (folder, &options);
}

/* Fails with the value that differs. */
static inline void
assert_near (const gchar *what, gsize index, gdouble got, gdouble expected,
    gdouble tolerance)
{
  if (fabs (got - expected) <= tolerance)
    return;
  g_test_message ("%s[%" G_GSIZE_FORMAT "]: got %.9g, expected %.9g, which is "
                  "off by %.3g, more than %.3g",
      what, index, got, expected, fabs (got - expected), tolerance);
  g_test_fail ();
}

/* @first: the first 8 values; @norm: of all @n */
static inline void
assert_embedding (const gchar *what, const gfloat *embedding, gsize n,
    const gfloat *first, gdouble norm)
{
  gdouble squares = 0;
  gdouble difference = test_relative_l2 (embedding, first, 8);

  for (gsize i = 0; i < n; i++)
    squares += (gdouble)embedding[i] * embedding[i];
  for (gsize i = 0; i < 8 && !(difference <= EMBEDDING_TOLERANCE); i++)
    g_test_message ("%s[%" G_GSIZE_FORMAT "]: got %.9g, expected %.9g", what, i,
        embedding[i], first[i]);
  g_assert_cmpfloat (difference, <=, EMBEDDING_TOLERANCE);
  assert_near (what, n, sqrt (squares), norm, norm * EMBEDDING_TOLERANCE);
}

/* The picture of model-spec.md section 9, channels last. (transfer full) */
static inline gfloat *
make_pixels (guint n)
{
  gfloat *pixels = g_new (gfloat, 3 * n * n);
  guint b = n / 8;

  for (guint c = 0; c < 3; c++)
    for (guint y = 0; y < n; y++)
      for (guint x = 0; x < n; x++)
        pixels[(y * n + x) * 3 + c] =
            2 * test_uniform ((c * b + y / 8) * b + x / 8, "image") +
            test_uniform ((c * n + y) * n + x, "noise") / 4;
  return pixels;
}

/* What a known mistake makes of an embedding: its first two values, printed to
 * five digits (model-spec.md section 8.1). */
typedef struct {
  const gchar *name;
  gdouble first[2];
} Mistake;

/* Fails with the mistake's name: a wrong embedding then says what to look for,
 * and each mistake is seen to be one that the comparison can tell. */
static inline void
assert_no_mistake (
    const gfloat *embedding, const Mistake *mistakes, gsize n_mistakes)
{
  for (gsize i = 0; i < n_mistakes; i++) {
    const gdouble *first = mistakes[i].first;
    gdouble off =
        MAX (fabs (embedding[0] - first[0]), fabs (embedding[1] - first[1]));

    if (off > 1e-4)
      continue;
    g_test_message ("the embedding is that of: %s", mistakes[i].name);
    g_test_fail ();
  }
}
