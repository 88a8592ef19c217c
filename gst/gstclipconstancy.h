/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Notices a model that says the same whatever it sees: broken weights can pass
 * the self-test and still be blind for what a camera shows. */
#pragma once

#include <glib.h>

/* So many pictures in a row, each different from the one before. */
#define GST_CLIP_CONSTANCY_RUN 30

typedef struct {
  guint run;
  gboolean warned;
} GstClipConstancy;

/* Call with each encoded picture.
 *
 * @picture_changed: it differs from the one before
 * @embedding_changed: so does its embedding, in any bit
 *
 * Returns: TRUE once, when the run is full */
gboolean gst_clip_constancy_note (GstClipConstancy *constancy,
    gboolean picture_changed, gboolean embedding_changed);
