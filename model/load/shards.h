/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Weights in several safetensors files, with an index that says which tensor
 * lies in which (model-spec 4.1):
 *
 *   {"metadata": {…}, "weight_map": {"tensor": "file", …}} */
#pragma once

#include "load/weights.h"

#define CLIP_SHARDS_INDEX_SUFFIX ".index.json"

/* @head: the first eight bytes of a file, zeros behind its end */
gboolean clip_shards_is_index (const gchar head[8]);

/* Opens the files that the index, the first of @weights, names.
 *
 * Returns: FALSE with CLIP_ERROR_NOT_FOUND, _OPEN, _READ, _FORMAT or _MODEL;
 *   the message names the index, the file and the tensor */
gboolean clip_shards_read (ClipWeights *weights, GError **error);

/* The files that the index @path may name, since no content is read: those
 * beside it that end in .safetensors. None where @path does not end as an index
 * does.
 *
 * Returns: (transfer full): paths, sorted */
GStrv clip_shards_list (const gchar *path);
