/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the encoder knows of a tower: how to build it, run it and free it. A
 * kind of tower is one constant here and one row of a table in tower.c. */
#pragma once

#include "encode/calibration.h"
#include "engine/engine.h"

/* Shows layers' outputs to whoever looks; @trace is NULL while nobody does. */
typedef struct {
  ClipTrace trace;
  gpointer user_data;
} ClipTracer;

/* What a layer gave. */
typedef struct {
  ClipNumber number;
  gconstpointer values; /* [n_rows, n_columns] */
  gsize n_rows;
  gsize n_columns;
} ClipShown;

/* The rest makes the name, as printf does. */
void clip_tracer_show (const ClipTracer *tracer, ClipShown shown,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);

/* What a tower is built with; all of it outlives the tower. */
typedef struct {
  ClipEngine *engine;
  const ClipCheckpoint *checkpoint;
  const ClipTracer *tracer;
  ClipNumber number;            /* of what lies between the layers of a block */
  ClipCalibration *calibration; /* what decides which products of transformer
                                   blocks are in bytes; NULL: none */
  const guint *batches;         /* of pictures, ascending; image towers only */
  guint n_batches;
} ClipTowerContext;

typedef struct {
  const gchar *name;
  gpointer (*build) (const ClipTowerContext *context, GError **error);
  void (*free) (gpointer tower); /* NULL is allowed */

  /* @batch: one of the context's
   * @pixels: [batch, S, S, 3]
   * @embeddings: [batch, E], of any length */
  gboolean (*run) (gpointer tower, guint batch, const gfloat *pixels,
      gfloat *embeddings, GError **error);
} ClipVisionTower;

/* Nobody waits for texts as for a picture, so this one is packed and run in
 * pieces of about a layer, between which the engine serves others. */
typedef struct {
  const gchar *name;
  gpointer (*begin) (const ClipTowerContext *context);
  void (*free) (gpointer tower); /* NULL is allowed */

  /* Packs the next piece.
   *
   * @done: (out): whether it was the last */
  gboolean (*pack) (gpointer tower, gboolean *done, GError **error);

  /* Lays as many texts as fit, in place of those laid before.
   *
   * @tokens: [n], proven: counts within the context, ids within the vocabulary
   *
   * Returns: how many, at least 1 */
  guint (*lay) (gpointer tower, guint n, const ClipTokens *tokens);

  /* Runs the next piece over what was laid.
   *
   * @embeddings: (out caller-allocates): [laid, E], of any length; with the
   *   last piece
   * @done: (out): whether it was the last */
  gboolean (*run) (
      gpointer tower, gfloat *embeddings, gboolean *done, GError **error);
} ClipTextTower;

extern const ClipVisionTower clip_modified_resnet_tower;
extern const ClipVisionTower clip_vision_transformer_tower;
extern const ClipTextTower clip_bert_tower;
extern const ClipTextTower clip_text_transformer_tower;

const ClipVisionTower *clip_vision_tower_find (ClipVisionKind kind);

/* NULL with CLIP_ERROR_MODEL for CLIP_TEXT_NONE. */
const ClipTextTower *clip_text_tower_find (ClipTextKind kind, GError **error);
