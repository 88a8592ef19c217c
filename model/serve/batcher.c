/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The worker of a service: opens the model in its own thread (oneDNN's
 * primitives belong to the thread, and its team, that made them), then runs
 * what the queue gives. */
#include "serve/service.h"

#include "clip-error.h"
#include "serve/selftest.h"
#include "serve/threads.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* How long the end of the process waits for workers: far more than one
 * inference of the largest model. */
#define EXIT_TIMEOUT (10 * G_TIME_SPAN_SECOND)

static GMutex workers_lock;
static GCond workers_changed;
static guint n_workers;     /* under workers_lock */
static GThread *last_ended; /* likewise; or NULL */

guint
clip_service_get_n_workers (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&workers_lock);

  return n_workers;
}

static void
count_worker (gint change)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&workers_lock);

  n_workers += change;
  g_cond_broadcast (&workers_changed);
}

/* Puts the calling thread, or NULL, in the place of the one that ended last.
 *
 * Returns: (transfer full): that one */
static GThread *
replace_last_ended (GThread *thread)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&workers_lock);
  GThread *before = last_ended;

  last_ended = thread;
  return before;
}

/* What belongs to a thread itself, of libc's and OpenMP's, is freed behind its
 * last line, and the end of the process has to wait for that, too. So each
 * worker that ends joins the one before it, which is about to be gone or is. */
static void
join_last_ended (GThread *successor)
{
  GThread *before = replace_last_ended (successor);

  if (before != NULL)
    g_thread_join (before);
}

/* Returns: FALSE when the deadline has passed before all were gone. */
static gboolean
wait_for_workers (gint64 deadline)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&workers_lock);

  while (n_workers > 0) {
    if (!g_cond_wait_until (&workers_changed, &workers_lock, deadline))
      return FALSE;
  }
  return TRUE;
}

/* A process may end while an inference still runs, abandoned or not. oneDNN's
 * own objects are destroyed at exit, under the worker's feet, so the exit tells
 * all workers to go, those too that still have users, and waits for them. */
static void
send_workers_away (void)
{
  gint64 deadline = g_get_monotonic_time () + EXIT_TIMEOUT;

  clip_services_quit ();
  if (wait_for_workers (deadline))
    join_last_ended (NULL);
}

/* Also who opens a model takes turns with those that run. */
static void
take_turn (gboolean begins, gpointer user_data)
{
  const ClipService *service = user_data;

  (begins ? clip_threads_take : clip_threads_give) (service->threads);
}

static gboolean
test_pictures (ClipService *service, GError **error)
{
  gboolean works;

  take_turn (TRUE, service);
  works =
      clip_selftest_pictures (service->encoder, &service->encode_time, error);
  take_turn (FALSE, service);
  return works;
}

/* For all threads, which have nothing to do with the encoder itself. */
static void
describe_encoder (ClipService *service)
{
  const ClipLayerChoice *layers = NULL;
  guint n_layers = clip_encoder_get_layers (service->encoder, &layers);

  service->description = g_strdup (clip_encoder_describe (service->encoder));
  service->precision = clip_encoder_get_precision (service->encoder);
  service->fallback = g_strdup (clip_encoder_get_fallback (service->encoder));
  service->layers = g_array_new (FALSE, FALSE, sizeof *layers);
  if (n_layers > 0)
    g_array_append_vals (service->layers, layers, n_layers);
}

static gboolean
open_model (ClipService *service, GError **error)
{
  const ClipConfig *config;
  ClipEncoderOptions options = { .n_threads = service->threads,
    .precision = service->precision,
    .turn = take_turn,
    .turn_data = service };

  service->model = clip_model_open (service->path, error);
  if (service->model == NULL)
    return FALSE;
  config =
      clip_checkpoint_get_config (clip_model_get_checkpoint (service->model));
  if (config->text.kind != CLIP_TEXT_NONE) {
    service->tokenizer = clip_tokenizer_new (&config->tokenizer,
        config->text.vocab_size, config->text.context_length, error);
    if (service->tokenizer == NULL)
      return FALSE;
  }
  options.max_batch = clip_encoder_choose_batch (service->model);
  clip_queue_init (&service->queue, options.max_batch, service->batch_timeout);
  service->embeddings =
      g_new (gfloat, (gsize)options.max_batch *
                         clip_model_get_info (service->model)->embed_dim);
  service->encoder = clip_encoder_new (service->model, &options, error);
  if (service->encoder == NULL)
    return FALSE;
  describe_encoder (service);
  return test_pictures (service, error);
}

/* In a fork, which has none of its parent's threads: neither their services nor
 * what they held. It begins as a process that never had any. */
