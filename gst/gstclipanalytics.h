/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* GstAnalytics metadata, where GStreamer has it (1.24 and later). */
#pragma once

#include "config.h"
#include "gstclipresult.h"

#if HAVE_GST_ANALYTICS
/* One GstAnalyticsClsMtd with the prompts of the record (top-k of them, best
 * first) as classes and their probabilities as levels. Nothing without
 * prompts. */
void gst_clip_analytics_attach (
    GstBuffer *buffer, const GstClipResult *result, guint top_k);
#endif
