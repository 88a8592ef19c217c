/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "list.h"

#include "secrets.h"

#include "pipelines/advice.h"

#include <string.h>

#define DEFAULTS "defaults"
#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* as some editors put in front */
#define MAX_BYTES (4 * 1024 * 1024)    /* of a file that people write */

gchar *
camera_list_read (const gchar *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree gchar *text = NULL;
  gsize size = 0;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR) &&
      g_file_test (path, G_FILE_TEST_EXISTS)) {
    g_set_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_READ,
        "'%s' is no file: give the file that lists the cameras.", path);
    return NULL;
  }
  if (!g_file_get_contents (path, &text, &size, &reason)) {
    g_set_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_READ,
        "The cameras cannot be read: %s: give the file that lists them.",
        reason->message);
    return NULL;
  }
  if (size > MAX_BYTES || memchr (text, '\0', size) != NULL) {
    g_set_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_READ,
        "'%s' is no list of cameras: it has to be text of at most %d bytes.",
        path, MAX_BYTES);
    return NULL;
  }
  return g_steal_pointer (&text);
}

/* GKeyFile lets names and comments pass as they are, which are shown, and sent
 * as JSON. */
static gboolean
check_encoding (const gchar *text, const gchar *path, GError **error)
{
  const gchar *end;
  guint line = 1;

  if (g_utf8_validate (text, -1, &end))
    return TRUE;
  for (; text < end; text++)
    line += *text == '\n';
  g_set_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_SYNTAX,
      "%s, line %u is not UTF-8: save the file in UTF-8.", path, line);
  return FALSE;
}

/* GKeyFile would quietly make one camera of two groups with one name. */
static gboolean
check_groups (const gchar *text, const gchar *path, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; lines[i] != NULL; i++) {
    gchar *line = g_strstrip (lines[i]);
    gpointer first;

    if (*line != '[')
      continue;
    first = g_hash_table_lookup (seen, line);
    if (first != NULL) {
      g_set_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_SYNTAX,
          "%s, line %u: %s stands in line %u already: give each camera a name "
          "of its own.",
          path, i + 1, line, GPOINTER_TO_UINT (first));
      return FALSE;
    }
    g_hash_table_insert (seen, line, GUINT_TO_POINTER (i + 1));
  }
  return TRUE;
}

static gboolean
read_group (CameraPlan *plan, GKeyFile *file, const gchar *group,
    const gchar *path, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (file, group, NULL, NULL);
  g_autofree gchar *absolute = g_canonicalize_filename (path, NULL);
  g_autofree gchar *folder = g_path_get_dirname (absolute);

  if (g_strv_contains ((const gchar *const *)names, "prompts") &&
      g_strv_contains ((const gchar *const *)names, "prompts-file")) {
    g_set_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_VALUE,
        "%s: [%s] has both prompts and prompts-file: take one out.", path,
        group);
    return FALSE;
  }
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree gchar *value =
        g_key_file_get_value (file, group, names[i], NULL);
    g_autofree gchar *wanted = NULL, *shown = NULL;

    if (camera_plan_set (plan, names[i], g_strstrip (value), folder, &wanted))
      continue;
    shown = camera_secrets_hide (value);
    g_set_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_VALUE,
        "%s: [%s] %s = %s is not understood: write %s.", path, group, names[i],
        shown, wanted);
    return FALSE;
  }
  return TRUE;
}

static CameraPlan *
read_camera (GKeyFile *file, const gchar *group, const gchar *path,
    gboolean keyframes, GError **error)
{
  g_autoptr (CameraPlan) plan = camera_plan_new (group, keyframes);

  if (g_key_file_has_group (file, DEFAULTS) &&
      !read_group (plan, file, DEFAULTS, path, error))
    return NULL;
  if (!read_group (plan, file, group, path, error))
    return NULL;
  if (plan->uri == NULL) {
    g_set_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_VALUE,
        "%s: [%s] has no uri: add a line such as uri = "
        "rtsp://camera.local/stream.",
        path, group);
    return NULL;
  }
  return g_steal_pointer (&plan);
}

static gboolean
check_filter (GError **error)
{
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find ("clipfilter");
  g_autofree gchar *advice = NULL;

  if (factory != NULL)
    return TRUE;
  advice = tag_advise_element ("clipfilter");
  g_set_error_literal (
      error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN, advice);
  return FALSE;
}

static void
unref_plan (gpointer plan)
{
  camera_plan_unref (plan);
}

GPtrArray *
camera_list_parse (
    const gchar *text, const gchar *path, gboolean keyframes, GError **error)
{
  g_autoptr (GPtrArray) plans = g_ptr_array_new_with_free_func (unref_plan);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) reason = NULL;
  g_auto (GStrv) groups = NULL;

  if (g_str_has_prefix (text, BYTE_ORDER_MARK))
    text += strlen (BYTE_ORDER_MARK);
  if (!check_filter (error) || !check_encoding (text, path, error) ||
      !check_groups (text, path, error))
    return NULL;
  if (!g_key_file_load_from_data (
          file, text, strlen (text), G_KEY_FILE_NONE, &reason) &&
      strlen (text) > 0) {
    g_autofree gchar *shown = camera_secrets_hide (reason->message);

    g_set_error (error, CAMERA_LIST_ERROR, CAMERA_LIST_ERROR_SYNTAX,
        "%s: %s: write [name] on a line for each camera, and below it key = "
        "value.",
        path, shown);
    return NULL;
  }
  groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i] != NULL; i++) {
    CameraPlan *plan;

    if (g_strcmp0 (groups[i], DEFAULTS) == 0)
      continue;
    plan = read_camera (file, groups[i], path, keyframes, error);
    if (plan == NULL)
      return NULL;
    g_ptr_array_add (plans, plan);
  }
  return g_steal_pointer (&plans);
}

GPtrArray *
camera_list_get_files (const GPtrArray *plans)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < plans->len; i++) {
    const CameraPlan *plan = g_ptr_array_index (plans, i);
    const gchar *path = g_hash_table_lookup (plan->properties, "prompts-file");

    if (path != NULL &&
        !g_ptr_array_find_with_equal_func (files, path, g_str_equal, NULL))
      g_ptr_array_add (files, g_strdup (path));
  }
  return files;
}

CameraPlan *
camera_list_find (const GPtrArray *plans, const gchar *name)
{
  for (guint i = 0; i < plans->len; i++) {
    CameraPlan *plan = g_ptr_array_index (plans, i);

    if (g_strcmp0 (plan->name, name) == 0)
      return plan;
  }
  return NULL;
}

/* g_str_hash() is stated by GLib's documentation and does not change. */
guint
camera_list_get_share (const gchar *name, guint n)
{
  return g_str_hash (name) % n;
}
