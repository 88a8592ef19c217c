/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#define _GNU_SOURCE
#include "serve/threads.h"

#include "serve/serve.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void
clip_threads_lower_priority (void)
{
  /* On Linux a nice value belongs to a thread, and 0 means the calling one. */
  gint current = getpriority (PRIO_PROCESS, 0);

  (void)setpriority (PRIO_PROCESS, 0, current + CLIP_WORKER_NICE);
}

guint64
clip_threads_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64)now.tv_sec * G_GUINT64_CONSTANT (1000000000) +
         (guint64)now.tv_nsec;
}

guint
clip_threads_quota_cpus (gint64 quota, gint64 period)
{
  if (quota <= 0 || period <= 0)
    return 0;
  return (guint)MIN ((quota + period - 1) / period, G_MAXINT);
}

guint
clip_threads_parse_cpu_max (const gchar *text)
{
  gchar *end;
  gint64 quota = g_ascii_strtoll (text, &end, 10);

  /* "max" is where nothing was converted: no quota. */
  if (end == text || *end != ' ')
    return 0;
  return clip_threads_quota_cpus (quota, g_ascii_strtoll (end, NULL, 10));
}

/* The path of this process's own cgroup in the line that begins with @prefix
 * of /proc/self/cgroup ("0::" for version 2); NULL where there is none. */
static gchar *
get_cgroup_path (const gchar *prefix)
{
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents ("/proc/self/cgroup", &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    if (g_str_has_prefix (lines[i], prefix))
      return g_strdup (lines[i] + strlen (prefix));
  }
  return NULL;
}

static guint
read_cpu_max (const gchar *folder)
{
  g_autofree gchar *path = g_build_filename (folder, "cpu.max", NULL);
  g_autofree gchar *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  return clip_threads_parse_cpu_max (text);
}

/* The smallest quota from the process's cgroup up to the root: each level
 * limits what is below it. */
static guint
get_cgroup_cpus (void)
{
  g_autofree gchar *path = get_cgroup_path ("0::");
  guint cpus = 0;

  while (path != NULL) {
    g_autofree gchar *folder = g_build_filename ("/sys/fs/cgroup", path, NULL);
    gboolean is_root = g_str_equal (path, "/") || g_str_equal (path, ".");
    guint here = read_cpu_max (folder);
    gchar *parent = is_root ? NULL : g_path_get_dirname (path);

    if (here > 0 && (cpus == 0 || here < cpus))
      cpus = here;
    g_free (path);
    path = parent;
  }
  return cpus;
}

static guint
get_affinity_cpus (void)
{
  cpu_set_t set;

  if (sched_getaffinity (0, sizeof set, &set) != 0)
    return g_get_num_processors ();
  return (guint)MAX (CPU_COUNT (&set), 1);
}

guint
clip_service_get_usable_cpus (void)
{
  guint cpus = get_affinity_cpus ();
  guint quota = get_cgroup_cpus ();

  return quota > 0 ? MIN (cpus, quota) : cpus;
}

/* --- the budget --- */

static struct {
  GMutex lock;
  GCond changed;
  guint size; /* 0 until somebody asked */
  guint n_taken;
  guint64 next_ticket;
  guint64 now_serving;
} budget;

void
clip_threads_take (guint n_threads)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&budget.lock);
  guint64 ticket = budget.next_ticket++;

  if (budget.size == 0)
    budget.size = clip_service_get_usable_cpus ();
  n_threads = MIN (n_threads, budget.size);
  while (
      ticket != budget.now_serving || budget.n_taken + n_threads > budget.size)
    g_cond_wait (&budget.changed, &budget.lock);
  budget.n_taken += n_threads;
  budget.now_serving++;
  g_cond_broadcast (&budget.changed);
}

void
clip_threads_give (guint n_threads)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&budget.lock);

  budget.n_taken -= MIN (n_threads, budget.size);
  g_cond_broadcast (&budget.changed);
}

void
clip_threads_forget (void)
{
  memset (&budget, 0, sizeof budget);
}
