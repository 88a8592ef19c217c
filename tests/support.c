/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "support.h"

#include <math.h>
#include <string.h>

gchar *
test_shared (const gchar *relative)
{
  const gchar *folder = g_getenv ("CLIPFILTER_SHARED");
  g_autofree gchar *beside = NULL;
  g_autofree gchar *path = NULL;

  if (folder == NULL) {
    beside = test_source ("../../shared");
    folder = beside;
  }
  path = g_build_filename (folder, relative, NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS) ? g_steal_pointer (&path)
                                                : NULL;
}

gchar *
test_shared_or_skip (const gchar *relative)
{
  gchar *path = test_shared (relative);

  if (path == NULL) {
    g_autofree gchar *reason = g_strdup_printf (
        "%s is not here: set CLIPFILTER_SHARED to the folder of goldens",
        relative);
    g_test_skip (reason);
  }
  return path;
}

gchar *
test_source (const gchar *relative)
{
  const gchar *folder = g_getenv ("CLIPFILTER_TEST_SRCDIR");

  return g_build_filename (folder != NULL ? folder : "tests", relative, NULL);
}

gdouble
test_relative_l2 (const gfloat *a, const gfloat *b, gsize n)
{
  gdouble difference = 0, norm = 0;

  for (gsize i = 0; i < n; i++) {
    gdouble d = (gdouble)a[i] - b[i];
    difference += d * d;
    norm += (gdouble)b[i] * b[i];
  }
  return sqrt (difference) / sqrt (norm);
}

gdouble
test_max_difference (const gfloat *a, const gfloat *b, gsize n, gsize *index)
{
  gdouble largest = 0;
  gsize where = 0;

  for (gsize i = 0; i < n; i++) {
    gdouble d = fabs ((gdouble)a[i] - b[i]);
    if (!(d <= largest)) {
      largest = d;
      where = i;
    }
  }
  if (index != NULL)
    *index = where;
  return largest;
}

static guint32
fnv1a (const gchar *name)
{
  guint32 hash = 2166136261u;

  for (; *name != '\0'; name++)
    hash = (hash ^ (guint8)*name) * 16777619u;
  return hash;
}

gfloat
test_uniform (guint32 index, const gchar *name)
{
  guint32 hash = index * 2654435761u + fnv1a (name);

  hash ^= hash >> 15;
  hash *= 2246822519u;
  hash ^= hash >> 13;
  hash *= 3266489917u;
  hash ^= hash >> 16;
  return (gfloat)((hash >> 8) * 0x1p-23 - 1.0);
}

/* The weight of a LayerNorm or a BatchNorm, by the last parts of its name.
 * Asked for every value of a model, so it allocates nothing. */
static gboolean
is_norm_weight (const gchar *name)
{
  const gchar *weight = g_str_has_suffix (name, ".weight")
                            ? name + strlen (name) - strlen (".weight")
                            : NULL;
  const gchar *part = weight;

  if (weight == NULL)
    return FALSE;
  while (part > name && part[-1] != '.')
    part--;
  return g_str_has_prefix (part, "ln_") || g_str_has_prefix (part, "bn") ||
         g_str_has_prefix (part, "LayerNorm.") ||
         g_str_has_suffix (name, "downsample.1.weight");
}

gfloat
test_tensor_value (const gchar *name, guint n_dims, guint32 index)
{
  gfloat u = test_uniform (index, name);

  if (g_str_equal (name, "logit_scale"))
    return (gfloat)log (1 / 0.07);
  if (g_str_has_suffix (name, "running_mean"))
    return u / 8;
  if (g_str_has_suffix (name, "running_var"))
    return 1 + u / 4;
  if (is_norm_weight (name))
    return 1 + u / 8;
  if (g_str_has_suffix (name, "bias"))
    return u / 16;
  if (strstr (name, "positional_embedding") != NULL ||
      strstr (name, "position_embeddings") != NULL)
    return u / 4;
  if (n_dims == 4)
    return u / 4;
  return u / 8;
}

guint
test_count_entries (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  if (dir == NULL)
    g_error ("'%s' cannot be read", folder);
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

gboolean
test_has_worker (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *task;

  while (tasks != NULL && (task = g_dir_read_name (tasks)) != NULL) {
    g_autofree gchar *path =
        g_build_filename ("/proc/self/task", task, "comm", NULL);
    g_autofree gchar *name = NULL;

    if (g_file_get_contents (path, &name, NULL, NULL) &&
        g_str_has_prefix (name, "clip-worker"))
      return TRUE;
  }
  return FALSE;
}
