/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/prompt.h"
#include "clip-error.h"

#include "support.h"
#include "bpe-cases.h"
#include "bpe-table.h"

#include <string.h>

#define CONTEXT 77

static ClipTokenizer *
open_table (
    const BpeTable *table, const ClipTokenizerConfig *rules, guint context)
{
  g_autofree gchar *merges = bpe_table_to_merges (table);
  gchar *path = bpe_file_new (merges, -1);
  ClipTokenizerConfig config = { CLIP_TOKENIZER_BPE, rules->dialect, path };
  g_autoptr (GError) error = NULL;
  ClipTokenizer *tokenizer;

  config.reads_specials = rules->reads_specials;
  tokenizer = clip_tokenizer_new (&config, table->tokens->len, context, &error);
  g_assert_no_error (error);
  bpe_file_free (path);
  return tokenizer;
}

/* Merges that put @token together symbol by symbol. */
static void
add_token (BpeTable *table, GHashTable *seen, const gchar *token)
{
  gboolean ends_word = g_str_has_suffix (token, "</w>");
  const gchar *end = token + strlen (token) - (ends_word ? 4 : 0);
  const gchar *p = g_utf8_next_char (token);
  g_autoptr (GString) left = g_string_new_len (token, p - token);

  while (p < end) {
    const gchar *next = g_utf8_next_char (p);
    g_autofree gchar *right =
        g_strndup (p, next == end ? strlen (p) : (gsize)(next - p));
    g_autofree gchar *both = g_strconcat (left->str, right, NULL);

    if (g_hash_table_add (seen, g_strdup (both)))
      bpe_table_add (table, left->str, right);
    g_string_assign (left, both);
    p = next;
  }
}

/* The table of the tokens of bpe-cases.h and nothing else. */
static BpeTable *
make_table (void)
{
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  BpeTable *table = bpe_table_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const gchar *columns[] = { cases[i].tokens, cases[i].hugging_face };

    for (gsize j = 0; j < 2 && columns[j] != NULL; j++) {
      g_auto (GStrv) tokens = g_strsplit (columns[j], " ", -1);
      for (gsize k = 0; tokens[k] != NULL; k++)
        add_token (table, seen, tokens[k]);
    }
  }
  bpe_table_finish (table);
  return table;
}

static gchar *
encode_to_tokens (
    const ClipTokenizer *tokenizer, const BpeTable *table, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  GString *tokens = g_string_new (NULL);
  guint32 ids[CONTEXT];
  gboolean truncated;
  guint n_ids;

  clip_tokenizer_encode (tokenizer, text, ids, &n_ids, &truncated, &error);
  g_assert_no_error (error);
  g_assert_false (truncated);
  g_assert_cmpuint (ids[0], ==, table->tokens->len - 2);
  g_assert_cmpuint (ids[n_ids - 1], ==, table->tokens->len - 1);
  for (guint i = 1; i + 1 < n_ids; i++) {
    g_assert_cmpuint (ids[i], <, table->tokens->len);
    g_string_append_printf (tokens, "%s%s", i > 1 ? " " : "",
        (gchar *)g_ptr_array_index (table->tokens, ids[i]));
  }
  return g_string_free (tokens, FALSE);
}

static void
own_table (gconstpointer data)
{
  const ClipTokenizerConfig rules = { .dialect = GPOINTER_TO_INT (data) };
  g_autoptr (BpeTable) table = make_table ();
  g_autoptr (ClipTokenizer) tokenizer = open_table (table, &rules, CONTEXT);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const BpeCase *c = &cases[i];
    g_autofree gchar *tokens = encode_to_tokens (tokenizer, table, c->text);

    if (rules.dialect == CLIP_TOKENIZER_HUGGING_FACE && c->hugging_face)
      g_assert_cmpstr (tokens, ==, c->hugging_face);
    else
      g_assert_cmpstr (tokens, ==, c->tokens);
  }
}

/* Of merges that apply the best is made first, and everywhere before the next
 * one: what openai/CLIP's bpe() gives, worked out by hand. */
