/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clipfilter's properties, as its users set them. */
#pragma once

#include "gstclipprompts.h"
#include "gstclipproperties.h"

typedef enum {
  GST_CLIP_INFERENCE_WAIT /* a due frame carries its own result */
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
  gint inference_mode; /* GstClipInferenceMode */
  guint top_k;
  gboolean attach_embedding;
  gint post_messages; /* GstClipMessages */
  gchar *source_id;
  guint threads;
  gboolean qos;
} GstClipSettings;

/* Rows of a GstClipFilter. */
extern const GstClipProperty gst_clip_settings[];
extern const guint gst_clip_n_settings;

/* Registers the enums as part of the plugin's interface. */
void gst_clip_settings_register_types (void);
