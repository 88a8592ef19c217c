/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipstats.h"

#include "gstclipstructure.h"

void
gst_clip_stats_clear (GstClipStats *stats)
{
  g_clear_pointer (&stats->model, gst_structure_free);
  *stats = (GstClipStats){ 0 };
}

static guint64
get_mean (guint64 total, guint64 n)
{
  return n > 0 ? total / n : 0;
}

static gboolean
add_field (GQuark field, const GValue *value, gpointer structure)
{
  gst_structure_id_set_value (structure, field, value);
  return TRUE;
}

static void
set_count (GstStructure *structure, const gchar *name, guint64 value)
{
  gst_structure_set (structure, name, G_TYPE_UINT64, value, NULL);
}

GstStructure *
gst_clip_stats_to_structure (const GstClipStats *stats, guint n_pending)
{
  GstStructure *structure = gst_structure_new_empty ("clipfilter-stats");
  g_autoptr (GstStructure) skipped = gst_structure_new_empty ("skipped");
  guint64 mean_encode_time =
      get_mean (stats->total_encode_time, stats->encoded);

  for (guint i = GST_CLIP_SKIP_NONE + 1; i < GST_CLIP_N_SKIPS; i++)
    set_count (skipped, gst_clip_skip_get_name (i), stats->skipped[i]);
  set_count (structure, "frames", stats->frames);
  set_count (structure, "encoded", stats->encoded);
  set_count (structure, "pending", n_pending);
  gst_structure_set (structure, "skipped", GST_TYPE_STRUCTURE, skipped, NULL);
  set_count (structure, "last-encode-time", stats->last_encode_time);
  set_count (structure, "mean-encode-time", mean_encode_time);
  set_count (structure, "last-preprocess-time", stats->last_preprocess_time);
  set_count (structure, "mean-preprocess-time",
      get_mean (stats->total_preprocess_time, stats->preprocessed));
  set_count (structure, "saved-encode-time",
      stats->skipped[GST_CLIP_SKIP_UNCHANGED] * mean_encode_time);
  set_count (structure, "latency", stats->latency);
  gst_clip_structure_set_string (structure, "mode", stats->mode);
  if (stats->model != NULL)
    gst_structure_foreach (stats->model, add_field, structure);
  gst_structure_set (structure, "revision", G_TYPE_UINT, stats->revision,
      "prompts", G_TYPE_UINT, stats->n_prompts, NULL);
  set_count (structure, "warnings", stats->warnings);
  return structure;
}
