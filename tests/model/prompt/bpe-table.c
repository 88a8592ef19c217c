/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "bpe-table.h"

#include <string.h>
#include <zlib.h>
#include <glib/gstdio.h>

static gchar *
make_symbol (gunichar c, const gchar *suffix)
{
  GString *symbol = g_string_new (NULL);

  g_string_append_unichar (symbol, c);
  g_string_append (symbol, suffix);
  return g_string_free (symbol, FALSE);
}

BpeTable *
bpe_table_new (void)
{
  static const gchar *const suffixes[] = { "", "</w>" };
  BpeTable *table = g_new0 (BpeTable, 1);

  table->tokens = g_ptr_array_new_with_free_func (g_free);
  table->merges = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < 2; i++) {
    for (gunichar c = 0x21; c <= 0xff; c++)
      if (c <= 0x7e || (c >= 0xa1 && c != 0xad))
        g_ptr_array_add (table->tokens, make_symbol (c, suffixes[i]));
    for (gunichar c = 0x100; c < 0x100 + 68; c++)
      g_ptr_array_add (table->tokens, make_symbol (c, suffixes[i]));
  }
  g_assert_cmpuint (table->tokens->len, ==, BPE_SYMBOLS);
  return table;
}

void
bpe_table_free (BpeTable *table)
{
  g_ptr_array_unref (table->tokens);
  g_ptr_array_unref (table->merges);
  g_free (table);
}

void
bpe_table_add (BpeTable *table, const gchar *left, const gchar *right)
{
  g_ptr_array_add (table->tokens, g_strconcat (left, right, NULL));
  g_ptr_array_add (table->merges, g_strconcat (left, " ", right, NULL));
}

void
bpe_table_finish (BpeTable *table)
{
  g_ptr_array_add (table->tokens, g_strdup ("<|startoftext|>"));
  g_ptr_array_add (table->tokens, g_strdup ("<|endoftext|>"));
}

gchar *
bpe_table_to_merges (const BpeTable *table)
{
  GString *text = g_string_new ("#version: 0.2\n");

  for (guint i = 0; i < table->merges->len; i++)
    g_string_append_printf (
        text, "%s\n", (gchar *)g_ptr_array_index (table->merges, i));
  return g_string_free (text, FALSE);
}

static json_t *
make_vocab (const BpeTable *table)
{
  json_t *vocab = json_object ();

  for (guint i = 0; i < table->tokens->len; i++)
    json_object_set_new (
        vocab, g_ptr_array_index (table->tokens, i), json_integer (i));
  return vocab;
}

gchar *
bpe_table_to_vocab (const BpeTable *table)
{
  json_t *vocab = make_vocab (table);
  gchar *text = json_dumps (vocab, JSON_COMPACT);

  json_decref (vocab);
  return text;
}

static json_t *
make_merge (const gchar *merge, gboolean is_pair)
{
  g_auto (GStrv) tokens = g_strsplit (merge, " ", 2);

  return is_pair ? json_pack ("[ss]", tokens[0], tokens[1])
                 : json_string (merge);
}

json_t *
bpe_table_to_tokenizer (const BpeTable *table, gboolean pairs)
{
  guint n = table->tokens->len;
  json_t *merges = json_array ();

  for (guint i = 0; i < table->merges->len; i++)
    json_array_append_new (
        merges, make_merge (g_ptr_array_index (table->merges, i), pairs));
  return json_pack ("{s:s, s:n, s:[{s:i, s:s}, {s:i, s:s}],"
                    " s:{s:s, s:[{s:s}, {s:s, s:{s:s}, s:s}, {s:s}]},"
                    " s:{s:s, s:n, s:s, s:s, s:b, s:o, s:o}}",
      "version", "1.0", "truncation", "added_tokens", "id", n - 2, "content",
      "<|startoftext|>", "id", n - 1, "content", "<|endoftext|>", "normalizer",
      "type", "Sequence", "normalizers", "type", "NFC", "type", "Replace",
      "pattern", "Regex", "\\s+", "content", " ", "type", "Lowercase", "model",
      "type", "BPE", "dropout", "continuing_subword_prefix", "",
      "end_of_word_suffix", "</w>", "byte_fallback", 0, "vocab",
      make_vocab (table), "merges", merges);
}

gchar *
bpe_file_new (const gchar *content, gssize size)
{
  g_autoptr (GError) error = NULL;
  gchar *path;
  gint fd = g_file_open_tmp ("clip-bpe-XXXXXX", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_file_set_contents (path, content, size, &error);
  g_assert_no_error (error);
  return path;
}

gchar *
bpe_file_new_packed (const gchar *content)
{
  gchar *path = bpe_file_new ("", 0);
  gzFile file = gzopen (path, "wb");

  g_assert_cmpint (gzputs (file, content), >=, 0);
  g_assert_cmpint (gzclose (file), ==, Z_OK);
  return path;
}

void
bpe_file_free (gchar *path)
{
  if (path != NULL)
    g_remove (path);
  g_free (path);
}
