/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "serve/stream.h"

#include "serve/service.h"

#include <string.h>

ClipStream *
clip_stream_new (ClipService *service, const ClipStreamOptions *options)
{
  ClipStream *stream = g_new0 (ClipStream, 1);

  stream->ref_count = 1;
  stream->service = clip_service_ref (service);
  g_mutex_lock (&service->lock);
  clip_queue_enter (&service->queue, &stream->place, options);
  g_mutex_unlock (&service->lock);
  return stream;
}

static ClipStream *
stream_ref (ClipStream *stream)
{
  g_atomic_int_inc (&stream->ref_count);
  return stream;
}

void
clip_stream_unref (ClipStream *stream)
{
  if (stream == NULL || !g_atomic_int_dec_and_test (&stream->ref_count))
    return;
  clip_service_unref (stream->service);
  g_free (stream);
}

static ClipRequest *
pop_picture (ClipStream *stream)
{
  ClipService *service = stream->service;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  return clip_queue_pop_picture (&service->queue, &stream->place);
}

void
clip_stream_free (ClipStream *stream)
{
  ClipService *service;
  ClipRequest *request;

  if (stream == NULL)
    return;
  service = stream->service;
  while ((request = pop_picture (stream)) != NULL) {
    clip_request_cancel (request);
    clip_request_unref (request);
  }
  g_mutex_lock (&service->lock);
  clip_queue_leave (&service->queue, &stream->place);
  /* A batch that waits for company may be complete now. */
  g_cond_broadcast (&service->changed);
  g_mutex_unlock (&service->lock);
  clip_stream_unref (stream);
}

gboolean
clip_stream_has_credit (ClipStream *stream)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&stream->service->lock);

  return g_queue_is_empty (&stream->place.pictures);
}

ClipRequest *
clip_stream_encode_picture (ClipStream *stream, const guint8 *picture)
{
  ClipService *service = stream->service;
  ClipRequest *request = clip_service_take_picture_request (service);

  request->stream = stream_ref (stream);
  memcpy (request->picture, picture, clip_service_get_picture_size (service));
  clip_service_submit (service, request);
  return request;
}
