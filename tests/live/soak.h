/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What clip-soak runs, and what it does to it. */
#pragma once

#include "server.h"
#include "stream.h"

#define SOAK_N_PARTS 9

typedef struct _Soak Soak;

/* One of the streams.
 *
 * @source: as in gst-launch, with a %s for the camera's URI or without
 * @properties: of clipfilter, as in gst-launch
 * @trouble: (nullable): what happens to it, again and again; never blocks for
 *   longer than a state change
 * @period: microseconds between two troubles, on the average */
typedef struct {
  const gchar *name;
  const gchar *source;
  const gchar *properties;
  void (*trouble) (Soak *soak, Stream *stream);
  gint64 period;
  gboolean stands_still; /* its trouble is one for its frames */
  gboolean ends;         /* and may end them with an error */
} SoakPart;

struct _Soak {
  gboolean control; /* identity in clipfilter's place */
  GRand *random;
  Server server;
  gint64 server_due;        /* when a killed one is started again */
  GPtrArray *streams;       /* of parts, in their order */
  gint64 due[SOAK_N_PARTS]; /* next trouble of each */
  gint64 begin;

  GArray *memory, *heap;   /* element-type TrendPoint: bytes over frames */
  GArray *threads, *files; /* element-type guint: each time all is well */
  guint n_troubles, n_reconnects;
  GString *faults;
};

extern const SoakPart soak_parts[SOAK_N_PARTS];

/* Something that makes the verdict a bad one. */
void soak_fault (Soak *soak, const gchar *format, ...) G_GNUC_PRINTF (2, 3);
