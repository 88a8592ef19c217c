/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/document.h"

#include "clip-error.h"
#include "load/file.h"

#define MAX_CONFIG_SIZE (1024 * 1024)

static const ClipJsonLimits config_limits = {
  .max_depth = 16,
  .max_string = 65536,
  .max_values = 65536,
};

/* Past the closing quote of the string that begins at @text[@at], or past the
 * end where there is none, which the parser then says. */
static gsize
skip_string (const gchar *text, gsize size, gsize at)
{
  for (at++; at < size && text[at] != '"'; at++)
    if (text[at] == '\\')
      at++;
  return at + 1;
}

/* Proves the bounds on the bare bytes, since a parser allocates and recurses as
 * it goes. Anything else that is wrong is left to it. */
static const gchar *
find_broken_limit (const gchar *text, gsize size, const ClipJsonLimits *limits)
{
  gsize depth = 0, n_values = 0;

  for (gsize i = 0; i < size; i++)
    switch (text[i]) {
    case '"': {
      gsize end = skip_string (text, size, i);
      if (end - i - 2 > limits->max_string)
        return "a string is too long";
      i = end - 1;
      break;
    }
    case '{':
    case '[':
      if (++depth > limits->max_depth)
        return "objects and arrays are nested too deep";
      break;
    case '}':
    case ']':
      depth -= depth > 0;
      break;
    case ',':
      if (++n_values > limits->max_values)
        return "it holds too many values";
      break;
    case '-':
      if (limits->unsigned_only)
        return "a number is negative";
      break;
    }
  return NULL;
}

json_t *
clip_json_parse (const gchar *path, const gchar *text, gsize size,
    const ClipJsonLimits *limits, GError **error)
{
  const gchar *broken = find_broken_limit (text, size, limits);
  json_error_t problem;
  json_t *root;

  if (broken != NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "'%s' holds JSON that is refused: %s", path, broken);
    return NULL;
  }
  root = json_loadb (text, size, JSON_REJECT_DUPLICATES, &problem);
  if (root == NULL) {
    g_autofree gchar *reason = g_utf8_make_valid (problem.text, -1);
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "'%s' does not hold valid JSON: %s at line %d, column %d", path, reason,
        problem.line, problem.column);
    return NULL;
  }
  if (!json_is_object (root)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "'%s' holds JSON that is not an object", path);
    json_decref (root);
    return NULL;
  }
  return root;
}

ClipDocument *
clip_document_open (const gchar *path, GError **error)
{
  g_autoptr (ClipFile) file = clip_file_open (path, error);
  g_autofree gchar *text = NULL;
  ClipDocument *document;
  json_t *root;

  if (file == NULL)
    return NULL;
  if (file->size > MAX_CONFIG_SIZE) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
        "'%s' has %" G_GUINT64_FORMAT " bytes; a configuration has at most %d",
        path, file->size, MAX_CONFIG_SIZE);
    return NULL;
  }
  text = g_malloc (file->size);
  if (!clip_file_read_at (file, 0, text, file->size, error))
    return NULL;
  root = clip_json_parse (path, text, file->size, &config_limits, error);
  if (root == NULL)
    return NULL;
  document = g_new0 (ClipDocument, 1);
  document->path = g_strdup (path);
  document->root = root;
  return document;
}

gboolean
clip_document_open_optional (const gchar *folder, const gchar *name,
    ClipDocument **document, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) problem = NULL;

  *document = clip_document_open (path, &problem);
  if (*document != NULL ||
      g_error_matches (problem, CLIP_ERROR, CLIP_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

void
clip_document_free (ClipDocument *document)
{
  if (document == NULL)
    return;
  json_decref (document->root);
  g_free (document->path);
  g_free (document);
}

json_t *
clip_document_get (const ClipDocument *document, const gchar *key)
{
  json_t *value = json_object_get (document->root, key);

  return json_is_null (value) ? NULL : value;
}

gboolean
clip_document_refuse (const ClipDocument *document, const gchar *key,
    GError **error, const gchar *format, ...)
{
  g_autofree gchar *reason = NULL;
  va_list arguments;

  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL, "'%s': \"%s%s%s\" %s",
      document->path, document->section != NULL ? document->section : "",
      document->section != NULL ? "." : "", key, reason);
  return FALSE;
}

gboolean
clip_document_get_number (const ClipDocument *document, const gchar *key,
    const json_t *value, const ClipRange *range, guint *number, GError **error)
{
  json_int_t found;

  if (value == NULL)
    return clip_document_refuse (document, key, error, "is missing");
  if (!json_is_integer (value))
    return clip_document_refuse (document, key, error, "is not a whole number");
  found = json_integer_value (value);
  if (found < range->min || found > range->max)
    return clip_document_refuse (document, key, error,
        "is %" JSON_INTEGER_FORMAT "; it must be %u to %u", found, range->min,
        range->max);
  *number = (guint)found;
  return TRUE;
}

gboolean
clip_document_get_boolean (const ClipDocument *document, const gchar *key,
    gboolean fallback, gboolean *value, GError **error)
{
  json_t *found = clip_document_get (document, key);

  if (found != NULL && !json_is_boolean (found))
    return clip_document_refuse (
        document, key, error, "is neither true nor false");
  *value = found != NULL ? json_is_true (found) : fallback;
  return TRUE;
}

gboolean
clip_document_read_numbers (const ClipDocument *document,
    const ClipNumberKey *keys, guint n_keys, gpointer record, GError **error)
{
  for (guint i = 0; i < n_keys; i++) {
    const json_t *value = clip_document_get (document, keys[i].key);
    guint *number = G_STRUCT_MEMBER_P (record, keys[i].slot);

    if (value == NULL && keys[i].fallback != 0)
      *number = keys[i].fallback;
    else if (!clip_document_get_number (
                 document, keys[i].key, value, &keys[i].range, number, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
clip_document_enter (const ClipDocument *document, const gchar *name,
    ClipDocument *section, GError **error)
{
  g_auto (GStrv) keys = g_strsplit (name, ".", -1);

  *section = (ClipDocument){ document->path, document->root, NULL };
  for (guint i = 0; keys[i] != NULL; i++) {
    section->root = clip_document_get (section, keys[i]);
    if (section->root != NULL && !json_is_object (section->root))
      return clip_document_refuse (document, name, error, "is not an object");
  }
  section->section = name;
  return TRUE;
}
