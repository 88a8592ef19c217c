/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Memory for weights is aligned, zero, and no more than was asked for. */

#include "engine/memory.h"

#include <string.h>

#define MIB (1u << 20)
#define HUGE_PAGE (2 * MIB)

static void
memory_is_aligned_and_zero (void)
{
  static const gsize sizes[] = { 0, 1, 63, 4096, HUGE_PAGE - 1, HUGE_PAGE,
    HUGE_PAGE + 1, 3 * HUGE_PAGE + 12345 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GError) error = NULL;
    guint8 *memory = clip_memory_alloc (sizes[i], &error);
    gsize n_set = 0;

    g_assert_no_error (error);
    g_assert_cmpuint (
        (guintptr)memory % (sizes[i] >= HUGE_PAGE ? HUGE_PAGE : 64), ==, 0);
    for (gsize j = 0; j < sizes[i]; j++)
      n_set += memory[j] != 0;
    g_assert_cmpuint (n_set, ==, 0);
    memset (memory, 0xff, sizes[i]);
    clip_memory_free (memory);
  }
  clip_memory_free (NULL);
}

static gsize
read_resident (void)
{
  g_autofree gchar *status = NULL;
  const gchar *line = NULL;

  g_assert_true (
      g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  line = strstr (status, "VmRSS:");
  g_assert_nonnull (line);
  return g_ascii_strtoull (line + strlen ("VmRSS:"), NULL, 10) * 1024;
}

/* A quarter of what the layers of a model ask for would be a second huge page
 * for its last few bytes. */
static void
no_huge_page_is_taken_for_a_rest (void)
{
  const gsize size = HUGE_PAGE + 4096;
  gpointer blocks[32];
  gsize before = read_resident (), after;

  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    blocks[i] = clip_memory_alloc (size, NULL);
  after = read_resident ();
  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    clip_memory_free (blocks[i]);

  /* A tenth for headers, page tables and whatever else the process does. */
  g_assert_cmpuint (after - before, <, G_N_ELEMENTS (blocks) * size * 11 / 10);
  g_assert_cmpuint (read_resident (), <, before + 4 * MIB);
}

static void
what_cannot_fit_is_an_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (clip_memory_alloc (G_MAXSIZE, &error));
  g_assert_nonnull (error);
}

static void
what_is_held_is_counted (void)
{
  gsize before = clip_memory_get_held ();
  gpointer small = clip_memory_alloc (1000, NULL);
  gpointer large = clip_memory_alloc (3 * HUGE_PAGE, NULL);

  g_assert_cmpuint (clip_memory_get_held (), ==, before + 1000 + 3 * HUGE_PAGE);
  clip_memory_free (large);
  g_assert_cmpuint (clip_memory_get_held (), ==, before + 1000);
  clip_memory_free (small);
  clip_memory_free (NULL);
  g_assert_cmpuint (clip_memory_get_held (), ==, before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/engine/memory/memory-is-aligned-and-zero", memory_is_aligned_and_zero);
  g_test_add_func ("/engine/memory/no-huge-page-is-taken-for-a-rest",
      no_huge_page_is_taken_for_a_rest);
  g_test_add_func ("/engine/memory/what-cannot-fit-is-an-error",
      what_cannot_fit_is_an_error);
  g_test_add_func (
      "/engine/memory/what-is-held-is-counted", what_is_held_is_counted);
  return g_test_run ();
}
