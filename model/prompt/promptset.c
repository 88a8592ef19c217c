/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A set becomes a matrix: each prompt in each template is a text, texts are
 * encoded a slice at a time, and their rows are added up by prompt. */
#include "prompt/templates.h"
#include "prompt/tokenizer.h"
#include "clip-error.h"

#include <math.h>

/* A slice is closed where its texts fill one block of the text tower's rows or
 * little more: with as many a product is nearly as fast as it gets. */
#define SLICE_MAX_TEXTS 16
#define SLICE_MIN_IDS 96

typedef struct {
  ClipTokens tokens[SLICE_MAX_TEXTS];
  guint owners[SLICE_MAX_TEXTS]; /* the prompt that a text belongs to */
  guint32 *ids;                  /* [SLICE_MAX_TEXTS, context_length] */
  gfloat *embeddings;            /* [SLICE_MAX_TEXTS, embed_dim] */
  guint n_texts;
  guint n_ids;
  guint n_encoded; /* texts */
  guint n_laid;    /* behind those; 0 = none is laid */
} Slice;

struct _ClipPromptWork {
  const ClipTokenizer *tokenizer;
  ClipEncoder *encoder;
  ClipPromptSet *set;
  gchar **templates;     /* NULL: the prompts as they are */
  guint n_templates;     /* 1 without templates */
  guint next_prompt;     /* the next text: which prompt ... */
  guint next_template;   /* ... in which template */
  gboolean is_truncated; /* a text of this prompt was */
  Slice slice;
};

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

ClipPromptWork *
clip_prompt_work_new (const ClipTokenizer *tokenizer, ClipEncoder *encoder,
    const gchar *const *prompts, const gchar *const *templates, GError **error)
{
  const ClipModelInfo *info =
      clip_model_get_info (clip_encoder_get_model (encoder));
  guint n_prompts = g_strv_length ((gchar **)prompts);
  guint context_length = clip_tokenizer_get_context_length (tokenizer);
  ClipPromptWork *work;

  if (!check_number (n_prompts, error) ||
      (templates != NULL && !clip_templates_check (templates, error)))
    return NULL;
  work = g_new0 (ClipPromptWork, 1);
  work->tokenizer = tokenizer;
  work->encoder = encoder;
  work->set = set_new (prompts, n_prompts, info->embed_dim);
  work->n_templates = 1;
  if (templates != NULL && *templates != NULL) {
    work->templates = g_strdupv ((gchar **)templates);
    work->n_templates = g_strv_length (work->templates);
  }
  work->slice.ids = g_new (guint32, (gsize)SLICE_MAX_TEXTS * context_length);
  work->slice.embeddings =
      g_new (gfloat, (gsize)SLICE_MAX_TEXTS * info->embed_dim);
  return work;
}

void
clip_prompt_work_free (ClipPromptWork *work)
{
  if (work == NULL)
    return;
  clip_prompt_set_unref (work->set);
  g_strfreev (work->templates);
  g_free (work->slice.ids);
  g_free (work->slice.embeddings);
  g_free (work);
}

static gboolean
add_text (ClipPromptWork *work, const gchar *text, gboolean *truncated,
    GError **error)
{
  Slice *slice = &work->slice;
  guint context_length = clip_tokenizer_get_context_length (work->tokenizer);
  guint32 *ids = slice->ids + slice->n_texts * context_length;
  guint n_ids;

  if (!clip_tokenizer_encode (
          work->tokenizer, text, ids, &n_ids, truncated, error)) {
    g_prefix_error (error, "prompt %u: ", work->next_prompt + 1);
    return FALSE;
  }
  slice->owners[slice->n_texts] = work->next_prompt;
  slice->tokens[slice->n_texts++] = (ClipTokens){ ids, n_ids };
  slice->n_ids += n_ids;
  return TRUE;
}

/* The next text, into the slice. */
static gboolean
add_next (ClipPromptWork *work, GError **error)
{
  ClipPromptSet *set = work->set;
  const gchar *prompt = set->texts[work->next_prompt];
  g_autofree gchar *text = NULL;
  gboolean truncated;

  if (work->templates != NULL)
    text = clip_template_apply (work->templates[work->next_template], prompt);
  if (!add_text (work, text != NULL ? text : prompt, &truncated, error))
    return FALSE;
  work->is_truncated |= truncated;
  if (++work->next_template < work->n_templates)
    return TRUE;
  if (work->is_truncated && set->n_truncated++ == 0)
    set->first_truncated = work->next_prompt;
  work->is_truncated = FALSE;
  work->next_template = 0;
  work->next_prompt++;
  return TRUE;
}

/* Adds each row to its prompt's, and empties the slice. */
static void
add_rows (ClipPromptWork *work)
{
  Slice *slice = &work->slice;
  gsize embed_dim = work->set->embed_dim;

  for (guint i = 0; i < slice->n_texts; i++) {
    gfloat *row = work->set->embeddings + slice->owners[i] * embed_dim;
    for (gsize j = 0; j < embed_dim; j++)
      row[j] += slice->embeddings[i * embed_dim + j];
  }
  slice->n_texts = slice->n_ids = slice->n_encoded = 0;
}

/* A layer over as many of the slice's texts as fit. */
static gboolean
encode_piece (ClipPromptWork *work, GError **error)
{
  Slice *slice = &work->slice;
  gboolean done = FALSE;

  if (slice->n_laid == 0) {
    slice->n_laid = clip_encoder_lay_tokens (work->encoder,
        slice->n_texts - slice->n_encoded, slice->tokens + slice->n_encoded,
        error);
    if (slice->n_laid == 0)
      return FALSE;
  }
  if (!clip_encoder_encode_laid (work->encoder,
          slice->embeddings + (gsize)slice->n_encoded * work->set->embed_dim,
          &done, error))
    return FALSE;
  if (done) {
    slice->n_encoded += slice->n_laid;
    slice->n_laid = 0;
  }
  if (slice->n_encoded == slice->n_texts)
    add_rows (work);
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
fill_slice (ClipPromptWork *work, GError **error)
{
  const Slice *slice = &work->slice;

  while (work->next_prompt < work->set->n_prompts &&
         slice->n_texts < SLICE_MAX_TEXTS && slice->n_ids < SLICE_MIN_IDS)
    if (!add_next (work, error))
      return FALSE;
  return TRUE;
}

gboolean
clip_prompt_work_is_in_slice (const ClipPromptWork *work)
{
  return work->slice.n_texts > 0;
}

gboolean
clip_prompt_work_run (ClipPromptWork *work, ClipPromptSet **set, GError **error)
{
  guint n_prompts = work->set->n_prompts;
  gboolean packed;

  *set = NULL;
  if (!clip_encoder_pack_text (work->encoder, &packed, error))
    return FALSE;
  if (!packed)
    return TRUE;
  if (!clip_prompt_work_is_in_slice (work) && !fill_slice (work, error))
    return FALSE;
  if (!encode_piece (work, error))
    return FALSE;
  if (clip_prompt_work_is_in_slice (work) || work->next_prompt < n_prompts)
    return TRUE;
  for (guint i = 0; work->templates != NULL && i < n_prompts; i++)
    if (!scale_to_length_1 (work->set, i, error))
      return FALSE;
  *set = g_steal_pointer (&work->set);
  return TRUE;
}