static void
the_best_merge_goes_first (void)
{
  static const struct {
    const gchar *text;
    const gchar *tokens;
  } texts[] = {
    { "bc", "bc</w>" },
    { "abc", "a bc</w>" }, /* "b c</w>" is better than "a b" */
    { "abca", "abc a</w>" },
    { "aaaa", "aa a a</w>" },   /* "a a", once: the last one is "a</w>" */
    { "aaaaa", "aa aa a</w>" }, /* from the left */
    { "aaaaab", "aa aa a b</w>" },
    { "abcabcabc", "abc abc a bc</w>" },
    { "d", "d</w>" },
  };
  const ClipTokenizerConfig rules = { .dialect = CLIP_TOKENIZER_ORIGINAL };
  g_autoptr (BpeTable) table = bpe_table_new ();
  g_autoptr (ClipTokenizer) tokenizer = NULL;

  bpe_table_add (table, "b", "c</w>");
  bpe_table_add (table, "a", "b");
  bpe_table_add (table, "ab", "c");
  bpe_table_add (table, "a", "a");
  bpe_table_finish (table);
  tokenizer = open_table (table, &rules, CONTEXT);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree gchar *tokens =
        encode_to_tokens (tokenizer, table, texts[i].text);
    g_assert_cmpstr (tokens, ==, texts[i].tokens);
  }
}

/* A user's "<|endoftext|>" must not end the prompt; only who asks for it has
 * the originals' behaviour. */
static void
specials_are_text_unless_asked_for (void)
{
  static const struct {
    ClipTokenizerDialect dialect;
    gboolean reads_specials;
    const gchar *text;
    const gchar *tokens;
  } texts[] = {
    { CLIP_TOKENIZER_ORIGINAL, FALSE, "a<|endoftext|>",
        "a</w> < |</w> e n d o f t e x t</w> | ></w>" },
    { CLIP_TOKENIZER_HUGGING_FACE, FALSE, "<|StartOfText|> a",
        "< |</w> s t a r t o f t e x t</w> | ></w> a</w>" },
    { CLIP_TOKENIZER_ORIGINAL, TRUE, "a<|EndOfText|>a",
        "a</w> <|endoftext|> a</w>" },
    { CLIP_TOKENIZER_HUGGING_FACE, TRUE, "<|startoftext|>a",
        "<|startoftext|> a</w>" },
    /* The original looks for them where a word begins, Hugging Face first. */
    { CLIP_TOKENIZER_ORIGINAL, TRUE, "!<|endoftext|>",
        "! < |</w> e n d o f t e x t</w> | ></w>" },
    { CLIP_TOKENIZER_HUGGING_FACE, TRUE, "!<|endoftext|>!",
        "!</w> <|endoftext|> !</w>" },
  };
  g_autoptr (BpeTable) table = bpe_table_new ();

  bpe_table_finish (table);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    ClipTokenizerConfig rules = { .dialect = texts[i].dialect };
    g_autoptr (ClipTokenizer) tokenizer = NULL;
    g_autofree gchar *tokens = NULL;

    rules.reads_specials = texts[i].reads_specials;
    tokenizer = open_table (table, &rules, CONTEXT);
    tokens = encode_to_tokens (tokenizer, table, texts[i].text);
    g_assert_cmpstr (tokens, ==, texts[i].tokens);
  }
}

static void
truncation_keeps_the_end (void)
{
  static const struct {
    const gchar *text;
    guint n_ids;
    gboolean truncated;
    guint32 last; /* before the end token: "a</w>" is 320, "b" 65 */
  } texts[] = {
    { "", 2, FALSE, 512 }, { "a a", 4, FALSE, 320 },
    { "a a  \n", 4, FALSE, 320 }, { "a a a", 4, TRUE, 320 },
    { "a ba", 4, TRUE, 65 }, /* in the middle of a word */
  };
  const ClipTokenizerConfig rules = { .dialect = CLIP_TOKENIZER_ORIGINAL };
  g_autoptr (BpeTable) table = bpe_table_new ();
  g_autoptr (ClipTokenizer) tokenizer = NULL;

  bpe_table_finish (table);
  tokenizer = open_table (table, &rules, 4);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    guint32 ids[5] = { 0, 0, 0, 0, 77 };
    gboolean truncated;
    guint n_ids;

    g_assert_true (clip_tokenizer_encode (
        tokenizer, texts[i].text, ids, &n_ids, &truncated, NULL));
    g_test_message ("'%s'", texts[i].text);
    g_assert_cmpuint (n_ids, ==, texts[i].n_ids);
    g_assert_cmpint (truncated, ==, texts[i].truncated);
    g_assert_cmpuint (ids[0], ==, 512);
    g_assert_cmpuint (ids[n_ids - 2], ==, texts[i].last);
    g_assert_cmpuint (ids[n_ids - 1], ==, 513);
    g_assert_cmpuint (ids[4], ==, 77);
  }
}

