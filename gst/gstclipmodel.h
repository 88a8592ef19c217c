/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The model an element uses: found, opened, and what one stream needs to feed
 * it. */
#pragma once

#include "frame/frame.h"
#include "serve/serve.h"

#include <gst/gst.h>

typedef struct {
  ClipService *service;
  ClipStream *stream; /* NULL until the first picture, of these options */
  ClipStreamOptions stream_options;
  ClipPreprocessor *preprocessor;
  guint8 *picture;  /* [S, S, 3], the stream's own slot */
  guint8 *previous; /* [S, S, 3]: what was encoded before it */
  gchar *path;
  gboolean demo;
} GstClipModel;

typedef struct {
  const gchar *path; /* (nullable): NULL or empty: the demonstration model */
  const gchar *instance_id; /* (nullable): as ClipServiceOptions's */
  guint64 batch_timeout;    /* nanoseconds */
  guint threads;            /* 0 = the usable CPUs */
  ClipPrecision precision;
} GstClipModelOptions;

/* Warns of what cannot be had as it is asked for.
 *
 * Returns: FALSE with the errors of clip_service_acquire(); @model is empty
 *   then. */
gboolean gst_clip_model_open (GstClipModel *model, GstElement *element,
    const GstClipModelOptions *options, GError **error);

/* Which model runs how: the facts among the element's stats.
 *
 * Returns: (transfer full) */
GstStructure *gst_clip_model_describe (const GstClipModel *model);

/* Before each picture: where the options are others than those of the stream
 * there is, that one ends, and what still waits in it is cancelled. */
void gst_clip_model_open_stream (
    GstClipModel *model, const ClipStreamOptions *options);

/* Bytes. */
gsize gst_clip_model_get_picture_size (const GstClipModel *model);

/* Never blocks; an empty model is allowed. */
void gst_clip_model_close (GstClipModel *model);

/* Returns: (transfer full): the file of prompts that come with the
 *   demonstration model; NULL for any other. */
gchar *gst_clip_model_get_prompts_file (const GstClipModel *model);
