/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The values of a pickle while it is read: where they live, and what the
 * globals do that a pickle may name. */
#pragma once

#include "load/pickle.h"

/* Values refer to each other in any way a pickle likes, so that they live and
 * die together. */
typedef struct {
  GPtrArray *blocks;
  gsize n_used;         /* bytes of the last block */
  GHashTable *storages; /* key to ClipPickleStorage */
  guint n_tensors;
} ClipPickleHeap;

void clip_pickle_heap_init (ClipPickleHeap *heap);
void clip_pickle_heap_clear (ClipPickleHeap *heap);

/* Zeroed, but for the kind. */
ClipPickleValue *clip_pickle_value_new (
    ClipPickleHeap *heap, ClipPickleKind kind);

/* Puts @item at the end of a tuple, list, dict or object.
 *
 * Returns: the broken limit, static, or NULL */
const gchar *clip_pickle_value_append (
    ClipPickleHeap *heap, ClipPickleValue *value, ClipPickleValue *item);

/* Whether a dict is an OrderedDict, which can have attributes. */
#define CLIP_PICKLE_ORDERED 1
/* Whether an object has got its attributes. */
#define CLIP_PICKLE_BUILT 2

/* What calling a global gives.
 *
 * @value: (out)
 *
 * Returns: the broken rule, static, or NULL */
typedef const gchar *(*ClipPickleCall) (ClipPickleHeap *heap,
    const ClipPickleValue *arguments, ClipPickleValue **value);

struct _ClipPickleGlobal {
  const gchar *module; /* NULL for a class of TorchScript */
  const gchar *name;
  ClipPickleCall call;        /* NULL where it is not called */
  const ClipPickleType *type; /* of a storage, or NULL */
  gboolean is_script;         /* only there */
};

/* NULL where it is none of ours. */
const ClipPickleGlobal *clip_pickle_global_find (
    const gchar *module, const gchar *name, gboolean is_script);

/* What a persistent id, a tuple, means.
 *
 * @value: (out)
 *
 * Returns: the broken rule, static, or NULL */
const gchar *clip_pickle_storage_parse (ClipPickleHeap *heap,
    const ClipPickleSource *source, const ClipPickleValue *id,
    ClipPickleValue **value);
