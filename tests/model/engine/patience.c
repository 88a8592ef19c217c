/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/engine.h"

#include "reference.h"

#include <time.h>

enum {
  ROWS = 64,
  WIDTH = 256,
  NAPS = 20,
  NAP = 20000 /* microseconds */
};

/* Of the whole process, seconds. */
static gdouble
get_cpu_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

/* After a region its threads wait for the next. Left to spin they burn
 * milliseconds each time: with libgomp's defaults more than half of a nap. */
static void
a_team_sleeps_between_frames (void)
{
  static const guint rows = ROWS;
  const ClipLinearSpec spec = { .name = "linear",
    .in_features = WIDTH,
    .out_features = WIDTH,
    .rows = &rows,
    .n_rows = 1 };
  g_autoptr (ClipEngine) engine = clip_engine_new (2, NULL);
  gfloat *weights = reference_values (WIDTH * WIDTH, "weights");
  gfloat *src = reference_values (ROWS * WIDTH, "src");
  gfloat *dst = reference_zeros (ROWS * WIDTH);
  g_autoptr (ClipLinear) linear =
      clip_linear_new (engine, &spec, weights, NULL, NULL);
  gdouble cpu = 0;

  /* The kept team begins in its own thread, in its own time. */
  g_usleep (10 * NAP);
  for (guint i = 0; i < NAPS; i++) {
    gdouble before;

    g_assert_true (clip_linear_run (linear, ROWS, src, dst, NULL));
    before = get_cpu_time ();
    g_usleep (NAP);
    cpu += get_cpu_time () - before;
  }
  g_test_message (
      "%.1f %% of the naps were spent awake", 100 * cpu / (NAPS * NAP * 1e-6));
  /* Thirty times what 100 looks cost; the defect takes five times as much on
   * a busy machine, and more on an idle one. */
  g_assert_cmpfloat (cpu, <, 0.03 * NAPS * NAP * 1e-6);
  clip_engine_free_values (weights);
  clip_engine_free_values (src);
  clip_engine_free_values (dst);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/patience/a-team-sleeps-between-frames",
      a_team_sleeps_between_frames);
  return g_test_run ();
}
