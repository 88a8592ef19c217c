/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What several suites need: where data lies, and comparisons that say what
 * differs. */
#pragma once

#include <glib.h>

/* A path below the folder of goldens and references that lies beside a
 * development checkout (CLIPFILTER_SHARED, or ../shared of the source tree).
 *
 * Returns: (transfer full): NULL where it is absent: the test then calls
 *   g_test_skip() with a sentence and returns. */
gchar *test_shared (const gchar *relative);

/* As test_shared(), and marks the running test as skipped where absent. */
gchar *test_shared_or_skip (const gchar *relative);

/* A path below tests/ of the source tree. (transfer full) */
gchar *test_source (const gchar *relative);

/* ‖a - b‖ / ‖b‖ in double precision; @b is the expected one. */
gdouble test_relative_l2 (const gfloat *a, const gfloat *b, gsize n);

/* Largest |a[i] - b[i]|; @index: (out) (optional): where. */
gdouble test_max_difference (
    const gfloat *a, const gfloat *b, gsize n, gsize *index);

/* The generated weights of model-spec.md section 9: uniform in [-1, 1) from
 * the tensor's name and the flat index alone. */
gfloat test_uniform (guint32 index, const gchar *name);

/* The value of a generated tensor at @index, by its canonical name and number
 * of dimensions (model-spec.md section 9, first rule that applies). */
gfloat test_tensor_value (
    const gchar *canonical_name, guint n_dims, guint32 index);

/* How many entries @folder has: threads of this process with
 * "/proc/self/task", open files with "/proc/self/fd", the one that reads it
 * included. */
guint test_count_entries (const gchar *folder);

/* Whether this process has a thread of a model's worker, whose team bears its
 * name. They go by themselves, soon after their last user. */
gboolean test_has_worker (void);
