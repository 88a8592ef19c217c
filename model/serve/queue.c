/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "serve/queue.h"

#include "serve/stream.h"

/* Kinds of streams, as bits. */
#define ALONE 1u
#define SHARING 2u

void
clip_queue_init (ClipQueue *queue, guint max_batch, guint64 batch_timeout)
{
  *queue = (ClipQueue){ .max_batch = max_batch,
    .batch_timeout = (gint64)MIN (batch_timeout / 1000, G_MAXINT32) };
  g_queue_init (&queue->streams);
  g_queue_init (&queue->prompts);
}

void
clip_queue_enter (
    ClipQueue *queue, ClipQueuePlace *place, const ClipStreamOptions *options)
{
  guint priority = MIN (options->priority, CLIP_STREAM_MAX_PRIORITY);

  *place = (ClipQueuePlace){ .link.data = place,
    .is_sharing = !options->alone,
    .step = G_GUINT64_CONSTANT (1) << (CLIP_STREAM_MAX_PRIORITY - priority) };
  g_queue_init (&place->pictures);
  queue->n_sharing += place->is_sharing;
}

void
clip_queue_leave (ClipQueue *queue, ClipQueuePlace *place)
{
  queue->n_sharing -= place->is_sharing;
}

void
clip_queue_add (ClipQueue *queue, ClipRequest *request, gint64 now)
{
  ClipQueuePlace *place;

  request->arrival = now;
  request->is_waiting = TRUE;
  if (request->stream == NULL) {
    /* A slice in the encoder ends before the next one begins. */
    if (request->work != NULL && clip_prompt_work_is_in_slice (request->work))
      g_queue_push_head_link (&queue->prompts, &request->link);
    else
      g_queue_push_tail_link (&queue->prompts, &request->link);
    return;
  }
  place = &request->stream->place;
  if (g_queue_is_empty (&place->pictures)) {
    place->turn = MAX (place->turn, queue->turn);
    g_queue_push_tail_link (&queue->streams, &place->link);
  }
  g_queue_push_tail_link (&place->pictures, &request->link);
}

/* Out of the line it waits in; its reference goes to the caller. */
static void
unlink_request (ClipQueue *queue, ClipRequest *request)
{
  ClipQueuePlace *place;

  request->is_waiting = FALSE;
  queue->n_urgent -= request->is_urgent;
  request->is_urgent = FALSE;
  if (request->stream == NULL) {
    g_queue_unlink (&queue->prompts, &request->link);
    return;
  }
  place = &request->stream->place;
  g_queue_unlink (&place->pictures, &request->link);
  if (g_queue_is_empty (&place->pictures))
    g_queue_unlink (&queue->streams, &place->link);
}

gboolean
clip_queue_remove (ClipQueue *queue, ClipRequest *request)
{
  if (!request->is_waiting)
    return FALSE;
  unlink_request (queue, request);
  return TRUE;
}

gboolean
clip_queue_hurry (ClipQueue *queue, ClipRequest *request)
{
  if (!request->is_waiting || request->is_urgent || request->stream == NULL ||
      !request->stream->place.is_sharing)
    return FALSE;
  request->is_urgent = TRUE;
  queue->n_urgent++;
  return TRUE;
}

static ClipRequest *
get_first (const ClipQueuePlace *place)
{
  return place->pictures.head->data;
}

/* @kinds: ALONE, SHARING or both */
static ClipQueuePlace *
find_next (const ClipQueue *queue, guint kinds)
{
  ClipQueuePlace *next = NULL;

  for (GList *link = queue->streams.head; link != NULL; link = link->next) {
    ClipQueuePlace *place = link->data;

    if ((kinds & (place->is_sharing ? SHARING : ALONE)) == 0)
      continue;
    if (next == NULL || place->turn < next->turn ||
        (place->turn == next->turn && place->step < next->step))
      next = place;
  }
  return next;
}

/* Until when a batch is waited for that other streams could still join; 0
 * where it is as large as it can get, or somebody cannot go on without it. */
