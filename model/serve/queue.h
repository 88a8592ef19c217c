/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a worker runs next. Streams with waiting pictures share the encoder by
 * weight: each picture moves its stream's turn back by a step, and the least
 * turn comes first; who comes back from a pause starts at the turn of the one
 * in service, so that it neither saves up nor loses.
 *
 * Prompt sets are encoded a slice at a time, in a round, and a slice in pieces
 * that are much shorter than a picture. They run when no picture waits; where
 * pictures do, they get a part of the worker's time, so that they come to an
 * end, and no picture is delayed by more, however many prompts there are.
 *
 * No function locks: the caller does. */
#pragma once

#include "serve/request.h"

/* Prompts get 1 / (1 + this) of the time while pictures wait. */
#define CLIP_QUEUE_PICTURES_SHARE 3

typedef struct {
  GQueue streams;       /* those with waiting pictures */
  GQueue prompts;       /* of ClipRequest */
  guint n_sharing;      /* streams whose pictures may form batches */
  guint n_urgent;       /* waiting pictures that clip_queue_hurry() named */
  guint max_batch;      /* of pictures */
  gint64 batch_timeout; /* microseconds */
  guint64 turn;         /* of the picture taken last */
  gint64 credit; /* nanoseconds that prompts may take while pictures wait;
                    below 0: that they took too many */
} ClipQueue;

/* What a stream is to the queue. */
typedef struct {
  GList link;          /* in the queue's streams, while pictures wait */
  GQueue pictures;     /* waiting, of ClipRequest */
  gboolean is_sharing; /* batches may hold pictures of other streams too */
  guint64 step;
  guint64 turn;
} ClipQueuePlace;

/* What is taken at once: pictures, or one prompt set; each with a reference. */
typedef struct {
  ClipRequest *requests[CLIP_ENCODER_MAX_BATCH];
  guint n_requests;
  gboolean is_contended; /* the other kind waited as well */
} ClipWork;

/* @batch_timeout: nanoseconds */
void clip_queue_init (ClipQueue *queue, guint max_batch, guint64 batch_timeout);

void clip_queue_enter (
    ClipQueue *queue, ClipQueuePlace *place, const ClipStreamOptions *options);
void clip_queue_leave (ClipQueue *queue, ClipQueuePlace *place);

/* @request: (transfer full)
 * @now: g_get_monotonic_time() */
void clip_queue_add (ClipQueue *queue, ClipRequest *request, gint64 now);

/* Returns: whether it waited; its reference is the caller's then. */
gboolean clip_queue_remove (ClipQueue *queue, ClipRequest *request);

/* Somebody stands still until the request is done: where it is a picture that
 * waits, no batch waits for company until it is taken. Its turn stays the same.
 *
 * Returns: whether this may have made something ready */
gboolean clip_queue_hurry (ClipQueue *queue, ClipRequest *request);

/* Whether something is to be run now.
 *
 * @deadline: (out): if not, when a batch is waited for no longer, or
 *   G_MAXINT64 */
gboolean clip_queue_is_ready (
    const ClipQueue *queue, gint64 now, gint64 *deadline);

/* Takes what is to be run now, if anything. */
void clip_queue_take (ClipQueue *queue, gint64 now, ClipWork *work);

/* It is done, or a piece of it.
 *
 * @time: nanoseconds that it took */
void clip_queue_charge (ClipQueue *queue, const ClipWork *work, guint64 time);

/* Any that waits, with its reference, or NULL. */
ClipRequest *clip_queue_pop (ClipQueue *queue);

/* The same of one stream's pictures. */
ClipRequest *clip_queue_pop_picture (ClipQueue *queue, ClipQueuePlace *place);
