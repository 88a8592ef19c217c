/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "backoff.h"

#define FIRST 1000 /* milliseconds */
#define GOOD_WHILE (60 * G_USEC_PER_SEC)
#define MAX_DOUBLINGS 16
#define JITTER 0.25

void
camera_backoff_begin (CameraBackoff *backoff, gint64 now)
{
  backoff->begun = now;
}

guint
camera_backoff_lose (
    CameraBackoff *backoff, gint64 now, guint longest, gdouble chance)
{
  guint wait;

  if (backoff->begun != 0 && now - backoff->begun >= GOOD_WHILE)
    backoff->n_losses = 0;
  backoff->begun = 0;
  wait = MIN ((guint64)FIRST << MIN (backoff->n_losses, MAX_DOUBLINGS),
      (guint64)longest * 1000);
  backoff->n_losses++;
  return (guint)(wait * (1 - JITTER + 2 * JITTER * chance));
}
