/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the layers share: the engine itself, its checks and its team. */
#pragma once

#include "engine/engine-dnnl.h"
#include "engine/engine.h"

/* Parts of the scratch begin at a page, so that threads share no cache line.
 */
#define CLIP_ENGINE_PAGE 4096
#define CLIP_ROUND_UP(value, step) (((value) + (step)-1) / (step) * (step))

struct _ClipEngine {
  GThread *thread; /* whose team the primitives are built for */
  guint n_threads;
  dnnl_engine_t dnnl;
  dnnl_stream_t *streams; /* [n_threads]: one for each thread of the team */
  guint8 *scratch;        /* of the largest layer; only one runs at a time */
  gsize scratch_size;
  guint8 *codes; /* of the largest source of bytes: one is at work */
  gsize codes_size;
  guint8 *code_rows; /* what the codes of each row mean */
  gsize code_rows_size;
  gconstpointer encoded; /* whose source the codes already are, or NULL */
  guint encoded_rows;
  gsize packed_size; /* bytes */
  gchar *description;
  void (*turn) (gboolean begins, gpointer user_data); /* or NULL */
  gpointer turn_data;
};

/* A call of oneDNN: where it fails, the error is the call's own text and
 * oneDNN's own word. Needs a GError **error. */
#define CHECK(call) clip_engine_check ((call), #call, error)

gboolean clip_engine_check (
    dnnl_status_t status, const gchar *call, GError **error);

/* Each of @dims within 1 … CLIP_ENGINE_MAX_DIM and their product within
 * CLIP_ENGINE_MAX_ELEMENTS: oneDNN multiplies without looking.
 *
 * Returns: FALSE with CLIP_ERROR_COMPUTE. */
gboolean clip_engine_check_dims (
    const gchar *what, const guint64 *dims, guint n_dims, GError **error);

/* @counts ascending, at least one, at most CLIP_ENGINE_MAX_SHAPES. */
gboolean clip_engine_check_counts (
    const gchar *what, const guint *counts, guint n_counts, GError **error);

/* FALSE with CLIP_ERROR_COMPUTE in any thread but the engine's. */
gboolean clip_engine_check_thread (const ClipEngine *engine, GError **error);

/* Makes the shared scratch at least @size bytes. It may move: take it from the
 * engine at each run. */
gboolean clip_engine_reserve (ClipEngine *engine, gsize size, GError **error);

/* The same for codes of bytes and their rows. */
gboolean clip_engine_reserve_codes (
    ClipEngine *engine, gsize size, gsize rows_size, GError **error);

/* The team that primitives built from now on will expect. */
void clip_engine_set_team (guint n_threads);

/* The part @part of a job's @n_items: from … to - 1. */
typedef void (*ClipPartFunc) (
    gconstpointer job, guint part, guint from, guint to);

/* Calls @func for up to n_threads parts of @n_items in the engine's team, or
 * once for all where @n_floats, the size of the work, does not pay for waking
 * it. */
void clip_engine_share (const ClipEngine *engine, guint n_items, gsize n_floats,
    ClipPartFunc func, gconstpointer job);
