/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/bpe-tables.h"

#include "prompt/text.h"
#include "prompt/tokenizer-json.h"
#include "clip-error.h"

#include <string.h>

/* A symbol for each byte, and the same at the end of a word. */
#define N_BYTES 256
#define N_SYMBOLS (2 * N_BYTES)
#define N_SPECIALS 2

static const gchar word_end[] = "</w>";

/* What is read, and how far. */
typedef struct {
  const gchar *path; /* of the merges, for errors */
  const gchar *noun; /* what an error calls a merge's place */
  guint number;
  guint max_merges;
  ClipVocabulary *vocabulary;
  gboolean makes_ids; /* a merge's token gets the next id */
  gboolean *is_made;  /* [size]: a byte or a merge makes the token; or NULL */
  ClipMerges *merges;
} Reading;

static void
reading_clear (Reading *reading)
{
  clip_vocabulary_free (reading->vocabulary);
  clip_merges_free (reading->merges);
  g_free (reading->is_made);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reading, reading_clear)

void
clip_bpe_tables_free (ClipBpeTables *tables)
{
  if (tables == NULL)
    return;
  clip_merges_free (tables->merges);
  g_free (tables);
}

/* Bytes in the order of their ids; those that are no visible character of
 * Latin-1 come last and are written as U+0100 and on (openai/CLIP
 * simple_tokenizer.py, bytes_to_unicode). */
static void
list_bytes (guint8 bytes[N_BYTES], gunichar symbols[N_BYTES])
{
  static const struct {
    guint8 first, last;
  } visible[] = { { 0x21, 0x7e }, { 0xa1, 0xac }, { 0xae, 0xff } };
  gboolean is_listed[N_BYTES] = { FALSE };
  guint n = 0, n_others = 0;

  for (guint i = 0; i < G_N_ELEMENTS (visible); i++)
    for (guint b = visible[i].first; b <= visible[i].last; b++) {
      is_listed[b] = TRUE;
      bytes[n] = b;
      symbols[n++] = b;
    }
  for (guint b = 0; b < N_BYTES; b++)
    if (!is_listed[b]) {
      bytes[n] = b;
      symbols[n++] = N_BYTES + n_others++;
    }
}

static gboolean
refuse (const Reading *reading, GError **error, const gchar *reason,
    const gchar *token)
{
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "'%s', %s %u: %s '%.40s': the file is damaged or belongs to another "
      "vocabulary",
      reading->path, reading->noun, reading->number, reason, token);
  return FALSE;
}

static gboolean
find_made (Reading *reading, const gchar *token, guint32 *id, GError **error)
{
  if (!clip_vocabulary_find (reading->vocabulary, token, id))
    return refuse (reading, error, "the vocabulary has no token", token);
  if (reading->is_made != NULL)
    reading->is_made[*id] = TRUE;
  return TRUE;
}

