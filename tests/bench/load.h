/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How long a model takes to load, beside the least that can take: reading its
 * files and packing its picture side. */
#pragma once

#include "encode/encode.h"

typedef struct {
  gdouble read_ms; /* every file of the model once, from the page cache */
  gdouble open_ms; /* clip_model_open() */
  gdouble pack_ms; /* clip_encoder_new() */
  gdouble ratio;   /* (open + pack) / (read + pack) */

  guint64 file_size;   /* bytes of all files */
  gsize packed_size;   /* bytes of packed weights */
  gsize resident_size; /* bytes more in memory than before; 0: not known */
} BenchLoad;

/* Loads the model once, its files in the page cache; nothing of it stays.
 *
 * @path: as for clip_model_open()
 * @load: (out caller-allocates)
 *
 * Returns: FALSE with the errors of clip_model_open() or clip_encoder_new() */
gboolean bench_load (const gchar *path, const ClipEncoderOptions *options,
    BenchLoad *load, GError **error);
