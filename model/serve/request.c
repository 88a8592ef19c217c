/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "serve/request.h"

#include "clip-error.h"
#include "serve/service.h"
#include "serve/stream.h"

/* Finished picture requests kept for reuse: those of as many streams as one
 * service is meant for, one waiting and one running of each. */
#define POOL_SIZE 128

ClipRequest *
clip_request_new (gsize picture_size, guint embed_dim)
{
  ClipRequest *request = g_new0 (ClipRequest, 1);

  request->ref_count = 1;
  request->link.data = request;
  g_mutex_init (&request->lock);
  g_cond_init (&request->changed);
  if (picture_size > 0) {
    request->picture = g_malloc (picture_size);
    request->embedding = g_new0 (gfloat, embed_dim);
  }
  return request;
}

void
clip_request_free (ClipRequest *request)
{
  clip_request_reset (request);
  g_free (request->picture);
  g_free (request->embedding);
  g_mutex_clear (&request->lock);
  g_cond_clear (&request->changed);
  g_free (request);
}

void
clip_request_reset (ClipRequest *request)
{
  request->ref_count = 1;
  request->service = NULL;
  request->stream = NULL;
  request->done = FALSE;
  request->cancelled = FALSE;
  request->encode_time = 0;
  request->batch = 0;
  g_clear_error (&request->error);
  g_clear_pointer (&request->prompts, g_strfreev);
  g_clear_pointer (&request->templates, g_strfreev);
  g_clear_pointer (&request->work, clip_prompt_work_free);
  g_clear_pointer (&request->prompt_set, clip_prompt_set_unref);
}

ClipRequest *
clip_request_ref (ClipRequest *request)
{
  g_atomic_int_inc (&request->ref_count);
  return request;
}

/* Whether the pool took it. */
static gboolean
recycle (ClipService *service, ClipRequest *request)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  if (g_queue_get_length (&service->pool) >= POOL_SIZE)
    return FALSE;
  g_queue_push_head_link (&service->pool, &request->link);
  return TRUE;
}

void
clip_request_unref (ClipRequest *request)
{
  ClipService *service;
  ClipStream *stream;

  if (request == NULL || !g_atomic_int_dec_and_test (&request->ref_count))
    return;
  service = request->service;
  stream = request->stream;
  clip_request_reset (request);
  if (request->picture == NULL || !recycle (service, request))
    clip_request_free (request);
  clip_stream_unref (stream);
  clip_service_unref (service);
}

gboolean
clip_request_is_cancelled (ClipRequest *request)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&request->lock);

  return request->cancelled;
}

void
clip_request_finish (ClipRequest *request, guint64 encode_time, GError *error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&request->lock);

  request->done = TRUE;
  request->encode_time = encode_time;
  request->error = error;
  g_cond_broadcast (&request->changed);
}

void
clip_request_refuse (ClipRequest *request)
{
  clip_request_finish (request, 0,
      g_error_new_literal (CLIP_ERROR, CLIP_ERROR_CANCELLED,
          "the model was released before the request ran"));
}

/* Who waits for a picture hands in no other one, and perhaps nobody does. */
static void
hurry (ClipRequest *request)
{
  ClipService *service = request->service;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  if (clip_queue_hurry (&service->queue, request))
    g_cond_broadcast (&service->changed);
}

gboolean
clip_request_wait (ClipRequest *request, GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;

  hurry (request);
  locker = g_mutex_locker_new (&request->lock);
  while (!request->done && !request->cancelled)
    g_cond_wait (&request->changed, &request->lock);
  if (request->cancelled) {
    g_set_error_literal (
        error, CLIP_ERROR, CLIP_ERROR_CANCELLED, "the request was cancelled");
    return FALSE;
  }
  if (request->error != NULL) {
    g_propagate_error (error, g_error_copy (request->error));
    return FALSE;
  }
  return TRUE;
}

gboolean
clip_request_is_done (ClipRequest *request)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&request->lock);

  return request->done || request->cancelled;
}

void
clip_request_cancel (ClipRequest *request)
{
  ClipService *service = request->service;
  gboolean waited;

  g_mutex_lock (&request->lock);
  request->cancelled = TRUE;
  g_cond_broadcast (&request->changed);
  g_mutex_unlock (&request->lock);

  g_mutex_lock (&service->lock);
  waited = clip_queue_remove (&service->queue, request);
  g_mutex_unlock (&service->lock);
  if (waited)
    clip_request_unref (request);
}

const gfloat *
clip_request_get_embedding (const ClipRequest *request)
{
  return request->embedding;
}

ClipPromptSet *
clip_request_get_prompt_set (const ClipRequest *request)
{
  return request->prompt_set;
}

guint64
clip_request_get_encode_time (const ClipRequest *request)
{
  return request->encode_time;
}

guint
clip_request_get_batch (const ClipRequest *request)
{
  return request->batch;
}

/* --- on its way --- */

gsize
clip_service_get_picture_size (const ClipService *service)
{
  gsize side = clip_service_get_info (service)->image_size;

  return side * side * 3;
}

static ClipRequest *
take_pooled (ClipService *service)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);
  GList *link = g_queue_pop_head_link (&service->pool);

  return link != NULL ? link->data : NULL;
}

ClipRequest *
clip_service_take_picture_request (ClipService *service)
{
  ClipRequest *request = take_pooled (service);

  if (request == NULL)
    request = clip_request_new (clip_service_get_picture_size (service),
        clip_service_get_info (service)->embed_dim);
  request->service = clip_service_ref (service);
  return request;
}

void
clip_service_submit (ClipService *service, ClipRequest *request)
{
  gint64 now = g_get_monotonic_time ();
  gboolean quit;

  g_mutex_lock (&service->lock);
  quit = service->quit;
  if (!quit) {
    clip_queue_add (&service->queue, clip_request_ref (request), now);
    g_cond_broadcast (&service->changed);
  }
  g_mutex_unlock (&service->lock);
  /* The worker may have looked for the last time. */
  if (quit)
    clip_request_refuse (request);
}

ClipRequest *
clip_service_encode_prompts (ClipService *service, const gchar *const *prompts,
    const gchar *const *templates)
{
  ClipRequest *request = clip_request_new (0, 0);

  request->service = clip_service_ref (service);
  request->prompts = g_strdupv ((gchar **)prompts);
  request->templates = g_strdupv ((gchar **)templates);
  clip_service_submit (service, request);
  return request;
}
