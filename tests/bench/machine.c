/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEAL_COLUMN 7 /* proc(5): user nice system idle iowait irq softirq */
#define N_COLUMNS 8    /* what follows is in user and nice already */

gchar *
machine_cpu_model (void)
{
  g_autofree gchar *info = NULL;
  const gchar *line = NULL;

  if (g_file_get_contents ("/proc/cpuinfo", &info, NULL, NULL))
    line = strstr (info, "model name");
  if (line != NULL)
    line = strchr (line, ':');
  if (line == NULL)
    return g_strdup ("unknown");
  line += 2;
  return g_strndup (line, strcspn (line, "\n"));
}

gdouble
machine_process_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

MachineTicks
machine_ticks (void)
{
  MachineTicks ticks = { 0 };
  g_autofree gchar *stat = NULL;
  gchar *next;

  if (!g_file_get_contents ("/proc/stat", &stat, NULL, NULL) ||
      !g_str_has_prefix (stat, "cpu "))
    return ticks;
  next = stat + strlen ("cpu ");
  for (guint i = 0; i < N_COLUMNS; i++) {
    guint64 value = g_ascii_strtoull (next, &next, 10);

    ticks.all += value;
    if (i == STEAL_COLUMN)
      ticks.stolen = value;
  }
  return ticks;
}

gdouble
machine_stolen_since (const MachineTicks *from)
{
  MachineTicks now = machine_ticks ();

  return now.all > from->all
             ? 100.0 * (now.stolen - from->stolen) / (now.all - from->all)
             : 0.0;
}

gdouble
machine_resident_mib (void)
{
  g_autofree gchar *status = NULL;
  const gchar *line = NULL;

  if (g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    line = strstr (status, "VmRSS:");
  return line != NULL ? g_ascii_strtod (line + strlen ("VmRSS:"), NULL) / 1024
                      : 0.0;
}

gdouble
machine_ms_since (gint64 start)
{
  return (g_get_monotonic_time () - start) / 1e3;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *)a, y = *(const gdouble *)b;

  return (x > y) - (x < y);
}

gdouble
machine_quantile (GArray *values, gdouble part)
{
  g_array_sort (values, compare);
  return g_array_index (
      values, gdouble, (guint)(part * (values->len - 1) + 0.5));
}

gdouble
machine_median (GArray *values)
{
  guint middle = values->len / 2;

  g_array_sort (values, compare);
  if (values->len % 2 == 1)
    return g_array_index (values, gdouble, middle);
  return (g_array_index (values, gdouble, middle - 1) +
             g_array_index (values, gdouble, middle)) /
         2;
}
