/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The safetensors format (model-spec 4.1):
 *
 *   0      N, 64 bits, little-endian
 *   8      N bytes of JSON: {"name": {"dtype": …, "shape": […],
 *          "data_offsets": [begin, end]}, …, "__metadata__": {…}}
 *   8 + N  the data, which the tensors fill without a hole */
#pragma once

#include "load/stored.h"

/* Reads the header and proves every rule of the format.
 *
 * @file: must outlive the tensors
 *
 * Returns: (transfer full) (element-type ClipStoredTensor): in the header's
 *   order; NULL with CLIP_ERROR_FORMAT, the rule and the tensor named, or
 *   CLIP_ERROR_READ */
GPtrArray *clip_safetensors_read (const ClipFile *file, GError **error);
