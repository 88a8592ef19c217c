/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The tokenizer files of Hugging Face: vocab.json and tokenizer.json. A
 * tokenizer.json says with a hundred settings what a tokenizer does; ours does
 * what CLIP's and BERT's say and nothing else, so each other value is refused
 * by name. */
#pragma once

#include "prompt/vocabulary.h"

#define CLIP_VOCABULARY_MAX_BYTES (16 * 1024 * 1024)

/* Whether @text, the content of a file, is meant to be JSON. */
gboolean clip_tokenizer_json_is_json (const gchar *text);

/* @path: whence @text comes
 *
 * Returns: (transfer full): an object; NULL with CLIP_ERROR_FORMAT. */
json_t *clip_tokenizer_json_parse (
    const gchar *path, const gchar *text, GError **error);

/* A tokenizer.json has an object "model", a vocab.json at most a token. */
gboolean clip_tokenizer_json_is_whole (const json_t *root);

/* Reads a tokenizer.json.
 *
 * @type: of its model: "BPE", "WordPiece"
 * @vocabulary: given the tokens of the model, then those that were added to it
 *
 * Returns: FALSE with CLIP_ERROR_FORMAT or _MODEL. */
gboolean clip_tokenizer_json_read (const ClipDocument *document,
    const gchar *type, ClipVocabulary *vocabulary, GError **error);
