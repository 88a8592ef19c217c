/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The inside of a service: what the registry, the batcher and the requests
 * share. Three parties hold references to the struct: each user (through the
 * registry), the worker, and each request under way. */
#pragma once

#include "serve/queue.h"

struct _ClipService {
  gint ref_count; /* atomic */

  /* Fixed at creation. */
  gchar *key;
  gchar *path;
  guint threads;         /* asked for; clamped to the usable CPUs */
  guint64 batch_timeout; /* nanoseconds */

  ClipPrecision precision; /* asked for, and once open what runs */

  guint n_users; /* under the registry's lock */

  GMutex lock; /* of all below, up to the worker's own */
  GCond changed;
  gboolean open;   /* ready for requests */
  gboolean failed; /* open_error says why */
  gboolean quit;
  GError *open_error;
  ClipQueue queue; /* for use once open */
  GQueue pool;     /* of finished picture requests, without a reference */

  /* The worker's own while it lives; the model's facts may be read by all
   * once the service is open. */
  ClipModel *model;
  ClipTokenizer *tokenizer; /* NULL without text tower */
  ClipEncoder *encoder;
  gboolean text_laid;   /* for the self-test */
  gboolean text_tested; /* packed, and works */
  gint64 text_patience; /* microseconds without prompts until the text tower is
                           freed; fixed at creation */
  gint64 text_deadline; /* when it is; G_MAXINT64: it is not packed */
  gchar *description;   /* fixed once open, as the next two */
  gchar *fallback;      /* why not in int8, or NULL */
  GArray *layers;       /* of ClipLayerChoice; fixed once open */
  guint64 encode_time;  /* nanoseconds, of a picture in the self-test */
  gfloat *embeddings;   /* [largest batch, embed_dim] */
};

ClipService *clip_service_ref (ClipService *service);
void clip_service_unref (ClipService *service);

/* Tells the workers of all services to go, whoever still uses them. */
void clip_services_quit (void);

/* In a fork: they are the parent's, and nobody joins them here. */
void clip_services_forget (void);

gsize clip_service_get_picture_size (const ClipService *service);

/* From the pool, or new. */
ClipRequest *clip_service_take_picture_request (ClipService *service);

/* Queues it, with a reference of the queue's own; refuses it where the worker
 * was told to go. */
void clip_service_submit (ClipService *service, ClipRequest *request);

/* Starts the worker, which opens the model and then serves requests until
 * told to quit.
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE where no thread can be had. */
gboolean clip_batcher_start (ClipService *service, GError **error);

/* Waits until the worker has opened the model or failed to. */
gboolean clip_batcher_wait_open (ClipService *service, GError **error);

/* Whether it could not be opened: who comes later tries anew. */
gboolean clip_batcher_has_failed (ClipService *service);

/* Tells the worker to go after its current request. */
void clip_batcher_quit (ClipService *service);
