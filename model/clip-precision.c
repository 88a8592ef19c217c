/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "clip-precision.h"

static const gchar *const names[] = {
  [CLIP_PRECISION_AUTO] = "auto",
  [CLIP_PRECISION_F32] = "f32",
  [CLIP_PRECISION_BF16] = "bf16",
  [CLIP_PRECISION_INT8] = "int8",
};

const gchar *
clip_precision_get_name (ClipPrecision precision)
{
  return names[precision];
}
