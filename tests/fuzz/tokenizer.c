/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "fuzz.h"
#include "memory-file.h"
#include "prompt/prompt.h"

#include <string.h>

#define VOCAB_SIZE 1000
#define CONTEXT_LENGTH 16

static void
encode (const ClipTokenizer *tokenizer, const gchar *text)
{
  guint32 ids[2][CONTEXT_LENGTH];
  guint n_ids[2];
  gboolean is_truncated;

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autoptr (GError) error = NULL;

    if (!clip_tokenizer_encode (
            tokenizer, text, ids[i], &n_ids[i], &is_truncated, &error)) {
      g_assert_false (g_utf8_validate (text, -1, NULL));
      return;
    }
  }
  g_assert_cmpuint (n_ids[0], >=, 2);
  g_assert_cmpuint (n_ids[0], <=, CONTEXT_LENGTH);
  g_assert_cmpmem (
      ids[0], n_ids[0] * sizeof *ids[0], ids[1], n_ids[1] * sizeof *ids[1]);
  for (guint i = 0; i < n_ids[0]; i++)
    g_assert_cmpuint (ids[0][i], <, VOCAB_SIZE);
}

void
fuzz_tokenizer (ClipTokenizerKind kind, const uint8_t *data, size_t size)
{
  const gsize text_size = size > 0 ? MIN (data[0], size - 1) : 0;
  const gsize file_size = size > 0 ? size - 1 - text_size : 0;
  g_autofree gchar *text =
      g_strndup ((const gchar *)data + size - text_size, text_size);
  g_autoptr (ClipFile) file =
      file_size > 0 ? test_memory_file_new (data + 1, file_size) : NULL;
  g_autofree gchar *path =
      g_strdup_printf ("/proc/self/fd/%d", file != NULL ? file->fd : -1);

  for (guint i = 0; i <= CLIP_TOKENIZER_HUGGING_FACE; i++) {
    const ClipTokenizerConfig config = { kind, i, path };
    g_autoptr (GError) error = NULL;
    g_autoptr (ClipTokenizer) tokenizer =
        clip_tokenizer_new (&config, VOCAB_SIZE, CONTEXT_LENGTH, &error);

    g_assert_true ((tokenizer == NULL) == (error != NULL));
    if (tokenizer != NULL)
      encode (tokenizer, text);
  }
}
