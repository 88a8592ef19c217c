/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipprompts.h"

#include "clip-error.h"
#include "gstclipdebug.h"
#include "gstcliperror.h"
#include "gstclipfilter.h"

#define GST_CAT_DEFAULT gst_clip_model_debug

/* So many texts are encoded before the element has started: they take some
 * tenths of a second, and what is wrong with them is known at once. */
#define MAX_AT_START 100

void
gst_clip_prompts_init (GstClipPrompts *prompts)
{
  g_mutex_init (&prompts->lock);
  g_cond_init (&prompts->changed);
}

void
gst_clip_prompts_clear (GstClipPrompts *prompts)
{
  g_mutex_clear (&prompts->lock);
  g_cond_clear (&prompts->changed);
}

/* --- one wording on its way to a set --- */

typedef struct {
  GstClipFilter *filter;
  guint generation;
  guint change;           /* the number of the newest in it */
  GstClipWording wording; /* copies */
  gchar *default_file;
} Job;

static void
clear_job (Job *job)
{
  g_free (job->wording.prompts);
  g_free (job->wording.file);
  g_free (job->wording.templates);
  g_free (job->default_file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Job, clear_job)

static Job
make_job (GstClipFilter *filter, guint generation)
{
  GstClipPrompts *prompts = &filter->prompts;
  Job job = { .filter = filter, .generation = generation };

  /* In this order: a wording that changes in between is newer than its
   * number says, and is encoded once more. */
  g_mutex_lock (&prompts->lock);
  job.change = prompts->wanted;
  job.default_file = g_strdup (prompts->default_file);
  g_mutex_unlock (&prompts->lock);

  GST_OBJECT_LOCK (filter);
  job.wording = filter->settings.wording;
  job.wording.prompts = g_strdup (job.wording.prompts);
  job.wording.file = g_strdup (job.wording.file);
  job.wording.templates = g_strdup (job.wording.templates);
  GST_OBJECT_UNLOCK (filter);
  return job;
}

static GStrv
load_texts (const Job *job, GError **error)
{
  const GstClipWording *wording = &job->wording;
  g_auto (GStrv) texts = NULL;

  if (wording->from_file && wording->file != NULL)
    texts = clip_prompts_load (wording->file, error);
  else
    texts = clip_prompts_parse (
        wording->prompts != NULL ? wording->prompts : "", error);
  if (texts == NULL || *texts != NULL || job->default_file == NULL)
    return g_steal_pointer (&texts);
  return clip_prompts_load (job->default_file, error);
}

/* @templates: (out) (transfer full) (nullable): NULL where none were set */
static gboolean
load_templates (const Job *job, GStrv *templates, GError **error)
{
  g_auto (GStrv) parsed = NULL;

  *templates = NULL;
  if (job->wording.templates == NULL)
    return TRUE;
  parsed = clip_templates_parse (job->wording.templates, error);
  if (parsed == NULL)
    return FALSE;
  if (*parsed != NULL)
    *templates = g_steal_pointer (&parsed);
  return TRUE;
}

typedef struct {
  GStrv texts;
  GStrv templates; /* NULL: none */
} Words;

static void
clear_words (Words *words)
{
  g_strfreev (words->texts);
  g_strfreev (words->templates);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Words, clear_words)

static gboolean
load_words (const Job *job, Words *words, GError **error)
{
  words->texts = load_texts (job, error);
  return words->texts != NULL && load_templates (job, &words->templates, error);
}

static gboolean
is_large (const Words *words)
{
  guint n_templates =
      words->templates != NULL ? g_strv_length (words->templates) : 1;

  return g_strv_length (words->texts) * n_templates > MAX_AT_START;
}

/* Returns: (transfer full): NULL with CLIP_ERROR_CANCELLED when stopped. */
static ClipRequest *
queue_request (const Job *job, const Words *words, GError **error)
{
  GstClipPrompts *prompts = &job->filter->prompts;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&prompts->lock);
  ClipRequest *request;

  if (prompts->generation != job->generation) {
    g_set_error_literal (error, CLIP_ERROR, CLIP_ERROR_CANCELLED,
        "the element was stopped before its prompts were encoded");
    return NULL;
  }
  request = clip_service_encode_prompts (prompts->service,
      (const gchar *const *)words->texts,
      (const gchar *const *)words->templates);
  prompts->request = clip_request_ref (request);
  return request;
}

static gboolean
wait_for_request (const Job *job, ClipRequest *request, GError **error)
{
  GstClipPrompts *prompts = &job->filter->prompts;
  gboolean done = clip_request_wait (request, error);

  g_mutex_lock (&prompts->lock);
  if (prompts->request == request)
    g_clear_pointer (&prompts->request, clip_request_unref);
  g_mutex_unlock (&prompts->lock);
  return done;
}

