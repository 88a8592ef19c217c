/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Models with the values that trained ones are known for and generated ones
 * lack: channels far larger than the others. */
#pragma once

#include <glib.h>

typedef enum {
  TWIN_NONE,
  /* A few channels behind each norm are 20 to 100 times as large, and the next
   * weights so much smaller: in f32 the same model. */
  TWIN_OUTLIERS,
  /* One channel of one token is 60 in the residual stream, as long as the
   * blocks keep it: another model. Of transformers alone. */
  TWIN_SPIKE,
  TWIN_N_KINDS
} TwinKind;

/* "none", "outliers", "spike" */
extern const gchar *const twin_names[TWIN_N_KINDS];

/* Writes the twin of a model in f32 with all its other files.
 *
 * @folder: with model.safetensors of canonical names
 * @kind: not TWIN_NONE
 *
 * Returns: (transfer full): a folder, for test_checkpoint_remove(); NULL with
 *   the errors of clip_checkpoint_open(), or with CLIP_ERROR_MODEL where there
 *   is no such twin. */
gchar *twin_write (const gchar *folder, TwinKind kind, GError **error);
