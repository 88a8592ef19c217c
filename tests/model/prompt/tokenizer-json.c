/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* tokenizer.json: what it says has to be what ours does, and a vocab.txt in
 * that form gives the same ids. */
#include "prompt/prompt.h"
#include "clip-error.h"

#include "support.h"
#include "bpe-table.h"

#include <string.h>

#define CONTEXT 52

/* A tokenizer of each kind, as small as they come. */
static json_t *
make_bpe (void)
{
  g_autoptr (BpeTable) table = bpe_table_new ();

  bpe_table_finish (table);
  return bpe_table_to_tokenizer (table, FALSE);
}

/* @vocab: taken over */
static json_t *
make_wordpiece (json_t *vocab)
{
  return json_pack ("{s:[{s:i, s:s}], s:{s:s, s:b, s:b, s:n, s:b},"
                    " s:{s:s, s:s, s:s, s:i, s:o}}",
      "added_tokens", "id", 1, "content", "[UNK]", "normalizer", "type",
      "BertNormalizer", "clean_text", 1, "handle_chinese_chars", 1,
      "strip_accents", "lowercase", 1, "model", "type", "WordPiece",
      "unk_token", "[UNK]", "continuing_subword_prefix", "##",
      "max_input_chars_per_word", 100, "vocab", vocab);
}

static json_t *
make_small_wordpiece (void)
{
  return make_wordpiece (json_pack ("{s:i, s:i, s:i, s:i, s:i, s:i}", "[PAD]",
      0, "[UNK]", 1, "[CLS]", 2, "[SEP]", 3, "a", 4, "##b", 5));
}

static const struct {
  ClipTokenizerKind kind;
  json_t *(*make) (void);
  guint vocab_size;
} kinds[] = {
  { CLIP_TOKENIZER_BPE, make_bpe, BPE_SYMBOLS + 2 },
  { CLIP_TOKENIZER_WORDPIECE, make_small_wordpiece, 6 },
};

/* @json: taken over */
static ClipTokenizer *
open_json (guint kind, json_t *json, GError **error)
{
  g_autofree gchar *text = json_dumps (json, 0);
  gchar *path = bpe_file_new (text, -1);
  ClipTokenizerConfig config = { kinds[kind].kind, CLIP_TOKENIZER_HUGGING_FACE,
    path };
  ClipTokenizer *tokenizer =
      clip_tokenizer_new (&config, kinds[kind].vocab_size, CONTEXT, error);

  if (tokenizer == NULL && error != NULL)
    g_assert_nonnull (strstr ((*error)->message, path));
  bpe_file_free (path);
  json_decref (json);
  return tokenizer;
}

/* Changes the value at @place, "a.b.0.c"; NULL takes it away. */
static void
change (json_t *json, const gchar *place, const gchar *value)
{
  g_auto (GStrv) keys = g_strsplit (place, ".", -1);
  guint last = g_strv_length (keys) - 1;

  for (guint i = 0; i < last; i++)
    json = json_is_array (json) ? json_array_get (json, atoi (keys[i]))
                                : json_object_get (json, keys[i]);
  if (json_is_array (json) && value == NULL)
    g_assert_cmpint (json_array_remove (json, atoi (keys[last])), ==, 0);
  else if (value == NULL)
    g_assert_cmpint (json_object_del (json, keys[last]), ==, 0);
  else
    g_assert_cmpint (json_object_set_new (json, keys[last],
                         json_loads (value, JSON_DECODE_ANY, NULL)),
        ==, 0);
}

enum {
  BPE,
  WORDPIECE
};

typedef struct {
  guint kind;
  const gchar *place;
  const gchar *value;
  const gchar *part; /* of the error; NULL: it is accepted */
} Change;

