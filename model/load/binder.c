/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/binder.h"

#include "clip-error.h"

#include <string.h>

#define MAX_LISTED_PROBLEMS 5

struct _ClipBinder {
  const ClipInventory *inventory;
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
  [CLIP_EXTENT_PATCH] = "patch",
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
clip_binder_new (const ClipInventory *inventory)
{
  ClipBinder *binder = g_new0 (ClipBinder, 1);

  binder->inventory = inventory;
  binder->bound = g_ptr_array_new_with_free_func (g_free);
  binder->extents[CLIP_EXTENT_ONE] = 1;
  binder->extents[CLIP_EXTENT_THREE] = 3;
  binder->problems = g_string_new (NULL);
  return binder;
}

void
clip_binder_free (ClipBinder *binder)
{
  g_clear_pointer (&binder->bound, g_ptr_array_unref);
  g_string_free (binder->problems, TRUE);
  g_free (binder);
}

const ClipInventory *
clip_binder_get_inventory (const ClipBinder *binder)
{
  return binder->inventory;
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

/* What the file should have: the parts of one tensor, each @n_parts-th of it.
 */
typedef struct {
  guint n_dims;
  guint n_parts;
  guint64 dims[CLIP_TENSOR_MAX_DIMS];
  guint8 roles[CLIP_TENSOR_MAX_DIMS]; /* ClipExtent */
} Expected;

static Expected
expect (const ClipBinder *binder, const ClipTensorName *row,
    const ClipSpelling *spelling)
{
  Expected expected = { 0 };

  while (expected.n_dims < CLIP_TENSOR_MAX_DIMS &&
         row->shape[expected.n_dims] != CLIP_EXTENT_NONE)
    expected.n_dims++;
  while (expected.n_parts < CLIP_TENSOR_MAX_PARTS &&
         spelling->parts[expected.n_parts] != NULL)
    expected.n_parts++;
  for (guint i = 0; i < expected.n_dims; i++) {
    const guint from = spelling->is_transposed ? expected.n_dims - 1 - i : i;
    expected.roles[i] = row->shape[from];
    expected.dims[i] = binder->extents[row->shape[from]];
  }
  return expected;
}

/* "[96 (width), 3]" (transfer full) */
static gchar *
describe_shape (const Expected *expected)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < expected->n_dims; i++) {
    const gchar *name = extent_names[expected->roles[i]];
    g_string_append_printf (
        text, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "", expected->dims[i]);
    if (name != NULL)
      g_string_append_printf (text, " (%s)", name);
  }
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

/* Whether @part has its share of the rows. Some files store a scalar as a list
 * of one. */
static gboolean
has_shape (const ClipStoredTensor *part, const Expected *expected)
{
  if (expected->n_dims == 0)
    return part->n_elements == 1 && part->n_dims <= 1;
  if (part->n_dims != expected->n_dims ||
      part->dims[0] * expected->n_parts != expected->dims[0])
    return FALSE;
  return memcmp (part->dims + 1, expected->dims + 1,
             (expected->n_dims - 1) * sizeof *part->dims) == 0;
}

/* Returns: the stored tensor, or NULL with a problem noted */
static ClipStoredTensor *
find_part (ClipBinder *binder, const gchar *key, const Expected *expected)
{
  ClipStoredTensor *part = clip_inventory_find (binder->inventory, key);

  if (part == NULL) {
    add_problem (binder, "tensor '%s' is missing", key);
    return NULL;
  }
  part->is_used = TRUE;
  if (part->dtype == CLIP_DTYPE_OTHER) {
    add_problem (binder,
        "tensor '%s' is stored as %s; F32, F16, BF16 and F64 are supported",
        part->name, part->type);
    return NULL;
  }
  if (!has_shape (part, expected)) {
    g_autofree gchar *found = clip_dims_to_string (part->dims, part->n_dims);
    g_autofree gchar *wanted = describe_shape (expected);
    add_problem (binder, "tensor '%s' has the shape %s instead of %s%s",
        part->name, found, expected->n_parts > 1 ? "its share of " : "",
        wanted);
    return NULL;
  }
  return part;
}

static void
bind_row (ClipBinder *binder, const gchar *prefix, const ClipTensorName *row,
    gpointer tower)
{
  const ClipSpelling *spelling = &row->spellings[binder->inventory->naming];
  const Expected expected = expect (binder, row, spelling);
  const ClipTensor **slot = G_STRUCT_MEMBER_P (tower, row->slot);
  ClipTensor *tensor = g_new0 (ClipTensor, 1);
  gboolean is_complete = TRUE;

  tensor->n_elements = 1;
  tensor->n_dims = expected.n_dims;
  tensor->n_parts = expected.n_parts;
  tensor->is_transposed = spelling->is_transposed;
  for (guint i = 0; i < expected.n_parts; i++) {
    g_autofree gchar *key = g_strconcat (prefix, spelling->parts[i], NULL);
    tensor->parts[i] = find_part (binder, key, &expected);
    is_complete = is_complete && tensor->parts[i] != NULL;
  }
  for (guint i = 0; i < tensor->n_dims; i++) {
    tensor->dims[i] = binder->extents[row->shape[i]];
    /* Cannot overflow: the file is larger than what it stores. */
    if (is_complete)
      tensor->n_elements *= tensor->dims[i];
  }
  if (!row->is_statistic)
    binder->n_parameters += tensor->n_elements;
  g_ptr_array_add (binder->bound, tensor);
  *slot = tensor;
}

void
clip_binder_bind (ClipBinder *binder, const gchar *prefix,
    const ClipTensorName *names, gpointer tower)
{
  for (const ClipTensorName *row = names;
       row->spellings[CLIP_NAMING_CANONICAL].parts[0] != NULL; row++) {
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

static void
set_problems_error (
    const ClipBinder *binder, const gchar *config_path, GError **error)
{
  const gchar *path = binder->inventory->path;

  if (config_path != NULL)
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "'%s' is not the model that '%s' describes%s", path, config_path,
        binder->problems->str);
  else
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "'%s' is not a whole model%s", path, binder->problems->str);
}

GPtrArray *
clip_binder_finish (ClipBinder *binder, const gchar *config_path,
    guint64 *n_parameters, GError **error)
{
  const GPtrArray *all = binder->inventory->stored;

  for (guint i = 0; i < all->len; i++) {
    const ClipStoredTensor *stored = g_ptr_array_index (all, i);
    if (!stored->is_used && !is_ignored (stored->key)) {
      g_autofree gchar *printed = g_strescape (stored->name, NULL);
      add_problem (binder, "tensor '%.120s' is not known", printed);
    }
  }
  if (binder->n_problems > MAX_LISTED_PROBLEMS)
    g_string_append_printf (binder->problems, "; and %u more problems",
        binder->n_problems - MAX_LISTED_PROBLEMS);
  if (binder->n_problems > 0) {
    set_problems_error (binder, config_path, error);
    return NULL;
  }
  *n_parameters = binder->n_parameters;
  return g_steal_pointer (&binder->bound);
}
