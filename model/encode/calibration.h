/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What decides which layers multiply in bytes: pictures that come along go
 * through the tower, a layer at a time, in f32 or bf16, and each layer that may
 * be in bytes is tried on what it was given. In the end the tower's answers are
 * held against those it gave on the way. */
#pragma once

#include "encode/encode.h"

typedef struct {
  guint batch;          /* pictures: the largest that the tower is built for */
  guint embed_dim;      /* E */
  const gfloat *pixels; /* [batch, S, S, 3] */
  GArray *layers;       /* of ClipLayerChoice */
  gfloat *embeddings;   /* [batch, E]: where the tower's answers are written */
  gfloat *expected;     /* [batch, E], of the layers as they were tried against;
                           NULL until then */
  gdouble error;        /* of score differences, as those of the embeddings
                           predict it */
} ClipCalibration;

/* The arrays are the engine's, and lent until the tower is built.
 *
 * @pixels: (out caller-allocates): [batch, S, S, 3], written here
 * @embeddings: [batch, E]
 *
 * Returns: (transfer full) */
ClipCalibration *clip_calibration_new (
    const ClipModelInfo *info, guint batch, gfloat *pixels, gfloat *embeddings);
void clip_calibration_free (ClipCalibration *self); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipCalibration, clip_calibration_free)

/* Notes what became of a layer. */
void clip_calibration_add (
    ClipCalibration *self, const ClipLayerChoice *choice);

/* Keeps the embeddings as what the tower made of the pixels on the way. */
void clip_calibration_expect (ClipCalibration *self);

/* Compares with them what the tower as built made of the pixels: embeddings of
 * any length, used up. */
void clip_calibration_compare (ClipCalibration *self);

/* Whether some of it is in bytes, and its answers may be given. */
gboolean clip_calibration_is_good (const ClipCalibration *self);

/* Why not: a sentence's end. (transfer full) */
gchar *clip_calibration_explain (const ClipCalibration *self);
