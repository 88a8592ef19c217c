/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/prompt.h"
#include "clip-error.h"

#include "expected.h"
#include "support.h"
#include "wordpiece-cases.h"

#include <string.h>
#include <glib/gstdio.h>

#define CONTEXT 52 /* of Chinese-CLIP */

static gchar *
write_vocab (const gchar *content)
{
  g_autoptr (GError) error = NULL;
  gchar *path;
  gint fd = g_file_open_tmp ("clip-vocab-XXXXXX", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_file_set_contents (path, content, -1, &error);
  g_assert_no_error (error);
  return path;
}

static ClipTokenizer *
open_vocab (gchar *path, ClipTokenizerDialect dialect, guint context_length)
{
  g_autoptr (GError) error = NULL;
  ClipTokenizerConfig config = { CLIP_TOKENIZER_WORDPIECE, dialect, path };
  ClipTokenizer *tokenizer =
      clip_tokenizer_new (&config, 21128, context_length, &error);

  g_assert_no_error (error);
  return tokenizer;
}

/* The tokenizer over nothing but the pieces of the table; entries[id] is the
 * piece. */
static ClipTokenizer *
open_own (ClipTokenizerDialect dialect, gchar ***entries)
{
  g_autoptr (GString) content =
      g_string_new ("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree gchar *path = NULL;
  ClipTokenizer *tokenizer;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (GStrv) pieces = g_strsplit (cases[i].pieces, " ", -1);
    for (gsize j = 0; pieces[j] != NULL; j++)
      if (!strchr ("[", pieces[j][0]) || pieces[j][1] == '\0')
        if (g_hash_table_add (seen, g_strdup (pieces[j])))
          g_string_append_printf (content, "%s\n", pieces[j]);
  }
  /* Of the other dialect's answers only this is not in a column above. */
  g_string_append (content, "##σ\n");
  path = write_vocab (content->str);
  tokenizer = open_vocab (path, dialect, CONTEXT);
  g_remove (path);
  *entries = g_strsplit (content->str, "\n", -1);
  return tokenizer;
}

static gchar *
encode_to_pieces (
    const ClipTokenizer *tokenizer, gchar **entries, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) pieces = g_string_new (NULL);
  guint32 ids[CONTEXT];
  guint n_ids;
  gboolean truncated;

  clip_tokenizer_encode (tokenizer, text, ids, &n_ids, &truncated, &error);
  g_assert_no_error (error);
  g_assert_false (truncated);
  g_assert_cmpuint (n_ids, >=, 2);
  g_assert_cmpstr (entries[ids[0]], ==, "[CLS]");
  g_assert_cmpstr (entries[ids[n_ids - 1]], ==, "[SEP]");
  for (guint i = 1; i + 1 < n_ids; i++)
    g_string_append_printf (pieces, "%s%s", i > 1 ? " " : "", entries[ids[i]]);
  return g_strdup (pieces->str);
}

static void
own_vocabulary (gconstpointer data)
{
  ClipTokenizerDialect dialect = GPOINTER_TO_INT (data);
  g_auto (GStrv) entries = NULL;
  g_autoptr (ClipTokenizer) tokenizer = open_own (dialect, &entries);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const WordpieceCase *c = &cases[i];
    g_autofree gchar *pieces = encode_to_pieces (tokenizer, entries, c->text);

    if (dialect == CLIP_TOKENIZER_HUGGING_FACE && c->hugging_face != NULL)
      g_assert_cmpstr (pieces, ==, c->hugging_face);
    else
      g_assert_cmpstr (pieces, ==, c->pieces);
  }
}

/* A word of as many code points as the dialect takes is cut, a longer one is
 * [UNK]: 200 in the original, 100 in Hugging Face's. */
