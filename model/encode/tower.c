/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/tower.h"

#include "clip-error.h"

static const ClipVisionTower *const vision_towers[] = {
  [CLIP_VISION_MODIFIED_RESNET] = &clip_modified_resnet_tower,
  [CLIP_VISION_TRANSFORMER] = &clip_vision_transformer_tower,
};

static const ClipTextTower *const text_towers[] = {
  [CLIP_TEXT_BERT] = &clip_bert_tower,
  [CLIP_TEXT_TRANSFORMER] = &clip_text_transformer_tower,
};

const ClipVisionTower *
clip_vision_tower_find (ClipVisionKind kind)
{
  return vision_towers[kind];
}

const ClipTextTower *
clip_text_tower_find (ClipTextKind kind, GError **error)
{
  if (text_towers[kind] == NULL)
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "the model has no text encoder: it encodes pictures, not prompts");
  return text_towers[kind];
}

void
clip_tracer_show (
    const ClipTracer *tracer, ClipShown shown, const gchar *format, ...)
{
  gsize n = shown.n_rows * shown.n_columns;
  g_autofree gfloat *values = NULL;
  g_autofree gchar *name = NULL;
  va_list arguments;

  if (tracer->trace == NULL)
    return;
  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  values = g_new (gfloat, n);
  clip_rows_read (n, shown.number, shown.values, values);
  tracer->trace (
      tracer->user_data, name, values, shown.n_rows, shown.n_columns);
}
