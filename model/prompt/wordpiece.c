/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Word pieces over a vocab.txt or a tokenizer.json (google-research/bert
 * tokenization.py, WordpieceTokenizer), in the dialects of Chinese-CLIP and of
 * Hugging Face. */
#include "prompt/tokenizer.h"
#include "prompt/text.h"
#include "prompt/tokenizer-json.h"
#include "prompt/words.h"
#include "clip-error.h"

#include <string.h>

#define WORD_MAX_CHARS 200 /* of all dialects */

static const gchar continuation[] = "##";

typedef struct {
  guint word_max_chars;    /* a longer word is one [UNK] */
  gboolean reads_specials; /* "[SEP]" in a prompt is the token */
  ClipWordRules words;
} Dialect;

static const Dialect dialects[] = {
  [CLIP_TOKENIZER_ORIGINAL] = {
    .word_max_chars = WORD_MAX_CHARS,
    .words = { .final_sigma = TRUE, .extension_e = 0x2b820 },
  },
  [CLIP_TOKENIZER_HUGGING_FACE] = {
    .word_max_chars = 100,
    .reads_specials = TRUE,
    .words = {
      .drops_private_use = TRUE,
      .extension_e = 0x2b920,
    },
  },
};

typedef enum {
  SPECIAL_UNK,
  SPECIAL_CLS,
  SPECIAL_SEP,
  SPECIAL_PAD,
  N_REQUIRED,
  SPECIAL_MASK = N_REQUIRED,
  N_SPECIALS
} Special;

static const gchar *const specials[N_SPECIALS] = {
  [SPECIAL_UNK] = "[UNK]",
  [SPECIAL_CLS] = "[CLS]",
  [SPECIAL_SEP] = "[SEP]",
  [SPECIAL_PAD] = "[PAD]",
  [SPECIAL_MASK] = "[MASK]",
};

typedef struct {
  const Dialect *dialect;
  gchar *text;                /* of vocab.txt, cut into entries */
  ClipVocabulary *vocabulary; /* of tokenizer.json */
  GHashTable *ids;            /* entry of either -> id */
  gsize longest;              /* bytes of the longest entry */
  guint32 special_ids[N_SPECIALS];
  gboolean has_special[N_SPECIALS];
} Wordpiece;

static void
wordpiece_free (gpointer self)
{
  Wordpiece *wordpiece = self;

  g_clear_pointer (&wordpiece->ids, g_hash_table_unref);
  clip_vocabulary_free (wordpiece->vocabulary);
  g_free (wordpiece->text);
  g_free (wordpiece);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Wordpiece, wordpiece_free)

static gboolean
find (const Wordpiece *self, const gchar *piece, guint32 *id)
{
  gpointer value;

  if (!g_hash_table_lookup_extended (self->ids, piece, NULL, &value))
    return FALSE;
  *id = GPOINTER_TO_UINT (value);
  return TRUE;
}

static void
insert (Wordpiece *self, const gchar *entry, guint32 id)
{
  g_hash_table_insert (self->ids, (gchar *)entry, GUINT_TO_POINTER (id));
  self->longest = MAX (self->longest, strlen (entry));
}

/* A line is an entry, its number from 0 the id. Only '\n' ends one: U+2028
 * occurs inside. An entry that stands twice has the later id, as in Python's
 * dict; blank lines at the end of the file are no entries.
 *
 * Returns: the number of entries. */
static guint
read_entries (Wordpiece *self)
{
  guint line = 0, n_entries = 0;
  gchar *next = self->text;

  while (next != NULL) {
    const gchar *start = next;
    gchar *end = next + strcspn (next, "\n");
    gsize size;

    next = *end == '\n' ? end + 1 : NULL;
    size = clip_text_strip (&start, end) - start;
    ((gchar *)start)[size] = '\0';
    insert (self, start, line);
    line++;
    if (size > 0)
      n_entries = line;
  }
  return n_entries;
}

static gboolean
check_entries (Wordpiece *self, const gchar *path, guint n_entries,
    guint vocab_size, GError **error)
{
  for (guint i = 0; i < N_SPECIALS; i++) {
    self->has_special[i] = find (self, specials[i], &self->special_ids[i]);
    if (!self->has_special[i] && i < N_REQUIRED) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
          "'%s' has no entry %s among its %u: it is not this model's "
          "vocabulary, or damaged",
          path, specials[i], n_entries);
      return FALSE;
    }
  }
  if (n_entries > vocab_size) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "'%s' has %u entries, the model's token table only %u rows: it is not "
        "this model's vocabulary",
        path, n_entries, vocab_size);
    return FALSE;
  }
  return TRUE;
}

/* Returns: FALSE with the errors of clip_tokenizer_json_read(). */
static gboolean
read_tokenizer (
    Wordpiece *self, const gchar *path, guint vocab_size, GError **error)
{
  json_t *root = clip_tokenizer_json_parse (path, self->text, error);
  ClipDocument document = { (gchar *)path, root };
  gboolean ok;

  g_clear_pointer (&self->text, g_free);
  if (root == NULL)
    return FALSE;
  self->vocabulary = clip_vocabulary_new (path, vocab_size);
  ok = clip_tokenizer_json_read (
      &document, "WordPiece", self->vocabulary, error);
  json_decref (root);
  for (guint id = 0; ok && id < clip_vocabulary_get_size (self->vocabulary);
       id++) {
    const gchar *token = clip_vocabulary_get_token (self->vocabulary, id);

    if (token != NULL)
      insert (self, token, id);
  }
  return ok;
}

