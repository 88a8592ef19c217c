/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The process's thread budget, and how a worker behaves towards the rest of
 * the machine.
 *
 * A model has one worker with one team, also where many streams share it. Two
 * workers of one thread, each with weights of its own, against a team of two
 * (clip-streams-bench --split 2, bf16, AMD EPYC, 2 CPUs, in turns): results a
 * second of batches of the same size 1.01 (ViT-B/32, 16 streams, batches of 8),
 * 1.07 (ViT-B/16, RN50) and for 8 streams of ViT-B/32 1.08, with later results
 * (p99 490 ms, not 377). It is 1.2 to 1.3 where nothing forms batches
 * (ViT-B/32, files; 1.09 ViT-B/16, 1.16 RN50): who encodes several files at
 * once gets that by another model-instance-id with threads=1 for each, at the
 * price of the memory. One worker of a single stream has all CPUs so, and
 * nothing is packed twice. */
#pragma once

#include <glib.h>

/* What workers add to their nice value: video threads go first. */
#define CLIP_WORKER_NICE 5

/* Makes the calling thread a good neighbour; before its first parallel region,
 * because the team inherits it. Has no effect where the system refuses. */
void clip_threads_lower_priority (void);

/* Monotonic wall clock in nanoseconds. */
guint64 clip_threads_now (void);

/* CPUs that a quota of @quota microseconds each @period allows, rounded up; 0
 * where there is no quota. */
guint clip_threads_quota_cpus (gint64 quota, gint64 period);

/* The quota in a cgroup's cpu.max ("50000 100000", "max 100000"); 0 for none or
 * for text that is not of that form. */
guint clip_threads_parse_cpu_max (const gchar *text);

/* --- the budget: threads of workers that run at once, in the whole process,
 * are as many as the usable CPUs --- */

/* Waits for @n_threads of the budget, in the order of asking; more than it has
 * are all of it. Workers ask for their team before each run, and before each
 * layer that they pack, and give it back after it, so that models of one
 * process take turns instead of pressing each other's teams off the CPUs. */
void clip_threads_take (guint n_threads);
void clip_threads_give (guint n_threads);

/* In a fork: whoever had some is not there to give them back. */
void clip_threads_forget (void);
