/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Tokens and their ids, proven while they are read: each token once, each id
 * once and within the model's token table. */
#pragma once

#include "load/load.h"

typedef struct _ClipVocabulary ClipVocabulary;

/* @path: whence the tokens come, for errors
 * @max_size: rows of the model's token table */
ClipVocabulary *clip_vocabulary_new (const gchar *path, guint max_size);
void clip_vocabulary_free (ClipVocabulary *vocabulary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipVocabulary, clip_vocabulary_free)

/* A token that is there already with the same id is no error.
 *
 * @id: (nullable): NULL or no whole number is an error
 *
 * Returns: FALSE with CLIP_ERROR_FORMAT or _MODEL; the message names file,
 *   token and id. */
gboolean clip_vocabulary_add (ClipVocabulary *vocabulary, const gchar *token,
    const json_t *id, GError **error);

/* Adds @token with the next id; one that is there already is an error. */
gboolean clip_vocabulary_append (
    ClipVocabulary *vocabulary, const gchar *token, GError **error);

/* Adds what an object says: { "token": id, ... } */
gboolean clip_vocabulary_add_object (
    ClipVocabulary *vocabulary, json_t *object, GError **error);

/* Returns: FALSE with CLIP_ERROR_FORMAT where an id below the highest has no
 *   token. */
gboolean clip_vocabulary_check_gaps (
    const ClipVocabulary *vocabulary, GError **error);

gboolean clip_vocabulary_find (
    const ClipVocabulary *vocabulary, const gchar *token, guint32 *id);

/* One more than the highest id. */
guint clip_vocabulary_get_size (const ClipVocabulary *vocabulary);

/* Returns: (transfer none): NULL where @id, below the size, has none */
const gchar *clip_vocabulary_get_token (
    const ClipVocabulary *vocabulary, guint32 id);