/* @set: (out) (transfer full) (nullable): NULL where there are no prompts */
static gboolean
encode (const Job *job, const Words *words, ClipPromptSet **set, GError **error)
{
  g_autoptr (ClipRequest) request = NULL;

  *set = NULL;
  if (*words->texts == NULL)
    return TRUE;
  request = queue_request (job, words, error);
  if (request == NULL || !wait_for_request (job, request, error))
    return FALSE;
  *set = clip_prompt_set_ref (clip_request_get_prompt_set (request));
  return TRUE;
}

/* --- a new set is announced, then taken by the next frame --- */

static void
announce (GstClipFilter *filter, const ClipPromptSet *set, guint revision)
{
  guint n_prompts = set != NULL ? set->n_prompts : 0;
  GValue texts = G_VALUE_INIT;
  GstStructure *structure;

  g_value_init (&texts, GST_TYPE_ARRAY);
  for (guint i = 0; i < n_prompts; i++) {
    GValue text = G_VALUE_INIT;

    g_value_init (&text, G_TYPE_STRING);
    g_value_set_string (&text, set->texts[i]);
    gst_value_array_append_and_take_value (&texts, &text);
  }
  structure = gst_structure_new (
      GST_CLIP_PROMPTS_MESSAGE, "revision", G_TYPE_UINT, revision, NULL);
  gst_structure_take_value (structure, "prompts", &texts);
  GST_INFO_OBJECT (
      filter, "revision %u of the prompts: %u", revision, n_prompts);
  if (set != NULL && set->n_truncated > 0)
    GST_WARNING_OBJECT (filter,
        "%u prompts are longer than the model reads, their ends are not seen; "
        "the first is number %u: '%s'",
        set->n_truncated, set->first_truncated + 1,
        set->texts[set->first_truncated]);
  gst_element_post_message (GST_ELEMENT (filter),
      gst_message_new_element (GST_OBJECT (filter), structure));
}

/* Under the lock, in the job's generation. */
static void
note_done (const Job *job)
{
  GstClipPrompts *prompts = &job->filter->prompts;

  prompts->done = job->change;
  g_cond_broadcast (&prompts->changed);
}

/* @set: (transfer full) (nullable) */
static void
publish (const Job *job, ClipPromptSet *set)
{
  GstClipFilter *filter = job->filter;
  GstClipPrompts *prompts = &filter->prompts;
  gboolean is_stale;
  guint revision;

  g_mutex_lock (&prompts->lock);
  is_stale = prompts->generation != job->generation;
  revision = prompts->revision + 1;
  g_mutex_unlock (&prompts->lock);

  /* Before the first result of this revision can be made. */
  if (!is_stale)
    announce (filter, set, revision);

  g_mutex_lock (&prompts->lock);
  if (prompts->generation == job->generation) {
    prompts->revision = revision;
    prompts->pending = TRUE;
    GST_OBJECT_LOCK (filter);
    filter->stats.revision = revision;
    filter->stats.n_prompts = set != NULL ? set->n_prompts : 0;
    GST_OBJECT_UNLOCK (filter);
    clip_prompt_set_unref (prompts->set);
    prompts->set = g_steal_pointer (&set);
    prompts->first = prompts->failed = FALSE;
    note_done (job);
  }
  g_mutex_unlock (&prompts->lock);
  clip_prompt_set_unref (set);
}

/* Returns: whether a first set came to nothing */
static gboolean
mark_done (const Job *job)
{
  GstClipPrompts *prompts = &job->filter->prompts;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&prompts->lock);

  if (prompts->generation != job->generation)
    return FALSE;
  prompts->failed = prompts->first;
  note_done (job);
  return prompts->failed;
}

static gboolean
is_interrupted (GstClipFilter *filter)
{
  gboolean interrupted;

  GST_OBJECT_LOCK (filter);
  interrupted = gst_clip_encoding_is_interrupted (filter);
  GST_OBJECT_UNLOCK (filter);
  return interrupted;
}

GstClipSkip
gst_clip_prompts_await (GstClipFilter *filter, gboolean patient)
{
  GstClipPrompts *prompts = &filter->prompts;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&prompts->lock);

  while (prompts->first) {
    if (!patient || prompts->failed)
      return GST_CLIP_SKIP_BUSY;
    if (is_interrupted (filter))
      return GST_CLIP_SKIP_CANCELLED;
    g_cond_wait (&prompts->changed, &prompts->lock);
  }
  return GST_CLIP_SKIP_NONE;
}

void
gst_clip_prompts_wake (GstClipFilter *filter)
{
  GstClipPrompts *prompts = &filter->prompts;

  g_mutex_lock (&prompts->lock);
  g_cond_broadcast (&prompts->changed);
  g_mutex_unlock (&prompts->lock);
}

