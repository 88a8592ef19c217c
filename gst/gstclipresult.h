/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The one structure in which a result leaves: built here and nowhere else, it
 * rides on the buffer, goes downstream as an event, and to the application as
 * a message; clippublish prints it as a record. */
#pragma once

#include "gstclipstamp.h"

#include "prompt/prompt.h"
#include "score/score.h"

#include <gst/gst.h>

#define GST_CLIP_RESULT_META "clipfilter"
#define GST_CLIP_RESULT_EVENT "clipfilter-result"
#define GST_CLIP_RESULT_MESSAGE "clipfilter"

/* One encoded frame, and how it compares with the prompts of now. */
typedef struct {
  guint64 number;            /* of this element, from 1 */
  GstClockTime timestamp;    /* of the encoded frame, as its running time */
  GstClockTime running_time; /* or GST_CLOCK_TIME_NONE */
  GstClockTime time;         /* the same, or the clock's where there is none */

  gboolean unchanged; /* its frame was not encoded, for it looks the same */
  gboolean told;      /* an event has been sent */
  gboolean carried;   /* a frame has it */

  guint embed_dim;
  gfloat *embedding;
  GstBuffer *embedding_buffer; /* made when first asked for */

  guint revision;         /* of @prompts */
  ClipPromptSet *prompts; /* NULL: embedding only */
  ClipScore *scores;      /* all of them, best first; NULL without prompts */
} GstClipResult;

/* @embedding: [embed_dim], copied */
GstClipResult *gst_clip_result_new (const gfloat *embedding, guint embed_dim);
void gst_clip_result_free (GstClipResult *result); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstClipResult, gst_clip_result_free)

/* Compares it with @prompts from now on.
 *
 * @prompts: (nullable): referenced */
void gst_clip_result_score (GstClipResult *result, ClipPromptSet *prompts,
    guint revision, gfloat logit_scale);

/* Another frame looks like the one that was encoded: a new result, from the
 * same embedding. */
void gst_clip_result_repeat (GstClipResult *result, guint64 number);

/* "encoded" or "unchanged" for the first frame that has it, "carried" for
 * those after; static. */
const gchar *gst_clip_result_get_reason (const GstClipResult *result);

/* NULL without prompts; owned by the prompts. */
const gchar *gst_clip_result_get_best (const GstClipResult *result);

/* Returns: (transfer full): fields in the order of the record */
GstStructure *gst_clip_result_describe (
    GstClipResult *result, const GstClipStamp *stamp);

/* A structure @name whose array "results" has @entry alone.
 *
 * Returns: (transfer full) */
GstStructure *gst_clip_result_wrap (
    const gchar *name, const GstStructure *entry);

/* As gst_clip_result_wrap(), for the bus: without the embedding. */
GstStructure *gst_clip_result_wrap_for_bus (const GstStructure *entry);

/* Appends to the results that a writable buffer carries.
 *
 * @entry: (transfer full) */
void gst_clip_result_attach (GstBuffer *buffer, GstStructure *entry);

/* Registers the metadata; may be called again. */
void gst_clip_result_register_meta (void);