/* The symbols of the bytes: what every text falls into. */
static gboolean
read_bytes (
    Reading *reading, const gchar *suffix, guint32 ids[N_BYTES], GError **error)
{
  guint8 bytes[N_BYTES];
  gunichar symbols[N_BYTES];

  list_bytes (bytes, symbols);
  reading->noun = "byte symbol";
  for (guint i = 0; i < N_BYTES; i++) {
    g_autoptr (GString) token = g_string_new (NULL);

    reading->number = i;
    g_string_append_unichar (token, symbols[i]);
    g_string_append (token, suffix);
    if ((reading->makes_ids &&
            !clip_vocabulary_append (reading->vocabulary, token->str, error)) ||
        !find_made (reading, token->str, &ids[bytes[i]], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
add_merge (
    Reading *reading, const gchar *left, const gchar *right, GError **error)
{
  g_autofree gchar *token = g_strconcat (left, right, NULL);
  guint32 left_id, right_id, id;

  if (!clip_vocabulary_find (reading->vocabulary, left, &left_id))
    return refuse (reading, error, "there is no token", left);
  if (!clip_vocabulary_find (reading->vocabulary, right, &right_id))
    return refuse (reading, error, "there is no token", right);
  if ((reading->makes_ids &&
          !clip_vocabulary_append (reading->vocabulary, token, error)) ||
      !find_made (reading, token, &id, error))
    return FALSE;
  if (!clip_merges_add (reading->merges, left_id, right_id, id))
    return refuse (reading, error, "an earlier one makes already", token);
  return TRUE;
}

/* "left right" */
static gboolean
add_pair (Reading *reading, const gchar *pair, GError **error)
{
  g_auto (GStrv) tokens = g_strsplit (pair, " ", 3);

  if (g_strv_length (tokens) != 2 || *tokens[0] == '\0' || *tokens[1] == '\0')
    return refuse (
        reading, error, "two tokens and a blank expected, not", pair);
  return add_merge (reading, tokens[0], tokens[1], error);
}

/* Cuts off the next line, without its end.
 *
 * Returns: NULL where there is none. */
static gchar *
take_line (gchar **next)
{
  gchar *line = *next;
  gsize size = strcspn (line, "\n");

  if (*line == '\0')
    return NULL;
  *next += size + (line[size] == '\n');
  line[size] = '\0';
  if (size > 0 && line[size - 1] == '\r')
    line[size - 1] = '\0';
  return line;
}

/* A line a merge behind a line that names the version; what stands behind the
 * merges that there is room for is not used, as in the original. */
static gboolean
read_lines (Reading *reading, gchar *text, GError **error)
{
  gchar *next = text, *line = take_line (&next);

  reading->noun = "line";
  reading->number = 1;
  if (line == NULL || strstr (line, "#version:") == NULL)
    return refuse (reading, error,
        "JSON or a line with \"#version:\" expected, not",
        line != NULL ? line : "");
  while (clip_merges_get_number (reading->merges) < reading->max_merges &&
         (line = take_line (&next)) != NULL) {
    reading->number++;
    if (*line == '\0' && next[strspn (next, "\r\n")] == '\0')
      break;
    if (!add_pair (reading, line, error))
      return FALSE;
  }
  return TRUE;
}

/* An array of "left right" or, since late 2024, of ["left", "right"]. */
static gboolean
read_array (Reading *reading, const json_t *array, GError **error)
{
  const json_t *merge;
  gsize i;

  reading->noun = "merge";
  json_array_foreach (array, i, merge)
  {
    const gchar *pair = json_string_value (merge);
    const gchar *left = json_string_value (json_array_get (merge, 0));
    const gchar *right = json_string_value (json_array_get (merge, 1));

    reading->number = i;
    if (pair != NULL ? !add_pair (reading, pair, error)
        : left != NULL && right != NULL && json_array_size (merge) == 2
            ? !add_merge (reading, left, right, error)
            : !refuse (reading, error, "no two tokens in it", ""))
      return FALSE;
  }
  return TRUE;
}

/* Merges that stop short would go unnoticed: every text still has ids, but
 * other ones. */
static gboolean
check_made (const Reading *reading, const ClipBpeTables *tables, GError **error)
{
  guint size = clip_vocabulary_get_size (reading->vocabulary);

  for (guint id = 0; id < size; id++)
    if (!reading->is_made[id] && id != tables->start_id &&
        id != tables->end_id) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
          "'%s' has %u merges, but none makes the token '%.40s' (%u): the file "
          "is cut off or belongs to another vocabulary",
          reading->path, clip_merges_get_number (reading->merges),
          clip_vocabulary_get_token (reading->vocabulary, id), id);
      return FALSE;
    }
  return TRUE;
}

static gboolean
find_special (
    const Reading *reading, const gchar *token, guint32 *id, GError **error)
{
  if (clip_vocabulary_find (reading->vocabulary, token, id))
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
      "'%s' has no token %s among its %u: it is not a vocabulary of CLIP, or "
      "damaged",
      reading->path, token, clip_vocabulary_get_size (reading->vocabulary));
  return FALSE;
}

static gboolean
read_merges (Reading *reading, gchar *lines, const json_t *array,
    ClipBpeTables *tables, GError **error)
{
  reading->merges = clip_merges_new (reading->max_merges);
  return read_bytes (reading, "", tables->byte_ids, error) &&
         read_bytes (reading, word_end, tables->last_byte_ids, error) &&
         (array != NULL ? read_array (reading, array, error)
                        : read_lines (reading, lines, error));
}

/* Tokens that were added to a tokenizer.json need no merge. */
static void
mark_added (Reading *reading, const json_t *root)
{
  const json_t *added = json_object_get (root, "added_tokens"), *token;
  guint32 id;
  gsize i;

  json_array_foreach (added, i,
      token) if (clip_vocabulary_find (reading->vocabulary,
                     json_string_value (json_object_get (token, "content")),
                     &id)) reading->is_made[id] = TRUE;
}

/* Ids from @root, merges from there too or from merges.txt. */
static gboolean
read_json (Reading *reading, const ClipDocument *document, gchar *lines,
    ClipBpeTables *tables, GError **error)
{
  json_t *root = document->root;
  const json_t *array = NULL;
  guint size;

  if (lines == NULL) {
    array = json_object_get (json_object_get (root, "model"), "merges");
    if (!clip_tokenizer_json_read (document, "BPE", reading->vocabulary, error))
      return FALSE;
    if (!json_is_array (array))
      return clip_document_refuse (
          document, "model.merges", error, "is no array");
  } else if (!clip_vocabulary_add_object (reading->vocabulary, root, error)) {
    return FALSE;
  }
  if (!clip_vocabulary_check_gaps (reading->vocabulary, error))
    return FALSE;
  size = clip_vocabulary_get_size (reading->vocabulary);
  reading->is_made = g_new0 (gboolean, size);
  reading->max_merges = lines == NULL ? json_array_size (array)
                                      : MAX (size, N_SYMBOLS + N_SPECIALS) -
                                            N_SYMBOLS - N_SPECIALS;
  mark_added (reading, root);
  return read_merges (reading, lines, array, tables, error) &&
         find_special (reading, CLIP_BPE_START, &tables->start_id, error) &&
         find_special (reading, CLIP_BPE_END, &tables->end_id, error) &&
         check_made (reading, tables, error);
}

/* Opens what gives the ids: vocab.json, which needs merges.txt beside it, or
 * tokenizer.json. */
static gboolean
open_json (Reading *reading, const gchar *text, const gchar *merges,
    ClipBpeTables *tables, GError **error)
{
  json_t *root = clip_tokenizer_json_parse (reading->path, text, error);
  ClipDocument document = { (gchar *)reading->path, root };
  g_autofree gchar *lines = NULL;
  gboolean ok = root != NULL;

  if (ok && !clip_tokenizer_json_is_whole (root)) {
    if (merges == NULL)
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
          "'%s' is no tokenizer.json, and a vocab.json needs a merges.txt "
          "beside it",
          reading->path);
    else
      lines = clip_text_read_packed (
          merges, CLIP_VOCABULARY_MAX_BYTES, CLIP_ERROR_FORMAT, error);
    reading->path = merges;
    ok = lines != NULL;
  }
  ok = ok && read_json (reading, &document, lines, tables, error);
  json_decref (root);
  return ok;
}

