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

/* In the cache line before the memory. */
typedef struct {
  gpointer base;
  gsize mapped_size; /* 0 where @base is malloc's */
  gsize size;        /* what was asked for */
} Header;

static gsize held_size; /* atomic */

static Header *
get_header (gpointer memory)
{
  return (Header *)((guint8 *)memory - CACHE_LINE);
}

static gpointer
alloc_small (gsize size)
{
  gpointer base = NULL;
  gpointer memory;

  if (posix_memalign (&base, CACHE_LINE, CACHE_LINE + size) != 0)
    return NULL;
  memory = (guint8 *)base + CACHE_LINE;
  *get_header (memory) = (Header){ .base = base };
  return memory;
}

/* A mapping of its own: among malloc's blocks, what lies between such aligned
 * ones would be lost, and what was read for packing would stay around. The page
 * before it is the header's. */
static gpointer
alloc_huge (gsize size)
{
  const gsize page = (gsize)sysconf (_SC_PAGESIZE);
  const gsize wanted = (size + page - 1) / page * page;
  const gsize total = page + HUGE_PAGE + wanted;
  guint8 *base = mmap (
      NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  guint8 *memory, *first;

  if (base == MAP_FAILED)
    return NULL;
  memory = (guint8 *)(((guintptr)base + page + HUGE_PAGE - 1) / HUGE_PAGE *
                      HUGE_PAGE);
  first = memory - page;
  if (first > base)
    munmap (base, first - base);
  if (memory + wanted < base + total)
    munmap (memory + wanted, base + total - (memory + wanted));
  *get_header (memory) = (Header){ first, page + wanted };

  /* Not the rest behind the last whole one: hundreds of layers would each take
   * up to a huge page more than they fill. */
  madvise (memory, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
  return memory;
}

gpointer
clip_memory_alloc (gsize size, GError **error)
{
  gsize physical_size = get_physical_size ();
  gpointer memory = NULL;

  /* Linux promises more than there is and kills whoever takes it at its word:
   * what cannot fit is refused here. */
  if (size <= physical_size)
    memory = size >= HUGE_PAGE ? alloc_huge (size) : alloc_small (size);
  if (memory == NULL) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_NO_SPACE,
        "cannot get %" G_GSIZE_FORMAT
        " MiB of memory (this machine has %" G_GSIZE_FORMAT
        " MiB): use a smaller model or a smaller batch",
        size >> 20, physical_size >> 20);
    return NULL;
  }
  memset (memory, 0, size);
  get_header (memory)->size = size;
  g_atomic_pointer_add (&held_size, size);
  return memory;
}

gsize
clip_memory_get_held (void)
{
  return (gsize)g_atomic_pointer_add (&held_size, 0);
}

void
clip_memory_free (gpointer memory)
{
  Header header;

  if (memory == NULL)
    return;
  header = *get_header (memory);
  g_atomic_pointer_add (&held_size, -(gssize)header.size);
  if (header.mapped_size > 0)
    munmap (header.base, header.mapped_size);
  else
    free (header.base);
}
