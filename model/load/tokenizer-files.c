/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Which vocabulary lies beside a model, and that its tokenizer does what ours
 * does. What a vocabulary holds is read by prompt/. */

#include "load/dialect.h"

#include "clip-error.h"

#define MERGES "merges.txt"

static const gchar *const names[] = {
  "vocab.txt",
  "vocab.json",
  MERGES,
  "tokenizer.json",
  "bpe_simple_vocab_16e6.txt",
  "bpe_simple_vocab_16e6.txt.gz",
  NULL,
};

/* The first that is there is taken; all of a tokenizer's give the same ids
 * (model-spec 5.1). */
static const struct {
  ClipTokenizerKind kind;
  const gchar *vocab;
  const gchar *merges; /* NULL: not needed */
} sources[] = {
  { CLIP_TOKENIZER_WORDPIECE, "vocab.txt" },
  { CLIP_TOKENIZER_WORDPIECE, "tokenizer.json" },
  { CLIP_TOKENIZER_BPE, "vocab.json", MERGES },
  { CLIP_TOKENIZER_BPE, "tokenizer.json" },
  { CLIP_TOKENIZER_BPE, "bpe_simple_vocab_16e6.txt" },
  { CLIP_TOKENIZER_BPE, "bpe_simple_vocab_16e6.txt.gz" },
  { CLIP_TOKENIZER_BPE, MERGES },
};

static const ClipTokenizerKind kinds[] = {
  [CLIP_TEXT_NONE] = CLIP_TOKENIZER_NONE,
  [CLIP_TEXT_BERT] = CLIP_TOKENIZER_WORDPIECE,
  [CLIP_TEXT_TRANSFORMER] = CLIP_TOKENIZER_BPE,
};

/* What tokenizers must do, since ours do nothing else. */
static const struct {
  ClipTokenizerKind kind;
  const gchar *key;
} habits[] = {
  { CLIP_TOKENIZER_WORDPIECE, "do_lower_case" },
  { CLIP_TOKENIZER_WORDPIECE, "tokenize_chinese_chars" },
  { CLIP_TOKENIZER_WORDPIECE, "strip_accents" },
  { CLIP_TOKENIZER_BPE, "do_lower_case" },
};

const gchar *const *
clip_tokenizer_files_get_names (void)
{
  return names;
}

/* tokenizer_config.json may be absent: its defaults are what is supported. */
static gboolean
prove_habits (const gchar *folder, ClipTokenizerKind kind, GError **error)
{
  g_autoptr (ClipDocument) document = NULL;

  if (!clip_document_open_optional (
          folder, CLIP_TOKENIZER_FILE, &document, error))
    return FALSE;
  if (document == NULL)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (habits); i++) {
    gboolean habit = TRUE;

    if (habits[i].kind == kind && !clip_document_get_boolean (document,
                                      habits[i].key, TRUE, &habit, error))
      return FALSE;
    if (!habit)
      return clip_document_refuse (document, habits[i].key, error,
          "is false; only tokenizers that do so are supported");
  }
  return TRUE;
}

/* (transfer full): NULL where there is none, or @name is */
static gchar *
find (const gchar *folder, const gchar *name)
{
  g_autofree gchar *path =
      name != NULL ? g_build_filename (folder, name, NULL) : NULL;

  return path != NULL && g_file_test (path, G_FILE_TEST_EXISTS)
             ? g_steal_pointer (&path)
             : NULL;
}

static void
set_none_error (const gchar *folder, ClipTokenizerKind kind, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const gchar *first = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    if (sources[i].kind == kind) {
      g_string_append_printf (text, "%s%s%s%s", first != NULL ? ", " : "",
          sources[i].vocab, sources[i].merges != NULL ? " with " : "",
          sources[i].merges != NULL ? sources[i].merges : "");
      first = first != NULL ? first : sources[i].vocab;
    }
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
      "'%s/%s' does not exist, nor any other vocabulary for the model's "
      "prompts; put one of these beside the weights: %s",
      folder, first, text->str);
}

gboolean
clip_tokenizer_files_locate (const gchar *folder, const ClipDialect *dialect,
    gboolean has_config, ClipConfig *config, GError **error)
{
  ClipTokenizerConfig *tokenizer = &config->tokenizer;

  tokenizer->kind = kinds[config->text.kind];
  tokenizer->dialect = dialect->tokenizer_dialect;
  if (tokenizer->kind == CLIP_TOKENIZER_NONE)
    return TRUE;
  if (has_config && !prove_habits (folder, tokenizer->kind, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++) {
    g_autofree gchar *vocab = find (folder, sources[i].vocab);
    g_autofree gchar *merges = find (folder, sources[i].merges);

    if (sources[i].kind == tokenizer->kind && vocab != NULL &&
        (merges != NULL || sources[i].merges == NULL)) {
      tokenizer->vocab = g_steal_pointer (&vocab);
      tokenizer->merges = g_steal_pointer (&merges);
      return TRUE;
    }
  }
  set_none_error (folder, tokenizer->kind, error);
  return FALSE;
}
