/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Binds the tensors of a file to the slots of the towers, by tables of name,
 * slot and shape. What does not fit is collected, so that one error tells the
 * first few problems instead of the first. */
#pragma once

#include "load/inventory.h"
#include "load/names.h"

/* A dimension by its role; the configuration gives the number. */
typedef enum {
  CLIP_EXTENT_NONE, /* ends a shape */
  CLIP_EXTENT_ONE,
  CLIP_EXTENT_THREE,
  CLIP_EXTENT_WIDTH,
  CLIP_EXTENT_QKV, /* three times the width */
  CLIP_EXTENT_MLP,
  CLIP_EXTENT_EMBED,
  CLIP_EXTENT_WORDS,
  CLIP_EXTENT_POSITIONS,
  CLIP_EXTENT_TYPES,
  CLIP_EXTENT_IN, /* channels of a bottleneck */
  CLIP_EXTENT_PLANES,
  CLIP_EXTENT_OUT,
  CLIP_EXTENT_PATCH,
  CLIP_EXTENT_HALF, /* of the stem's first convolutions */
  CLIP_N_EXTENTS
} ClipExtent;

/* How a naming writes a tensor down. */
typedef struct {
  /* Where there are several, the rows of one follow those of the one before:
   * the file keeps apart what the slot has together. */
  const gchar *parts[CLIP_TENSOR_MAX_PARTS];
  gboolean is_transposed; /* rows and columns exchanged */
} ClipSpelling;

/* One row of a table. The rows stand in the order of the slots, which is the
 * order in which a model is identified. */
typedef struct {
  ClipSpelling spellings[CLIP_N_NAMINGS]; /* none at all ends a table */
  gsize slot; /* of a const ClipTensor * in the tower's struct */
  guint8 shape[CLIP_TENSOR_MAX_DIMS]; /* ClipExtent */
  gboolean is_statistic;              /* not a parameter */
} ClipTensorName;

typedef struct _ClipBinder ClipBinder;

/* @inventory: its tensors must outlive what is bound */
ClipBinder *clip_binder_new (const ClipInventory *inventory);
void clip_binder_free (ClipBinder *binder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipBinder, clip_binder_free)

void clip_binder_set_extent (
    ClipBinder *binder, ClipExtent extent, guint64 size);

const ClipInventory *clip_binder_get_inventory (const ClipBinder *binder);

/* Fills the slots of @tower with tensors called @prefix and the row's name. */
void clip_binder_bind (ClipBinder *binder, const gchar *prefix,
    const ClipTensorName *names, gpointer tower);

/* Proves that all was found, and that nothing is left over that could mean
 * something.
 *
 * @config_path: for the message; NULL where the tensors alone tell the model
 * @n_parameters: (out): elements bound that are no statistics
 *
 * Returns: (transfer full) (element-type ClipTensor): what the slots point at,
 *   in canonical order; NULL with CLIP_ERROR_MODEL */
GPtrArray *clip_binder_finish (ClipBinder *binder, const gchar *config_path,
    guint64 *n_parameters, GError **error);
