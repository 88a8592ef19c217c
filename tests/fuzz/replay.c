/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Runs a target over the files of a folder, each a test. */

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(gchar *const *)a, *(gchar *const *)b);
}

int
main (int argc, char *argv[])
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) folder = argc > 1 ? g_dir_open (argv[1], 0, NULL) : NULL;
  const gchar *name;

  if (folder == NULL) {
    fprintf (stderr, "%s FOLDER: runs the target over each file\n", argv[0]);
    return EXIT_FAILURE;
  }
  while ((name = g_dir_read_name (folder)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  printf ("1..%u\n", names->len);
  for (guint i = 0; i < names->len; i++) {
    g_autofree gchar *path = g_build_filename (argv[1], names->pdata[i], NULL);
    g_autofree gchar *content = NULL;
    gsize size;

    g_assert_true (g_file_get_contents (path, &content, &size, NULL));
    LLVMFuzzerTestOneInput ((guint8 *)content, size);
    printf ("ok %u /fuzz/%s\n", i + 1, (const gchar *)names->pdata[i]);
  }
  return EXIT_SUCCESS;
}