/* clang-format off */
static const Change changes[] = {
  { BPE, "version", "\"1.1\"", NULL },
  { BPE, "model.type", "\"Unigram\"", "\"model.type\" is 'Unigram'" },
  { BPE, "model.type", "\"WordPiece\"", "needs 'BPE'" },
  { BPE, "model.type", NULL, "\"model.type\" is missing" },
  { BPE, "model.end_of_word_suffix", "\"\"", "\"model.end_of_word_suffix\"" },
  { BPE, "model.end_of_word_suffix", NULL, "is missing" },
  { BPE, "model.continuing_subword_prefix", "\"##\"", "continuing_subword" },
  { BPE, "model.continuing_subword_prefix", "null", NULL },
  { BPE, "model.dropout", "0.0", NULL },
  { BPE, "model.dropout", "0.1", "\"model.dropout\" is 0.1" },
  { BPE, "model.byte_fallback", "true", "byte_fallback" },
  { BPE, "model.ignore_merges", "true", "ignore_merges" },
  { BPE, "model.vocab", "[]", "\"model.vocab\" is no object" },
  { BPE, "model.vocab.a", "-1", "token 'a' is no whole number" },
  { BPE, "model.vocab.a", "64.0", "token 'a' is no whole number" },
  { BPE, "model.vocab.a", "\"64\"", "token 'a' is no whole number" },
  { BPE, "model.merges", "{}", "\"model.merges\" is no array" },
  { BPE, "model.merges", "[1]", "merge 0: no two tokens" },
  { BPE, "model.merges", "[[\"a\"]]", "merge 0: no two tokens" },
  { BPE, "model.merges", "[[\"a\", \"b\", \"c\"]]", "merge 0: no two tokens" },
  { BPE, "normalizer", "null", "\"normalizer\" is missing" },
  { BPE, "normalizer", NULL, "\"normalizer\" is missing" },
  { BPE, "normalizer.normalizers.2", NULL, "\"normalizer\" has 2 steps" },
  { BPE, "normalizer", "{\"type\": \"NFC\"}", "\"normalizer\" has 1 steps" },
  { BPE, "normalizer.normalizers.0.type", "\"NFKC\"", "is \"NFKC\"" },
  { BPE, "normalizer.normalizers.1.content", "\"_\"", "is \"_\"" },
  { BPE, "normalizer.normalizers.1.pattern", "{\"Regex\": \" +\"}",
      "\"normalizer.pattern\" is {\"Regex\": \" +\"}" },
  { BPE, "normalizer.normalizers.2.type", "\"Strip\"", "is \"Strip\"" },
  { BPE, "added_tokens.0.content", NULL, "\"content\" in entry 0" },
  { BPE, "added_tokens.0.id", "0", "'<|startoftext|>' has two ids" },
  { BPE, "added_tokens.1.id", NULL, "token '<|endoftext|>' is no whole" },
  { BPE, "added_tokens", NULL, NULL },
  { BPE, "model.vocab.<|endoftext|>", NULL, NULL }, /* it was added as well */
  { WORDPIECE, "model.type", "\"BPE\"", "needs 'WordPiece'" },
  { WORDPIECE, "model.unk_token", "\"<unk>\"", "\"model.unk_token\"" },
  { WORDPIECE, "model.continuing_subword_prefix", "\"\"", "is \"\"" },
  { WORDPIECE, "model.max_input_chars_per_word", "200", "is 200" },
  { WORDPIECE, "model.vocab.[CLS]", NULL, "no entry [CLS]" },
  { WORDPIECE, "model.vocab.a", "6", "only 6 rows" },
  { WORDPIECE, "model.vocab.a", "3", "have the same id, 3" },
  { WORDPIECE, "normalizer.lowercase", "false", "normalizer.lowercase" },
  { WORDPIECE, "normalizer.clean_text", "false", "normalizer.clean_text" },
  { WORDPIECE, "normalizer.handle_chinese_chars", "false", "chinese_chars" },
  { WORDPIECE, "normalizer.strip_accents", "false", "strip_accents" },
  { WORDPIECE, "normalizer.strip_accents", "true", NULL },
  { WORDPIECE, "normalizer", "{\"type\": \"NFC\"}", "is \"NFC\"" },
};
/* clang-format on */

