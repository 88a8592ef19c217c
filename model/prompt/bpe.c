/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* CLIP's byte-pair encoding (openai/CLIP simple_tokenizer.py), in the dialects
 * of the original and of Hugging Face: cleaned, cut into words, and each word's
 * bytes merged. */
#include "prompt/tokenizer.h"
#include "prompt/bpe-tables.h"
#include "prompt/cleaning.h"

#include <string.h>

#define COMBINING_IOTA 0x345

typedef struct {
  gchar *(*clean) (const gchar *text);
  /* The original's expression ignores case, which after lower() shows in two
   * characters: the long s, an s behind an apostrophe, and the combining iota,
   * which no class takes. */
  gboolean ignores_case;
  /* Where specials are read at all: a run of marks ends before one. */
  gboolean cuts_before_specials;
} Dialect;

static const Dialect dialects[] = {
  [CLIP_TOKENIZER_ORIGINAL] = {
    .clean = clip_clean_original,
    .ignores_case = TRUE,
  },
  [CLIP_TOKENIZER_HUGGING_FACE] = {
    .clean = clip_clean_hugging_face,
    .cuts_before_specials = TRUE,
  },
};

typedef enum {
  CLASS_DROPPED,
  CLASS_LETTER,
  CLASS_NUMBER,
  CLASS_MARK
} Class;

static const Class classes[] = {
  [G_UNICODE_UPPERCASE_LETTER] = CLASS_LETTER,
  [G_UNICODE_LOWERCASE_LETTER] = CLASS_LETTER,
  [G_UNICODE_TITLECASE_LETTER] = CLASS_LETTER,
  [G_UNICODE_MODIFIER_LETTER] = CLASS_LETTER,
  [G_UNICODE_OTHER_LETTER] = CLASS_LETTER,
  [G_UNICODE_DECIMAL_NUMBER] = CLASS_NUMBER,
  [G_UNICODE_LETTER_NUMBER] = CLASS_NUMBER,
  [G_UNICODE_OTHER_NUMBER] = CLASS_NUMBER,
};

/* Words of their own, wherever a word begins. */
static const gchar *const contractions[] = { "'s", "'t", "'re", "'ve", "'m",
  "'ll", "'d" };
static const gchar long_s_contraction[] = "'ſ";

typedef struct {
  const Dialect *dialect;
  gboolean reads_specials;
  ClipBpeTables *tables;
} Bpe;

static void
bpe_free (gpointer opaque)
{
  Bpe *self = opaque;

  clip_bpe_tables_free (self->tables);
  g_free (self);
}

static gpointer
bpe_open (const ClipTokenizerConfig *config, guint vocab_size,
    guint32 *start_id, guint32 *end_id, GError **error)
{
  ClipBpeTables *tables = clip_bpe_tables_open (config, vocab_size, error);
  Bpe *self;

  if (tables == NULL)
    return NULL;
  self = g_new0 (Bpe, 1);
  self->dialect = &dialects[config->dialect];
  self->reads_specials = config->reads_specials;
  self->tables = tables;
  *start_id = tables->start_id;
  *end_id = tables->end_id;
  return self;
}

/* Unicode's White_Space; g_unichar_isspace() leaves two of it out. */
static gboolean
is_space (gunichar c)
{
  return g_unichar_isspace (c) || c == 0x0b || c == 0x85;
}

static Class
classify (const Bpe *self, const gchar *text)
{
  gunichar c = g_utf8_get_char (text);
  GUnicodeType type = g_unichar_type (c);

  if (is_space (c) || (self->dialect->ignores_case && c == COMBINING_IOTA))
    return CLASS_DROPPED;
  return type < G_N_ELEMENTS (classes) && classes[type] != CLASS_DROPPED
             ? classes[type]
             : CLASS_MARK;
}

/* Returns: behind the special token that @text begins with; NULL where it
 * begins with none, or none is read. */
static const gchar *
skip_special (const Bpe *self, const gchar *text, guint32 *id)
{
  if (!self->reads_specials)
    return NULL;
  if (g_str_has_prefix (text, CLIP_BPE_START)) {
    *id = self->tables->start_id;
    return text + strlen (CLIP_BPE_START);
  }
  if (g_str_has_prefix (text, CLIP_BPE_END)) {
    *id = self->tables->end_id;
    return text + strlen (CLIP_BPE_END);
  }
  return NULL;
}

/* Returns: behind the word that begins at @text, which is not dropped. */
static const gchar *
skip_word (const Bpe *self, const gchar *text)
{
  Class class = classify (self, text);
  guint32 id;

  for (guint i = 0; i < G_N_ELEMENTS (contractions); i++)
    if (g_str_has_prefix (text, contractions[i]))
      return text + strlen (contractions[i]);
  if (self->dialect->ignores_case &&
      g_str_has_prefix (text, long_s_contraction))
    return text + strlen (long_s_contraction);
  do
    text = g_utf8_next_char (text);
  while (class != CLASS_NUMBER && *text != '\0' &&
         classify (self, text) == class &&
         !(self->dialect->cuts_before_specials &&
             skip_special (self, text, &id) != NULL));
  return text;
}

static gboolean
add_word (const Bpe *self, const gchar *word, gsize size, ClipTokenSink *sink)
{
  g_autofree guint32 *ids = g_new (guint32, size);
  gsize n_ids;

  for (gsize i = 0; i < size; i++)
    ids[i] = self->tables->byte_ids[(guint8)word[i]];
  ids[size - 1] = self->tables->last_byte_ids[(guint8)word[size - 1]];
  n_ids = clip_merges_apply (self->tables->merges, ids, size);
  for (gsize i = 0; i < n_ids; i++)
    if (!clip_token_sink_add (sink, ids[i]))
      return FALSE;
  return TRUE;
}

static void
bpe_encode (gconstpointer opaque, const gchar *text, ClipTokenSink *sink)
{
  const Bpe *self = opaque;
  g_autofree gchar *clean = self->dialect->clean (text);
  const gchar *p = clean, *end;
  gboolean has_room = TRUE;
  guint32 id;

  while (has_room && *p != '\0') {
    if ((end = skip_special (self, p, &id)) != NULL) {
      has_room = clip_token_sink_add (sink, id);
    } else if (classify (self, p) == CLASS_DROPPED) {
      end = g_utf8_next_char (p);
    } else {
      end = skip_word (self, p);
      has_room = add_word (self, p, end - p, sink);
    }
    p = end;
  }
}

const ClipTokenizerFamily clip_bpe = {
  .open = bpe_open,
  .free = bpe_free,
  .encode = bpe_encode,
};
