/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The door of prompt/: words become token ids, and prompts become rows of a
 * matrix. */
#pragma once

#include "encode/encode.h"

#define CLIP_PROMPTS_MAX 1000       /* of one set */
#define CLIP_PROMPT_MAX_BYTES 65536 /* of one prompt */
#define CLIP_TEMPLATES_MAX 256

/* --- tokenizer: text to ids, exactly as the original's --- */

typedef struct _ClipTokenizer ClipTokenizer;

/* Immutable once made; any thread.
 *
 * @config: which files, and whose rules
 * @vocab_size: rows of the model's token table; a vocabulary with more words is
 *   an error
 * @context_length: ids at most, start and end included
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NOT_FOUND, _OPEN, _READ,
 *   _FORMAT or _MODEL. */
ClipTokenizer *clip_tokenizer_new (const ClipTokenizerConfig *config,
    guint vocab_size, guint context_length, GError **error);
void clip_tokenizer_free (ClipTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipTokenizer, clip_tokenizer_free)

/* @text: UTF-8; anything else is an error, not replaced
 * @ids: (out caller-allocates): context_length ids
 * @n_ids: (out): ids written, start and end included, at least 2
 * @truncated: (out) (optional): whether words were cut off (the end token is
 *   kept)
 *
 * Returns: FALSE with CLIP_ERROR_PROMPT; outputs untouched. */
gboolean clip_tokenizer_encode (const ClipTokenizer *tokenizer,
    const gchar *text, guint32 *ids, guint *n_ids, gboolean *truncated,
    GError **error);

/* --- prompts as a user writes them --- */

/* One string, '|' between prompts, "\|" a bar and "\\" a backslash; blanks
 * around a prompt are dropped, empty prompts too. Commas, quotes and every
 * script pass as they are.
 *
 * Returns: (transfer full): NULL-terminated, possibly empty; NULL with
 *   CLIP_ERROR_PROMPT (not UTF-8, too many, too long; the prompt is named by
 *   its number). */
GStrv clip_prompts_parse (const gchar *string, GError **error);

/* The inverse: joins with " | ", escaping. (transfer full) */
gchar *clip_prompts_join (const gchar *const *prompts);

/* A file with one prompt a line, UTF-8, LF or CRLF, an optional BOM; blank
 * lines and lines that begin with '#' are skipped ("\#" begins a prompt with
 * '#'); blanks around a prompt are dropped. Bars and backslashes are letters.
 * A FIFO or a device is refused, not waited for; at most 16 MiB.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NOT_FOUND, _OPEN, _READ or
 *   _PROMPT; the message names file and line. */
GStrv clip_prompts_load (const gchar *path, GError **error);

/* Templates in the same notation as prompts; each must contain "{}" exactly
 * once, where the prompt goes.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_PROMPT. */
GStrv clip_templates_parse (const gchar *string, GError **error);

/* --- the encoded set --- */

/* Immutable, refcounted; any thread. */
typedef struct {
  guint n_prompts;
  guint embed_dim;
  gchar **texts;         /* as the user wrote them, NULL-terminated */
  gfloat *embeddings;    /* [n_prompts, embed_dim], rows of length 1 */
  guint n_truncated;     /* prompts longer than the context ... */
  guint first_truncated; /* ... and the first of them */
} ClipPromptSet;

ClipPromptSet *clip_prompt_set_ref (ClipPromptSet *set);
void clip_prompt_set_unref (ClipPromptSet *set); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipPromptSet, clip_prompt_set_unref)

/* Encodes a set, in the encoder's thread. With templates a prompt's row is the
 * mean over the templates of embeddings of length 1, scaled to length 1 again
 * (openai/CLIP, prompt ensembling).
 *
 * @prompts: NULL-terminated, at most CLIP_PROMPTS_MAX
 * @templates: (nullable): NULL-terminated
 * @cancelled: (nullable): asked between batches with @user_data; TRUE gives up
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_PROMPT, _CANCELLED or those of
 *   clip_encoder_encode_tokens(). */
ClipPromptSet *clip_prompt_set_encode (const ClipTokenizer *tokenizer,
    ClipEncoder *encoder, const gchar *const *prompts,
    const gchar *const *templates, gboolean (*cancelled) (gpointer user_data),
    gpointer user_data, GError **error);
