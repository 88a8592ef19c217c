/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/shards.h"

#include "load/document.h"
#include "load/safetensors.h"

#include <string.h>

/* Each stays open. */
#define MAX_SHARDS 256

static const gchar map_key[] = "weight_map";

/* Text, where safetensors has the upper half of a number below 2^32. */
gboolean
clip_shards_is_index (const gchar head[8])
{
  static const gchar zeros[4] = { 0 };

  return head[0] == '{' && memcmp (head + 4, zeros, sizeof zeros) != 0;
}

/* Only a file of the same folder, whatever the system. */
static gboolean
is_plain_name (const gchar *name)
{
  return *name != '\0' && strpbrk (name, "/\\") == NULL &&
         strstr (name, "..") == NULL && !g_str_equal (name, ".");
}

static gboolean
add_shard (ClipWeights *weights, const ClipDocument *index, const gchar *name,
    GError **error)
{
  g_autofree gchar *folder = g_path_get_dirname (index->path);
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autoptr (GPtrArray) tensors = NULL;
  ClipFile *file = clip_file_open (path, error);

  if (file == NULL) {
    g_prefix_error (error, "'%s' names a file: ", index->path);
    return FALSE;
  }
  g_ptr_array_add (weights->files, file);
  tensors = clip_safetensors_read (file, error);
  if (tensors == NULL)
    return FALSE;
  for (guint i = 0; i < tensors->len; i++) {
    const ClipStoredTensor *stored = g_ptr_array_index (tensors, i);
    const gchar *wanted = json_string_value (
        json_object_get (clip_document_get (index, map_key), stored->name));

    if (g_strcmp0 (wanted, name) != 0) {
      g_autofree gchar *printed = g_strescape (stored->name, NULL);
      return clip_document_refuse (index, map_key, error,
          "has tensor '%.120s' %s%.80s, and it lies in %.80s", printed,
          wanted != NULL ? "in " : "nowhere", wanted != NULL ? wanted : "",
          name);
    }
  }
  g_ptr_array_extend_and_steal (weights->stored, g_steal_pointer (&tensors));
  return TRUE;
}

/* The files the index names, each once, in its order.
 *
 * Returns: (transfer container): NULL with CLIP_ERROR_MODEL */
static GPtrArray *
list_files (const ClipDocument *index, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  json_t *map = clip_document_get (index, map_key), *value;
  const gchar *name;

  if (!json_is_object (map) || json_object_size (map) == 0) {
    clip_document_refuse (
        index, map_key, error, "is missing, empty or not an object");
    return NULL;
  }
  json_object_foreach (map, name, value)
  {
    const gchar *file = json_string_value (value);

    if (file == NULL || !is_plain_name (file)) {
      g_autofree gchar *printed = g_strescape (file != NULL ? file : "", NULL);
      clip_document_refuse (index, map_key, error,
          "names '%.80s', which is not the name of a file in the same folder",
          printed);
      return NULL;
    }
    if (!g_ptr_array_find_with_equal_func (files, file, g_str_equal, NULL))
      g_ptr_array_add (files, (gpointer)file);
    if (files->len > MAX_SHARDS) {
      clip_document_refuse (
          index, map_key, error, "names more than %d files", MAX_SHARDS);
      return NULL;
    }
  }
  return g_steal_pointer (&files);
}

/* Every tensor that was read is in the index; whether all of the index were
 * read is left. */
static gboolean
prove_complete (
    const ClipWeights *weights, const ClipDocument *index, GError **error)
{
  g_autoptr (GHashTable) found = g_hash_table_new (g_str_hash, g_str_equal);
  json_t *map = clip_document_get (index, map_key), *value;
  const gchar *name;

  for (guint i = 0; i < weights->stored->len; i++) {
    const ClipStoredTensor *stored = g_ptr_array_index (weights->stored, i);
    g_hash_table_add (found, stored->name);
  }
  json_object_foreach (map, name, value)
  {
    g_autofree gchar *printed = g_strescape (name, NULL);

    if (!g_hash_table_contains (found, name))
      return clip_document_refuse (index, map_key, error,
          "has tensor '%.120s' in %.80s, which does not hold it", printed,
          json_string_value (value));
  }
  return TRUE;
}

gboolean
clip_shards_read (ClipWeights *weights, GError **error)
{
  const ClipFile *file = g_ptr_array_index (weights->files, 0);
  g_autoptr (ClipDocument) index = clip_document_open (file->path, error);
  g_autoptr (GPtrArray) files = NULL;

  if (index == NULL)
    return FALSE;
  files = list_files (index, error);
  if (files == NULL)
    return FALSE;
  weights->stored =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_stored_tensor_free);
  for (guint i = 0; i < files->len; i++)
    if (!add_shard (weights, index, g_ptr_array_index (files, i), error))
      return FALSE;
  return prove_complete (weights, index, error);
}

static gint
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(gchar *const *)a, *(gchar *const *)b);
}

GStrv
clip_shards_list (const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  g_autoptr (GPtrArray) shards = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_str_has_suffix (path, CLIP_SHARDS_INDEX_SUFFIX)
                             ? g_dir_open (folder, 0, NULL)
                             : NULL;
  const gchar *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".safetensors"))
      g_ptr_array_add (shards, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (shards, compare_strings);
  g_ptr_array_add (shards, NULL);
  return (GStrv)g_ptr_array_free (g_steal_pointer (&shards), FALSE);
}
