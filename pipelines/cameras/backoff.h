/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How long to wait before what was lost is tried again. */
#pragma once

#include <glib.h>

typedef struct {
  guint n_losses; /* in a row, none of them after a good while */
  gint64 begun;   /* what was lost last: monotonic time, microseconds */
} CameraBackoff;

/* It runs, from now on; monotonic microseconds. */
void camera_backoff_begin (CameraBackoff *backoff, gint64 now);

/* It was lost. 1 s, then twice as long each time up to @longest, all a quarter
 * longer or shorter at most so that what was lost together does not return
 * together; what had run for a minute begins at 1 s again.
 *
 * @longest: seconds, at least 1
 * @chance: from 0 to 1, by chance
 *
 * Returns: milliseconds */
guint camera_backoff_lose (
    CameraBackoff *backoff, gint64 now, guint longest, gdouble chance);
