/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "cpu.h"

#include <sys/resource.h>

static gdouble
get_seconds (const struct timeval *time)
{
  return (gdouble)time->tv_sec + (gdouble)time->tv_usec / G_USEC_PER_SEC;
}

gdouble
camera_cpu_get_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return get_seconds (&usage.ru_utime) + get_seconds (&usage.ru_stime);
}
