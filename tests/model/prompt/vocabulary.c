/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/prompt.h"
#include "clip-error.h"

#include "support.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>

#define CONTEXT 16
#define SPECIALS "[PAD]\n[UNK]\n[CLS]\n[SEP]\n"

static ClipTokenizer *
open_path (gchar *path, guint vocab_size, GError **error)
{
  ClipTokenizerConfig config = { CLIP_TOKENIZER_WORDPIECE,
    CLIP_TOKENIZER_ORIGINAL, path };

  return clip_tokenizer_new (&config, vocab_size, CONTEXT, error);
}

/* @path: (out): where @content stood */
static ClipTokenizer *
open_content (const gchar *content, gssize size, guint vocab_size, gchar **path,
    GError **error)
{
  ClipTokenizer *tokenizer;
  gint fd = g_file_open_tmp ("clip-vocab-XXXXXX", path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (*path, content, size, NULL));
  tokenizer = open_path (*path, vocab_size, error);
  g_remove (*path);
  return tokenizer;
}

static void
damage_is_named (void)
{
  static const struct {
    const gchar *content;
    gssize size;
    gint code;
    const gchar *part;
  } cases[] = {
    { "", 0, CLIP_ERROR_MODEL, "[UNK] among its 0" },
    { "\n\n\n", -1, CLIP_ERROR_MODEL, "[UNK] among its 0" },
    { "[PAD]\n[CLS]\n[SEP]\na\n", -1, CLIP_ERROR_MODEL, "[UNK] among its 4" },
    { "[PAD]\n[UNK]\n[SEP]\na\n", -1, CLIP_ERROR_MODEL, "[CLS]" },
    { "[PAD]\n[UNK]\n[CLS]\na\n", -1, CLIP_ERROR_MODEL, "[SEP]" },
    { "[UNK]\n[CLS]\n[SEP]\na\n", -1, CLIP_ERROR_MODEL, "[PAD]" },
    { "[pad]\n[unk]\n[cls]\n[sep]\n", -1, CLIP_ERROR_MODEL, "[UNK]" },
    { "[PAD] [UNK] [CLS] [SEP]\n", -1, CLIP_ERROR_MODEL, "[UNK] among its 1" },
    { "[PAD]\r[UNK]\r[CLS]\r[SEP]\r", -1, CLIP_ERROR_MODEL, "[UNK]" },
    { SPECIALS "a\nb\nc\n", -1, CLIP_ERROR_MODEL,
        "7 entries, the model's token table only 6 rows" },
    { SPECIALS "a\n\n\nb\n", -1, CLIP_ERROR_MODEL, "8 entries" },
    { SPECIALS "a\n\xff\n", -1, CLIP_ERROR_FORMAT, "line 6: byte 0xff" },
    { SPECIALS "\xe4\xb8", -1, CLIP_ERROR_FORMAT, "line 5: byte 0xe4" },
    { SPECIALS "a\0b\n", sizeof SPECIALS + 3, CLIP_ERROR_FORMAT,
        "line 5: byte 0x00" },
    { "PK\3\4\0\0", 6, CLIP_ERROR_FORMAT, "line 1: byte 0x00" },
    { "{\"model\": {\"vocab\": {\"[UNK]\": 0}}}", -1, CLIP_ERROR_MODEL,
        "\"model.type\" is missing" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *path = NULL;

    g_assert_null (
        open_content (cases[i].content, cases[i].size, 6, &path, &error));
    g_test_message ("%s", error->message);
    g_assert_error (error, CLIP_ERROR, cases[i].code);
    g_assert_nonnull (strstr (error->message, path));
    g_assert_nonnull (strstr (error->message, cases[i].part));
  }
}

static void
assert_ids (const gchar *content, guint vocab_size, const gchar *text,
    const guint32 *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *path = NULL;
  g_autoptr (ClipTokenizer) tokenizer =
      open_content (content, -1, vocab_size, &path, &error);
  guint32 ids[CONTEXT];
  guint n_ids;

  g_assert_no_error (error);
  g_assert_true (
      clip_tokenizer_encode (tokenizer, text, ids, &n_ids, NULL, NULL));
  for (guint i = 0; i < n_ids; i++)
    g_assert_cmpuint (ids[i], ==, expected[i]);
  g_assert_cmpuint (expected[n_ids], ==, 0);
}

/* The number of a line is the id, whatever ends it; as Python's strip() and
 * dict have it. */
static void
lines_are_ids (void)
{
  static const struct {
    const gchar *content;
    guint vocab_size;
    const gchar *text;
    guint32 ids[CONTEXT];
  } cases[] = {
    { SPECIALS "a\nb\n", 6, "b a", { 2, 5, 4, 3 } },
    { SPECIALS "a\nb", 6, "b a", { 2, 5, 4, 3 } }, /* no newline at the end */
    { SPECIALS "a\nb\n\n\n", 6, "b a", { 2, 5, 4, 3 } },
    { SPECIALS "a\nb\n", 600, "b a", { 2, 5, 4, 3 } }, /* table is larger */
    { "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\na\r\nb\r\n", 6, "b a",
        { 2, 5, 4, 3 } },
    { "\357\273\277" SPECIALS "a\nb\n", 6, "b a", { 2, 5, 4, 3 } },
    { SPECIALS "a\n\342\200\250\nb\n##\342\200\250\nc\n", 9, "b a c",
        { 2, 6, 4, 8, 3 } },
    { SPECIALS "a\n\302\205\013\nb\n", 7, "b a", { 2, 6, 4, 3 } },
    { SPECIALS "\013a\034\n\tb\302\205\n", 6, "b a", { 2, 5, 4, 3 } },
    { SPECIALS "a\nb\na\n", 7, "b a", { 2, 5, 6, 3 } },     /* the later one */
    { SPECIALS "a\n[CLS]\nb\n", 7, "b a", { 5, 6, 4, 3 } }, /* also of these */
    { SPECIALS "a\n##b\n", 6, "ab b ba", { 2, 4, 5, 1, 1, 3 } },
    { SPECIALS "a\nab\n##bc\n##c\n", 8, "abc", { 2, 5, 7, 3 } }, /* greedy */
    { SPECIALS "a\nab\n##bc\n", 7, "abc", { 2, 1, 3 } }, /* never goes back */
    { SPECIALS "longest\n##w\n", 6, "longestw", { 2, 4, 5, 3 } },
    { SPECIALS "\n##\n###\n", 7, "a ##", { 2, 1, 1, 1, 3 } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("case %" G_GSIZE_FORMAT, i);
    assert_ids (
        cases[i].content, cases[i].vocab_size, cases[i].text, cases[i].ids);
  }
}

static void
a_file_that_cannot_be_read_is_named (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("clip-vocab-XXXXXX", NULL);
  g_autofree gchar *absent = g_build_filename (folder, "vocab.txt", NULL);
  g_autofree gchar *fifo = g_build_filename (folder, "fifo", NULL);
  g_autofree gchar *huge = g_build_filename (folder, "huge", NULL);
  const struct {
    gchar *path;
    gint code;
  } cases[] = {
    { absent, CLIP_ERROR_NOT_FOUND },
    { folder, CLIP_ERROR_OPEN },
    { fifo, CLIP_ERROR_OPEN },
    { (gchar *)"/dev/zero", CLIP_ERROR_OPEN },
    { huge, CLIP_ERROR_FORMAT },
  };

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_true (g_file_set_contents (huge, SPECIALS, -1, NULL));
  g_assert_cmpint (truncate (huge, 1 << 30), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (open_path (cases[i].path, 100, &error));
    g_assert_error (error, CLIP_ERROR, cases[i].code);
    g_assert_nonnull (strstr (error->message, cases[i].path));
  }
  g_remove (huge);
  g_remove (fifo);
  g_rmdir (folder);
}

static void
what_has_no_tokenizer_is_told (void)
{
  static const struct {
    ClipTokenizerConfig config;
    guint context_length;
    gint code;
    const gchar *part;
  } cases[] = {
    { { CLIP_TOKENIZER_NONE }, 52, CLIP_ERROR_MODEL, "no text tower" },
    { { CLIP_TOKENIZER_BPE }, 77, CLIP_ERROR_NOT_FOUND, "merges.txt" },
    { { CLIP_TOKENIZER_WORDPIECE }, 52, CLIP_ERROR_NOT_FOUND, "vocab.txt" },
    { { CLIP_TOKENIZER_WORDPIECE }, 1, CLIP_ERROR_MODEL, "context of 1" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (clip_tokenizer_new (
        &cases[i].config, 100, cases[i].context_length, &error));
    g_assert_error (error, CLIP_ERROR, cases[i].code);
    g_assert_nonnull (strstr (error->message, cases[i].part));
  }
}

/* U+2028 inside two lines: who takes it for a line's end counts 21130. */
static void
the_published_one_has_21128_entries (void)
{
  g_autofree gchar *path =
      test_shared_or_skip ("goldens/chinese-vit/vocab.txt");
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipTokenizer) tokenizer = NULL;

  if (path == NULL)
    return;
  tokenizer = open_path (path, 21128, NULL);
  g_assert_nonnull (tokenizer);
  g_assert_null (open_path (path, 21127, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MODEL);
  g_assert_nonnull (strstr (error->message, "21128 entries"));
}

gint
main (gint argc, gchar **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prompt/vocabulary/damage-is-named", damage_is_named);
  g_test_add_func ("/prompt/vocabulary/lines-are-ids", lines_are_ids);
  g_test_add_func ("/prompt/vocabulary/a-file-that-cannot-be-read-is-named",
      a_file_that_cannot_be_read_is_named);
  g_test_add_func ("/prompt/vocabulary/what-has-no-tokenizer-is-told",
      what_has_no_tokenizer_is_told);
  g_test_add_func ("/prompt/vocabulary/the-published-one-has-21128-entries",
      the_published_one_has_21128_entries);
  return g_test_run ();
}
