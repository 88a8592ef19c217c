/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the originals' tokenizers made of texts, kept as JSON. */
#pragma once

#include "prompt/prompt.h"

#include <jansson.h>

/* Ends the test where it is no JSON. (transfer full) */
json_t *expected_load (const gchar *path);

/* @ids: an array of them */
void expected_assert_ids (
    const ClipTokenizer *tokenizer, const gchar *text, const json_t *ids);
