/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The prompts of one element: from properties to an encoded set, at start in
 * the caller's thread and later in the background, so that frames never wait
 * for words; but for a large first set, which would hold up the start. */
#pragma once

#include "gstclipschedule.h"

#include "serve/serve.h"

#include <gst/gst.h>

#define GST_CLIP_PROMPTS_MESSAGE "clipfilter-prompts"

/* What the user asked for; under the object lock. */
typedef struct {
  gchar *prompts;
  gchar *file;
  gchar *templates;
  gboolean from_file; /* the one set last */
} GstClipWording;

typedef struct {
  GMutex lock;          /* of all below; never held while anything is posted;
                           the object lock may be taken inside, not outside */
  guint generation;     /* counts starts and stops: work of an older one ends */
  ClipService *service; /* NULL while stopped; the element's reference */
  gchar *default_file;  /* prompts where none were asked for, or NULL */
  guint wanted;         /* counts changes of the wording */
  guint done;           /* which of them was encoded last */
  gboolean busy;        /* one is being encoded */
  gboolean first;       /* ... which is large, and none was before it */
  gboolean failed;      /* ... and came to nothing: @first stays */
  GCond changed;        /* both, or frames must not wait for it any longer */
  ClipRequest *request; /* of this generation, at the worker */
  gboolean pending;     /* @set waits for the next frame */
  ClipPromptSet *set;   /* NULL: no prompts */
  guint revision;       /* of @set; 0 before the first */
} GstClipPrompts;

struct _GstClipFilter;

void gst_clip_prompts_init (GstClipPrompts *prompts);
void gst_clip_prompts_clear (GstClipPrompts *prompts);

/* Encodes the first set and waits for it; a large one goes on in the
 * background, for which see gst_clip_prompts_await(), and posts an error where
 * it fails.
 *
 * @default_file: (transfer full) (nullable)
 *
 * Returns: FALSE with CLIP_ERROR_PROMPT and the errors of
 *   clip_prompts_load() and clip_request_wait(); stopped then. */
gboolean gst_clip_prompts_start (struct _GstClipFilter *filter,
    ClipService *service, gchar *default_file, GError **error);

/* Gives up what is under way; the service is not touched afterwards. */
void gst_clip_prompts_stop (struct _GstClipFilter *filter);

/* The wording changed: encodes the newest in the background, if running. */
void gst_clip_prompts_change (struct _GstClipFilter *filter);

/* Whether frames can be encoded, in the streaming thread: not before there is a
 * first set, if any was asked for.
 *
 * @patient: waits for it
 *
 * Returns: GST_CLIP_SKIP_NONE, _BUSY (also behind the error of a first set,
 *   until there is a better one) or, where the encoding was interrupted,
 *   _CANCELLED */
GstClipSkip gst_clip_prompts_await (
    struct _GstClipFilter *filter, gboolean patient);

/* Has who waits see that the encoding was interrupted. Any thread. */
void gst_clip_prompts_wake (struct _GstClipFilter *filter);

/* @set: (out) (transfer full) (nullable)
 *
 * Returns: TRUE once for each new set. */
gboolean gst_clip_prompts_take (
    struct _GstClipFilter *filter, ClipPromptSet **set, guint *revision);
