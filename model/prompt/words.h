/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Text becomes words as BERT's basic tokenizer cuts it: cleaned, Chinese
 * characters and punctuation alone, lower case without accents
 * (google-research/bert tokenization.py, BasicTokenizer). */
#pragma once

#include <glib.h>

/* Where the original and Hugging Face's fast tokenizer part ways. */
typedef struct {
  gboolean drops_private_use;
  gboolean final_sigma;
  gunichar extension_e; /* the first of that block that stands alone */
} ClipWordRules;

/* Words are made one at a time, so that what is cut off costs nothing. */
typedef struct _ClipWords ClipWords;

/* @text: UTF-8 without NUL; not copied, as @rules */
ClipWords *clip_words_new (
    const ClipWordRules *rules, const gchar *text, gsize text_size);
void clip_words_free (ClipWords *words);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipWords, clip_words_free)

/* Returns: the next word, decomposed (NFD), never empty, valid until the next
 *   call; NULL behind the last. */
const gchar *clip_words_next (ClipWords *words);
