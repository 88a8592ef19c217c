/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clip-model NAME: writes a model of the size of a published one, with random
 * weights, into a new folder and prints the folder's name. For measurements by
 * programs that want a folder: its answers mean nothing. */

#include "generated.h"

int
main (int argc, char **argv)
{
  g_autofree gchar *folder = NULL;

  if (argc != 2) {
    g_printerr ("usage: clip-model NAME, such as ViT-B/32\n");
    return 1;
  }
  folder = generated_write (argv[1]);
  g_print ("%s\n", folder);
  return 0;
}
