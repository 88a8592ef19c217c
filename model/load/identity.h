/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What makes two models the same: equal vectors for equal input. */
#pragma once

#include "load/config.h"
#include "load/file.h"
#include "load/tensor.h"

/* "rn-32x2222-a1b2c3d4e5f6": what the picture side is, then 12 hex digits of
 * an XXH3-128 over the digest of each tensor as f32, the facts of @config that
 * change vectors, and the bytes of the tokenizer's files. Neither the names of
 * tensors nor how they are stored count.
 *
 * A ModifiedResNet is called by its width and the bottlenecks of its stages,
 * with dots between where one has more than nine ("rn-64x3.4.23.3"). A vision
 * transformer of a published size is called as there ("vit-b-32",
 * "vit-l-14-336"), any other by width, layers and patch ("vit-64x2-16"), with
 * the picture's side behind where it is not 224.
 *
 * @tensors: (element-type ClipTensor): in canonical order
 * @files: @n_files of the tokenizer, NULL where there is none
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_READ or CLIP_ERROR_MODEL */
gchar *clip_identity_new (const ClipConfig *config, const GPtrArray *tensors,
    const ClipFile *const *files, guint n_files, GError **error);