gboolean
gst_clip_prompts_take (
    GstClipFilter *filter, ClipPromptSet **set, guint *revision)
{
  GstClipPrompts *prompts = &filter->prompts;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&prompts->lock);

  if (!prompts->pending)
    return FALSE;
  prompts->pending = FALSE;
  *set = g_steal_pointer (&prompts->set);
  *revision = prompts->revision;
  return TRUE;
}

/* --- in the background --- */

/* Encodes the newest wording; a bad one leaves the set in use as it is. */
static void
encode_change (GstClipFilter *filter, guint generation)
{
  g_auto (Job) job = make_job (filter, generation);
  g_auto (Words) words = { NULL };
  g_autoptr (GError) error = NULL;
  ClipPromptSet *set;

  if (load_words (&job, &words, &error) &&
      encode (&job, &words, &set, &error)) {
    publish (&job, set);
    return;
  }
  if (mark_done (&job))
    gst_clip_error_post (GST_ELEMENT (filter), GST_MESSAGE_ERROR,
        "Cannot use the prompts", error);
  else if (!g_error_matches (error, CLIP_ERROR, CLIP_ERROR_CANCELLED))
    gst_clip_filter_warn (
        filter, "Cannot use the new prompts, the old ones stay", error);
}

static gboolean
has_change (GstClipFilter *filter, guint generation)
{
  GstClipPrompts *prompts = &filter->prompts;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&prompts->lock);

  if (prompts->generation != generation)
    return FALSE;
  prompts->busy = prompts->done != prompts->wanted;
  return prompts->busy;
}

/* Until the newest is done: a storm of changes costs as many encodes as fit
 * into its time. */
static void
encode_changes (GstElement *element, gpointer generation)
{
  GstClipFilter *filter = GST_CLIP_FILTER (element);

  while (has_change (filter, GPOINTER_TO_UINT (generation)))
    encode_change (filter, GPOINTER_TO_UINT (generation));
}

static void
encode_in_background (GstClipFilter *filter, guint generation)
{
  gst_element_call_async (GST_ELEMENT (filter), encode_changes,
      GUINT_TO_POINTER (generation), NULL);
}

void
gst_clip_prompts_change (GstClipFilter *filter)
{
  GstClipPrompts *prompts = &filter->prompts;
  gboolean begin;
  guint generation;

  g_mutex_lock (&prompts->lock);
  prompts->wanted++;
  begin = prompts->service != NULL && !prompts->busy;
  if (begin)
    prompts->busy = TRUE;
  generation = prompts->generation;
  g_mutex_unlock (&prompts->lock);
  if (begin)
    encode_in_background (filter, generation);
}

/* --- start and stop --- */

/* A large set is the first change. */
static gboolean
encode_first (const Job *job, GError **error)
{
  GstClipPrompts *prompts = &job->filter->prompts;
  g_auto (Words) words = { NULL };
  ClipPromptSet *set;

  if (!load_words (job, &words, error))
    return FALSE;
  /* What has no text side is an error of the start, whatever the number. */
  if (is_large (&words) &&
      clip_service_get_info (prompts->service)->context_length > 0) {
    g_mutex_lock (&prompts->lock);
    prompts->first = TRUE;
    g_mutex_unlock (&prompts->lock);
    return TRUE;
  }
  if (!encode (job, &words, &set, error))
    return FALSE;
  if (set != NULL)
    publish (job, set);
  else
    mark_done (job);
  return TRUE;
}

gboolean
gst_clip_prompts_start (GstClipFilter *filter, ClipService *service,
    gchar *default_file, GError **error)
{
  GstClipPrompts *prompts = &filter->prompts;
  g_auto (Job) job = { 0 };

  g_mutex_lock (&prompts->lock);
  prompts->generation++;
  prompts->service = service;
  prompts->default_file = default_file;
  prompts->busy = TRUE;
  prompts->done = prompts->wanted - 1;
  prompts->revision = 0;
  job.generation = prompts->generation;
  g_mutex_unlock (&prompts->lock);

  job = make_job (filter, job.generation);
  if (!encode_first (&job, error)) {
    gst_clip_prompts_stop (filter);
    return FALSE;
  }
  /* What is large, or was set meanwhile. */
  if (has_change (filter, job.generation))
    encode_in_background (filter, job.generation);
  return TRUE;
}

void
gst_clip_prompts_stop (GstClipFilter *filter)
{
  GstClipPrompts *prompts = &filter->prompts;

  g_mutex_lock (&prompts->lock);
  prompts->generation++;
  prompts->service = NULL;
  prompts->busy = FALSE;
  prompts->first = prompts->failed = FALSE;
  prompts->pending = FALSE;
  g_cond_broadcast (&prompts->changed);
  if (prompts->request != NULL)
    clip_request_cancel (prompts->request);
  g_clear_pointer (&prompts->request, clip_request_unref);
  g_clear_pointer (&prompts->set, clip_prompt_set_unref);
  g_clear_pointer (&prompts->default_file, g_free);
  g_mutex_unlock (&prompts->lock);
}
