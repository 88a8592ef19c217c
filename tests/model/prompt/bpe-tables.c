/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Damaged tables, each named; and what is no damage. */
#include "prompt/prompt.h"
#include "clip-error.h"

#include "support.h"
#include "bpe-table.h"

#include <string.h>
#include <glib/gstdio.h>

#define CONTEXT 16
#define VOCAB_SIZE (BPE_SYMBOLS + 3 + 2)
#define HEADER "#version: 0.2\n"
#define MERGES "i n\nt h\nin g</w>\n"

/* The table of MERGES. */
static BpeTable *
make_table (void)
{
  BpeTable *table = bpe_table_new ();

  bpe_table_add (table, "i", "n");
  bpe_table_add (table, "t", "h");
  bpe_table_add (table, "in", "g</w>");
  bpe_table_finish (table);
  return table;
}

static ClipTokenizer *
open_paths (
    const gchar *vocab, const gchar *merges, guint vocab_size, GError **error)
{
  ClipTokenizerConfig config = { CLIP_TOKENIZER_BPE, CLIP_TOKENIZER_ORIGINAL,
    (gchar *)vocab, (gchar *)merges };

  return clip_tokenizer_new (&config, vocab_size, CONTEXT, error);
}

/* "thing" is th + ing, with ids as any form of the table has them. */
static void
assert_thing (const ClipTokenizer *tokenizer)
{
  static const guint32 expected[] = { 515, 513, 514, 516 };
  guint32 ids[CONTEXT];
  guint n_ids;

  g_assert_true (
      clip_tokenizer_encode (tokenizer, "thing", ids, &n_ids, NULL, NULL));
  g_assert_cmpmem (ids, n_ids * sizeof *ids, expected, sizeof expected);
}

static void
assert_refused (ClipTokenizer *tokenizer, GError *error, gint code,
    const gchar *path, const gchar *part)
{
  g_assert_null (tokenizer);
  g_assert_error (error, CLIP_ERROR, code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, part));
}

typedef struct {
  const gchar *content;
  gssize size;
  guint vocab_size;
  gint code;
  const gchar *part; /* NULL: it opens */
} Text;

