/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Generated folders, opened. */
#pragma once

#include "clip-error.h"
#include "load/load.h"
#include "models.h"

#define WEIGHTS "model.safetensors"
#define OPEN_CLIP_WEIGHTS "open_clip_model.safetensors"

/* Folders of @spec with values: canonical names with what OpenAI's archives say
 * of themselves, the same with open_clip's configuration and @extra in it, and
 * Hugging Face's. (transfer full) */
gchar *new_openai (const TestModelSpec *spec);
gchar *new_open_clip (const TestModelSpec *spec, const gchar *extra);
gchar *new_hugging_face (const TestModelSpec *spec);

/* Adds a scalar. */
void add_scalar (GPtrArray *tensors, const gchar *name);

void remove_file (const gchar *folder, const gchar *name);

/* (transfer full) */
ClipCheckpoint *open_model (const gchar *path);

/* As open_model(), and deletes the folder. */
ClipCheckpoint *open_and_remove (gchar *folder);

/* Deletes the folder too. @pieces: NULL-terminated, all in the message */
void assert_refused (gchar *folder, ClipError code, const gchar *const *pieces);

#define REFUSED(folder, ...)                                                   \
  assert_refused (                                                             \
      folder, CLIP_ERROR_MODEL, (const gchar *const[]){ __VA_ARGS__, NULL })
