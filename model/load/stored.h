/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What every reader of a weights format hands over: tensors as the file has
 * them, each proven to lie inside it. Nothing is read yet. */
#pragma once

#include "load/storage.h"
#include "load/tensor.h"

/* Of any tensor in a file; those that are used have fewer. */
#define CLIP_STORED_MAX_DIMS 8

typedef struct {
  gchar *name;
  const gchar *key;     /* @name or its end; an inventory sets it */
  const ClipFile *file; /* belongs to the checkpoint */
  ClipStorage *storage; /* it lies in; NULL where the format has none */
  guint64 offset;       /* bytes from the file's start, of any alignment */
  const gchar *type;    /* as safetensors spells it, static: "F16" */
  ClipDtype dtype;
  guint n_dims;
  guint64 dims[CLIP_STORED_MAX_DIMS];
  guint64 n_elements;
  /* Where the elements do not follow each other in the order of the shape: how
   * many elements apart those are that follow each other in each dimension.
   * All differ in place, so that there are not more than the file has. */
  gboolean is_strided;
  guint64 strides[CLIP_STORED_MAX_DIMS];
  gboolean is_used;
} ClipStoredTensor;

void clip_stored_tensor_free (ClipStoredTensor *stored);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipStoredTensor, clip_stored_tensor_free)

/* Reads one in the order of its shape. */
typedef struct {
  const ClipStoredTensor *stored;
  guint8 *extent; /* all it lies among, where it is strided */
  /* What proves its storage on the way, where it is all of that: how many of
   * its elements were read, and their checksum. */
  gboolean is_proving;
  guint64 n_read;
  guint32 crc;
} ClipStoredReader;

/* What is read is proven when all of it has been read, from the first element
 * to the last.
 *
 * @reader: (out caller-allocates): zeroed; for clip_stored_reader_clear()
 *
 * Returns: FALSE with CLIP_ERROR_READ, also where a checksum differs */
gboolean clip_stored_reader_open (
    ClipStoredReader *reader, const ClipStoredTensor *stored, GError **error);
void clip_stored_reader_clear (ClipStoredReader *reader);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ClipStoredReader, clip_stored_reader_clear)

/* @dst: (out caller-allocates): elements @first … @first + @n - 1 as stored
 *
 * Returns: FALSE with CLIP_ERROR_READ, also where a checksum differs */
gboolean clip_stored_reader_read (ClipStoredReader *reader, guint64 first,
    gsize n, guint8 *dst, GError **error);

/* Query, key and value at most. */
#define CLIP_TENSOR_MAX_PARTS 3

/* The parts lie one below the other: their rows add up. One that is transposed
 * is a matrix of one part, whose rows the file has as columns. */
struct _ClipTensor {
  const ClipStoredTensor *parts[CLIP_TENSOR_MAX_PARTS];
  guint n_parts;
  gboolean is_transposed;
  guint n_dims;
  guint64 dims[CLIP_TENSOR_MAX_DIMS];
  gsize n_elements;
};

/* Gets a tensor's values piece by piece, in order. */
typedef void (*ClipTensorVisit) (
    gpointer user_data, const gfloat *values, gsize n);

/* As clip_tensor_read_f32(), without memory of the tensor's size. */
gboolean clip_tensor_visit (const ClipTensor *tensor, ClipTensorVisit visit,
    gpointer user_data, GError **error);

/* As it is printed in messages: "[3, 4]". (transfer full) */
gchar *clip_dims_to_string (const guint64 *dims, guint n_dims);
