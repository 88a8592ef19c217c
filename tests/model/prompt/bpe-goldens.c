/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The whole published vocabulary in each of its forms against the ids of the
 * originals, and the ids of whole models. */
#include "prompt/prompt.h"
#include "clip-error.h"

#include "support.h"
#include "bpe-table.h"
#include "expected.h"

#include <string.h>

#define VOCAB_SIZE 49408
#define MAX_CONTEXT 77

/* The published merges as a table of the tests. */
static BpeTable *
load_table (const gchar *path)
{
  g_autoptr (BpeTable) table = bpe_table_new ();
  g_autofree gchar *text = NULL;
  const gchar *line, *end;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  /* g_strsplit() looks to the end of the text for each line under ASan. */
  for (line = strchr (text, '\n') + 1; *line != '\0'; line = end + 1) {
    g_autofree gchar *pair = NULL;
    g_auto (GStrv) tokens = NULL;

    end = line + strcspn (line, "\n");
    pair = g_strndup (line, end - line);
    tokens = g_strsplit (pair, " ", -1);
    g_assert_cmpuint (g_strv_length (tokens), ==, 2);
    bpe_table_add (table, tokens[0], tokens[1]);
  }
  bpe_table_finish (table);
  g_assert_cmpuint (table->tokens->len, ==, VOCAB_SIZE);
  return g_steal_pointer (&table);
}

/* openai/CLIP's file has 262146 lines; those behind the 48894 merges are other
 * ones, and not used. */
static gchar *
make_simple_vocab (const BpeTable *table)
{
  g_autofree gchar *merges = bpe_table_to_merges (table);
  GString *text = g_string_new ("\"bpe_simple_vocab_16e6.txt#version: 0.2\n");

  g_string_append (text, strchr (merges, '\n') + 1);
  g_string_append (text, "further lines\nthat are no merges\n\ni n\n");
  return g_string_free (text, FALSE);
}

static json_t *
get_expected (const json_t *c, ClipTokenizerDialect dialect)
{
  const gchar *exception =
      dialect == CLIP_TOKENIZER_HUGGING_FACE ? "hf_fast" : "no_fix_encoding";
  json_t *expected = json_object_get (c, exception);

  return expected != NULL ? expected : json_object_get (c, "openai");
}

/* A C string holds no NUL. The original drops it; Hugging Face makes a token of
 * it, so there the text cannot be given to us.
 *
 * Returns: (transfer full): NULL where it cannot. */
static gchar *
get_text (const json_t *json, ClipTokenizerDialect dialect)
{
  const gchar *value = json_string_value (json);
  gsize size = json_string_length (json);
  GString *text;

  if (dialect == CLIP_TOKENIZER_HUGGING_FACE && strlen (value) < size)
    return NULL;
  text = g_string_new (NULL);
  for (gsize i = 0; i < size; i++)
    if (value[i] != '\0')
      g_string_append_c (text, value[i]);
  return g_string_free (text, FALSE);
}

