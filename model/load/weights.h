/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The weights of a model: which files they lie in, in which format, told by
 * their first bytes, and the tensors they hold. */
#pragma once

#include "load/stored.h"

typedef struct {
  GPtrArray *files;  /* ClipFile; the first is the one that was opened */
  GPtrArray *stored; /* ClipStoredTensor, over @files */
} ClipWeights;

/* Which folder and which weights @path means: a folder, where the first of the
 * names that publishers use is taken, or the weights themselves.
 *
 * @folder, @weights: (out): paths, to be freed
 *
 * Returns: FALSE with CLIP_ERROR_NOT_FOUND or CLIP_ERROR_OPEN */
gboolean clip_weights_locate (
    const gchar *path, gchar **folder, gchar **weights, GError **error);

/* Returns: (transfer full): NULL with CLIP_ERROR_NOT_FOUND, _OPEN, _READ or
 *   _FORMAT */
ClipWeights *clip_weights_open (const gchar *path, GError **error);
void clip_weights_free (ClipWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipWeights, clip_weights_free)

/* Of the file that was opened. (transfer none) */
const gchar *clip_weights_get_path (const ClipWeights *weights);
