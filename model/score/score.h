/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The door of score/: an embedding against prompts gives numbers. */
#pragma once

#include <glib.h>

typedef struct {
  guint index;        /* of the prompt in its set */
  gfloat similarity;  /* cosine, -1 … 1 */
  gfloat probability; /* softmax over all prompts of logit scale x cosine */
} ClipScore;

/* Scores one picture. Thread-safe; allocates nothing. A similarity that is not
 * finite becomes NaN: last in order, of probability 0, outside the softmax.
 *
 * @embedding: [embed_dim], of length 1
 * @prompts: [n_prompts, embed_dim], rows of length 1
 * @logit_scale: the factor itself (100 in the published models), not its
 *   logarithm; finite
 * @scores: (out caller-allocates): n_prompts, best first; equal ones by index
 */
void clip_scores_compute (const gfloat *embedding, const gfloat *prompts,
    guint n_prompts, guint embed_dim, gfloat logit_scale, ClipScore *scores);
