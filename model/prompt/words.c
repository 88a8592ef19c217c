/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/words.h"

#include "prompt/lowercase.h"

struct _ClipWords {
  const ClipWordRules *rules;
  const gchar *next; /* what is left of the text */
  const gchar *end;
  GString *raw;    /* between two blanks, as written */
  GString *folded; /* the same in lower case without accents */
  gsize position;  /* in folded */
  GString *word;   /* the piece handed out */
};

typedef enum {
  PART_DROPPED,
  PART_BLANK,
  PART_ALONE,
  PART_OF_WORD
} Part;

typedef struct {
  gunichar first, last;
} Range;

/* Chinese characters stand alone; kana and hangul do not. Extension E is where
 * the dialects differ. */
static const Range ideographs[] = {
  { 0x4e00, 0x9fff },
  { 0x3400, 0x4dbf },
  { 0x20000, 0x2a6df },
  { 0x2a700, 0x2b73f },
  { 0x2b740, 0x2b81f },
  { 0xf900, 0xfaff },
  { 0x2f800, 0x2fa1f },
};

#define EXTENSION_E_LAST 0x2ceaf

static gboolean
is_ideograph (const ClipWordRules *rules, gunichar c)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ideographs); i++)
    if (c >= ideographs[i].first && c <= ideographs[i].last)
      return TRUE;
  return c >= rules->extension_e && c <= EXTENSION_E_LAST;
}

static Part
classify (const ClipWordRules *rules, gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  if (c == '\t' || c == '\n' || c == '\r' ||
      type == G_UNICODE_SPACE_SEPARATOR || type == G_UNICODE_LINE_SEPARATOR ||
      type == G_UNICODE_PARAGRAPH_SEPARATOR)
    return PART_BLANK;
  if (c == 0xfffd || type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
      (rules->drops_private_use && type == G_UNICODE_PRIVATE_USE))
    return PART_DROPPED;
  return is_ideograph (rules, c) ? PART_ALONE : PART_OF_WORD;
}

/* Every ASCII mark, and the P categories elsewhere: symbols such as the yen
 * sign are part of a word. */
static gboolean
is_punctuation (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  if (c < 0x80)
    return g_ascii_ispunct (c);
  return type >= G_UNICODE_CONNECT_PUNCTUATION &&
         type <= G_UNICODE_OPEN_PUNCTUATION;
}

ClipWords *
clip_words_new (const ClipWordRules *rules, const gchar *text, gsize text_size)
{
  ClipWords *words = g_new0 (ClipWords, 1);

  words->rules = rules;
  words->next = text;
  words->end = text + text_size;
  words->raw = g_string_new (NULL);
  words->folded = g_string_new (NULL);
  words->word = g_string_new (NULL);
  return words;
}

void
clip_words_free (ClipWords *words)
{
  g_string_free (words->raw, TRUE);
  g_string_free (words->folded, TRUE);
  g_string_free (words->word, TRUE);
  g_free (words);
}

/* Reads up to the next blank or to either side of a character that stands
 * alone; raw is empty at the end of the text. */
static void
read_raw (ClipWords *words)
{
  g_string_truncate (words->raw, 0);
  while (words->next < words->end) {
    gunichar c = g_utf8_get_char (words->next);
    Part part = classify (words->rules, c);

    if (part == PART_ALONE && words->raw->len > 0)
      return;
    words->next = g_utf8_next_char (words->next);
    if (part == PART_ALONE || part == PART_OF_WORD)
      g_string_append_unichar (words->raw, c);
    if (part == PART_ALONE || (part == PART_BLANK && words->raw->len > 0))
      return;
  }
}

static void
append_without_accents (GString *dst, const gchar *text)
{
  g_autofree gchar *decomposed = g_utf8_normalize (text, -1, G_NORMALIZE_NFD);

  for (const gchar *p = decomposed; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (g_unichar_type (c) != G_UNICODE_NON_SPACING_MARK)
      g_string_append_unichar (dst, c);
  }
}

/* Hugging Face takes the accents off first: for no character of Unicode does
 * that make a difference. */
static void
fold (ClipWords *words)
{
  g_autoptr (GString) lower = g_string_new (NULL);

  clip_lowercase_append (lower, words->raw->str, words->rules->final_sigma);
  g_string_truncate (words->folded, 0);
  append_without_accents (words->folded, lower->str);
  words->position = 0;
}

const gchar *
clip_words_next (ClipWords *words)
{
  /* A word of accents alone folds to nothing. */
  while (words->position == words->folded->len) {
    read_raw (words);
    if (words->raw->len == 0)
      return NULL;
    fold (words);
  }
  g_string_truncate (words->word, 0);
  while (words->position < words->folded->len) {
    const gchar *p = words->folded->str + words->position;
    gunichar c = g_utf8_get_char (p);
    gboolean alone = is_punctuation (c);

    if (alone && words->word->len > 0)
      break;
    g_string_append_unichar (words->word, c);
    words->position += g_utf8_next_char (p) - p;
    if (alone)
      break;
  }
  return words->word->str;
}
