/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/vocabulary.h"

#include "clip-error.h"

#define CHUNK_BYTES 65536

struct _ClipVocabulary {
  gchar *path;
  GStringChunk *strings;
  GHashTable *ids;      /* token -> id */
  const gchar **tokens; /* [max_size], NULL where an id has none */
  guint size;
  guint max_size;
};

ClipVocabulary *
clip_vocabulary_new (const gchar *path, guint max_size)
{
  ClipVocabulary *vocabulary = g_new0 (ClipVocabulary, 1);

  vocabulary->path = g_strdup (path);
  vocabulary->strings = g_string_chunk_new (CHUNK_BYTES);
  vocabulary->ids = g_hash_table_new (g_str_hash, g_str_equal);
  vocabulary->tokens = g_new0 (const gchar *, max_size);
  vocabulary->max_size = max_size;
  return vocabulary;
}

void
clip_vocabulary_free (ClipVocabulary *vocabulary)
{
  if (vocabulary == NULL)
    return;
  g_hash_table_unref (vocabulary->ids);
  g_string_chunk_free (vocabulary->strings);
  g_free (vocabulary->tokens);
  g_free (vocabulary->path);
  g_free (vocabulary);
}

static gboolean
insert (ClipVocabulary *self, const gchar *token, guint64 id, GError **error)
{
  const gchar *copy;

  if (id >= self->max_size) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "'%s': the token '%.40s' has id %" G_GUINT64_FORMAT
        ", the model's token table only %u rows: it is not this model's "
        "vocabulary",
        self->path, token, id, self->max_size);
    return FALSE;
  }
  if (self->tokens[id] != NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "'%s': the tokens '%.40s' and '%.40s' have the same id, %u: the file "
        "is damaged, copy it anew",
        self->path, self->tokens[id], token, (guint)id);
    return FALSE;
  }
  copy = g_string_chunk_insert (self->strings, token);
  g_hash_table_insert (self->ids, (gchar *)copy, GUINT_TO_POINTER ((guint)id));
  self->tokens[id] = copy;
  self->size = MAX (self->size, (guint)id + 1);
  return TRUE;
}

gboolean
clip_vocabulary_add (ClipVocabulary *vocabulary, const gchar *token,
    const json_t *id, GError **error)
{
  json_int_t value = json_integer_value (id);
  guint32 known;

  if (!json_is_integer (id) || value < 0) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "'%s': the id of the token '%.40s' is no whole number from 0",
        vocabulary->path, token);
    return FALSE;
  }
  if (!clip_vocabulary_find (vocabulary, token, &known))
    return insert (vocabulary, token, value, error);
  if (known == value)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "'%s': the token '%.40s' has two ids, %u and %" JSON_INTEGER_FORMAT
      ": the file is damaged, copy it anew",
      vocabulary->path, token, known, value);
  return FALSE;
}

gboolean
clip_vocabulary_append (
    ClipVocabulary *vocabulary, const gchar *token, GError **error)
{
  guint32 known;

  if (!clip_vocabulary_find (vocabulary, token, &known))
    return insert (vocabulary, token, vocabulary->size, error);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "'%s' makes the token '%.40s' twice, as %u and as %u: the file is "
      "damaged, copy it anew",
      vocabulary->path, token, known, vocabulary->size);
  return FALSE;
}

gboolean
clip_vocabulary_add_object (
    ClipVocabulary *vocabulary, json_t *object, GError **error)
{
  const gchar *token;
  json_t *id;

  json_object_foreach (object, token,
      id) if (!clip_vocabulary_add (vocabulary, token, id, error)) return FALSE;
  return TRUE;
}

gboolean
clip_vocabulary_check_gaps (const ClipVocabulary *vocabulary, GError **error)
{
  for (guint id = 0; id < vocabulary->size; id++)
    if (vocabulary->tokens[id] == NULL) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "'%s' has no token with id %u, though ids go up to %u: the file is "
          "damaged, copy it anew",
          vocabulary->path, id, vocabulary->size - 1);
      return FALSE;
    }
  return TRUE;
}

gboolean
clip_vocabulary_find (
    const ClipVocabulary *vocabulary, const gchar *token, guint32 *id)
{
  gpointer value;

  if (!g_hash_table_lookup_extended (vocabulary->ids, token, NULL, &value))
    return FALSE;
  *id = GPOINTER_TO_UINT (value);
  return TRUE;
}

guint
clip_vocabulary_get_size (const ClipVocabulary *vocabulary)
{
  return vocabulary->size;
}

const gchar *
clip_vocabulary_get_token (const ClipVocabulary *vocabulary, guint32 id)
{
  return vocabulary->tokens[id];
}
