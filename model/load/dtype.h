/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Numbers as files have them, on their way to 32-bit floats. */
#pragma once

#include "load/tensor.h"

/* As clip_dtype_to_f32(), and proves that all are finite. What is stored as f32
 * may stand in its place already.
 *
 * @index: (out): of the first NaN or infinity
 *
 * Returns: FALSE where there is one */
gboolean clip_dtype_to_finite_f32 (ClipDtype dtype, gconstpointer src,
    gfloat *dst, gsize n_elements, gsize *index);