static void
leave_workers_behind (void)
{
  g_mutex_init (&workers_lock);
  g_cond_init (&workers_changed);
  n_workers = 0;
  last_ended = NULL;
  clip_threads_forget ();
  clip_services_forget ();
}

static void
register_fork_handler (void)
{
  static gsize registered = 0;

  if (g_once_init_enter (&registered)) {
    pthread_atfork (NULL, NULL, leave_workers_behind);
    g_once_init_leave (&registered, 1);
  }
}

/* Called when oneDNN's static objects exist: a handler runs before whatever
 * was registered earlier is destroyed. */
static void
register_exit_handler (void)
{
  static gsize registered = 0;

  if (g_once_init_enter (&registered)) {
    atexit (send_workers_away);
    g_once_init_leave (&registered, 1);
  }
}

static void
encode_pictures (ClipService *service, ClipRequest **requests, guint n)
{
  gsize embed_dim = clip_model_get_info (service->model)->embed_dim;
  const guint8 *pictures[CLIP_ENCODER_MAX_BATCH];
  GError *errors[CLIP_ENCODER_MAX_BATCH];
  guint64 start = clip_threads_now ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    pictures[i] = requests[i]->picture;
  clip_encoder_encode_each (
      service->encoder, n, pictures, service->embeddings, errors, &error);
  for (guint i = 0; i < n; i++) {
    memcpy (requests[i]->embedding, service->embeddings + i * embed_dim,
        sizeof (gfloat) * embed_dim);
    requests[i]->batch = n;
    clip_request_finish (requests[i], clip_threads_now () - start,
        error != NULL ? g_error_copy (error) : errors[i]);
  }
}

static gboolean
lay_text (ClipService *service, GError **error)
{
  service->text_laid =
      clip_selftest_lay_text (service->encoder, service->tokenizer, error);
  return service->text_laid;
}

/* A piece of the test. Who asks after one that failed has it made anew, and
 * gets its error. */
static gboolean
test_text (ClipService *service, GError **error)
{
  gboolean done = FALSE;

  service->text_laid = clip_selftest_run_text (service->encoder, &done, error);
  service->text_tested = service->text_laid && done;
  return service->text_laid;
}

/* The text tower is packed, piece by piece, and tested when the first prompts
 * arrive, or the first for a while.
 *
 * @ready: (out): whether it is */
static gboolean
prepare_text (ClipService *service, gboolean *ready, GError **error)
{
  gboolean packed;

  if (service->tokenizer == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "the model '%s' has no text tower, so prompts cannot be encoded: use "
        "it without prompts, for embeddings only",
        service->path);
    return FALSE;
  }
  *ready = service->text_tested;
  if (service->text_tested)
    return TRUE;
  if (service->text_laid)
    return test_text (service, error);
  return clip_encoder_pack_text (service->encoder, &packed, error) &&
         (!packed || lay_text (service, error));
}

/* The next piece. */
static gboolean
continue_prompts (ClipService *service, ClipRequest *request, GError **error)
{
  gboolean ready;

  if (!prepare_text (service, &ready, error))
    return FALSE;
  if (!ready)
    return TRUE;
  if (request->work == NULL)
    request->work = clip_prompt_work_new (service->tokenizer, service->encoder,
        (const gchar *const *)request->prompts,
        (const gchar *const *)request->templates, error);
  return request->work != NULL &&
         clip_prompt_work_run (request->work, &request->prompt_set, error);
}

/* One piece; what is left goes back into the line. */
static void
encode_prompts (ClipService *service, ClipRequest *request)
{
  guint64 start = clip_threads_now ();
  GError *error = NULL;
  gboolean ok = continue_prompts (service, request, &error);

  request->work_time += clip_threads_now () - start;
  service->text_deadline = g_get_monotonic_time () + service->text_patience;
  if (ok && request->prompt_set == NULL) {
    clip_service_submit (service, request);
    return;
  }
  g_clear_pointer (&request->work, clip_prompt_work_free);
  clip_request_finish (request, request->work_time, error);
}

/* Under the lock: whether nobody asked for texts for a while. */
static gboolean
is_text_stale (const ClipService *service, gint64 now)
{
  return now >= service->text_deadline && service->queue.prompts.length == 0;
}

static void
release_text (ClipService *service)
{
  clip_encoder_release_text (service->encoder);
  service->text_laid = service->text_tested = FALSE;
  service->text_deadline = G_MAXINT64;
}

