/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/binder.h"

#include "clip-error.h"

#include <string.h>

#define MAX_LISTED_PROBLEMS 5

struct _ClipBinder {
  GPtrArray *stored;
  GHashTable *by_name;
  GPtrArray *bound;
  guint64 extents[CLIP_N_EXTENTS];
  guint64 n_parameters;
  GString *problems;
  guint n_problems;
};

/* What a role is called where a shape is wrong. */
static const gchar *const extent_names[CLIP_N_EXTENTS] = {
  [CLIP_EXTENT_WIDTH] = "width",
  [CLIP_EXTENT_QKV] = "query, key, value",
  [CLIP_EXTENT_MLP] = "MLP",
  [CLIP_EXTENT_EMBED] = "embedding",
  [CLIP_EXTENT_WORDS] = "vocabulary",
  [CLIP_EXTENT_POSITIONS] = "positions",
  [CLIP_EXTENT_TYPES] = "token types",
  [CLIP_EXTENT_IN] = "channels in",
  [CLIP_EXTENT_PLANES] = "planes",
  [CLIP_EXTENT_OUT] = "channels out",
  [CLIP_EXTENT_HALF] = "half the width",
};

/* Tensors that published files carry and no tower uses (model-spec 3.5). */
static const gchar *const ignored_names[] = {
  "input_resolution",
  "context_length",
  "vocab_size",
  "attn_mask",
  "*.attn_mask",
  "*.position_ids",
  "*.num_batches_tracked",
  "bert.pooler.*",
  "text_model.pooler.*",
};

ClipBinder *
clip_binder_new (GPtrArray *stored)
{
  ClipBinder *binder = g_new0 (ClipBinder, 1);

  binder->stored = stored;
  binder->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < stored->len; i++) {
    ClipStoredTensor *tensor = g_ptr_array_index (stored, i);
    g_hash_table_insert (binder->by_name, tensor->name, tensor);
  }
  binder->bound = g_ptr_array_new_with_free_func (g_free);
  binder->extents[CLIP_EXTENT_ONE] = 1;
  binder->extents[CLIP_EXTENT_THREE] = 3;
  binder->problems = g_string_new (NULL);
  return binder;
}

void
clip_binder_free (ClipBinder *binder)
{
  g_hash_table_unref (binder->by_name);
  g_clear_pointer (&binder->bound, g_ptr_array_unref);
  g_string_free (binder->problems, TRUE);
  g_free (binder);
}

void
clip_binder_set_extent (ClipBinder *binder, ClipExtent extent, guint64 size)
{
  binder->extents[extent] = size;
}

static void add_problem (ClipBinder *binder, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

static void
add_problem (ClipBinder *binder, const gchar *format, ...)
{
  va_list arguments;

  if (binder->n_problems++ >= MAX_LISTED_PROBLEMS)
    return;
  va_start (arguments, format);
  g_string_append (binder->problems, "; ");
  g_string_append_vprintf (binder->problems, format, arguments);
  va_end (arguments);
}

/* "[96 (width), 3]" (transfer full) */
static gchar *
describe_shape (const ClipTensor *tensor, const guint8 *shape)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < tensor->n_dims; i++) {
    const gchar *name = extent_names[shape[i]];
    g_string_append_printf (
        text, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "", tensor->dims[i]);
    if (name != NULL)
      g_string_append_printf (text, " (%s)", name);
  }
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

/* Whether @part has its share of @tensor's rows. Some files store a scalar as a
 * list of one. */
static gboolean
has_shape (
    const ClipStoredTensor *part, const ClipTensor *tensor, guint n_parts)
{
  if (tensor->n_dims == 0)
    return part->n_elements == 1 && part->n_dims <= 1;
  if (part->n_dims != tensor->n_dims ||
      part->dims[0] * n_parts != tensor->dims[0])
    return FALSE;
  return memcmp (part->dims + 1, tensor->dims + 1,
             (tensor->n_dims - 1) * sizeof *part->dims) == 0;
}

