/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The wait is set by the environment, read before we are loaded, and the
 * environment is the application's. But libgomp itself makes the wait short
 * (100 looks instead of 300,000) while it manages more threads than there are
 * CPUs (libgomp config/linux/wait.h, do_spin, and env.c). So a team that
 * sleeps for ever is kept for its number: it costs no time, and an address
 * range for each stack. */
#include "engine/patience.h"

#ifdef _OPENMP
#include <omp.h>

/* Begins a team, which libgomp keeps as long as this thread lives. */
static gpointer
keep_team (gpointer n_threads)
{
  GMutex mutex;
  GCond never;

  omp_set_dynamic (FALSE);
#pragma omp parallel num_threads(GPOINTER_TO_UINT(n_threads))
  {
    /* Not empty, or the compiler leaves the region out. */
    __asm__ volatile("");
  }
  g_mutex_init (&mutex);
  g_cond_init (&never);
  g_mutex_lock (&mutex);
  while (TRUE)
    g_cond_wait (&never, &mutex);
  return NULL;
}

static gboolean
is_wanted (guint n_threads)
{
  return n_threads > 1 && g_getenv ("OMP_WAIT_POLICY") == NULL &&
         g_getenv ("GOMP_SPINCOUNT") == NULL;
}

void
clip_patience_limit (guint n_threads)
{
  static gsize limited = 0;
  guint n_cpus = (guint)omp_get_num_procs ();
  guint n_kept;
  GThread *thread;

  if (!is_wanted (n_threads) || !g_once_init_enter (&limited))
    return;
  /* libgomp counts the process's first thread, and of each team all but its
   * master: 1 + (n_threads - 1) + (n_kept - 1) is to be more than n_cpus. */
  n_kept = n_cpus + 2 - MIN (n_threads, n_cpus);
  thread = g_thread_try_new (
      "clip-patience", keep_team, GUINT_TO_POINTER (n_kept), NULL);
  /* Without it everything works, and waits longer. */
  if (thread != NULL)
    g_thread_unref (thread);
  g_once_init_leave (&limited, 1);
}

#else

/* clang makes no regions for libgomp. */
void
clip_patience_limit (guint n_threads)
{
}

#endif
