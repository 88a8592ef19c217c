/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A set becomes a matrix: each prompt in each template is a text, texts are
 * encoded a batch at a time, and their rows are added up by prompt. */
#include "prompt/templates.h"
#include "prompt/tokenizer.h"
#include "clip-error.h"

#include <math.h>

/* A batch is closed where a product over its ids has rows enough to be fast: a
 * longer one would only be longer to give up. */
#define BATCH_MIN_IDS 256
#define BATCH_MAX_TEXTS 32

typedef struct {
  ClipTokens tokens[BATCH_MAX_TEXTS];
  guint owners[BATCH_MAX_TEXTS]; /* the prompt that a text belongs to */
  guint32 *ids;                  /* [BATCH_MAX_TEXTS, context_length] */
  gfloat *embeddings;            /* [BATCH_MAX_TEXTS, embed_dim] */
  guint n_texts;
  guint n_ids;
} Batch;

typedef struct {
  const ClipTokenizer *tokenizer;
  ClipEncoder *encoder;
  gboolean (*cancelled) (gpointer user_data);
  gpointer user_data;
  ClipPromptSet *set;
  Batch batch;
} Work;

static void
work_clear (Work *work)
{
  clip_prompt_set_unref (work->set);
  g_free (work->batch.ids);
  g_free (work->batch.embeddings);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

static void
set_clear (gpointer data)
{
  ClipPromptSet *set = data;

  g_strfreev (set->texts);
  g_free (set->embeddings);
}

ClipPromptSet *
clip_prompt_set_ref (ClipPromptSet *set)
{
  return g_atomic_rc_box_acquire (set);
}

void
clip_prompt_set_unref (ClipPromptSet *set)
{
  if (set != NULL)
    g_atomic_rc_box_release_full (set, set_clear);
}

static ClipPromptSet *
set_new (const gchar *const *prompts, guint n_prompts, guint embed_dim)
{
  ClipPromptSet *set = g_atomic_rc_box_new0 (ClipPromptSet);

  set->n_prompts = n_prompts;
  set->embed_dim = embed_dim;
  set->texts = g_strdupv ((gchar **)prompts);
  set->embeddings = g_new0 (gfloat, (gsize)n_prompts * embed_dim);
  return set;
}

/* Encodes what the batch holds and adds each row to its prompt's. */
static gboolean
flush (Work *work, GError **error)
{
  Batch *batch = &work->batch;
  gsize embed_dim = work->set->embed_dim;

  if (batch->n_texts == 0)
    return TRUE;
  if (work->cancelled != NULL && work->cancelled (work->user_data)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_CANCELLED,
        "encoding of %u prompts was given up at prompt %u",
        work->set->n_prompts, batch->owners[0] + 1);
    return FALSE;
  }
  if (!clip_encoder_encode_tokens (work->encoder, batch->n_texts, batch->tokens,
          batch->embeddings, error))
    return FALSE;
  for (guint i = 0; i < batch->n_texts; i++) {
    gfloat *row = work->set->embeddings + batch->owners[i] * embed_dim;
    for (gsize j = 0; j < embed_dim; j++)
      row[j] += batch->embeddings[i * embed_dim + j];
  }
  batch->n_texts = batch->n_ids = 0;
  return TRUE;
}

static gboolean
add_text (Work *work, guint owner, const gchar *text, gboolean *truncated,
    GError **error)
{
  Batch *batch = &work->batch;
  guint context_length = clip_tokenizer_get_context_length (work->tokenizer);
  guint32 *ids = batch->ids + batch->n_texts * context_length;
  gboolean is_truncated;
  guint n_ids;

  if (!clip_tokenizer_encode (
          work->tokenizer, text, ids, &n_ids, &is_truncated, error)) {
    g_prefix_error (error, "prompt %u: ", owner + 1);
    return FALSE;
  }
  *truncated |= is_truncated;
  batch->owners[batch->n_texts] = owner;
  batch->tokens[batch->n_texts++] = (ClipTokens){ ids, n_ids };
  batch->n_ids += n_ids;
  return (batch->n_texts < BATCH_MAX_TEXTS && batch->n_ids < BATCH_MIN_IDS) ||
         flush (work, error);
}

static gboolean
add_prompt (
    Work *work, guint owner, const gchar *const *templates, GError **error)
{
  ClipPromptSet *set = work->set;
  gboolean truncated = FALSE;

  if (templates[0] == NULL &&
      !add_text (work, owner, set->texts[owner], &truncated, error))
    return FALSE;
  for (gsize i = 0; templates[i] != NULL; i++) {
    g_autofree gchar *text =
        clip_template_apply (templates[i], set->texts[owner]);
    if (!add_text (work, owner, text, &truncated, error))
      return FALSE;
  }
  if (truncated && set->n_truncated++ == 0)
    set->first_truncated = owner;
  return TRUE;
}

/* The mean over templates has the direction of their sum. */
static gboolean
scale_to_length_1 (ClipPromptSet *set, guint index, GError **error)
{
  gfloat *row = set->embeddings + (gsize)index * set->embed_dim;
  gdouble squares = 0;

  for (guint j = 0; j < set->embed_dim; j++)
    squares += (gdouble)row[j] * row[j];
  if (!(squares > 0)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "prompt %u, '%.80s': its embeddings in the templates cancel out",
        index + 1, set->texts[index]);
    return FALSE;
  }
  for (guint j = 0; j < set->embed_dim; j++)
    row[j] /= sqrt (squares);
  return TRUE;
}

static gboolean
encode_all (Work *work, const gchar *const *templates, GError **error)
{
  guint n_prompts = work->set->n_prompts;
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < n_prompts; i++)
    ok = add_prompt (work, i, templates, error);
  ok = ok && flush (work, error);
  if (templates[0] != NULL)
    for (guint i = 0; ok && i < n_prompts; i++)
      ok = scale_to_length_1 (work->set, i, error);
  return ok;
}

static gboolean
check_number (guint n_prompts, GError **error)
{
  if (n_prompts > 0 && n_prompts <= CLIP_PROMPTS_MAX)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT,
      "%u prompts given: at least one and at most %d are needed", n_prompts,
      CLIP_PROMPTS_MAX);
  return FALSE;
}

ClipPromptSet *
clip_prompt_set_encode (const ClipTokenizer *tokenizer, ClipEncoder *encoder,
    const gchar *const *prompts, const gchar *const *templates,
    gboolean (*cancelled) (gpointer user_data), gpointer user_data,
    GError **error)
{
  static const gchar *const no_templates[] = { NULL };
  const ClipModelInfo *info =
      clip_model_get_info (clip_encoder_get_model (encoder));
  guint n_prompts = g_strv_length ((gchar **)prompts);
  guint context_length = clip_tokenizer_get_context_length (tokenizer);
  g_auto (Work) work = { tokenizer, encoder, cancelled, user_data };

  if (templates == NULL)
    templates = no_templates;
  if (!check_number (n_prompts, error) ||
      !clip_templates_check (templates, error))
    return NULL;
  work.set = set_new (prompts, n_prompts, info->embed_dim);
  work.batch.ids = g_new (guint32, (gsize)BATCH_MAX_TEXTS * context_length);
  work.batch.embeddings =
      g_new (gfloat, (gsize)BATCH_MAX_TEXTS * info->embed_dim);
  return encode_all (&work, templates, error) ? g_steal_pointer (&work.set)
                                              : NULL;
}