/* Returns: the stored tensor, or NULL with a problem noted */
static ClipStoredTensor *
find_part (ClipBinder *binder, const gchar *name, const ClipTensor *tensor,
    const ClipTensorName *row)
{
  ClipStoredTensor *part = g_hash_table_lookup (binder->by_name, name);
  const guint n_parts = 1 + (row->below[0] != NULL) + (row->below[1] != NULL);

  if (part == NULL) {
    add_problem (binder, "tensor '%s' is missing", name);
    return NULL;
  }
  part->is_used = TRUE;
  if (part->dtype == CLIP_DTYPE_OTHER) {
    add_problem (binder,
        "tensor '%s' is stored as %s; F32, F16, BF16 and F64 are supported",
        name, part->type);
    return NULL;
  }
  if (!has_shape (part, tensor, n_parts)) {
    g_autofree gchar *found = clip_dims_to_string (part->dims, part->n_dims);
    g_autofree gchar *wanted = describe_shape (tensor, row->shape);
    add_problem (binder, "tensor '%s' has the shape %s instead of %s%s", name,
        found, n_parts > 1 ? "its share of " : "", wanted);
    return NULL;
  }
  return part;
}

static void
bind_row (ClipBinder *binder, const gchar *prefix, const ClipTensorName *row,
    gpointer tower)
{
  const gchar *const names[] = { row->name, row->below[0], row->below[1] };
  const ClipTensor **slot = G_STRUCT_MEMBER_P (tower, row->slot);
  ClipTensor *tensor = g_new0 (ClipTensor, 1);
  gboolean is_complete = TRUE;

  tensor->n_elements = 1;
  for (guint i = 0; i < CLIP_TENSOR_MAX_DIMS && row->shape[i] != 0; i++) {
    tensor->dims[i] = binder->extents[row->shape[i]];
    tensor->n_dims++;
  }
  for (guint i = 0; i < G_N_ELEMENTS (names) && names[i] != NULL; i++) {
    g_autofree gchar *name = g_strconcat (prefix, names[i], NULL);
    tensor->parts[i] = find_part (binder, name, tensor, row);
    tensor->n_parts++;
    is_complete = is_complete && tensor->parts[i] != NULL;
  }
  /* Cannot overflow: the file is larger than what it stores. */
  for (guint i = 0; is_complete && i < tensor->n_dims; i++)
    tensor->n_elements *= tensor->dims[i];
  if (!row->is_statistic)
    binder->n_parameters += tensor->n_elements;
  g_ptr_array_add (binder->bound, tensor);
  *slot = tensor;
}

void
clip_binder_bind (ClipBinder *binder, const gchar *prefix,
    const ClipTensorName *names, gpointer tower)
{
  for (const ClipTensorName *row = names; row->name != NULL; row++) {
    g_assert (row == names || row->slot > row[-1].slot);
    bind_row (binder, prefix, row, tower);
  }
}

static gboolean
is_ignored (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (ignored_names); i++)
    if (g_pattern_match_simple (ignored_names[i], name))
      return TRUE;
  return FALSE;
}

GPtrArray *
clip_binder_finish (ClipBinder *binder, const gchar *config_path,
    const gchar *weights_path, guint64 *n_parameters, GError **error)
{
  for (guint i = 0; i < binder->stored->len; i++) {
    const ClipStoredTensor *stored = g_ptr_array_index (binder->stored, i);
    if (!stored->is_used && !is_ignored (stored->name)) {
      g_autofree gchar *printed = g_strescape (stored->name, NULL);
      add_problem (binder, "tensor '%.120s' is not known", printed);
    }
  }
  if (binder->n_problems > MAX_LISTED_PROBLEMS)
    g_string_append_printf (binder->problems, "; and %u more problems",
        binder->n_problems - MAX_LISTED_PROBLEMS);
  if (binder->n_problems > 0) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "'%s' is not the model that '%s' describes%s", weights_path,
        config_path, binder->problems->str);
    return NULL;
  }
  *n_parameters = binder->n_parameters;
  return g_steal_pointer (&binder->bound);
}
