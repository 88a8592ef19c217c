/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The notation that prompts and templates share. */
#pragma once

#include "prompt/prompt.h"

/* As clip_prompts_parse().
 *
 * @noun: what an error calls an item: "prompt"
 * @max_items: more are an error */
GStrv clip_items_parse (
    const gchar *string, const gchar *noun, guint max_items, GError **error);
