/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/memory.h"

#include "clip-error.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CACHE_LINE 64
#define HUGE_PAGE (2u << 20)

static gsize
get_physical_size (void)
{
  glong n_pages = sysconf (_SC_PHYS_PAGES);
  glong page_size = sysconf (_SC_PAGESIZE);

  return n_pages > 0 && page_size > 0 ? (gsize)n_pages * page_size : G_MAXSSIZE;
}

gpointer
clip_memory_alloc (gsize size, GError **error)
{
  gsize alignment = size >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
  gsize physical_size = get_physical_size ();
  gpointer memory = NULL;

  /* Linux promises more than there is and kills whoever takes it at its word:
   * what cannot fit is refused here. */
  if (size <= physical_size) {
    size = (MAX (size, 1) + alignment - 1) / alignment * alignment;
    memory = aligned_alloc (alignment, size);
  }
  if (memory == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NO_SPACE,
        "cannot get %" G_GSIZE_FORMAT
        " MiB of memory (this machine has %" G_GSIZE_FORMAT
        " MiB): use a smaller model or a smaller batch",
        size >> 20, physical_size >> 20);
    return NULL;
  }
  if (alignment == HUGE_PAGE)
    madvise (memory, size, MADV_HUGEPAGE);
  memset (memory, 0, size);
  return memory;
}
