/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipanalytics.h"

#include <gst/analytics/analytics.h>

void
gst_clip_analytics_attach (
    GstBuffer *buffer, const GstClipResult *result, guint top_k)
{
  GstAnalyticsRelationMeta *meta;
  GstAnalyticsClsMtd classification;
  g_autofree gfloat *levels = NULL;
  g_autofree GQuark *classes = NULL;
  guint n;

  if (result->prompts == NULL)
    return;
  n = result->prompts->n_prompts;
  if (top_k > 0)
    n = MIN (n, top_k);
  levels = g_new (gfloat, n);
  classes = g_new (GQuark, n);
  for (guint i = 0; i < n; i++) {
    levels[i] = result->scores[i].probability;
    /* A quark is never freed: as many as different prompts were used. */
    classes[i] =
        g_quark_from_string (result->prompts->texts[result->scores[i].index]);
  }
  meta = gst_buffer_get_analytics_relation_meta (buffer);
  if (meta == NULL)
    meta = gst_buffer_add_analytics_relation_meta (buffer);
  gst_analytics_relation_meta_add_cls_mtd (
      meta, n, levels, classes, &classification);
}
