/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A tensor of a checkpoint: located and proven to lie inside its file, and not
 * read until somebody asks. What is asked for arrives as 32-bit floats in the
 * canonical (OpenAI, Chinese-CLIP) shape and orientation, whatever the file
 * stores: split, transposed or in half precision. */
#pragma once

#include <glib.h>

#define CLIP_TENSOR_MAX_DIMS 4

typedef enum {
  CLIP_DTYPE_F32,
  CLIP_DTYPE_F16,
  CLIP_DTYPE_BF16,
  CLIP_DTYPE_F64,
  CLIP_DTYPE_OTHER /* known size, never wanted: integers, booleans, f8 */
} ClipDtype;

typedef struct _ClipTensor ClipTensor;

/* Owner of everything returned here: the checkpoint. */
const gchar *clip_tensor_get_name (const ClipTensor *tensor);

/* The shape, outermost first; a scalar has 0 dimensions. */
guint clip_tensor_get_n_dims (const ClipTensor *tensor);
guint64 clip_tensor_get_dim (const ClipTensor *tensor, guint index);

/* The product of the shape, at least 1, checked to fit memory. */
gsize clip_tensor_get_n_elements (const ClipTensor *tensor);

/* As stored (of the first part, where a tensor is stored in several). */
ClipDtype clip_tensor_get_dtype (const ClipTensor *tensor);

/* Reads the whole tensor, row-major. Any thread, several at a time.
 *
 * @dst: (out caller-allocates): clip_tensor_get_n_elements() floats; undefined
 *   on failure
 *
 * Returns: FALSE with CLIP_ERROR_READ, or CLIP_ERROR_MODEL where a value is
 *   not finite. */
gboolean clip_tensor_read_f32 (
    const ClipTensor *tensor, gfloat *dst, GError **error);

/* Reads the tensor in its stored type, for tables that stay as they are (a
 * token table is looked up by row, never multiplied).
 *
 * @dst: (out caller-allocates): clip_tensor_get_n_elements() times
 *   clip_dtype_get_size() bytes; undefined on failure
 *
 * Returns: FALSE with CLIP_ERROR_READ or CLIP_ERROR_MODEL. */
gboolean clip_tensor_read_raw (
    const ClipTensor *tensor, gpointer dst, GError **error);

/* Bytes of one element, 0 for CLIP_DTYPE_OTHER. */
gsize clip_dtype_get_size (ClipDtype dtype);

/* Converts exactly (f64 rounds to nearest); no alignment is asked of @src. */
void clip_dtype_to_f32 (
    ClipDtype dtype, gconstpointer src, gfloat *dst, gsize n_elements);
