/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "bench/load.h"

#include "load/weights.h"

#include <stdio.h>
#include <unistd.h>

/* One buffer for all reads: it costs no fresh pages, so that nothing reads
 * faster. */
#define BUFFER_SIZE (1u << 20)

#define N_READS 3

static gdouble
get_ms_since (gint64 start)
{
  return (g_get_monotonic_time () - start) / 1000.;
}

static gboolean
read_file (const ClipFile *file, guint8 *buffer, GError **error)
{
  for (guint64 at = 0; at < file->size; at += BUFFER_SIZE)
    if (!clip_file_read_at (
            file, at, buffer, (gsize)MIN (BUFFER_SIZE, file->size - at), error))
      return FALSE;
  return TRUE;
}

/* The weights and the vocabulary; a configuration is nothing beside them.
 *
 * Returns: (transfer full) (element-type ClipFile) */
static GPtrArray *
open_files (const gchar *path, GError **error)
{
  g_autoptr (GPtrArray) files =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_file_free);
  g_autoptr (ClipCheckpoint) checkpoint = clip_checkpoint_open (path, error);
  g_autoptr (ClipWeights) weights = NULL;
  g_autofree gchar *folder = NULL;
  g_autofree gchar *name = NULL;
  const ClipTokenizerConfig *tokenizer = NULL;

  if (checkpoint == NULL ||
      !clip_weights_locate (path, &folder, &name, error) ||
      (weights = clip_weights_open (name, error)) == NULL)
    return NULL;
  g_ptr_array_extend_and_steal (files, g_steal_pointer (&weights->files));
  tokenizer = &clip_checkpoint_get_config (checkpoint)->tokenizer;
  for (guint i = 0; i < 2; i++) {
    const gchar *table = i == 0 ? tokenizer->vocab : tokenizer->merges;
    ClipFile *file = table != NULL ? clip_file_open (table, error) : NULL;

    if (file != NULL)
      g_ptr_array_add (files, file);
    else if (table != NULL)
      return NULL;
  }
  return g_steal_pointer (&files);
}

/* The fastest of some, the first of which fills the page cache. */
static gboolean
measure_reading (const gchar *path, BenchLoad *load, GError **error)
{
  g_autoptr (GPtrArray) files = open_files (path, error);
  g_autofree guint8 *buffer = g_malloc0 (BUFFER_SIZE);

  if (files == NULL)
    return FALSE;
  load->file_size = 0;
  for (guint i = 0; i < files->len; i++)
    load->file_size += ((const ClipFile *)files->pdata[i])->size;
  for (guint round = 0; round < 1 + N_READS; round++) {
    gint64 start = g_get_monotonic_time ();
    gdouble ms;

    for (guint i = 0; i < files->len; i++)
      if (!read_file (files->pdata[i], buffer, error))
        return FALSE;
    ms = get_ms_since (start);
    if (round <= 1 || ms < load->read_ms)
      load->read_ms = ms;
  }
  return TRUE;
}

static gsize
read_resident_size (void)
{
  g_autofree gchar *text = NULL;
  gsize n_pages = 0;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL) ||
      sscanf (text, "%*u %zu", &n_pages) != 1)
    return 0;
  return n_pages * (gsize)sysconf (_SC_PAGESIZE);
}

gboolean
bench_load (const gchar *path, const ClipEncoderOptions *options,
    BenchLoad *load, GError **error)
{
  g_autoptr (ClipModel) model = NULL;
  g_autoptr (ClipEncoder) encoder = NULL;
  gsize resident_before, resident;
  gint64 start;

  if (!measure_reading (path, load, error))
    return FALSE;
  resident_before = read_resident_size ();
  start = g_get_monotonic_time ();
  model = clip_model_open (path, error);
  if (model == NULL)
    return FALSE;
  load->open_ms = get_ms_since (start);
  start = g_get_monotonic_time ();
  encoder = clip_encoder_new (model, options, error);
  if (encoder == NULL)
    return FALSE;
  load->pack_ms = get_ms_since (start);
  load->ratio =
      (load->open_ms + load->pack_ms) / (load->read_ms + load->pack_ms);
  load->packed_size = clip_encoder_get_packed_size (encoder);
  resident = read_resident_size ();
  load->resident_size =
      resident > resident_before ? resident - resident_before : 0;
  return TRUE;
}