static gboolean
read_vocab (
    Wordpiece *self, const gchar *path, guint vocab_size, GError **error)
{
  guint n_entries;

  self->text = clip_text_read (
      path, CLIP_VOCABULARY_MAX_BYTES, CLIP_ERROR_FORMAT, error);
  if (self->text == NULL)
    return FALSE;
  if (!clip_tokenizer_json_is_json (self->text))
    n_entries = read_entries (self);
  else if (read_tokenizer (self, path, vocab_size, error))
    n_entries = clip_vocabulary_get_size (self->vocabulary);
  else
    return FALSE;
  return check_entries (self, path, n_entries, vocab_size, error);
}

static gpointer
wordpiece_open (const ClipTokenizerConfig *config, guint vocab_size,
    guint32 *start_id, guint32 *end_id, GError **error)
{
  g_autoptr (Wordpiece) self = g_new0 (Wordpiece, 1);

  self->dialect = &dialects[config->dialect];
  self->ids = g_hash_table_new (g_str_hash, g_str_equal);
  if (config->vocab == NULL) {
    g_set_error_literal (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
        "the model's folder has neither vocab.txt nor tokenizer.json, so "
        "prompts cannot be read");
    return NULL;
  }
  if (!read_vocab (self, config->vocab, vocab_size, error))
    return NULL;
  *start_id = self->special_ids[SPECIAL_CLS];
  *end_id = self->special_ids[SPECIAL_SEP];
  return g_steal_pointer (&self);
}

/* The longest entry that @piece begins with, longer than @prefix_size bytes;
 * shortens @piece to it. */
static gboolean
match (const Wordpiece *self, GString *piece, gsize prefix_size, guint32 *id)
{
  if (piece->len > self->longest)
    g_string_truncate (piece, self->longest);
  while (piece->len > prefix_size) {
    const gchar *last =
        g_utf8_find_prev_char (piece->str, piece->str + piece->len);

    if (find (self, piece->str, id))
      return TRUE;
    g_string_truncate (piece, last - piece->str);
  }
  return FALSE;
}

/* Returns: how many pieces @word falls into; 0 where it does not. */
static guint
cut (const Wordpiece *self, const gchar *word, guint32 *pieces)
{
  g_autoptr (GString) piece = g_string_new (word);
  gsize prefix_size = 0;
  guint n = 0;

  if (g_utf8_strlen (word, -1) > self->dialect->word_max_chars)
    return 0;
  while (*word != '\0') {
    if (!match (self, piece, prefix_size, &pieces[n++]))
      return 0;
    word += piece->len - prefix_size;
    prefix_size = strlen (continuation);
    g_string_assign (piece, continuation);
    g_string_append (piece, word);
  }
  return n;
}

static gboolean
add_word (const Wordpiece *self, const gchar *word, ClipTokenSink *sink)
{
  guint32 pieces[WORD_MAX_CHARS];
  guint n = cut (self, word, pieces);

  if (n == 0)
    return clip_token_sink_add (sink, self->special_ids[SPECIAL_UNK]);
  for (guint i = 0; i < n; i++)
    if (!clip_token_sink_add (sink, pieces[i]))
      return FALSE;
  return TRUE;
}

static gboolean
add_words (const Wordpiece *self, const gchar *text, gsize text_size,
    ClipTokenSink *sink)
{
  g_autoptr (ClipWords) words =
      clip_words_new (&self->dialect->words, text, text_size);
  const gchar *word;

  while ((word = clip_words_next (words)) != NULL)
    if (!add_word (self, word, sink))
      return FALSE;
  return TRUE;
}

/* Returns: the next special token in @text, or its end with N_SPECIALS. */
static const gchar *
find_special (const Wordpiece *self, const gchar *text, Special *special)
{
  const gchar *p = text;

  while ((p = strchr (p, '[')) != NULL) {
    for (*special = 0; *special < N_SPECIALS; (*special)++)
      if (self->has_special[*special] &&
          g_str_has_prefix (p, specials[*special]))
        return p;
    p++;
  }
  *special = N_SPECIALS;
  return text + strlen (text);
}

static void
wordpiece_encode (gconstpointer opaque, const gchar *text, ClipTokenSink *sink)
{
  const Wordpiece *self = opaque;
  Special special = N_SPECIALS;

  if (!self->dialect->reads_specials) {
    add_words (self, text, strlen (text), sink);
    return;
  }
  do {
    const gchar *end = find_special (self, text, &special);

    if (!add_words (self, text, end - text, sink) || special == N_SPECIALS ||
        !clip_token_sink_add (sink, self->special_ids[special]))
      return;
    text = end + strlen (specials[special]);
  } while (TRUE);
}

const ClipTokenizerFamily clip_wordpiece = {
  .open = wordpiece_open,
  .free = wordpiece_free,
  .encode = wordpiece_encode,
};
