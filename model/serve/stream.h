/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A stream's place among those that share a service. Its owner and each of its
 * requests hold references. */
#pragma once

#include "serve/queue.h"

struct _ClipStream {
  gint ref_count; /* atomic */
  ClipService *service;
  ClipQueuePlace place; /* under the service's lock */
};

void clip_stream_unref (ClipStream *stream); /* NULL is allowed */
