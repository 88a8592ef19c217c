/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/state-dict.h"

#include "clip-error.h"

#include <string.h>

/* TorchScript's modules in each other. */
#define MAX_DEPTH 64

/* Attributes looked at: values can be shared, so that a pickle of a few bytes
 * can describe a tree without end. */
#define MAX_VISITS 1000000

/* A name is the path to a tensor. */
#define MAX_NAME 4096

G_STATIC_ASSERT (CLIP_PICKLE_MAX_DIMS == CLIP_STORED_MAX_DIMS);

static const gchar inner_key[] = "state_dict";

typedef struct {
  const ClipStorages *storages;
  GHashTable *located; /* const ClipPickleStorage * to ClipStorage */
  GHashTable *names;   /* of @tensors */
  GPtrArray *tensors;
  guint n_visits;
} Reader;

static gboolean refuse_tensor (const Reader *reader, const gchar *name,
    GError **error, const gchar *format, ...) G_GNUC_PRINTF (4, 5);

static gboolean
refuse_tensor (const Reader *reader, const gchar *name, GError **error,
    const gchar *format, ...)
{
  g_autofree gchar *printed = g_strescape (name, NULL);
  g_autofree gchar *reason = NULL;
  va_list arguments;

  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "'%s' is not a valid PyTorch file: tensor '%.120s' %s",
      reader->storages->file->path, printed, reason);
  return FALSE;
}

/* No element twice: in each dimension, a step leads over all that the
 * dimensions of smaller steps reach. */
static gboolean
is_distinct (const ClipPickleTensor *tensor)
{
  guint order[CLIP_PICKLE_MAX_DIMS], n = 0;
  guint64 reach = 0;

  for (guint i = 0; i < tensor->n_dims; i++) {
    guint at = n;

    if (tensor->dims[i] < 2)
      continue;
    for (; at > 0 && tensor->strides[order[at - 1]] > tensor->strides[i]; at--)
      order[at] = order[at - 1];
    order[at] = i;
    n++;
  }
  for (guint i = 0; i < n; i++) {
    if (tensor->strides[order[i]] <= reach)
      return FALSE;
    reach += (tensor->dims[order[i]] - 1) * tensor->strides[order[i]];
  }
  return TRUE;
}

/* Returns: the broken rule, static, or NULL */
static const gchar *
find_fault (const ClipPickleTensor *tensor, guint64 *n_elements)
{
  guint64 last = tensor->offset;
  gboolean fits = TRUE;

  *n_elements = 1;
  for (guint i = 0; i < tensor->n_dims; i++)
    if (!g_uint64_checked_mul (n_elements, *n_elements, tensor->dims[i]))
      return "has more elements than can be counted";
  if (*n_elements == 0)
    return NULL;
  for (guint i = 0; i < tensor->n_dims; i++) {
    guint64 reach;
    fits = fits &&
           g_uint64_checked_mul (
               &reach, tensor->dims[i] - 1, tensor->strides[i]) &&
           g_uint64_checked_add (&last, last, reach);
  }
  if (!fits || last >= tensor->storage->n_elements)
    return "reaches beyond the end of its storage";
  return is_distinct (tensor)
             ? NULL
             : "has the same element of its storage at two places";
}

/* The offset of a tensor without elements means nothing. */
static void
place (ClipStoredTensor *stored, const ClipPickleTensor *tensor)
{
  guint64 dense = 1;

  stored->offset = stored->storage->offset;
  if (stored->n_elements == 0)
    return;
  stored->offset += tensor->offset * tensor->storage->type->size;
  for (guint i = tensor->n_dims; i-- > 0;) {
    if (tensor->dims[i] > 1 && tensor->strides[i] != dense)
      stored->is_strided = TRUE;
    dense *= tensor->dims[i];
  }
}

