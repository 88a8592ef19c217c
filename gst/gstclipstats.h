/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What an element did so far, as numbers; under the element's object lock. */
#pragma once

#include "gstclipschedule.h"

typedef struct {
  guint64 frames;
  guint64 encoded;
  guint64 preprocessed;
  guint64 skipped[GST_CLIP_N_SKIPS];
  guint64 warnings; /* causes that were met, posted or not */

  /* Nanoseconds of wall clock, of one frame. */
  guint64 last_encode_time, total_encode_time;
  guint64 last_preprocess_time, total_preprocess_time;

  const gchar *mode;    /* "wait" or "latest"; NULL before it is decided */
  GstClockTime latency; /* as reported to the pipeline */

  GstStructure *model; /* gst_clip_model_describe(); NULL before the first */

  guint revision;
  guint n_prompts;
} GstClipStats;

void gst_clip_stats_clear (GstClipStats *stats);

/* @n_pending: frames that are with the encoder
 *
 * Returns: (transfer full): the value of the property "stats" */
GstStructure *gst_clip_stats_to_structure (
    const GstClipStats *stats, guint n_pending);
