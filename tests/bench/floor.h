/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The floor under an encoder's time: its products, convolutions and attentions
 * bare, in the order of the model, each matrix in its own packed memory, so
 * that what has to come from memory is what the model has to read. No norms, no
 * softmax, no activations, no residuals. Where oneDNN may be asked in two ways,
 * the faster is taken, by a short measurement. */
#pragma once

#include "shapes.h"

typedef struct _Floor Floor;

/* Everything in the thread that calls this, as of an engine.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_COMPUTE or _NO_SPACE. */
Floor *floor_new (const ClipConfig *config, guint batch, guint n_threads,
    ClipPrecision precision, GError **error);
void floor_free (Floor *floor); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Floor, floor_free)

/* @hot: with one matrix for each shape, which stays in the cache */
gboolean floor_run (Floor *floor, gboolean hot, GError **error);

/* Of one run: all pictures of the batch. */
gdouble floor_get_flops (const Floor *floor);

/* Bytes of packed matrices, which a run that is not hot reads. */
gsize floor_get_weights_size (const Floor *floor);

/* A line a shape: how often, which way, and what each took. (transfer full) */
gchar *floor_describe (const Floor *floor);
