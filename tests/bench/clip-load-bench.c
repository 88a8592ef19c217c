/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Loads a model several times and prints how long that takes. */

#include "bench/load.h"
#include "published.h"
#include "torch-checkpoint.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB (1024. * 1024)

static gchar *model, *arch;
static gint n_threads = 2, n_runs = 7;
static gboolean is_half, is_torch, is_bf16;

static const GOptionEntry options[] = {
  { "model", 0, 0, G_OPTION_ARG_FILENAME, &model, "folder or weights", "PATH" },
  { "arch", 0, 0, G_OPTION_ARG_STRING, &arch,
      "random weights of a published shape", "ViT-B-32|RN50|…" },
  { "half", 0, 0, G_OPTION_ARG_NONE, &is_half, "the random weights in f16",
      NULL },
  { "torch", 0, 0, G_OPTION_ARG_NONE, &is_torch,
      "the random weights in a file of PyTorch's", NULL },
  { "bf16", 0, 0, G_OPTION_ARG_NONE, &is_bf16,
      "packs for that precision instead of f32", NULL },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "of the encoder", "N" },
  { "runs", 0, 0, G_OPTION_ARG_INT, &n_runs, "7 where not said", "N" }, { NULL }
};

/* @path: (out) (transfer full): what is to be opened
 *
 * Returns: (transfer full): its folder, NULL where no shape has the name */
static gchar *
generate (const gchar *name, gchar **path)
{
  const TestPublished *published = test_published_find (name);
  const TestCheckpointSpec values = { .quick = TRUE,
    .dtype = is_half ? CLIP_DTYPE_F16 : CLIP_DTYPE_F32 };
  const TestTorchForm torch = { 0 };
  g_autofree gchar *safetensors = NULL;
  gchar *folder;

  if (published == NULL)
    return NULL;
  folder = test_published_write (published, TEST_FORM_OPEN_CLIP, &values);
  safetensors = g_build_filename (folder, "model.safetensors", NULL);
  *path = g_build_filename (folder, "model.pt", NULL);
  if (!is_torch)
    g_assert_cmpint (g_rename (safetensors, *path), ==, 0);
  else
    test_torch_convert (safetensors, *path, &torch);
  return folder;
}

static int
compare_ratios (gconstpointer a, gconstpointer b)
{
  gdouble first = ((const BenchLoad *)a)->ratio,
          second = ((const BenchLoad *)b)->ratio;

  return (first > second) - (first < second);
}

static void
print (const gchar *what, const BenchLoad *load)
{
  printf ("%-8s read %7.1f ms, open %7.1f ms, pack %7.1f ms, ratio %.2f; "
          "packed %.0f MiB, resident %.0f MiB\n",
      what, load->read_ms, load->open_ms, load->pack_ms, load->ratio,
      load->packed_size / MIB, load->resident_size / MIB);
}

static gboolean
run (const gchar *path, GError **error)
{
  const ClipEncoderOptions encoder = { .n_threads = (guint)n_threads,
    .max_batch = 1,
    .precision = is_bf16 ? CLIP_PRECISION_BF16 : CLIP_PRECISION_F32 };
  g_autofree BenchLoad *loads = g_new0 (BenchLoad, n_runs);

  for (gint i = 0; i < n_runs; i++)
    if (!bench_load (path, &encoder, &loads[i], error))
      return FALSE;
  qsort (loads, (gsize)n_runs, sizeof *loads, compare_ratios);
  print ("least", &loads[0]);
  print ("median", &loads[n_runs / 2]);
  print ("most", &loads[n_runs - 1]);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *generated = NULL;
  gchar *folder = NULL;
  gboolean done;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "clip-load-bench: %s\n", error->message);
    return 2;
  }
  if (arch != NULL)
    folder = generate (arch, &generated);
  if ((model == NULL) == (folder == NULL) || n_threads < 1 || n_runs < 1) {
    fputs ("clip-load-bench: give either --model PATH or --arch NAME, and "
           "numbers from 1\n",
        stderr);
    return 2;
  }
  done = run (model != NULL ? model : generated, &error);
  if (!done)
    fprintf (stderr, "clip-load-bench: %s\n", error->message);
  if (folder != NULL)
    test_checkpoint_remove (folder);
  return done ? 0 : 2;
}