static void
another_setting_is_refused_by_name (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++) {
    const Change *c = &changes[i];
    g_autoptr (GError) error = NULL;
    g_autoptr (ClipTokenizer) tokenizer = NULL;
    json_t *json = kinds[c->kind].make ();

    g_test_message ("%s: %s", c->place, c->value);
    change (json, c->place, c->value);
    tokenizer = open_json (c->kind, json, &error);
    if (c->part == NULL) {
      g_assert_no_error (error);
      continue;
    }
    g_assert_null (tokenizer);
    g_assert_true (g_error_matches (error, CLIP_ERROR, CLIP_ERROR_MODEL) ||
                   g_error_matches (error, CLIP_ERROR, CLIP_ERROR_FORMAT));
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, c->part));
  }
}

static void
small_ones_open_and_encode (void)
{
  static const struct {
    const gchar *text;
    guint32 ids[4];
  } texts[] = {
    [BPE] = { "a!", { 512, 320, 256, 513 } },
    [WORDPIECE] = { "ab", { 2, 4, 5, 3 } },
  };

  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (ClipTokenizer) tokenizer =
        open_json (kind, kinds[kind].make (), &error);
    guint32 ids[CONTEXT];
    guint n_ids;

    g_assert_no_error (error);
    g_assert_true (clip_tokenizer_encode (
        tokenizer, texts[kind].text, ids, &n_ids, NULL, NULL));
    g_assert_cmpmem (
        ids, n_ids * sizeof *ids, texts[kind].ids, sizeof texts[kind].ids);
  }
}

/* vocab.txt as a tokenizer.json. */
static gchar *
convert_vocab (const gchar *path)
{
  g_autofree gchar *content = NULL;
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  json_t *vocab = json_object (), *tokenizer;

  g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
  lines = g_strsplit (content, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      json_object_set_new (vocab, lines[i], json_integer (i));
  tokenizer = make_wordpiece (vocab);
  json_object_set_new (tokenizer, "added_tokens", json_array ());
  text = json_dumps (tokenizer, 0);
  json_decref (tokenizer);
  return bpe_file_new (text, -1);
}

static void
check_golden (gchar *vocab, const gchar *expected)
{
  static const gchar *const lists[] = { "prompts", "tokenizer_cases",
    "truncated_prompts" };
  ClipTokenizerConfig config = { CLIP_TOKENIZER_WORDPIECE,
    CLIP_TOKENIZER_HUGGING_FACE, vocab };
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipTokenizer) tokenizer =
      clip_tokenizer_new (&config, 11000, CONTEXT, &error);
  json_t *root = json_load_file (expected, 0, NULL), *c;
  guint n = 0;
  gsize j;

  g_assert_no_error (error);
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    json_array_foreach (json_object_get (root, lists[i]), j, c)
    {
      const json_t *ids = json_object_get (c, "ids");
      guint32 found[CONTEXT];
      guint n_found;

      g_assert_true (clip_tokenizer_encode (tokenizer,
          json_string_value (json_object_get (c, "text")), found, &n_found,
          NULL, NULL));
      g_assert_cmpuint (n_found, ==, json_array_size (ids));
      for (guint k = 0; k < n_found; k++)
        g_assert_cmpuint (
            found[k], ==, json_integer_value (json_array_get (ids, k)));
      n++;
    }
  g_assert_cmpuint (n, ==, 13 + 13 + 1);
  json_decref (root);
}

static void
chinese_clips_golden_ids (void)
{
  g_autofree gchar *vocab =
      test_shared_or_skip ("goldens/hf-chinese-clip/vocab.txt");
  g_autofree gchar *expected =
      test_shared_or_skip ("goldens/hf-chinese-clip/expected.json");
  gchar *converted;

  if (vocab == NULL || expected == NULL)
    return;
  check_golden (vocab, expected);
  converted = convert_vocab (vocab);
  check_golden (converted, expected);
  bpe_file_free (converted);
}

gint
main (gint argc, gchar **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prompt/tokenizer-json/small-ones-open-and-encode",
      small_ones_open_and_encode);
  g_test_add_func ("/prompt/tokenizer-json/another-setting-is-refused-by-name",
      another_setting_is_refused_by_name);
  g_test_add_func ("/prompt/tokenizer-json/chinese-clips-golden-ids",
      chinese_clips_golden_ids);
  return g_test_run ();
}
