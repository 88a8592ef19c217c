/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The tensors of a checkpoint by key, whatever file they lie in, and what their
 * names alone tell (model-spec 1.6): whose names they are, and which towers
 * there are. A key is a name without what training puts before it. */
#pragma once

#include "load/config.h"
#include "load/stored.h"

typedef enum {
  CLIP_NAMING_CANONICAL, /* OpenAI, open_clip, Chinese-CLIP */
  CLIP_NAMING_HUGGING_FACE,
  CLIP_N_NAMINGS
} ClipNaming;

typedef struct {
  const gchar *path; /* of the weights, for messages */
  GPtrArray *stored; /* ClipStoredTensor */
  GHashTable *by_key;
  ClipNaming naming;
  ClipVisionKind vision;
  ClipTextKind text;
} ClipInventory;

/* Gives each of @stored its key.
 *
 * @path: of the weights
 * @stored: (element-type ClipStoredTensor): must outlive the inventory
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_MODEL where the names are of
 *   no model that is supported; the message tells a name */
ClipInventory *clip_inventory_new (
    const gchar *path, GPtrArray *stored, GError **error);
void clip_inventory_free (ClipInventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipInventory, clip_inventory_free)

/* NULL where there is none. (transfer none) */
ClipStoredTensor *clip_inventory_find (
    const ClipInventory *inventory, const gchar *key);

/* How many blocks there are in a row, from the first on: keys of @prefix, a
 * number, @suffix. */
guint clip_inventory_count (
    const ClipInventory *inventory, const gchar *prefix, const gchar *suffix);
