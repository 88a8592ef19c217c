/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What pictures are compared with. */
#pragma once

#include "accuracy.h"

/* Encodes texts in f32, by the model's own text side.
 *
 * @prompts: (nullable): as the element takes them; NULL: things that the
 *   demonstration model knows
 * @vectors: (out): for vectors_clear()
 *
 * Returns: FALSE with the errors of prompt/ */
gboolean prompts_encode (
    ClipModel *model, const gchar *prompts, Vectors *vectors, GError **error);

/* Fifty random directions, always the same. */
void prompts_draw (guint width, Vectors *vectors);