/* As long a word as a prompt can be; each merge halves it. */
static void
a_word_may_be_as_long_as_a_prompt (void)
{
  const ClipTokenizerConfig rules = { .dialect = CLIP_TOKENIZER_HUGGING_FACE };
  g_autofree gchar *text = g_strnfill (CLIP_PROMPT_MAX_BYTES, 'x');
  g_autoptr (BpeTable) table = bpe_table_new ();
  g_autoptr (ClipTokenizer) tokenizer = NULL;
  guint32 ids[CONTEXT];
  gboolean truncated;
  guint n_ids;

  for (guint n = 1; n <= 512; n *= 2) {
    g_autofree gchar *half = g_strnfill (n, 'x');
    bpe_table_add (table, half, half);
  }
  bpe_table_finish (table);
  tokenizer = open_table (table, &rules, CONTEXT);
  g_assert_true (
      clip_tokenizer_encode (tokenizer, text, ids, &n_ids, &truncated, NULL));
  /* 65535 = 63 * 1024 + 512 + ... + 1, and the last letter "x</w>". */
  g_assert_cmpuint (n_ids, ==, 1 + 63 + 10 + 1 + 1);
  g_assert_false (truncated);
  g_assert_cmpstr (g_ptr_array_index (table->tokens, ids[74]), ==, "x</w>");
  for (guint i = 1; i <= 63; i++)
    g_assert_cmpuint (ids[i], ==, BPE_SYMBOLS + 9);
  for (guint i = 0; i < 9; i++)
    g_assert_cmpuint (ids[64 + i], ==, BPE_SYMBOLS + 8 - i);
}

static void
invalid_utf8_is_refused (void)
{
  static const gchar *const texts[] = { "\xff", "\xc3", "\xe4\xb8",
    "\xf0\x9f\x98", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
    ("a\xff"
     "b"),
    "\x80" };
  const ClipTokenizerConfig rules = { .dialect = CLIP_TOKENIZER_ORIGINAL };
  g_autoptr (BpeTable) table = bpe_table_new ();
  g_autoptr (ClipTokenizer) tokenizer = NULL;

  bpe_table_finish (table);
  tokenizer = open_table (table, &rules, CONTEXT);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    guint32 ids[CONTEXT] = { 7 };
    guint n_ids = 7;

    g_assert_false (
        clip_tokenizer_encode (tokenizer, texts[i], ids, &n_ids, NULL, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT);
    g_assert_nonnull (strstr (error->message, "UTF-8"));
    g_assert_cmpuint (ids[0], ==, 7);
    g_assert_cmpuint (n_ids, ==, 7);
  }
}

#define ADD_DIALECTS(name, function)                                           \
  g_test_add_data_func ("/prompt/bpe/" name "/original",                       \
      GINT_TO_POINTER (CLIP_TOKENIZER_ORIGINAL), function);                    \
  g_test_add_data_func ("/prompt/bpe/" name "/hugging-face",                   \
      GINT_TO_POINTER (CLIP_TOKENIZER_HUGGING_FACE), function)

gint
main (gint argc, gchar **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_DIALECTS ("the-originals-tokens-make-the-same-tokens", own_table);
  g_test_add_func (
      "/prompt/bpe/the-best-merge-goes-first", the_best_merge_goes_first);
  g_test_add_func ("/prompt/bpe/specials-are-text-unless-asked-for",
      specials_are_text_unless_asked_for);
  g_test_add_func (
      "/prompt/bpe/truncation-keeps-the-end", truncation_keeps_the_end);
  g_test_add_func ("/prompt/bpe/a-word-may-be-as-long-as-a-prompt",
      a_word_may_be_as_long_as_a_prompt);
  g_test_add_func (
      "/prompt/bpe/invalid-utf8-is-refused", invalid_utf8_is_refused);
  return g_test_run ();
}
