/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Byte-pair tables made by the tests, in each form that tokenizers are
 * published in. */
#pragma once

#include "prompt/prompt.h"

#include <jansson.h>

#define BPE_SYMBOLS 512 /* of the bytes, and of those at a word's end */

/* Tokens by id, as model-spec.md section 5.1 numbers them. */
typedef struct {
  GPtrArray *tokens; /* of gchar * */
  GPtrArray *merges; /* of gchar *, "left right" */
} BpeTable;

BpeTable *bpe_table_new (void);
void bpe_table_free (BpeTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BpeTable, bpe_table_free)

/* Adds a merge and the token that it makes. */
void bpe_table_add (BpeTable *table, const gchar *left, const gchar *right);

/* Adds the start and the end token: the table is whole. */
void bpe_table_finish (BpeTable *table);

/* Texts of files; (transfer full) each. */
gchar *bpe_table_to_merges (const BpeTable *table);
gchar *bpe_table_to_vocab (const BpeTable *table);
json_t *bpe_table_to_tokenizer (const BpeTable *table, gboolean pairs);

/* A temporary file with @content (@size bytes; -1: a string). */
gchar *bpe_file_new (const gchar *content, gssize size);
/* The same, packed by gzip. */
gchar *bpe_file_new_packed (const gchar *content);
/* Removes the file and frees its name. */
void bpe_file_free (gchar *path);
