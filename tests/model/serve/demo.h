/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the suites of serve/ share: the demonstration model as a service. */
#pragma once

#include "serve/serve.h"

/* The path of the demonstration model; static. */
const gchar *demo_get_model (void);

/* In f32, with one thread. @instance_id: (nullable) */
ClipService *demo_acquire (const gchar *instance_id);

/* Whose batches wait for company. @batch_timeout: nanoseconds */
ClipService *demo_acquire_batching (guint64 batch_timeout);

/* Pictures of equal @shade are equal. (transfer full) */
guint8 *demo_make_picture (const ClipService *service, guint8 shade);

/* Waits for workers to leave until so many are left. */
void demo_assert_workers_leave (guint left);

/* Where pictures are to wait together: all threads of the process's budget, so
 * that no worker takes work meanwhile. */
void demo_hold_threads (void);
void demo_let_threads_go (void);

/* (transfer full): without templates */
ClipRequest *demo_submit_prompts (ClipService *service, guint n_prompts);

/* (transfer full): 10,000 texts in some 700 slices, which take seconds */
ClipRequest *demo_submit_endless_prompts (ClipService *service);

typedef struct {
  const gchar *name;
  void (*function) (void);
} DemoCase;

/* Adds /serve/@suite/NAME of each; each begins when no worker is alive, because
 * a worker leaves after its release, in its own time. */
void demo_add_cases (const gchar *suite, const DemoCase *cases, guint n_cases);