static gint64
get_batch_deadline (const ClipQueue *queue)
{
  guint n_streams = 0, n_pictures = 0;
  gint64 first = G_MAXINT64;

  for (GList *link = queue->streams.head; link != NULL; link = link->next) {
    const ClipQueuePlace *place = link->data;

    if (!place->is_sharing)
      continue;
    n_streams++;
    n_pictures += place->pictures.length;
    first = MIN (first, get_first (place)->arrival);
  }
  if (queue->n_urgent > 0 || n_streams == 0 || n_pictures >= queue->max_batch ||
      n_streams >= queue->n_sharing)
    return 0;
  return first + queue->batch_timeout;
}

static void
take_picture (ClipQueue *queue, ClipQueuePlace *place, ClipWork *work)
{
  ClipRequest *request = get_first (place);

  queue->turn = MAX (queue->turn, place->turn);
  place->turn += place->step;
  unlink_request (queue, request);
  work->requests[work->n_requests++] = request;
}

/* The largest power of two that waits and may: the encoder has built those, and
 * puts any other number together from several of them, for all of which the
 * first pictures would wait. */
static guint
get_batch_size (const ClipQueue *queue)
{
  guint n_waiting = 0, size = 1;

  for (GList *link = queue->streams.head; link != NULL; link = link->next) {
    const ClipQueuePlace *place = link->data;

    if (place->is_sharing)
      n_waiting += place->pictures.length;
  }
  while (size * 2 <= MIN (n_waiting, queue->max_batch))
    size *= 2;
  return size;
}

static void
take_pictures (ClipQueue *queue, ClipQueuePlace *place, ClipWork *work)
{
  guint size = place->is_sharing ? get_batch_size (queue) : 1;

  take_picture (queue, place, work);
  while (work->n_requests < size)
    take_picture (queue, find_next (queue, SHARING), work);
}

static void
take_prompts (ClipQueue *queue, ClipWork *work)
{
  ClipRequest *request = queue->prompts.head->data;

  unlink_request (queue, request);
  work->requests[work->n_requests++] = request;
}

/* Whose picture is first, of those that need not wait for company; or NULL. */
static ClipQueuePlace *
find_ready (const ClipQueue *queue, gint64 now)
{
  return find_next (
      queue, now >= get_batch_deadline (queue) ? ALONE | SHARING : ALONE);
}

gboolean
clip_queue_is_ready (const ClipQueue *queue, gint64 now, gint64 *deadline)
{
  gint64 batch_deadline = get_batch_deadline (queue);

  *deadline = batch_deadline > 0 ? batch_deadline : G_MAXINT64;
  return queue->prompts.length > 0 || find_ready (queue, now) != NULL;
}

void
clip_queue_take (ClipQueue *queue, gint64 now, ClipWork *work)
{
  ClipQueuePlace *place = find_ready (queue, now);
  gboolean has_prompts = queue->prompts.length > 0;

  work->n_requests = 0;
  work->is_contended = has_prompts && place != NULL;
  if (!has_prompts)
    queue->credit = 0;
  if (has_prompts && (place == NULL || queue->credit > 0))
    take_prompts (queue, work);
  else if (place != NULL)
    take_pictures (queue, place, work);
}

void
clip_queue_charge (ClipQueue *queue, const ClipWork *work, guint64 time)
{
  if (!work->is_contended)
    return;
  if (work->requests[0]->stream != NULL)
    queue->credit += time / CLIP_QUEUE_PICTURES_SHARE;
  else
    queue->credit -= time;
}

ClipRequest *
clip_queue_pop_picture (ClipQueue *queue, ClipQueuePlace *place)
{
  ClipRequest *request;

  if (g_queue_is_empty (&place->pictures))
    return NULL;
  request = get_first (place);
  unlink_request (queue, request);
  return request;
}

ClipRequest *
clip_queue_pop (ClipQueue *queue)
{
  ClipQueuePlace *place = find_next (queue, ALONE | SHARING);
  ClipRequest *request;

  if (place != NULL)
    return clip_queue_pop_picture (queue, place);
  if (g_queue_is_empty (&queue->prompts))
    return NULL;
  request = queue->prompts.head->data;
  unlink_request (queue, request);
  return request;
}