/* Returns: (transfer full): NULL with an error */
static ClipStorage *
locate (Reader *reader, const gchar *name, const ClipPickleStorage *wanted,
    GError **error)
{
  ClipStorage *storage = g_hash_table_lookup (reader->located, wanted);
  guint64 size;

  if (storage != NULL)
    return clip_storage_ref (storage);
  storage =
      reader->storages->locate (reader->storages->container, wanted, error);
  if (storage == NULL)
    return NULL;
  g_hash_table_insert (reader->located, (gpointer)wanted, storage);
  if (!g_uint64_checked_mul (&size, wanted->n_elements, wanted->type->size) ||
      size != storage->size) {
    refuse_tensor (reader, name, error,
        "lies in storage '%s' of %" G_GUINT64_FORMAT " elements of %s, and the "
        "file has %" G_GUINT64_FORMAT " bytes of it",
        wanted->key, wanted->n_elements, wanted->type->type, storage->size);
    return NULL;
  }
  return clip_storage_ref (storage);
}

static gboolean
add_tensor (Reader *reader, const gchar *name, const ClipPickleTensor *tensor,
    GError **error)
{
  ClipStoredTensor *stored = g_new0 (ClipStoredTensor, 1);
  const gchar *fault;

  g_ptr_array_add (reader->tensors, stored);
  stored->name = g_strdup (name);
  stored->file = reader->storages->file;
  stored->type = tensor->storage->type->type;
  stored->dtype = tensor->storage->type->dtype;
  stored->n_dims = tensor->n_dims;
  memcpy (stored->dims, tensor->dims, sizeof stored->dims);
  memcpy (stored->strides, tensor->strides, sizeof stored->strides);
  if (!g_hash_table_add (reader->names, stored->name))
    return refuse_tensor (reader, name, error, "is there twice");
  if ((fault = find_fault (tensor, &stored->n_elements)) != NULL)
    return refuse_tensor (reader, name, error, "%s", fault);
  stored->storage = locate (reader, name, tensor->storage, error);
  if (stored->storage == NULL)
    return FALSE;
  place (stored, tensor);
  return TRUE;
}

/* @values: a dict, or an object with its attributes; what is neither a tensor
 * nor an object says nothing about weights
 * @path: the name up to here, restored on return */
static gboolean
visit (Reader *reader, const ClipPickleValue *values, GString *path,
    guint depth, GError **error)
{
  const gsize length = path->len;

  for (guint i = 0; i < values->n; i += 2) {
    const ClipPickleValue *key = values->items[i],
                          *value = values->items[i + 1];
    const gboolean is_tensor = value->kind == CLIP_PICKLE_TENSOR;

    if (++reader->n_visits > MAX_VISITS)
      return refuse_tensor (reader, path->str, error,
          "is one of a tree of more than %d values", MAX_VISITS);
    if (key->kind != CLIP_PICKLE_STRING ||
        (!is_tensor && value->kind != CLIP_PICKLE_OBJECT))
      continue;
    g_string_append_len (path, key->string, key->n);
    if (path->len > MAX_NAME || depth >= MAX_DEPTH)
      return refuse_tensor (reader, path->str, error,
          "has a name of more than %d bytes, or lies more than %d deep",
          MAX_NAME, MAX_DEPTH);
    if (is_tensor && !add_tensor (reader, path->str, value->tensor, error))
      return FALSE;
    if (!is_tensor &&
        !visit (reader, value, g_string_append_c (path, '.'), depth + 1, error))
      return FALSE;
    g_string_truncate (path, length);
  }
  return TRUE;
}

GPtrArray *
clip_state_dict_read (
    const ClipStorages *storages, const ClipPickleValue *root, GError **error)
{
  g_autoptr (GPtrArray) tensors =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_stored_tensor_free);
  g_autoptr (GHashTable) located = g_hash_table_new_full (
      NULL, NULL, NULL, (GDestroyNotify)clip_storage_unref);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GString) path = g_string_new (NULL);
  Reader reader = { storages, located, names, tensors };
  const ClipPickleValue *inner = root->kind == CLIP_PICKLE_DICT
                                     ? clip_pickle_value_get (root, inner_key)
                                     : NULL;

  root = inner != NULL ? inner : root;
  if (root->kind != CLIP_PICKLE_DICT && root->kind != CLIP_PICKLE_OBJECT) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "'%s' holds no state dict: what was saved is neither a dict nor an "
        "object of TorchScript",
        storages->file->path);
    return NULL;
  }
  if (!visit (&reader, root, path, 0, error))
    return NULL;
  return g_steal_pointer (&tensors);
}
