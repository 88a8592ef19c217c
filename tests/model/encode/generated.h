/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Generated models of two transformers (model-spec.md section 9), as folders of
 * open_clip, whose names are the canonical ones. */
#pragma once

#include "models.h"

typedef struct {
  TestModelSpec spec;
  gboolean is_quick; /* QuickGELU on both sides, else GELU with erf */
} Generated;

/* The picture side of model B and the text side of model A. */
extern const Generated generated_ab;

/* The picture side of model D and the text side of model C: odd widths. */
extern const Generated generated_d;
extern const Generated generated_c;

/* Returns: (transfer full): a folder, for test_checkpoint_remove() */
gchar *generated_new (const Generated *model);
