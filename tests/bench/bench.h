/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What clip-bench measures, each in a file of its own. */
#pragma once

#include "encode/encode.h"

#include <jansson.h>

typedef struct {
  const gchar *name;  /* of the model, as the user gave it */
  const gchar *model; /* path; NULL where nothing is to be opened */
  ClipPrecision precision;
  guint n_threads;
  guint batch;
  guint n_rounds;
} BenchOptions;

/* Prints what it measured, and adds it to @report under the names that README
 * and table.sh know.
 *
 * Returns: FALSE with the errors of model/. */
typedef gboolean (*BenchFunc) (
    const BenchOptions *options, json_t *report, GError **error);

/* The picture side against the floor. */
gboolean bench_speed (
    const BenchOptions *options, json_t *report, GError **error);

/* 1,000 short prompts against as many that fill the context. */
gboolean bench_text (
    const BenchOptions *options, json_t *report, GError **error);

/* Preprocessing; no model is opened. */
gboolean bench_frames (
    const BenchOptions *options, json_t *report, GError **error);

/* Opening and packing against reading and packing. */
gboolean bench_loading (
    const BenchOptions *options, json_t *report, GError **error);

/* The element's time for a frame, due or not. */
gboolean bench_element (
    const BenchOptions *options, json_t *report, GError **error);

void bench_set_number (json_t *report, const gchar *key, gdouble value);
