/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#define _GNU_SOURCE
#include "memory-file.h"

#include <sys/mman.h>
#include <unistd.h>

ClipFile *
test_memory_file_new (gconstpointer bytes, gsize size)
{
  ClipFile *file = g_new0 (ClipFile, 1);

  file->path = g_strdup ("model.pt");
  file->fd = memfd_create ("model", MFD_CLOEXEC);
  g_assert_cmpint (file->fd, >=, 0);
  g_assert_cmpint (write (file->fd, bytes, size), ==, (gssize)size);
  g_assert_cmpint (fstat (file->fd, &file->status), ==, 0);
  file->size = size;
  return file;
}
