/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A product with weights, for each of the shapes it will run: what linear and
 * convolution layers have in common. The weights are packed once, in the
 * layout that the largest shape wants; the other shapes are told to read that.
 * (Both majors choose one layout for all row counts 1 … 400 anyway, measured
 * on f32; the rule holds where they would not.) */
#pragma once

#include "engine/product.h"

typedef struct {
  guint count; /* rows or batch */
  ClipProduct product;
} ClipLayerShape;

typedef struct {
  ClipEngine *engine;
  gchar *name;
  guint n_shapes;
  ClipLayerShape shapes[CLIP_ENGINE_MAX_SHAPES];
  gfloat *bias;
  gsize dst_width; /* floats of one dst row or pixel */
  gpointer packed;
  gsize packed_size;
} ClipLayer;

/* @counts must have passed clip_engine_check_counts(). */
void clip_layer_init (ClipLayer *layer, ClipEngine *engine, const gchar *name,
    const guint *counts, guint n_counts);
void clip_layer_clear (ClipLayer *layer);

/* Builds the product of @shape; the largest, which is the last, comes first.
 * The weights' descriptor of @spec is used for that one alone. */
gboolean clip_layer_build (
    ClipLayer *layer, guint shape, const ClipProductSpec *spec, GError **error);

/* Copies @bias and packs @weights, which are as @desc says. */
gboolean clip_layer_pack (ClipLayer *layer, const ClipDesc *desc,
    gconstpointer weights, const gfloat *bias, GError **error);

/* Whether a run of @count is possible, in this thread. */
gboolean clip_layer_check (ClipLayer *layer, guint count, GError **error);

gboolean clip_layer_run (ClipLayer *layer, guint count, gconstpointer src,
    gpointer dst, GError **error);
