/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The door of serve/: one model in the process, however many elements use it,
 * and the worker thread that runs it. Streams hand in pictures, and pictures of
 * several streams that wait together are encoded as a batch. A request can be
 * waited for and can be given up at any time.
 *
 * All functions are thread-safe. No release waits for a worker: the last one
 * tells it to go, and it frees the model when its current work is done. The end
 * of the process waits until all are gone. */
#pragma once

#include "encode/encode.h"
#include "prompt/prompt.h"

typedef struct _ClipService ClipService;

typedef struct {
  const gchar *model;       /* path as for clip_model_open() */
  const gchar *instance_id; /* (nullable): separates equal models */
  ClipPrecision precision;  /* asked for */
  guint threads;            /* of the worker's team; 0 = the usable CPUs */
  guint64 batch_timeout;    /* nanoseconds that a picture waits for others, if
                               nobody waits for it; 0 = a batch is what is there */
} ClipServiceOptions;

/* Opens the model, or joins one that is open: the same files, precision and
 * instance id. Returns when the model is packed and self-tested. The first
 * opener's @threads and @batch_timeout hold; clip_service_get_threads() and
 * clip_service_get_batch_timeout() tell them.
 *
 * Returns: (transfer full): NULL with the errors of clip_model_open(),
 *   clip_encoder_new() and clip_tokenizer_new(), or CLIP_ERROR_MODEL where the
 *   self-test fails. */
ClipService *clip_service_acquire (
    const ClipServiceOptions *options, GError **error);

/* NULL is allowed. Never blocks. */
void clip_service_release (ClipService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipService, clip_service_release)

const ClipModelInfo *clip_service_get_info (const ClipService *service);
guint clip_service_get_threads (const ClipService *service);
guint64 clip_service_get_batch_timeout (const ClipService *service);

/* Most pictures in one call: as many as make each of them cheaper. */
guint clip_service_get_max_batch (const ClipService *service);

/* What it computes in: never CLIP_PRECISION_AUTO. */
ClipPrecision clip_service_get_precision (const ClipService *service);

/* Why that is not what was asked for: a sentence's end.
 *
 * Returns: (transfer full) (nullable): NULL where it is. */
gchar *clip_service_explain_precision (
    const ClipService *service, ClipPrecision asked);

/* As clip_encoder_get_layers(); owned by the service. */
guint clip_service_get_layers (
    const ClipService *service, const ClipLayerChoice **layers);

/* "oneDNN 2.6.3, avx512_core_bf16"; owned by the service. */
const gchar *clip_service_describe (const ClipService *service);

/* Nanoseconds of wall clock that a picture took in the self-test. */
guint64 clip_service_get_encode_time (const ClipService *service);

/* CPUs this process may use: affinity and cgroup quota, at least 1. */
guint clip_service_get_usable_cpus (void);

/* Workers alive in the process, for tests of shutdown. */
guint clip_service_get_n_workers (void);

/* --- requests --- */

typedef struct _ClipRequest ClipRequest;

ClipRequest *clip_request_ref (ClipRequest *request);
void clip_request_unref (ClipRequest *request); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipRequest, clip_request_unref)

/* Queues a prompt set. The text tower is packed when the first one arrives, and
 * freed when none came for a minute. Sets take turns, a slice of texts at a
 * time; pictures come first, and where they always wait, prompts get a quarter
 * of the worker's time, in pieces of about a layer of the text tower.
 *
 * @prompts: NULL-terminated, copied
 * @templates: (nullable): NULL-terminated, copied
 *
 * Returns: (transfer full) */
ClipRequest *clip_service_encode_prompts (ClipService *service,
    const gchar *const *prompts, const gchar *const *templates);

/* Waits for the worker. A picture that is waited for does not wait for company:
 * its batch begins when the encoder is free, whatever the batch timeout.
 *
 * Returns: FALSE with the worker's error, or CLIP_ERROR_CANCELLED at once when
 *   the request is or becomes cancelled. */
gboolean clip_request_wait (ClipRequest *request, GError **error);

/* Whether clip_request_wait() would return at once. */
gboolean clip_request_is_done (ClipRequest *request);

/* Wakes every waiter; the worker skips the request, or drops its result. */
void clip_request_cancel (ClipRequest *request);

/* After a successful wait; owned by the request.
 * [embed_dim], of length 1; NULL for prompts. */
const gfloat *clip_request_get_embedding (const ClipRequest *request);

/* NULL for pictures. */
ClipPromptSet *clip_request_get_prompt_set (const ClipRequest *request);

/* Nanoseconds of wall clock that the worker spent on it, or on its batch. */
guint64 clip_request_get_encode_time (const ClipRequest *request);

/* Pictures that were encoded in the same call, itself included. */
guint clip_request_get_batch (const ClipRequest *request);

/* --- streams of pictures --- */

typedef struct _ClipStream ClipStream;

/* Where the encoder cannot serve all, a stream is served twice as often as one
 * of the next lower priority; none waits for ever. */
#define CLIP_STREAM_MAX_PRIORITY 7

typedef struct {
  gboolean alone; /* pictures never join a batch, so that the same picture gives
                   * the same bits whatever else runs */
  guint priority; /* 0 … CLIP_STREAM_MAX_PRIORITY */
} ClipStreamOptions;

/* Cheap, also while others run; an option changes by a new stream. */
ClipStream *clip_stream_new (
    ClipService *service, const ClipStreamOptions *options);

/* Cancels what still waits; what runs already ends and keeps its result. NULL
 * is allowed. Never blocks. */
void clip_stream_free (ClipStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipStream, clip_stream_free)

/* Whether no picture of the stream waits to be taken by the worker. A live
 * stream hands in the next one only then: one picture ahead keeps the encoder
 * busy, more would only be older. Never blocks. */
gboolean clip_stream_has_credit (ClipStream *stream);

/* Queues a picture behind the stream's earlier ones, which end in this order.
 * One that has no embedding fails alone, whoever shares its batch.
 * Recycles the memory of finished requests, so that a running stream allocates
 * nothing.
 *
 * @picture: S x S x 3 bytes, copied
 *
 * Returns: (transfer full): cancelled where nobody holds the service any more
 */
ClipRequest *clip_stream_encode_picture (
    ClipStream *stream, const guint8 *picture);