/* clang-format off */
static const Text texts[] = {
  { HEADER MERGES, -1, VOCAB_SIZE, 0, NULL },
  { "\"bpe_simple_vocab_16e6.txt#version: 0.2\n" MERGES, -1, VOCAB_SIZE, 0,
      NULL },
  { "\357\273\277" HEADER MERGES "\n\n", -1, VOCAB_SIZE, 0, NULL },
  { "#version: 0.2\r\ni n\r\nt h\r\nin g</w>\r\n", -1, VOCAB_SIZE, 0, NULL },
  { HEADER "i n\nt h\nin g</w>", -1, VOCAB_SIZE, 0, NULL },
  { HEADER MERGES "not used\nat all at all\n", -1, VOCAB_SIZE, 0, NULL },
  { "", 0, VOCAB_SIZE, CLIP_ERROR_FORMAT, "line 1: JSON or" },
  { MERGES, -1, VOCAB_SIZE, CLIP_ERROR_FORMAT, "not 'i n'" },
  { HEADER "i n\nt h\n", -1, VOCAB_SIZE, CLIP_ERROR_MODEL,
      "has 2 merges, the model's token table of 517 rows needs 3" },
  { HEADER MERGES, -1, 513, CLIP_ERROR_MODEL, "only 513 rows" },
  { HEADER "i n\nt h\nin g</w> x\n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 4: two tokens and a blank expected, not 'in g</w> x'" },
  { HEADER "i n\nth\nin g</w>\n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 3: two tokens and a blank expected, not 'th'" },
  { HEADER "i n\n\nt h\nin g</w>\n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 3: two" },
  { HEADER "i n\n t\n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT, "line 3: two" },
  { HEADER "i n\nt \n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT, "line 3: two" },
  { HEADER "i n\nthe h\n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 3: there is no token 'the'" },
  { HEADER "in g</w>\ni n\n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 2: there is no token 'in'" },
  { HEADER "i n\ni \342\202\254\n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 3: there is no token '\342\202\254'" },
  { HEADER "i n\ni n\n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "makes the token 'in' twice, as 512 and as 513" },
  { HEADER "i n\ni\0n\n", sizeof HEADER + 7, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 3: byte 0x00" },
  { HEADER "i n\ni \xff\n", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 3: byte 0xff" },
  { "\x1f\x8b", 2, VOCAB_SIZE, CLIP_ERROR_FORMAT, "it is cut off" },
  { "\x1f\x8b\x08xxxxxxxxxxxxxxxx", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "cannot be unpacked" },
  { "{\"a\": 0}", -1, VOCAB_SIZE, CLIP_ERROR_NOT_FOUND, "needs a merges.txt" },
  { "{\"a\": 0", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT, "valid JSON" },
  { "{\"a\": 0, \"a\": 0}", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT, "duplicate" },
  { "{\"a\\u0000\": 0}", -1, VOCAB_SIZE, CLIP_ERROR_FORMAT, "\\u0000" },
};
/* clang-format on */

static void
texts_that_are_damaged_are_named (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    const Text *t = &texts[i];
    g_autoptr (GError) error = NULL;
    gchar *path = bpe_file_new (t->content, t->size);
    g_autoptr (ClipTokenizer) tokenizer =
        open_paths (path, NULL, t->vocab_size, &error);

    g_test_message ("text %" G_GSIZE_FORMAT, i);
    if (t->part == NULL) {
      g_assert_no_error (error);
      assert_thing (tokenizer);
    } else {
      assert_refused (tokenizer, error, t->code, path, t->part);
    }
    bpe_file_free (path);
  }
}

typedef struct {
  const gchar *token; /* whose id changes; NULL: none */
  gint id;            /* -1: the token goes */
  const gchar *merges;
  guint vocab_size;
  gint code;
  const gchar *part; /* NULL: it opens */
} Pair;

/* clang-format off */
static const Pair pairs[] = {
  { NULL, 0, HEADER MERGES, VOCAB_SIZE, 0, NULL },
  { NULL, 0, HEADER MERGES, VOCAB_SIZE + 7, 0, NULL }, /* a longer table */
  { NULL, 0, "\357\273\277#version: 0.2\r\ni n\r\nt h\r\nin g</w>\r\n",
      VOCAB_SIZE, 0, NULL },
  { NULL, 0, HEADER MERGES "of a longer\nfile\n", VOCAB_SIZE, 0, NULL },
  { NULL, 0, HEADER MERGES, VOCAB_SIZE - 1, CLIP_ERROR_MODEL,
      "'<|endoftext|>' has id 516, the model's token table only 516 rows" },
  { "th", 512, HEADER MERGES, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "the tokens 'in' and 'th' have the same id, 512" },
  { "th", 9999, HEADER MERGES, VOCAB_SIZE, CLIP_ERROR_MODEL,
      "'th' has id 9999" },
  { "<|endoftext|>", 517, HEADER MERGES, VOCAB_SIZE + 1, CLIP_ERROR_FORMAT,
      "no token with id 516, though ids go up to 517" },
  { "th", -1, HEADER MERGES, VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "no token with id 513" },
  { "<|endoftext|>", -1, HEADER "i n\nt h\nin g</w>\n", VOCAB_SIZE,
      CLIP_ERROR_MODEL, "no token <|endoftext|> among its 516" },
  { NULL, 0, HEADER "i n\nt h\n", VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "has 2 merges, but none makes the token 'ing</w>' (514)" },
  { NULL, 0, HEADER "i n\nt h\nin h\n", VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 4: the vocabulary has no token 'inh'" },
  { NULL, 0, HEADER "i n\nt h\nout g\n", VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 4: there is no token 'out'" },
  { NULL, 0, HEADER "i n\nt h\ni n\n", VOCAB_SIZE, CLIP_ERROR_FORMAT,
      "line 4: an earlier one makes already 'in'" },
  { NULL, 0, "{}", VOCAB_SIZE, CLIP_ERROR_FORMAT, "line 1: JSON or" },
  { NULL, 0, NULL, VOCAB_SIZE, CLIP_ERROR_NOT_FOUND, "/nowhere/merges.txt" },
};
/* clang-format on */

static void
change_id (BpeTable *table, json_t *vocab, const Pair *pair)
{
  if (pair->token == NULL)
    return;
  if (pair->id < 0)
    json_object_del (vocab, pair->token);
  else
    json_object_set_new (vocab, pair->token, json_integer (pair->id));
}

static void
vocabularies_that_are_damaged_are_named (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++) {
    const Pair *p = &pairs[i];
    g_autoptr (BpeTable) table = make_table ();
    g_autofree gchar *text = bpe_table_to_vocab (table);
    json_t *json = json_loads (text, 0, NULL);
    g_autofree gchar *changed = NULL;
    gchar *vocab, *merges;
    g_autoptr (GError) error = NULL;
    g_autoptr (ClipTokenizer) tokenizer = NULL;

    change_id (table, json, p);
    changed = json_dumps (json, 0);
    json_decref (json);
    vocab = bpe_file_new (changed, -1);
    merges = p->merges != NULL ? bpe_file_new (p->merges, -1) : NULL;
    tokenizer = open_paths (vocab,
        merges != NULL ? merges : "/nowhere/merges.txt", p->vocab_size, &error);
    g_test_message ("pair %" G_GSIZE_FORMAT, i);
    if (p->part == NULL) {
      g_assert_no_error (error);
      assert_thing (tokenizer);
    } else {
      assert_refused (tokenizer, error, p->code, "'", p->part);
    }
    bpe_file_free (vocab);
    bpe_file_free (merges);
  }
}

/* The packed form: every cut, a flipped byte, more behind the end. */
static void
packed_files_that_are_damaged_are_named (void)
{
  gchar *whole = bpe_file_new_packed (HEADER MERGES);
  g_autoptr (ClipTokenizer) opened = open_paths (whole, NULL, VOCAB_SIZE, NULL);
  g_autofree gchar *content = NULL;
  gsize size;

  g_assert_nonnull (opened);
  assert_thing (opened);
  g_assert_true (g_file_get_contents (whole, &content, &size, NULL));
  for (gsize cut = 2; cut <= size + 1; cut++) {
    g_autofree gchar *changed = g_malloc0 (size + 1);
    g_autoptr (GError) error = NULL;
    g_autoptr (ClipTokenizer) tokenizer = NULL;
    gchar *path;

    if (cut == size) { /* its last byte belongs to the length */
      memcpy (changed, content, size);
      changed[size - 1] ^= 1;
    } else {
      memcpy (changed, content, MIN (cut, size));
    }
    path = bpe_file_new (changed, cut);
    tokenizer = open_paths (path, NULL, VOCAB_SIZE, &error);
    assert_refused (tokenizer, error, CLIP_ERROR_FORMAT, path,
        cut < size    ? "it is cut off"
        : cut == size ? "incorrect length check"
                      : "something stands behind its end");
    bpe_file_free (path);
  }
  bpe_file_free (whole);
}

/* Files that would fill the memory: what is read is bounded. */
static void
bombs_are_refused (void)
{
  enum {
    MEGABYTE = 1 << 20
  };
  g_autofree gchar *zeros = g_strnfill (100 * MEGABYTE, 'x');
  g_autofree gchar *line =
      g_strdup_printf (HEADER "%.*s\n", 10 * MEGABYTE, zeros);
  g_autofree gchar *token =
      g_strdup_printf ("{\"%.*s\": 0}", 10 * MEGABYTE, zeros);
  g_autofree gchar *nested = g_strnfill (MEGABYTE, '{');
  g_autofree gchar *commas = g_strnfill (MEGABYTE, ',');
  g_autofree gchar *values = g_strdup_printf ("{%s}", commas);
  const struct {
    gchar *path;
    const gchar *part;
  } bombs[] = {
    { bpe_file_new_packed (zeros), "unpacks to more than" },
    { bpe_file_new (zeros, -1), "104857600 bytes, more than the 16777216" },
    { bpe_file_new (line, -1), "line 2: two tokens and a blank expected" },
    { bpe_file_new (token, -1), "a string is too long" },
    { bpe_file_new (nested, -1), "nested too deep" },
    { bpe_file_new (values, -1), "too many values" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bombs); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (ClipTokenizer) tokenizer =
        open_paths (bombs[i].path, NULL, VOCAB_SIZE, &error);

    assert_refused (
        tokenizer, error, CLIP_ERROR_FORMAT, bombs[i].path, bombs[i].part);
    g_assert_cmpuint (strlen (error->message), <, 400);
    bpe_file_free (bombs[i].path);
  }
}

static void
what_is_absent_is_named (void)
{
  static const struct {
    const gchar *vocab;
    const gchar *merges;
    gint code;
    const gchar *part;
  } cases[] = {
    { NULL, NULL, CLIP_ERROR_NOT_FOUND, "tokenizer.json" },
    { "/nowhere/vocab.json", NULL, CLIP_ERROR_NOT_FOUND, "/nowhere/vocab" },
    { NULL, "/nowhere/merges.txt", CLIP_ERROR_NOT_FOUND, "/nowhere/merges" },
    { "/", NULL, CLIP_ERROR_OPEN, "'/'" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (ClipTokenizer) tokenizer =
        open_paths (cases[i].vocab, cases[i].merges, VOCAB_SIZE, &error);

    assert_refused (tokenizer, error, cases[i].code, "", cases[i].part);
  }
}

gint
main (gint argc, gchar **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prompt/bpe-tables/texts-that-are-damaged-are-named",
      texts_that_are_damaged_are_named);
  g_test_add_func ("/prompt/bpe-tables/vocabularies-that-are-damaged-are-named",
      vocabularies_that_are_damaged_are_named);
  g_test_add_func ("/prompt/bpe-tables/packed-files-that-are-damaged-are-named",
      packed_files_that_are_damaged_are_named);
  g_test_add_func ("/prompt/bpe-tables/bombs-are-refused", bombs_are_refused);
  g_test_add_func (
      "/prompt/bpe-tables/what-is-absent-is-named", what_is_absent_is_named);
  return g_test_run ();
}