static void
long_words (void)
{
  static const struct {
    ClipTokenizerDialect dialect;
    guint n_chars;
    gboolean known;
  } words[] = {
    { CLIP_TOKENIZER_ORIGINAL, 200, TRUE },
    { CLIP_TOKENIZER_ORIGINAL, 201, FALSE },
    { CLIP_TOKENIZER_HUGGING_FACE, 100, TRUE },
    { CLIP_TOKENIZER_HUGGING_FACE, 101, FALSE },
  };
  g_autofree gchar *path =
      write_vocab ("[CLS]\n[SEP]\n[UNK]\n[PAD]\né\nж\n##ж\n");

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    g_autoptr (ClipTokenizer) tokenizer =
        open_vocab (path, words[i].dialect, 300);
    g_autoptr (GString) text = g_string_new (NULL);
    guint32 ids[300];
    guint n_ids;

    for (guint j = 0; j < words[i].n_chars; j++)
      g_string_append (text, "Ж");
    g_assert_true (
        clip_tokenizer_encode (tokenizer, text->str, ids, &n_ids, NULL, NULL));
    g_assert_cmpuint (n_ids, ==, words[i].known ? words[i].n_chars + 2 : 3);
    g_assert_cmpuint (ids[1], ==, words[i].known ? 5 : 2);
    g_assert_cmpuint (ids[n_ids - 1], ==, 1);
  }
  g_remove (path);
}

static void
truncation_keeps_the_end (void)
{
  static const struct {
    const gchar *text;
    guint n_ids;
    gboolean truncated;
    guint32 last; /* before [SEP] */
  } texts[] = {
    { "a b", 4, FALSE, 5 }, { "a b ", 4, FALSE, 5 }, { "a b a", 4, TRUE, 5 },
    { "a ab", 4, TRUE, 5 },   /* in the middle of a word */
    { "a abx", 4, FALSE, 2 }, /* the whole word is [UNK], so nothing is cut */
  };
  g_autofree gchar *path =
      write_vocab ("[CLS]\n[SEP]\n[UNK]\n[PAD]\na\nb\n##b\n");
  g_autoptr (ClipTokenizer) tokenizer =
      open_vocab (path, CLIP_TOKENIZER_ORIGINAL, 4);

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    guint32 ids[5] = { 0, 0, 0, 0, 77 };
    gboolean truncated;
    guint n_ids;

    g_assert_true (clip_tokenizer_encode (
        tokenizer, texts[i].text, ids, &n_ids, &truncated, NULL));
    g_test_message ("'%s'", texts[i].text);
    g_assert_cmpuint (n_ids, ==, texts[i].n_ids);
    g_assert_cmpint (truncated, ==, texts[i].truncated);
    g_assert_cmpuint (ids[3], ==, 1);
    g_assert_cmpuint (ids[4], ==, 77);
  }
  g_remove (path);
}

static void
invalid_utf8_is_refused (void)
{
  static const gchar *const texts[] = { "\xff", "\xc3", "\xe4\xb8",
    "\xf0\x9f\x98", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
    ("a\xff"
     "b"),
    "\x80" };
  g_auto (GStrv) entries = NULL;
  g_autoptr (ClipTokenizer) tokenizer =
      open_own (CLIP_TOKENIZER_ORIGINAL, &entries);

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

/* --- the whole published vocabulary, and whole models --- */

/* A C string holds no NUL; both dialects drop it before anything else. */
static gchar *
get_text (const json_t *json)
{
  const gchar *value = json_string_value (json);
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < json_string_length (json); i++)
    if (value[i] != '\0')
      g_string_append_c (text, value[i]);
  return g_string_free (text, FALSE);
}

static void
reference_vectors (gconstpointer data)
{
  ClipTokenizerDialect dialect = GPOINTER_TO_INT (data);
  g_autofree gchar *vectors =
      test_shared_or_skip ("reference/tokens-bert.json");
  g_autofree gchar *vocab =
      test_shared_or_skip ("goldens/chinese-vit/vocab.txt");
  g_autoptr (ClipTokenizer) tokenizer = NULL;
  json_t *json, *item;
  guint n_texts = 0;
  gsize i;

  if (vectors == NULL || vocab == NULL)
    return;
  tokenizer = open_vocab (vocab, dialect, CONTEXT);
  json = expected_load (vectors);
  json_array_foreach (json_object_get (json, "cases"), i, item)
  {
    const json_t *ids = json_object_get (item, "hf_fast");
    g_autofree gchar *text = NULL;

    if (json_object_get (item, "text") == NULL)
      continue;
    if (ids == NULL || dialect == CLIP_TOKENIZER_ORIGINAL)
      ids = json_object_get (item, "ids");
    text = get_text (json_object_get (item, "text"));
    expected_assert_ids (tokenizer, text, ids);
    n_texts++;
  }
  g_assert_cmpuint (n_texts, ==, 92);
  json_decref (json);
}

