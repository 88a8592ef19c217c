/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "generated.h"

#include <stdlib.h>

static const TestPublished *
find (const gchar *name)
{
  const TestPublished *published = test_published_find (name);

  if (published != NULL)
    return published;
  g_printerr ("There is no '%s'. There are:", name);
  for (guint i = 0; i < test_n_published; i++)
    g_printerr (" %s", test_published[i].name);
  g_printerr ("\n");
  exit (1);
}

gchar *
generated_write (const gchar *name)
{
  static const TestWordsSpec text = { 512, 12, 8, 2048, 21128, 512, TRUE };
  const TestCheckpointSpec values = { .quick = TRUE, .dtype = CLIP_DTYPE_F32 };
  static const gchar path[] = SOURCE_DIR "/pipelines/demo-model/vocab.txt";
  g_autofree gchar *vocab = NULL;
  TestPublished changed = *find (name);
  gchar *folder;

  if (!g_file_get_contents (path, &vocab, NULL, NULL))
    g_error ("'%s' cannot be read", path);
  changed.spec.text = text;
  folder = test_published_write (&changed, TEST_FORM_BARE, &values);
  test_checkpoint_write (folder, "vocab.txt", vocab);
  return folder;
}
