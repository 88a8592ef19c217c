/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/tokenizer.h"
#include "clip-error.h"

struct _ClipTokenizer {
  const ClipTokenizerFamily *family;
  gpointer self;
  guint32 start_id;
  guint32 end_id;
  guint context_length;
};

/* A kind without a family says why it reads no prompts. */
static const struct {
  const ClipTokenizerFamily *family;
  const gchar *reason;
} kinds[] = {
  [CLIP_TOKENIZER_NONE] = { NULL,
      "this model has no text tower, so it cannot read prompts: use one that "
      "has" },
  [CLIP_TOKENIZER_WORDPIECE] = { &clip_wordpiece },
  [CLIP_TOKENIZER_BPE] = { &clip_bpe },
};

gboolean
clip_token_sink_add (ClipTokenSink *sink, guint32 id)
{
  if (sink->n_ids == sink->max_ids) {
    sink->truncated = TRUE;
    return FALSE;
  }
  sink->ids[sink->n_ids++] = id;
  return TRUE;
}

ClipTokenizer *
clip_tokenizer_new (const ClipTokenizerConfig *config, guint vocab_size,
    guint context_length, GError **error)
{
  g_autoptr (ClipTokenizer) tokenizer = g_new0 (ClipTokenizer, 1);
  const ClipTokenizerFamily *family;

  g_return_val_if_fail (config->kind < G_N_ELEMENTS (kinds), NULL);
  family = kinds[config->kind].family;
  if (family == NULL) {
    g_set_error_literal (
        error, CLIP_ERROR, CLIP_ERROR_MODEL, kinds[config->kind].reason);
    return NULL;
  }
  if (context_length < 2) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "a context of %u ids has no room for the start and the end token",
        context_length);
    return NULL;
  }
  tokenizer->family = family;
  tokenizer->context_length = context_length;
  tokenizer->self = family->open (
      config, vocab_size, &tokenizer->start_id, &tokenizer->end_id, error);
  return tokenizer->self != NULL ? g_steal_pointer (&tokenizer) : NULL;
}

void
clip_tokenizer_free (ClipTokenizer *tokenizer)
{
  if (tokenizer == NULL)
    return;
  if (tokenizer->self != NULL)
    tokenizer->family->free (tokenizer->self);
  g_free (tokenizer);
}

guint
clip_tokenizer_get_context_length (const ClipTokenizer *tokenizer)
{
  return tokenizer->context_length;
}

gboolean
clip_tokenizer_encode (const ClipTokenizer *tokenizer, const gchar *text,
    guint32 *ids, guint *n_ids, gboolean *truncated, GError **error)
{
  ClipTokenSink sink = { ids + 1, tokenizer->context_length - 2 };
  const gchar *fault;

  if (!g_utf8_validate (text, -1, &fault)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT,
        "byte %" G_GSIZE_FORMAT " (0x%02x) is not UTF-8", (gsize)(fault - text),
        (guint8)*fault);
    return FALSE;
  }
  tokenizer->family->encode (tokenizer->self, text, &sink);
  ids[0] = tokenizer->start_id;
  ids[sink.n_ids + 1] = tokenizer->end_id;
  *n_ids = sink.n_ids + 2;
  if (truncated != NULL)
    *truncated = sink.truncated;
  return TRUE;
}