static void
run_work (ClipService *service, const ClipWork *work)
{
  ClipRequest *wanted[CLIP_ENCODER_MAX_BATCH];
  guint n = 0;

  for (guint i = 0; i < work->n_requests; i++) {
    if (clip_request_is_cancelled (work->requests[i]))
      clip_request_finish (work->requests[i], 0, NULL);
    else
      wanted[n++] = work->requests[i];
  }
  if (n > 0 && wanted[0]->stream != NULL)
    encode_pictures (service, wanted, n);
  else if (n > 0)
    encode_prompts (service, wanted[0]);
}

/* Under the lock.
 *
 * @deadline: (out): if not, until when there will be none, or G_MAXINT64 */
static gboolean
has_work (const ClipService *service, gint64 *deadline)
{
  gint64 now = g_get_monotonic_time ();

  if (clip_queue_is_ready (&service->queue, now, deadline))
    return TRUE;
  *deadline = MIN (*deadline, service->text_deadline);
  return is_text_stale (service, now);
}

/* Waits until there is something to run, or the text tower is not needed any
 * more.
 *
 * Returns: FALSE when it is time to go. */
static gboolean
wait_for_work (ClipService *service)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);
  gint64 deadline;

  while (!service->quit && !has_work (service, &deadline)) {
    if (deadline == G_MAXINT64)
      g_cond_wait (&service->changed, &service->lock);
    else
      g_cond_wait_until (&service->changed, &service->lock, deadline);
  }
  return !service->quit;
}

/* What is ready when the team's turn has come, which may be more than what was
 * waited for, or less. */
static void
take_and_run (ClipService *service)
{
  guint64 start;
  gint64 now;
  gboolean stale;
  ClipWork work;

  clip_threads_take (service->threads);
  g_mutex_lock (&service->lock);
  now = g_get_monotonic_time ();
  stale = is_text_stale (service, now);
  clip_queue_take (&service->queue, now, &work);
  g_mutex_unlock (&service->lock);
  if (stale)
    release_text (service);
  start = clip_threads_now ();
  run_work (service, &work);
  g_mutex_lock (&service->lock);
  clip_queue_charge (&service->queue, &work, clip_threads_now () - start);
  g_mutex_unlock (&service->lock);
  clip_threads_give (service->threads);
  for (guint i = 0; i < work.n_requests; i++)
    clip_request_unref (work.requests[i]);
}

static void
publish_open (ClipService *service, GError *error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  service->open = error == NULL;
  service->failed = error != NULL;
  service->open_error = error;
  g_cond_broadcast (&service->changed);
}

/* Requests that nobody will run: their waiters must not hang. */
static void
refuse_rest (ClipService *service)
{
  ClipRequest *request;

  g_mutex_lock (&service->lock);
  while ((request = clip_queue_pop (&service->queue)) != NULL) {
    g_mutex_unlock (&service->lock);
    clip_request_refuse (request);
    clip_request_unref (request);
    g_mutex_lock (&service->lock);
  }
  g_mutex_unlock (&service->lock);
}

static gpointer
work (gpointer data)
{
  ClipService *service = data;
  GError *error = NULL;

  clip_threads_lower_priority ();
  if (open_model (service, &error))
    register_exit_handler ();
  publish_open (service, error);
  while (wait_for_work (service))
    take_and_run (service);
  refuse_rest (service);
  /* Packed by this thread, freed by this thread; the model's facts stay with
   * the struct, which others may still read. */
  g_clear_pointer (&service->encoder, clip_encoder_free);
  clip_service_unref (service);
  join_last_ended (g_thread_ref (g_thread_self ()));
  count_worker (-1);
  return NULL;
}

gboolean
clip_batcher_start (ClipService *service, GError **error)
{
  g_autoptr (GError) reason = NULL;
  GThread *thread;

  register_fork_handler ();
  clip_service_ref (service);
  count_worker (1);
  thread = g_thread_try_new ("clip-worker", work, service, &reason);
  if (thread == NULL) {
    count_worker (-1);
    clip_service_unref (service);
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
        "cannot start a worker thread: %s", reason->message);
    return FALSE;
  }
  g_thread_unref (thread); /* nobody waits for its end but the next to end */
  return TRUE;
}

gboolean
clip_batcher_wait_open (ClipService *service, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  while (!service->open && !service->failed)
    g_cond_wait (&service->changed, &service->lock);
  if (service->failed)
    g_propagate_error (error, g_error_copy (service->open_error));
  return service->open;
}

gboolean
clip_batcher_has_failed (ClipService *service)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  return service->failed;
}

void
clip_batcher_quit (ClipService *service)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  service->quit = TRUE;
  g_cond_broadcast (&service->changed);
}
