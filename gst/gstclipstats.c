/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipstats.h"

#include "gstclipstructure.h"

void
gst_clip_stats_clear (GstClipStats *stats)
{
  g_free (stats->model);
  g_free (stats->family);
  g_free (stats->model_path);
  g_free (stats->precision);
  g_free (stats->engine);
  *stats = (GstClipStats){ 0 };
}

static guint64
get_mean (guint64 total, guint64 n)
{
  return n > 0 ? total / n : 0;
}

static void
set_count (GstStructure *structure, const gchar *name, guint64 value)
{
  gst_structure_set (structure, name, G_TYPE_UINT64, value, NULL);
}

GstStructure *
gst_clip_stats_to_structure (const GstClipStats *stats)
{
  GstStructure *structure = gst_structure_new_empty ("clipfilter-stats");
  g_autoptr (GstStructure) skipped = gst_structure_new_empty ("skipped");

  for (guint i = GST_CLIP_SKIP_NONE + 1; i < GST_CLIP_N_SKIPS; i++)
    set_count (skipped, gst_clip_skip_get_name (i), stats->skipped[i]);
  set_count (structure, "frames", stats->frames);
  set_count (structure, "encoded", stats->encoded);
  gst_structure_set (structure, "skipped", GST_TYPE_STRUCTURE, skipped, NULL);
  set_count (structure, "last-encode-time", stats->last_encode_time);
  set_count (structure, "mean-encode-time",
      get_mean (stats->total_encode_time, stats->encoded));
  set_count (structure, "last-preprocess-time", stats->last_preprocess_time);
  set_count (structure, "mean-preprocess-time",
      get_mean (stats->total_preprocess_time, stats->encoded));
  gst_clip_structure_set_string (structure, "model", stats->model);
  gst_clip_structure_set_string (structure, "family", stats->family);
  gst_clip_structure_set_string (structure, "model-path", stats->model_path);
  gst_structure_set (structure, "demo", G_TYPE_BOOLEAN, stats->demo, "threads",
      G_TYPE_UINT, stats->threads, NULL);
  gst_clip_structure_set_string (structure, "precision", stats->precision);
  gst_clip_structure_set_string (structure, "engine", stats->engine);
  gst_structure_set (structure, "revision", G_TYPE_UINT, stats->revision,
      "prompts", G_TYPE_UINT, stats->n_prompts, NULL);
  set_count (structure, "warnings", stats->warnings);
  return structure;
}
