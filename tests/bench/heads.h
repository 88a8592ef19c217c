/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The two products of attention, without the softmax between them. */
#pragma once

#include "product.h"

typedef enum {
  HEADS_APART,    /* each thread a head after the other, its scores in cache */
  HEADS_TOGETHER, /* one product over all heads, each */
  N_HEAD_WAYS
} HeadWay;

const gchar *head_way_name (HeadWay way);

typedef struct _Heads Heads;

/* Returns: (transfer full): NULL with CLIP_ERROR_COMPUTE or _NO_SPACE. */
Heads *heads_new (ClipEngine *engine, const Operands *operands, HeadWay way,
    const Shape *shape, ClipPrecision precision, GError **error);
void heads_free (Heads *heads); /* NULL is allowed */
gboolean heads_run (Heads *heads, GError **error);
