/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/safetensors.h"

#include "clip-error.h"
#include "load/document.h"

#define FORMAT "safetensors file"

#define PREFIX_SIZE 8 /* of the header's length */

/* huggingface/safetensors tensor.rs, MAX_HEADER_SIZE */
#define MAX_HEADER_SIZE 100000000

/* Of a tensor's name as it is printed. */
#define MAX_PRINTED_NAME 120

static const ClipJsonLimits header_limits = {
  .max_depth = 4,
  .max_string = 4096,
  .max_values = 1000000,
  .unsigned_only = TRUE,
};

static const struct {
  const gchar *name;
  guint n_bits;
  ClipDtype dtype;
} types[] = {
  { "F32", 32, CLIP_DTYPE_F32 },
  { "F16", 16, CLIP_DTYPE_F16 },
  { "BF16", 16, CLIP_DTYPE_BF16 },
  { "F64", 64, CLIP_DTYPE_F64 },
  { "BOOL", 8, CLIP_DTYPE_OTHER },
  { "U8", 8, CLIP_DTYPE_OTHER },
  { "I8", 8, CLIP_DTYPE_OTHER },
  { "U16", 16, CLIP_DTYPE_OTHER },
  { "I16", 16, CLIP_DTYPE_OTHER },
  { "U32", 32, CLIP_DTYPE_OTHER },
  { "I32", 32, CLIP_DTYPE_OTHER },
  { "U64", 64, CLIP_DTYPE_OTHER },
  { "I64", 64, CLIP_DTYPE_OTHER },
  { "C64", 64, CLIP_DTYPE_OTHER },
  { "F8_E4M3", 8, CLIP_DTYPE_OTHER },
  { "F8_E5M2", 8, CLIP_DTYPE_OTHER },
  { "F8_E8M0", 8, CLIP_DTYPE_OTHER },
  { "F8_E4M3FNUZ", 8, CLIP_DTYPE_OTHER },
  { "F8_E5M2FNUZ", 8, CLIP_DTYPE_OTHER },
  { "F6_E2M3", 6, CLIP_DTYPE_OTHER },
  { "F6_E3M2", 6, CLIP_DTYPE_OTHER },
  { "F4", 4, CLIP_DTYPE_OTHER },
};

/* A tensor and where the header says it lies, from the data's start. */
typedef struct {
  ClipStoredTensor *stored;
  guint64 begin, end;
} Entry;

static gboolean
refuse_tensor (
    const ClipFile *file, const gchar *name, const gchar *rule, GError **error)
{
  g_autofree gchar *start = g_strndup (name, MAX_PRINTED_NAME);
  g_autofree gchar *valid = g_utf8_make_valid (start, -1);
  g_autofree gchar *printed = g_strescape (valid, NULL);

  return clip_file_refuse (
      file, FORMAT, error, "tensor '%s': %s", printed, rule);
}

/* The header's text, whose length was proven against the file's before a byte
 * was allocated for it. */
static gchar *
read_header (const ClipFile *file, gsize *size, GError **error)
{
  g_autofree gchar *header = NULL;
  guint64 n;

  if (file->size < PREFIX_SIZE) {
    clip_file_refuse (file, FORMAT, error,
        "it has %" G_GUINT64_FORMAT
        " bytes, and the header's length alone takes %d",
        file->size, PREFIX_SIZE);
    return NULL;
  }
  if (!clip_file_read_at (file, 0, &n, sizeof n, error))
    return NULL;
  if (n > MAX_HEADER_SIZE) {
    clip_file_refuse (file, FORMAT, error,
        "its header would have %" G_GUINT64_FORMAT " bytes; at most %d are "
        "allowed",
        n, MAX_HEADER_SIZE);
    return NULL;
  }
  if (n > file->size - PREFIX_SIZE) {
    clip_file_refuse (file, FORMAT, error,
        "its header would have %" G_GUINT64_FORMAT
        " bytes, and the file ends after %" G_GUINT64_FORMAT,
        n, file->size - PREFIX_SIZE);
    return NULL;
  }
  header = g_malloc (n + 1);
  if (!clip_file_read_at (file, PREFIX_SIZE, header, n, error))
    return NULL;
  if (n == 0 || header[0] != '{') {
    clip_file_refuse (
        file, FORMAT, error, "its header does not begin with '{'");
    return NULL;
  }
  *size = n;
  return g_steal_pointer (&header);
}

static const gchar *
parse_type (const json_t *value, Entry *entry, guint64 *n_bits)
{
  const gchar *name = json_string_value (value);

  if (name == NULL)
    return "\"dtype\" is missing or not a string";
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (name, types[i].name)) {
      entry->stored->type = types[i].name;
      entry->stored->dtype = types[i].dtype;
      *n_bits = types[i].n_bits;
      return NULL;
    }
  return "its \"dtype\" is not known";
}

static const gchar *
parse_shape (const json_t *value, Entry *entry)
{
  ClipStoredTensor *stored = entry->stored;

  if (!json_is_array (value))
    return "\"shape\" is missing or not an array";
  if (json_array_size (value) > CLIP_STORED_MAX_DIMS)
    return "\"shape\" has more than 8 dimensions";
  stored->n_dims = (guint)json_array_size (value);
  stored->n_elements = 1;
  for (guint i = 0; i < stored->n_dims; i++) {
    const json_t *dim = json_array_get (value, i);

    if (!json_is_integer (dim))
      return "\"shape\" holds something other than whole numbers";
    stored->dims[i] = (guint64)json_integer_value (dim);
    if (!g_uint64_checked_mul (
            &stored->n_elements, stored->n_elements, stored->dims[i]))
      return "the product of \"shape\" is too large";
  }
  return NULL;
}

