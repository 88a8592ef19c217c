/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "serve/request.h"

#include "clip-error.h"
#include "serve/service.h"

ClipRequest *
clip_request_new (ClipService *service, gsize picture_size, guint embed_dim)
{
  ClipRequest *request = g_new0 (ClipRequest, 1);

  request->ref_count = 1;
  request->service = service;
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
  request->done = FALSE;
  request->cancelled = FALSE;
  request->encode_time = 0;
  g_clear_error (&request->error);
  g_clear_pointer (&request->prompts, g_strfreev);
  g_clear_pointer (&request->templates, g_strfreev);
  g_clear_pointer (&request->prompt_set, clip_prompt_set_unref);
}

ClipRequest *
clip_request_ref (ClipRequest *request)
{
  g_atomic_int_inc (&request->ref_count);
  return request;
}

void
clip_request_unref (ClipRequest *request)
{
  if (request != NULL && g_atomic_int_dec_and_test (&request->ref_count))
    clip_service_recycle (request->service, request);
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

gboolean
clip_request_wait (ClipRequest *request, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&request->lock);

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
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&request->lock);

  request->cancelled = TRUE;
  g_cond_broadcast (&request->changed);
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
