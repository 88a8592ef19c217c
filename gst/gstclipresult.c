/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipresult.h"

#include "gstclipstructure.h"

#include <string.h>

GstClipResult *
gst_clip_result_new (const gfloat *embedding, guint embed_dim)
{
  GstClipResult *result = g_new0 (GstClipResult, 1);

  result->embed_dim = embed_dim;
  result->embedding = g_memdup2 (embedding, embed_dim * sizeof (gfloat));
  result->timestamp = GST_CLOCK_TIME_NONE;
  result->running_time = GST_CLOCK_TIME_NONE;
  return result;
}

void
gst_clip_result_free (GstClipResult *result)
{
  if (result == NULL)
    return;
  g_free (result->embedding);
  g_free (result->scores);
  gst_clear_buffer (&result->embedding_buffer);
  clip_prompt_set_unref (result->prompts);
  g_free (result);
}

void
gst_clip_result_score (GstClipResult *result, ClipPromptSet *prompts,
    guint revision, gfloat logit_scale)
{
  g_clear_pointer (&result->prompts, clip_prompt_set_unref);
  g_clear_pointer (&result->scores, g_free);
  result->revision = revision;
  if (prompts == NULL)
    return;
  result->prompts = clip_prompt_set_ref (prompts);
  result->scores = g_new (ClipScore, prompts->n_prompts);
  clip_scores_compute (result->embedding, prompts->embeddings,
      prompts->n_prompts, prompts->embed_dim, logit_scale, result->scores);
}

void
gst_clip_result_repeat (GstClipResult *result, guint64 number)
{
  result->number = number;
  result->unchanged = TRUE;
  result->told = FALSE;
  result->carried = FALSE;
}

const gchar *
gst_clip_result_get_reason (const GstClipResult *result)
{
  if (result->carried)
    return "carried";
  return result->unchanged ? "unchanged" : "encoded";
}

const gchar *
gst_clip_result_get_best (const GstClipResult *result)
{
  if (result->prompts == NULL)
    return NULL;
  return result->prompts->texts[result->scores[0].index];
}

/* --- the structure --- */

static void
set_time (GstStructure *entry, const gchar *name, GstClockTime time)
{
  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_structure_set (entry, name, G_TYPE_UINT64, time, NULL);
}

static void
set_age (
    GstStructure *entry, const GstClipResult *result, const GstClipStamp *stamp)
{
  if (!GST_CLOCK_TIME_IS_VALID (result->running_time) ||
      !GST_CLOCK_TIME_IS_VALID (stamp->running_time))
    return;
  set_time (entry, "age",
      stamp->running_time > result->running_time
          ? stamp->running_time - result->running_time
          : 0);
}

static void
append_structure (GValue *array, GstStructure *structure)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value, structure);
  gst_value_array_append_and_take_value (array, &value);
}

static void
set_prompts (GstStructure *entry, const GstClipResult *result, guint top_k)
{
  guint n = result->prompts->n_prompts;
  GValue array = G_VALUE_INIT;

  if (top_k > 0)
    n = MIN (n, top_k);
  g_value_init (&array, GST_TYPE_ARRAY);
  for (guint i = 0; i < n; i++) {
    const ClipScore *score = &result->scores[i];

    append_structure (&array,
        gst_structure_new ("prompt", "index", G_TYPE_UINT, score->index, /* */
            "text", G_TYPE_STRING, result->prompts->texts[score->index],
            "similarity", G_TYPE_DOUBLE, (gdouble)score->similarity,
            "probability", G_TYPE_DOUBLE, (gdouble)score->probability, NULL));
  }
  gst_structure_take_value (entry, "prompts", &array);
}

/* Little-endian whatever the machine is, since buffers are serialized as they
 * are. */
static GstBuffer *
make_embedding_buffer (const GstClipResult *result)
{
  gsize size = result->embed_dim * sizeof (gfloat);
  guint32 *bits = g_malloc (size);

  memcpy (bits, result->embedding, size);
  for (guint i = 0; i < result->embed_dim; i++)
    bits[i] = GUINT32_TO_LE (bits[i]);
  return gst_buffer_new_wrapped (bits, size);
}

static void
set_embedding (GstStructure *entry, GstClipResult *result)
{
  if (result->embedding_buffer == NULL)
    result->embedding_buffer = make_embedding_buffer (result);
  gst_structure_set (
      entry, "embedding", GST_TYPE_BUFFER, result->embedding_buffer, NULL);
}

GstStructure *
gst_clip_result_describe (GstClipResult *result, const GstClipStamp *stamp)
{
  GstStructure *entry = gst_structure_new_empty ("result");

  gst_clip_structure_set_string (entry, "element", stamp->element);
  gst_clip_structure_set_string (entry, "source", stamp->source);
  gst_clip_structure_set_string (entry, "model", stamp->model);
  gst_clip_structure_set_string (entry, "precision", stamp->precision);
  gst_structure_set (entry, "result", G_TYPE_UINT64, result->number, NULL);
  gst_clip_structure_set_string (entry, "reason", stamp->reason);
  set_time (entry, "timestamp", stamp->timestamp);
  set_time (entry, "running-time", stamp->running_time);
  set_time (entry, "stream-time", stamp->stream_time);
  set_time (entry, "duration", stamp->duration);
  gst_clip_structure_set_string (
      entry, "utc", *stamp->utc != '\0' ? stamp->utc : NULL);
  set_time (entry, "source-timestamp", result->timestamp);
  set_age (entry, result, stamp);
  if (result->prompts != NULL)
    gst_structure_set (entry, "revision", G_TYPE_UINT, result->revision, NULL);
  gst_structure_set (entry, "frame-width", G_TYPE_INT, stamp->width,
      "frame-height", G_TYPE_INT, stamp->height, NULL);
  if (result->prompts != NULL)
    set_prompts (entry, result, stamp->top_k);
  if (stamp->attach_embedding)
    set_embedding (entry, result);
  return entry;
}

GstStructure *
gst_clip_result_wrap (const gchar *name, const GstStructure *entry)
{
  GstStructure *structure = gst_structure_new_empty (name);
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  append_structure (&array, gst_structure_copy (entry));
  gst_structure_take_value (structure, "results", &array);
  return structure;
}

GstStructure *
gst_clip_result_wrap_for_bus (const GstStructure *entry)
{
  g_autoptr (GstStructure) told = gst_structure_copy (entry);

  gst_structure_remove_field (told, "embedding");
  return gst_clip_result_wrap (GST_CLIP_RESULT_MESSAGE, told);
}

/* --- the metadata --- */

void
gst_clip_result_register_meta (void)
{
  /* No tags: elements that scale, convert or encode drop only metadata whose
   * tags name what they change. */
  static const gchar *tags[] = { NULL };

  if (gst_meta_get_info (GST_CLIP_RESULT_META) == NULL)
    gst_meta_register_custom (GST_CLIP_RESULT_META, tags, NULL, NULL, NULL);
}

void
gst_clip_result_attach (GstBuffer *buffer, GstStructure *entry)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_CLIP_RESULT_META);
  GValue array = G_VALUE_INIT;
  const GValue *others;
  GstStructure *structure;

  if (meta == NULL)
    meta = gst_buffer_add_custom_meta (buffer, GST_CLIP_RESULT_META);
  structure = gst_custom_meta_get_structure (meta);
  others = gst_structure_get_value (structure, "results");
  g_value_init (&array, GST_TYPE_ARRAY);
  if (others != NULL && GST_VALUE_HOLDS_ARRAY (others))
    g_value_copy (others, &array);
  append_structure (&array, entry);
  gst_structure_take_value (structure, "results", &array);
}
