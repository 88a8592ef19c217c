/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* In which numbers an encoder multiplies. It belongs to no room and may be
 * included by all. In every precision the residual stream, norms, softmax and
 * scores are f32, and so is the text side. */
#pragma once

#include <glib.h>

/* @CLIP_PRECISION_AUTO: bf16 where the CPU multiplies it natively, else f32
 * @CLIP_PRECISION_F32: 32-bit floats
 * @CLIP_PRECISION_BF16: 16-bit floats of 8 bits, added up in f32
 * @CLIP_PRECISION_INT8: of a vision transformer the products with weights
 *   inside the blocks in 8-bit integers, added up in 32 bits; all else as with
 *   AUTO, which never means this */
typedef enum {
  CLIP_PRECISION_AUTO,
  CLIP_PRECISION_F32,
  CLIP_PRECISION_BF16,
  CLIP_PRECISION_INT8
} ClipPrecision;

/* "auto", "f32", "bf16", "int8"; static. */
const gchar *clip_precision_get_name (ClipPrecision precision);
