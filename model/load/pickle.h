/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A machine that reads the pickles of PyTorch (model-spec 4.3) as what they
 * are in our files: a description of tensors. It knows the few opcodes and
 * names that such a description is made of, compares names with its own list,
 * looks nothing up and runs nothing; everything else is an error that names the
 * opcode, its place and, where there is one, the global. */
#pragma once

#include "load/tensor.h"

/* As CLIP_STORED_MAX_DIMS. */
#define CLIP_PICKLE_MAX_DIMS 8

typedef enum {
  CLIP_PICKLE_NONE,
  CLIP_PICKLE_BOOLEAN, /* .integer */
  CLIP_PICKLE_INTEGER, /* .integer */
  CLIP_PICKLE_FLOAT,   /* no value of one is ever used */
  CLIP_PICKLE_STRING,  /* .string, .n bytes of UTF-8 without a NUL */
  CLIP_PICKLE_GLOBAL,  /* .global */
  CLIP_PICKLE_TUPLE,   /* .items, .n of them */
  CLIP_PICKLE_LIST,    /* .items */
  CLIP_PICKLE_DICT,    /* .items: key, value, key, value … */
  CLIP_PICKLE_OBJECT,  /* .items: those of its attributes' dict */
  CLIP_PICKLE_STORAGE, /* .storage */
  CLIP_PICKLE_TENSOR,  /* .tensor */
  CLIP_PICKLE_N_KINDS
} ClipPickleKind;

typedef struct _ClipPickleValue ClipPickleValue;
typedef struct _ClipPickleGlobal ClipPickleGlobal;

typedef struct {
  const gchar *name; /* as a global: "FloatStorage" */
  const gchar *type; /* "F32" */
  ClipDtype dtype;
  guint size; /* bytes of an element */
} ClipPickleType;

typedef struct {
  gchar *key;
  const ClipPickleType *type;
  guint64 n_elements;
} ClipPickleStorage;

/* All in elements of the storage, and not yet proven to lie inside it. */
typedef struct {
  const ClipPickleStorage *storage;
  guint64 offset;
  guint n_dims;
  guint64 dims[CLIP_PICKLE_MAX_DIMS];
  guint64 strides[CLIP_PICKLE_MAX_DIMS];
} ClipPickleTensor;

struct _ClipPickleValue {
  guint8 kind;  /* ClipPickleKind */
  guint8 depth; /* of what it holds */
  guint8 flags;
  guint32 n, n_allocated;
  union {
    gint64 integer;
    const gchar *string; /* in the pickle, without an end */
    const ClipPickleGlobal *global;
    ClipPickleValue **items;
    const ClipPickleStorage *storage;
    const ClipPickleTensor *tensor;
  };
};

typedef struct _ClipPickle ClipPickle;

/* What differs between the files that hold pickles. */
typedef struct {
  const gchar *path;      /* for messages */
  const gchar *name;      /* of the pickle in it, for messages */
  gboolean is_script;     /* TorchScript: objects of its own classes */
  gboolean is_legacy;     /* storages are told by six items instead of five */
  gboolean has_followers; /* something comes after the pickle's end */
} ClipPickleSource;

/* Reads one pickle from the start of @bytes, which must outlive it.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_FORMAT */
ClipPickle *clip_pickle_read (const ClipPickleSource *source,
    const guint8 *bytes, gsize size, GError **error);
void clip_pickle_free (ClipPickle *pickle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipPickle, clip_pickle_free)

/* What the pickle describes. (transfer none) */
const ClipPickleValue *clip_pickle_get_root (const ClipPickle *pickle);

/* Bytes from the start to the opcode that ended it. */
gsize clip_pickle_get_size (const ClipPickle *pickle);

/* A storage the pickle names, NULL where it does not. (transfer none) */
const ClipPickleStorage *clip_pickle_find_storage (
    const ClipPickle *pickle, const gchar *key);

gboolean clip_pickle_value_is_string (
    const ClipPickleValue *value, const gchar *string);

/* What @dict has under the string @key, NULL where there is none. */
const ClipPickleValue *clip_pickle_value_get (
    const ClipPickleValue *dict, const gchar *key);
