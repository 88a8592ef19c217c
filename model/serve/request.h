/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A piece of work on its way to the worker and back. The stream and the worker
 * each hold a reference; whoever is last returns it to its service's pool. */
#pragma once

#include "serve/serve.h"

struct _ClipRequest {
  gint ref_count; /* atomic */
  ClipService *service;
  ClipStream *stream; /* of a picture; NULL for prompts */

  /* Under the service's lock. */
  GList link;          /* in a line of the queue, or in the pool */
  gboolean is_waiting; /* in a line */
  gboolean is_urgent;  /* somebody waits for it */
  gint64 arrival;      /* microseconds */

  GMutex lock; /* of all below that is not fixed at submission */
  GCond changed;
  gboolean done;
  gboolean cancelled;
  GError *error; /* of a request that is done and failed */
  guint64 encode_time;
  guint batch;

  guint8 *picture;   /* S x S x 3; NULL for prompts */
  gfloat *embedding; /* [embed_dim]; NULL for prompts */

  gchar **prompts; /* NULL for pictures */
  gchar **templates;
  ClipPromptSet *prompt_set;
  ClipPromptWork *work; /* the worker's; NULL before the first piece */
  guint64 work_time;    /* of the pieces so far */
};

/* @picture_size: bytes, or 0 for prompts */
ClipRequest *clip_request_new (gsize picture_size, guint embed_dim);
void clip_request_free (ClipRequest *request);

/* Makes a finished request as new; its buffers stay. */
void clip_request_reset (ClipRequest *request);

gboolean clip_request_is_cancelled (ClipRequest *request);

/* Ends it and wakes its waiters.
 * @error: (transfer full) (nullable) */
void clip_request_finish (
    ClipRequest *request, guint64 encode_time, GError *error);

/* Ends one that no worker will run. */
void clip_request_refuse (ClipRequest *request);
