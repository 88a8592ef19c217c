/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The door of serve/: one model in the process, however many elements use it,
 * and the worker thread that runs it. Streams hand in pictures and prompts as
 * requests; a request can be waited for and can be given up at any time.
 *
 * All functions are thread-safe. Nobody ever joins a worker: the last release
 * tells it to go, and it frees the model when its current work is done. */
#pragma once

#include "encode/encode.h"
#include "prompt/prompt.h"

typedef struct _ClipService ClipService;

typedef struct {
  const gchar *model;       /* path as for clip_model_open() */
  const gchar *instance_id; /* (nullable): separates equal models */
  ClipPrecision precision;  /* asked for */
  guint threads;            /* of the worker's team; 0 = the usable CPUs */
} ClipServiceOptions;

/* Opens the model, or joins one that is open: the same files, precision and
 * instance id. Returns when the model is packed and self-tested. The first
 * opener's @threads hold; clip_service_get_threads() tells them.
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

/* What it computes in: never CLIP_PRECISION_AUTO. */
ClipPrecision clip_service_get_precision (const ClipService *service);

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

/* Queues a picture behind earlier requests. Recycles the memory of finished
 * requests, so that a running stream allocates nothing.
 *
 * @picture: S x S x 3 bytes, copied
 *
 * Returns: (transfer full) */
ClipRequest *clip_service_encode_picture (
    ClipService *service, const guint8 *picture);

/* Queues a prompt set. The text tower is packed when the first one arrives.
 *
 * @prompts: NULL-terminated, copied
 * @templates: (nullable): NULL-terminated, copied
 *
 * Returns: (transfer full) */
ClipRequest *clip_service_encode_prompts (ClipService *service,
    const gchar *const *prompts, const gchar *const *templates);

/* Waits for the worker.
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

/* Nanoseconds of wall clock that the worker spent on it. */
guint64 clip_request_get_encode_time (const ClipRequest *request);
