/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "opening.h"

#include <glib/gstdio.h>
#include <string.h>

void
add_scalar (GPtrArray *tensors, const gchar *name)
{
  TestTensor *tensor = g_new0 (TestTensor, 1);

  tensor->name = g_strdup (name);
  tensor->changed = -1;
  g_ptr_array_add (tensors, tensor);
}

gchar *
new_openai (const TestModelSpec *spec)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (spec);
  gchar *folder = test_model_folder ();

  add_scalar (tensors, "input_resolution");
  test_model_write (folder, WEIGHTS, tensors, FALSE);
  return folder;
}

gchar *
new_open_clip (const TestModelSpec *spec, const gchar *extra)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors (spec);
  gchar *folder = test_model_folder ();

  test_model_write_open_clip (folder, spec, extra);
  test_model_write (folder, OPEN_CLIP_WEIGHTS, tensors, FALSE);
  return folder;
}

gchar *
new_hugging_face (const TestModelSpec *spec)
{
  g_autoptr (GPtrArray) tensors = test_model_tensors_hugging_face (spec);
  gchar *folder = test_model_folder ();

  test_model_write_hugging_face (folder, spec);
  test_model_write (folder, WEIGHTS, tensors, FALSE);
  return folder;
}

void
remove_file (const gchar *folder, const gchar *name)
{
  g_autofree gchar *path = g_build_filename (folder, name, NULL);

  g_assert_cmpint (g_remove (path), ==, 0);
}

ClipCheckpoint *
open_model (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  ClipCheckpoint *checkpoint = clip_checkpoint_open (path, &error);

  g_assert_no_error (error);
  return checkpoint;
}

ClipCheckpoint *
open_and_remove (gchar *folder)
{
  ClipCheckpoint *checkpoint = open_model (folder);

  test_checkpoint_remove (folder);
  return checkpoint;
}

void
assert_refused (gchar *folder, ClipError code, const gchar *const *pieces)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (clip_checkpoint_open (folder, &error));
  g_assert_error (error, CLIP_ERROR, (gint)code);
  for (; *pieces != NULL; pieces++)
    if (strstr (error->message, *pieces) == NULL)
      g_error ("got: %s; expected: %s", error->message, *pieces);
  test_checkpoint_remove (folder);
}
