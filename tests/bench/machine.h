/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the machine says of itself, and lists of times. */
#pragma once

#include <glib.h>

/* "Intel(R) Xeon(R) Processor", or "unknown". (transfer full) */
gchar *machine_cpu_model (void);

/* Seconds of all its threads. */
gdouble machine_process_seconds (void);

/* Of /proc/stat: ticks that another guest had, and all ticks, since boot. */
typedef struct {
  guint64 stolen, all;
} MachineTicks;

MachineTicks machine_ticks (void);

/* Percent of the time since @from that was stolen. */
gdouble machine_stolen_since (const MachineTicks *from);

/* MiB of this process that are in memory now. */
gdouble machine_resident_mib (void);

/* Milliseconds since @start, a g_get_monotonic_time(). */
gdouble machine_ms_since (gint64 start);

/* The value below which @part (0 … 1) of @values lies. @values: (element-type
 * gdouble): sorted by this */
gdouble machine_quantile (GArray *values, gdouble part);
gdouble machine_median (GArray *values);
