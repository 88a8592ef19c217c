/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/tower.h"

#include "clip-error.h"

static const ClipVisionTower *const vision_towers[] = {
  [CLIP_VISION_MODIFIED_RESNET] = &clip_modified_resnet_tower,
};

static const ClipTextTower *const text_towers[] = {
  [CLIP_TEXT_BERT] = &clip_bert_tower,
};

const ClipVisionTower *
clip_vision_tower_find (ClipVisionKind kind, GError **error)
{
  if (kind < G_N_ELEMENTS (vision_towers) && vision_towers[kind] != NULL)
    return vision_towers[kind];
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
      "this version runs ModifiedResNet image encoders only, the model has a "
      "vision transformer");
  return NULL;
}

const ClipTextTower *
clip_text_tower_find (ClipTextKind kind, GError **error)
{
  if (kind < G_N_ELEMENTS (text_towers) && text_towers[kind] != NULL)
    return text_towers[kind];
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
      kind == CLIP_TEXT_NONE
          ? "the model has no text encoder: it encodes pictures, not prompts"
          : "this version runs BERT text encoders only, the model has CLIP's "
            "text transformer");
  return NULL;
}

void
clip_tracer_show (const ClipTracer *tracer, const gfloat *values, gsize n_rows,
    gsize n_columns, const gchar *format, ...)
{
  g_autofree gchar *name = NULL;
  va_list arguments;

  if (tracer->trace == NULL)
    return;
  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  tracer->trace (tracer->user_data, name, values, n_rows, n_columns);
}