static void
golden_prompts (gconstpointer data)
{
  static const gchar *const lists[] = { "prompts", "tokenizer_cases",
    "truncated_prompts" };
  const gchar *model = data;
  g_autofree gchar *relative = g_strdup_printf ("goldens/%s", model);
  g_autofree gchar *folder = test_shared_or_skip (relative);
  g_autofree gchar *vocab = NULL, *path = NULL;
  g_autoptr (ClipTokenizer) tokenizer = NULL;
  json_t *json, *item;
  gsize j;

  if (folder == NULL)
    return;
  vocab = g_build_filename (folder, "vocab.txt", NULL);
  path = g_build_filename (folder, "expected.json", NULL);
  tokenizer = open_vocab (vocab,
      g_str_has_prefix (model, "hf-") ? CLIP_TOKENIZER_HUGGING_FACE
                                      : CLIP_TOKENIZER_ORIGINAL,
      CONTEXT);
  json = expected_load (path);
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++) {
    g_assert_cmpuint (json_array_size (json_object_get (json, lists[i])), >, 0);
    json_array_foreach (json_object_get (json, lists[i]), j, item)
    {
      expected_assert_ids (tokenizer,
          json_string_value (json_object_get (item, "text")),
          json_object_get (item, "ids"));
    }
  }
  json_decref (json);
}

/* [CLS] is 2 and [SEP] 3 there: what they are stands in vocab.txt alone. */
static void
demo_model_prompts (void)
{
  static const gchar *const languages[] = { "en", "zh" };
  g_autofree gchar *vocab = test_source ("../pipelines/demo-model/vocab.txt");
  g_autofree gchar *path =
      test_source ("../pipelines/demo-model/expected.json");
  g_autoptr (ClipTokenizer) tokenizer =
      open_vocab (vocab, CLIP_TOKENIZER_ORIGINAL, CONTEXT);
  json_t *json = expected_load (path);

  for (gsize i = 0; i < G_N_ELEMENTS (languages); i++) {
    const json_t *texts =
        json_object_get (json_object_get (json, "prompts"), languages[i]);
    const json_t *ids =
        json_object_get (json_object_get (json, "token_ids"), languages[i]);

    g_assert_cmpuint (json_array_size (texts), ==, 12);
    for (gsize j = 0; j < json_array_size (texts); j++)
      expected_assert_ids (tokenizer,
          json_string_value (json_array_get (texts, j)),
          json_array_get (ids, j));
  }
  json_decref (json);
}

gint
main (gint argc, gchar **argv)
{
  static const struct {
    const gchar *name;
    ClipTokenizerDialect dialect;
  } dialects[] = {
    { "original", CLIP_TOKENIZER_ORIGINAL },
    { "hugging-face", CLIP_TOKENIZER_HUGGING_FACE },
  };
  static const gchar *const models[] = { "chinese-rn", "chinese-vit",
    "hf-chinese-clip" };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (dialects); i++) {
    g_autofree gchar *own =
        g_strdup_printf ("/prompt/wordpiece/cuts-as-%s-does", dialects[i].name);
    g_autofree gchar *whole = g_strdup_printf (
        "/prompt/wordpiece/reference-vectors-of-%s", dialects[i].name);

    g_test_add_data_func (
        own, GINT_TO_POINTER (dialects[i].dialect), own_vocabulary);
    g_test_add_data_func (
        whole, GINT_TO_POINTER (dialects[i].dialect), reference_vectors);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autofree gchar *name =
        g_strdup_printf ("/prompt/wordpiece/prompts-of-%s", models[i]);

    g_test_add_data_func (name, models[i], golden_prompts);
  }
  g_test_add_func ("/prompt/wordpiece/a-word-too-long-is-unknown", long_words);
  g_test_add_func ("/prompt/wordpiece/truncation-keeps-the-end-token",
      truncation_keeps_the_end);
  g_test_add_func (
      "/prompt/wordpiece/invalid-utf8-is-refused", invalid_utf8_is_refused);
  g_test_add_func (
      "/prompt/wordpiece/prompts-of-the-demo-model", demo_model_prompts);
  return g_test_run ();
}