static const gchar *
parse_offsets (const json_t *value, Entry *entry)
{
  const json_t *begin = json_array_get (value, 0);
  const json_t *end = json_array_get (value, 1);

  if (json_array_size (value) != 2 || !json_is_integer (begin) ||
      !json_is_integer (end))
    return "\"data_offsets\" is missing or not two whole numbers";
  entry->begin = (guint64)json_integer_value (begin);
  entry->end = (guint64)json_integer_value (end);
  if (entry->end < entry->begin)
    return "\"data_offsets\" end before they begin";
  return NULL;
}

/* Returns: the broken rule, static, or NULL */
static const gchar *
parse_entry (const json_t *value, Entry *entry)
{
  const gchar *rule;
  guint64 n_bits = 0;

  if (!json_is_object (value))
    return "what describes it is not an object";
  if ((rule = parse_type (json_object_get (value, "dtype"), entry, &n_bits)) ||
      (rule = parse_shape (json_object_get (value, "shape"), entry)) ||
      (rule = parse_offsets (json_object_get (value, "data_offsets"), entry)))
    return rule;
  if (json_object_size (value) != 3)
    return "it has other fields than \"dtype\", \"shape\" and "
           "\"data_offsets\"";
  if (!g_uint64_checked_mul (&n_bits, n_bits, entry->stored->n_elements))
    return "the size of \"shape\" times \"dtype\" is too large";
  if (n_bits % 8 != 0)
    return "its size is not a whole number of bytes";
  if (n_bits / 8 != entry->end - entry->begin)
    return "\"shape\" times \"dtype\" is not the length of \"data_offsets\"";
  return NULL;
}

static gboolean
prove_metadata (const ClipFile *file, json_t *metadata, GError **error)
{
  const gchar *key;
  json_t *value;

  if (!json_is_object (metadata))
    return clip_file_refuse (
        file, FORMAT, error, "\"__metadata__\" is not an object");
  json_object_foreach (metadata, key, value)
  {
    if (!json_is_string (value))
      return clip_file_refuse (file, FORMAT, error,
          "\"__metadata__\" holds something other than strings");
  }
  return TRUE;
}

/* Fills @tensors in the header's order and @entries with them. */
static gboolean
parse_header (const ClipFile *file, json_t *root, GPtrArray *tensors,
    GArray *entries, GError **error)
{
  const gchar *name;
  json_t *value;

  json_object_foreach (root, name, value)
  {
    Entry entry = { NULL };
    const gchar *rule;

    if (g_str_equal (name, "__metadata__")) {
      if (!prove_metadata (file, value, error))
        return FALSE;
      continue;
    }
    entry.stored = g_new0 (ClipStoredTensor, 1);
    entry.stored->name = g_strdup (name);
    entry.stored->file = file;
    g_ptr_array_add (tensors, entry.stored);
    if ((rule = parse_entry (value, &entry)) != NULL)
      return refuse_tensor (file, name, rule, error);
    g_array_append_val (entries, entry);
  }
  return TRUE;
}

static gint
compare_places (gconstpointer a, gconstpointer b)
{
  const Entry *first = a, *second = b;

  if (first->begin != second->begin)
    return first->begin < second->begin ? -1 : 1;
  return (first->end > second->end) - (first->end < second->end);
}

/* The data is filled from its first byte to the file's last, each byte once. */
static gboolean
place (
    const ClipFile *file, guint64 data_start, GArray *entries, GError **error)
{
  guint64 end = 0;

  g_array_sort (entries, compare_places);
  for (guint i = 0; i < entries->len; i++) {
    const Entry *entry = &g_array_index (entries, Entry, i);

    if (entry->begin != end)
      return refuse_tensor (file, entry->stored->name,
          entry->begin > end
              ? "there is a hole between it and the tensor before it"
              : "it overlaps the tensor before it",
          error);
    if (entry->end > file->size - data_start)
      return refuse_tensor (
          file, entry->stored->name, "it ends after the file does", error);
    entry->stored->offset = data_start + entry->begin;
    end = entry->end;
  }
  if (end != file->size - data_start)
    return clip_file_refuse (file, FORMAT, error,
        "%" G_GUINT64_FORMAT " bytes follow the last tensor",
        file->size - data_start - end);
  return TRUE;
}

GPtrArray *
clip_safetensors_read (const ClipFile *file, GError **error)
{
  g_autoptr (GPtrArray) tensors =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_stored_tensor_free);
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_autofree gchar *header = NULL;
  json_auto_t *root = NULL;
  gsize size = 0;

  header = read_header (file, &size, error);
  if (header == NULL)
    return NULL;
  root = clip_json_parse (file->path, header, size, &header_limits, error);
  if (root == NULL || !parse_header (file, root, tensors, entries, error) ||
      !place (file, PREFIX_SIZE + size, entries, error))
    return NULL;
  return g_steal_pointer (&tensors);
}
