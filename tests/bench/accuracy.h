/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a precision costs: the same pictures encoded in f32 and in it, and how
 * far apart the answers are that a user gets. */
#pragma once

#include "pictures.h"

#include "encode/encode.h"

/* Pictures that the model finds this much likelier to show one prompt than the
 * next best: what an answer is not decided by chance. */
#define ACCURACY_CLEAR_MARGIN 0.005

/* Of unit vectors: embeddings of pictures, and of prompts. */
typedef struct {
  guint n_rows;
  guint width;
  gfloat *values; /* [n_rows, width] */
} Vectors;

void vectors_clear (Vectors *vectors);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Vectors, vectors_clear)

typedef struct {
  guint n_crops, n_prompts;
  gdouble difference_rms;  /* of the errors of sim (a) - sim (b), over all crops
                              and pairs of prompts */
  gdouble similarity_p999; /* of |error of sim|, over all crops and prompts */
  gdouble agreement;       /* part of the crops with the same best prompt */
  gdouble clear_agreement; /* the same of those with a clear best one */
  gdouble clear_part;      /* which is this part */
  gdouble min_cosine, mean_cosine; /* of the two embeddings of a crop */
  gdouble alarm_shift; /* of the part of all scores beyond each prompt's
                          threshold, which one crop in ten exceeds in f32 */
  gdouble alarm_flips; /* part of all scores that change sides there */
  gdouble spread;      /* mean cosine of the f32 embeddings of two crops */
} AccuracyFigures;

/* @embeddings: (out): for vectors_clear()
 *
 * Returns: FALSE with the errors of clip_encoder_new() or _encode_pictures(),
 *   or with CLIP_ERROR_COMPUTE where the precision cannot be had here. */
gboolean accuracy_encode (ClipModel *model, ClipPrecision precision,
    const Pictures *pictures, Vectors *embeddings, GError **error);

/* Compares embeddings of the same crops.
 *
 * @figures: (out caller-allocates) */
void accuracy_compare (const Vectors *reference, const Vectors *embeddings,
    const Vectors *prompts, AccuracyFigures *figures);

/* The least cosine of rows of the same number. */
gdouble accuracy_min_cosine (const Vectors *a, const Vectors *b);
