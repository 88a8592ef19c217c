/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */
#define _GNU_SOURCE

#include "serve/threads.h"

#include "serve/serve.h"

#include <sched.h>

/* The kernel's documented form of cpu.max: "$MAX $PERIOD" in microseconds
 * (Documentation/admin-guide/cgroup-v2.rst). */
static void
quota_is_rounded_up_to_whole_cpus (void)
{
  static const struct {
    const gchar *text;
    guint cpus;
  } cases[] = {
    { "max 100000\n", 0 },
    { "100000 100000\n", 1 },
    { "150000 100000\n", 2 },
    { "400000 100000\n", 4 },
    { "1000 100000\n", 1 },
    { "50000 50000", 1 },
    { "", 0 },
    { "abc", 0 },
    { "100000", 0 },
    { "100000 0", 0 },
    { "-1 100000", 0 },
    { "0 100000", 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("cpu.max '%s'", cases[i].text);
    g_assert_cmpuint (
        clip_threads_parse_cpu_max (cases[i].text), ==, cases[i].cpus);
  }
}

static void
usable_cpus_follow_the_affinity (void)
{
  cpu_set_t before, one;
  guint cpu = 0;

  g_assert_cmpint (sched_getaffinity (0, sizeof before, &before), ==, 0);
  while (!CPU_ISSET (cpu, &before))
    cpu++;
  CPU_ZERO (&one);
  CPU_SET (cpu, &one);
  g_assert_cmpint (sched_setaffinity (0, sizeof one, &one), ==, 0);
  g_assert_cmpuint (clip_service_get_usable_cpus (), ==, 1);
  g_assert_cmpint (sched_setaffinity (0, sizeof before, &before), ==, 0);
  g_assert_cmpuint (
      clip_service_get_usable_cpus (), <=, (guint)CPU_COUNT (&before));
  g_assert_cmpuint (clip_service_get_usable_cpus (), >=, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/serve/threads/quota-is-rounded-up", quota_is_rounded_up_to_whole_cpus);
  g_test_add_func ("/serve/threads/usable-cpus-follow-the-affinity",
      usable_cpus_follow_the_affinity);
  return g_test_run ();
}
