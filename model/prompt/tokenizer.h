/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a family of tokenizers is. A new family is a file with one of these
 * structs and a row in tokenizer.c. */
#pragma once

#include "prompt/prompt.h"

/* Where a family puts ids: the room between the start and the end token. */
typedef struct {
  guint32 *ids; /* [max_ids] */
  guint max_ids;
  guint n_ids;
  gboolean truncated; /* an id found no room */
} ClipTokenSink;

/* Returns: FALSE where there is no room: what follows would be cut off too. */
gboolean clip_token_sink_add (ClipTokenSink *sink, guint32 id);

typedef struct {
  /* Returns: the family's own state; NULL with the errors of
   *   clip_tokenizer_new(). */
  gpointer (*open) (const ClipTokenizerConfig *config, guint vocab_size,
      guint32 *start_id, guint32 *end_id, GError **error);
  void (*free) (gpointer self);
  /* @text: valid UTF-8 */
  void (*encode) (gconstpointer self, const gchar *text, ClipTokenSink *sink);
} ClipTokenizerFamily;

extern const ClipTokenizerFamily clip_bpe;
extern const ClipTokenizerFamily clip_wordpiece;

guint clip_tokenizer_get_context_length (const ClipTokenizer *tokenizer);