/* Merges alone: as many as the model's token table has room for, and the two
 * special tokens behind theirs. */
static gboolean
open_text (Reading *reading, gchar *text, guint vocab_size,
    ClipBpeTables *tables, GError **error)
{
  guint n_merges;

  reading->makes_ids = TRUE;
  reading->max_merges =
      MAX (vocab_size, N_SYMBOLS + N_SPECIALS) - N_SYMBOLS - N_SPECIALS;
  if (!read_merges (reading, text, NULL, tables, error))
    return FALSE;
  n_merges = clip_merges_get_number (reading->merges);
  if (n_merges < reading->max_merges) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "'%s' has %u merges, the model's token table of %u rows needs %u: the "
        "file is cut off or belongs to another model",
        reading->path, n_merges, vocab_size, reading->max_merges);
    return FALSE;
  }
  return clip_vocabulary_append (reading->vocabulary, CLIP_BPE_START, error) &&
         clip_vocabulary_append (reading->vocabulary, CLIP_BPE_END, error) &&
         find_special (reading, CLIP_BPE_START, &tables->start_id, error) &&
         find_special (reading, CLIP_BPE_END, &tables->end_id, error);
}

ClipBpeTables *
clip_bpe_tables_open (
    const ClipTokenizerConfig *config, guint vocab_size, GError **error)
{
  g_autoptr (ClipBpeTables) tables = g_new0 (ClipBpeTables, 1);
  const gchar *path = config->vocab != NULL ? config->vocab : config->merges;
  g_auto (Reading) reading = { .path = path };
  g_autofree gchar *text = NULL;
  gboolean ok;

  if (path == NULL) {
    g_set_error_literal (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
        "the model has no vocabulary, so prompts cannot be read: put "
        "vocab.json and merges.txt, tokenizer.json or "
        "bpe_simple_vocab_16e6.txt.gz beside it");
    return NULL;
  }
  text = clip_text_read_packed (
      path, CLIP_VOCABULARY_MAX_BYTES, CLIP_ERROR_FORMAT, error);
  if (text == NULL)
    return NULL;
  reading.vocabulary = clip_vocabulary_new (path, vocab_size);
  ok = clip_tokenizer_json_is_json (text)
           ? open_json (&reading, text, config->merges, tables, error)
           : open_text (&reading, text, vocab_size, tables, error);
  if (!ok)
    return NULL;
  tables->merges = g_steal_pointer (&reading.merges);
  return g_steal_pointer (&tables);
}
