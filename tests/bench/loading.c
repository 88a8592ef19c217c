/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* From a path to a packed encoder, the files in the page cache. */

#include "bench.h"

#include "bench/load.h"
#include "machine.h"

#include <stdio.h>

#define MIB (1024.0 * 1024)

gboolean
bench_loading (const BenchOptions *options, json_t *report, GError **error)
{
  const ClipEncoderOptions encoder = {
    .n_threads = options->n_threads,
    .max_batch = options->batch,
    .precision = options->precision,
  };
  static const struct {
    const gchar *key;
    gsize offset;
  } columns[] = {
    { "read_ms", G_STRUCT_OFFSET (BenchLoad, read_ms) },
    { "open_ms", G_STRUCT_OFFSET (BenchLoad, open_ms) },
    { "pack_ms", G_STRUCT_OFFSET (BenchLoad, pack_ms) },
    { "load_ratio", G_STRUCT_OFFSET (BenchLoad, ratio) },
  };
  g_autofree BenchLoad *loads = g_new (BenchLoad, options->n_rounds);

  for (guint i = 0; i < options->n_rounds; i++)
    if (!bench_load (options->model, &encoder, &loads[i], error))
      return FALSE;
  json_object_set_new (report, "precision",
      json_string (clip_precision_get_name (
          clip_encoder_choose_precision (options->precision))));
  for (guint column = 0; column < G_N_ELEMENTS (columns); column++) {
    g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (gdouble));

    for (guint i = 0; i < options->n_rounds; i++)
      g_array_append_val (
          values, G_STRUCT_MEMBER (gdouble, &loads[i], columns[column].offset));
    printf ("%-10s %8.2f\n", columns[column].key, machine_median (values));
    bench_set_number (report, columns[column].key, machine_median (values));
  }
  printf (
      "%.1f MiB of files, %.1f packed; the ratio is (open + pack) / (read + "
      "pack)\n",
      loads[0].file_size / MIB, loads[0].packed_size / MIB);
  return TRUE;
}