static void
check_invalid (const ClipTokenizer *tokenizer, const gchar *hex)
{
  g_autoptr (GString) bytes = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  guint32 ids[MAX_CONTEXT];
  guint n_ids;

  for (; hex[0] != '\0'; hex += 2)
    g_string_append_c (bytes,
        g_ascii_xdigit_value (hex[0]) * 16 + g_ascii_xdigit_value (hex[1]));
  g_assert_false (
      clip_tokenizer_encode (tokenizer, bytes->str, ids, &n_ids, NULL, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT);
}

/* All of tokens-clip.json: 91 texts and 9 invalid ones. */
static void
check_vectors (const gchar *vocab, const gchar *merges, const gchar *vectors)
{
  json_t *root = expected_load (vectors), *c;
  json_t *cases = json_object_get (root, "cases");

  for (gint dialect = 0; dialect <= CLIP_TOKENIZER_HUGGING_FACE; dialect++) {
    ClipTokenizerConfig config = { CLIP_TOKENIZER_BPE, dialect, (gchar *)vocab,
      (gchar *)merges, TRUE };
    g_autoptr (GError) error = NULL;
    g_autoptr (ClipTokenizer) tokenizer =
        clip_tokenizer_new (&config, VOCAB_SIZE, MAX_CONTEXT, &error);
    guint n_texts = 0, n_invalid = 0;
    gsize i;

    g_assert_no_error (error);
    json_array_foreach (cases, i, c)
    {
      const gchar *hex = json_string_value (json_object_get (c, "bytes_hex"));

      if (hex != NULL) {
        check_invalid (tokenizer, hex);
        n_invalid++;
      } else {
        g_autofree gchar *text =
            get_text (json_object_get (c, "text"), dialect);
        if (text != NULL)
          expected_assert_ids (tokenizer, text, get_expected (c, dialect));
        n_texts += text != NULL;
      }
    }
    g_assert_cmpuint (
        n_texts, ==, dialect == CLIP_TOKENIZER_HUGGING_FACE ? 90 : 91);
    g_assert_cmpuint (n_invalid, ==, 9);
  }
  json_decref (root);
}

typedef enum {
  FORM_PUBLISHED, /* vocab.json and merges.txt as they are */
  FORM_MERGES,    /* merges.txt alone */
  FORM_TOKENIZER_STRINGS,
  FORM_TOKENIZER_PAIRS,
  FORM_SIMPLE,
  FORM_SIMPLE_PACKED
} Form;

static gchar *
make_form (const gchar *merges_path, Form form)
{
  g_autoptr (BpeTable) table = load_table (merges_path);
  g_autofree gchar *text = NULL;

  if (form == FORM_TOKENIZER_STRINGS || form == FORM_TOKENIZER_PAIRS) {
    json_t *tokenizer =
        bpe_table_to_tokenizer (table, form == FORM_TOKENIZER_PAIRS);
    text = json_dumps (tokenizer, JSON_INDENT (2));
    json_decref (tokenizer);
  } else {
    text = make_simple_vocab (table);
  }
  return form == FORM_SIMPLE_PACKED ? bpe_file_new_packed (text)
                                    : bpe_file_new (text, -1);
}

static void
every_form_has_the_originals_ids (gconstpointer data)
{
  Form form = GPOINTER_TO_INT (data);
  g_autofree gchar *vectors =
      test_shared_or_skip ("reference/tokens-clip.json");
  g_autofree gchar *vocab =
      test_shared_or_skip ("goldens/hf-clip-sharded/vocab.json");
  g_autofree gchar *merges =
      test_shared_or_skip ("goldens/hf-clip-sharded/merges.txt");

  if (vectors == NULL || vocab == NULL || merges == NULL)
    return;
  if (form == FORM_PUBLISHED) {
    check_vectors (vocab, merges, vectors);
  } else if (form == FORM_MERGES) {
    check_vectors (NULL, merges, vectors);
  } else {
    gchar *path = make_form (merges, form);
    check_vectors (path, NULL, vectors);
    bpe_file_free (path);
  }
}

typedef struct {
  const gchar *folder; /* whose texts */
  const gchar *vocab;  /* below goldens/ */
  const gchar *merges; /* NULL where vocab holds them */
  ClipTokenizerDialect dialect;
  guint vocab_size;
  guint context_length;
} Golden;

#define SHARDED "hf-clip-sharded/vocab.json", "hf-clip-sharded/merges.txt"

/* clang-format off */
static const Golden goldens[] = {
  { "hf-clip-f32", "hf-clip-f32/vocab.json", "hf-clip-f32/merges.txt",
      CLIP_TOKENIZER_HUGGING_FACE, 2014, 77 },
  { "hf-clip-fp16", "hf-clip-fp16/tokenizer.json", NULL,
      CLIP_TOKENIZER_HUGGING_FACE, 1414, 32 },
  { "hf-clip-bf16-gelu", "hf-clip-bf16-gelu/vocab.json",
      "hf-clip-bf16-gelu/merges.txt", CLIP_TOKENIZER_HUGGING_FACE, 1714, 77 },
  { "hf-clip-bf16-gelu", "hf-clip-bf16-gelu/tokenizer.json", NULL,
      CLIP_TOKENIZER_HUGGING_FACE, 1714, 77 },
  { "hf-clip-sharded", SHARDED, CLIP_TOKENIZER_HUGGING_FACE, VOCAB_SIZE, 77 },
  { "open-clip", "open-clip/vocab.json", "open-clip/merges.txt",
      CLIP_TOKENIZER_ORIGINAL, 2514, 77 },
  { "openai-rn", SHARDED, CLIP_TOKENIZER_ORIGINAL, VOCAB_SIZE, 77 },
  { "openai-vit", SHARDED, CLIP_TOKENIZER_ORIGINAL, VOCAB_SIZE, 77 },
};
/* clang-format on */

static ClipTokenizer *
open_golden (const Golden *golden, const gchar *folder)
{
  g_autofree gchar *vocab = g_build_filename (folder, golden->vocab, NULL);
  g_autofree gchar *merges =
      golden->merges != NULL ? g_build_filename (folder, golden->merges, NULL)
                             : NULL;
  ClipTokenizerConfig config = { CLIP_TOKENIZER_BPE, golden->dialect, vocab,
    merges };
  g_autoptr (GError) error = NULL;
  ClipTokenizer *tokenizer = clip_tokenizer_new (
      &config, golden->vocab_size, golden->context_length, &error);

  g_assert_no_error (error);
  return tokenizer;
}

static void
golden_ids (gconstpointer data)
{
  static const gchar *const lists[] = { "prompts", "tokenizer_cases",
    "truncated_prompts" };
  const Golden *golden = data;
  g_autofree gchar *folder = test_shared_or_skip ("goldens");
  g_autofree gchar *path = NULL;
  g_autoptr (ClipTokenizer) tokenizer = NULL;
  guint n = 0;
  json_t *root, *c;
  gsize j;

  if (folder == NULL)
    return;
  tokenizer = open_golden (golden, folder);
  path = g_build_filename (folder, golden->folder, "expected.json", NULL);
  root = expected_load (path);
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    json_array_foreach (json_object_get (root, lists[i]), j, c)
    {
      expected_assert_ids (tokenizer,
          json_string_value (json_object_get (c, "text")),
          json_object_get (c, "ids"));
      n++;
    }
  g_assert_cmpuint (n, ==, 14 + 18 + 2);
  json_decref (root);
}

gint
main (gint argc, gchar **argv)
{
  static const gchar *const forms[] = {
    [FORM_PUBLISHED] = "vocab-and-merges",
    [FORM_MERGES] = "merges-alone",
    [FORM_TOKENIZER_STRINGS] = "tokenizer-of-strings",
    [FORM_TOKENIZER_PAIRS] = "tokenizer-of-pairs",
    [FORM_SIMPLE] = "simple-vocab",
    [FORM_SIMPLE_PACKED] = "simple-vocab-packed",
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++) {
    g_autofree gchar *name = g_strconcat (
        "/prompt/bpe/every-form-has-the-originals-ids/", forms[i], NULL);
    g_test_add_data_func (
        name, GINT_TO_POINTER (i), every_form_has_the_originals_ids);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (goldens); i++) {
    g_autofree gchar *source = g_path_get_basename (goldens[i].vocab);
    g_autofree gchar *name = g_strdup_printf (
        "/prompt/bpe/golden-ids/%s/%s", goldens[i].folder, source);
    g_test_add_data_func (name, &goldens[i], golden_ids);
  }
  return g_test_run ();
}
