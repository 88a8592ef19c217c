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

/* --- a set on its way --- */

typedef struct _ClipPromptWork ClipPromptWork;

/* Encodes a set piece by piece, so that other work can come between. With
 * templates a prompt's row is the mean over the templates of embeddings of
 * length 1, scaled to length 1 again (openai/CLIP, prompt ensembling).
 *
 * @tokenizer, @encoder: outlive it
 * @prompts: NULL-terminated, 1 … CLIP_PROMPTS_MAX; copied
 * @templates: (nullable): NULL-terminated; copied
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_PROMPT. */
ClipPromptWork *clip_prompt_work_new (const ClipTokenizer *tokenizer,
    ClipEncoder *encoder, const gchar *const *prompts,
    const gchar *const *templates, GError **error);
void clip_prompt_work_free (ClipPromptWork *work); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipPromptWork, clip_prompt_work_free)

/* Does the next piece, in the encoder's thread: about a layer of the text tower
 * is packed, or run over a slice, as many texts as are worth one run. Where a
 * slice ends depends on the texts alone, so that the same set has the same rows
 * whatever comes between.
 *
 * @set: (out) (transfer full) (nullable): the set when it is complete, which
 *   ends the work; NULL where there is more to do
 *
 * Returns: FALSE with CLIP_ERROR_PROMPT (the prompt is named by its number),
 *   _COMPUTE or those of clip_encoder_encode_tokens(). */
gboolean clip_prompt_work_run (
    ClipPromptWork *work, ClipPromptSet **set, GError **error);

/* Whether a slice has begun: before its end the encoder can take no other
 * work's, or this work must be given up. */
gboolean clip_prompt_work_is_in_slice (const ClipPromptWork *work);
