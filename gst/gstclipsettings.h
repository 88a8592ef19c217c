/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clipfilter's properties, as its users set them. */
#pragma once

#include "gstclipprompts.h"
#include "gstclipproperties.h"
#include "gstclipscene.h"

typedef enum {
  GST_CLIP_INFERENCE_AUTO,  /* as upstream is live or not */
  GST_CLIP_INFERENCE_WAIT,  /* a due frame carries its own result */
  GST_CLIP_INFERENCE_LATEST /* no frame waits, each carries the newest */
} GstClipInferenceMode;

typedef enum {
  GST_CLIP_MESSAGES_NONE,
  GST_CLIP_MESSAGES_CHANGES, /* when another prompt is the best */
  GST_CLIP_MESSAGES_ALL
} GstClipMessages;

/* Under the object lock. */
typedef struct {
  gchar *model;
  GstClipWording wording;
  guint inference_interval;
  GstClipFraction max_inference_rate; /* 0/1 = none */
  gint inference_mode;                /* GstClipInferenceMode */
  GstClockTime max_age;               /* 0 = any, as the next two */
  GstClipGate gate;
  GstClockTime trouble_after;
  guint top_k;
  gboolean attach_embedding;
  gint post_messages; /* GstClipMessages */
  gchar *source_id;
  guint priority;
  gchar *instance_id;
  guint64 batch_timeout; /* nanoseconds */
  guint threads;
  gint precision; /* ClipPrecision */
  gboolean qos;
} GstClipSettings;

/* Rows of a GstClipFilter. */
extern const GstClipProperty gst_clip_settings[];
extern const guint gst_clip_n_settings;

/* "wait", "latest"; static. */
const gchar *gst_clip_inference_mode_get_name (GstClipInferenceMode mode);

/* Registers the enums as part of the plugin's interface. */
void gst_clip_settings_register_types (void);
