/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Models of the published sizes, with generated weights, load, pass the
 * self-test, encode, and take no more memory than they must: in f32, and in
 * int8 where that is asked for. The three that take seconds always; all with
 * CLIPFILTER_TEST_LONG. */

#include "published.h"
#include "torch-checkpoint.h"

#include "load/weights.h"
#include "serve/selftest.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Beyond the packed weights: twice the largest tensor as the file has it, and
 * the program, oneDNN's code and the layers' outputs. */
#define N_LARGEST 2
#define SPARE_MIB 64

#define MIB (1024. * 1024)

/* AddressSanitizer keeps what was freed, and more; ThreadSanitizer who touched
 * what. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHOWS_MEMORY FALSE
#else
#define SHOWS_MEMORY TRUE
#endif

static const gchar *const quick_ones[] = { "TinyCLIP-8M-16",
  "TinyCLIP-ResNet-19M", "CN-RN50" };

static const gchar *program;

/* --- in a process of its own, whose memory is the model's --- */

static gdouble
read_peak_mib (void)
{
  g_autofree gchar *status = NULL;
  const gchar *line = NULL;

  g_assert_true (
      g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  line = strstr (status, "VmHWM:");
  g_assert_nonnull (line);
  return g_ascii_strtod (line + strlen ("VmHWM:"), NULL) / 1024;
}

/* The vocabulary of a generated folder has no words, so texts are ids. */
static void
encode_texts (ClipEncoder *encoder)
{
  static const guint32 ids[2][4] = { { 10, 20, 30, 40 }, { 10, 21, 31, 40 } };
  const ClipTokens tokens[2] = { { ids[0], 4 }, { ids[1], 4 } };
  guint n = clip_model_get_info (clip_encoder_get_model (encoder))->embed_dim;
  g_autofree gfloat *embeddings = g_new (gfloat, 2 * n);
  g_autoptr (GError) error = NULL;
  gdouble cosine = 0;

  clip_encoder_encode_tokens (encoder, 2, tokens, embeddings, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n; i++)
    cosine += (gdouble)embeddings[i] * embeddings[n + i];
  g_assert_true (isfinite (cosine));
  g_assert_cmpfloat (cosine, <, 0.99999);
}

/* Prints the packed weights and the peak, MiB, and what was encoded in. */
static int
measure (const gchar *weights, ClipPrecision precision)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipModel) model = clip_model_open (weights, &error);
  g_autoptr (ClipEncoder) encoder = NULL;
  guint64 encode_time;

  g_assert_no_error (error);
  encoder = clip_encoder_new (
      model, &(ClipEncoderOptions){ 2, 1, precision }, &error);
  g_assert_no_error (error);
  clip_selftest_pictures (encoder, &encode_time, &error);
  g_assert_no_error (error);
  encode_texts (encoder);
  printf ("%.1f %.1f %s\n", clip_encoder_get_packed_size (encoder) / MIB,
      read_peak_mib (),
      clip_precision_get_name (clip_encoder_get_precision (encoder)));
  return 0;
}

/* --- what it may take --- */

/* The largest tensor as the file has it, MiB. */
static gdouble
get_largest_mib (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipWeights) weights = clip_weights_open (path, &error);
  gdouble largest = 0;

  g_assert_no_error (error);
  for (guint i = 0; i < weights->stored->len; i++) {
    const ClipStoredTensor *tensor = weights->stored->pdata[i];

    largest = MAX (largest,
        tensor->n_elements * clip_dtype_get_size (tensor->dtype) / MIB);
  }
  return largest;
}

/* As OpenAI and Chinese-CLIP publish them, a file of PyTorch's; open_clip's
 * folder otherwise.
 *
 * @weights: (out) (transfer full): what is opened
 *
 * Returns: (transfer full): the folder, for test_checkpoint_remove() */
static gchar *
write_model (const TestPublished *published, gchar **weights)
{
  static const TestForm forms[] = { TEST_FORM_PARALLEL, TEST_FORM_BARE,
    TEST_FORM_OPEN_CLIP };
  TestCheckpointSpec values = { .quick = TRUE, .dtype = CLIP_DTYPE_F32 };
  TestTorchForm torch = { 0 };
  g_autofree gchar *safetensors = NULL;
  gchar *folder;
  guint i = 0;

  while ((published->forms & 1u << forms[i]) == 0)
    i++;
  if (forms[i] == TEST_FORM_OPEN_CLIP)
    values.dtype = CLIP_DTYPE_F16;
  folder = test_published_write (published, forms[i], &values);
  safetensors = g_build_filename (folder, "model.safetensors", NULL);
  if (forms[i] == TEST_FORM_OPEN_CLIP) {
    *weights = g_steal_pointer (&safetensors);
    return folder;
  }
  *weights = g_build_filename (folder, "model.pt", NULL);
  torch.is_training = forms[i] == TEST_FORM_PARALLEL;
  test_torch_convert (safetensors, *weights, &torch);
  g_assert_cmpint (g_remove (safetensors), ==, 0);
  return folder;
}

static gboolean
fits (const TestPublished *published)
{
  g_autofree gchar *info = NULL;
  const gchar *line = NULL;

  if (g_file_get_contents ("/proc/meminfo", &info, NULL, NULL))
    line = strstr (info, "MemAvailable:");

  /* Weights in 32 bits, and the file in the page cache. */
  return line == NULL ||
         g_ascii_strtod (line + strlen ("MemAvailable:"), NULL) * 1024 >
             published->n_parameters * 6.5;
}

typedef struct {
  const TestPublished *published;
  ClipPrecision precision;
} Case;

static void
loads_in_the_memory_it_needs (gconstpointer data)
{
  const Case *a = data;
  const TestPublished *published = a->published;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *output = NULL;
  g_autofree gchar *weights = NULL;
  gchar *folder;
  gchar precision[8];
  gdouble packed, peak, limit, largest;
  gint status;

  if (!fits (published)) {
    g_test_skip ("the model does not fit into the memory of this machine");
    return;
  }
  folder = write_model (published, &weights);
  largest = get_largest_mib (weights);
  {
    const gchar *arguments[] = { program, "--measure", weights,
      clip_precision_get_name (a->precision), NULL };

    g_spawn_sync (NULL, (gchar **)arguments, NULL, G_SPAWN_CHILD_INHERITS_STDIN,
        NULL, NULL, &output, NULL, &status, &error);
  }
  test_checkpoint_remove (folder);
  g_assert_no_error (error);
  g_spawn_check_wait_status (status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (
      sscanf (output, "%lf %lf %7s", &packed, &peak, precision), ==, 3);
  limit = packed + N_LARGEST * largest + SPARE_MIB;
  g_test_message ("%s in %s: %.0f MiB packed, largest tensor %.0f MiB, peak "
                  "%.0f MiB of at most %.0f MiB",
      published->name, precision, packed, largest, peak, limit);
  if (SHOWS_MEMORY)
    g_assert_cmpfloat (peak, <=, limit);
}

static void
add (const TestPublished *published, ClipPrecision precision)
{
  const Case a = { published, precision };
  g_autofree gchar *name = g_strconcat ("/serve/published/", published->name,
      precision == CLIP_PRECISION_INT8 ? "-in-int8" : "", NULL);

  g_test_add_data_func_full (
      name, g_memdup2 (&a, sizeof a), loads_in_the_memory_it_needs, g_free);
}

static gboolean
is_wanted (const TestPublished *published)
{
  for (guint i = 0; i < G_N_ELEMENTS (quick_ones); i++)
    if (g_str_equal (published->name, quick_ones[i]))
      return TRUE;
  return g_getenv ("CLIPFILTER_TEST_LONG") != NULL;
}

int
main (int argc, char **argv)
{
  if (argc == 4 && strcmp (argv[1], "--measure") == 0)
    return measure (argv[2], strcmp (argv[3], "int8") == 0
                                 ? CLIP_PRECISION_INT8
                                 : CLIP_PRECISION_F32);
  program = argv[0];
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < test_n_published; i++) {
    const TestPublished *published = &test_published[i];

    if (!is_wanted (published))
      continue;
    add (published, CLIP_PRECISION_F32);
    if (published->spec.vision.patch_size > 0)
      add (published, CLIP_PRECISION_INT8);
  }
  return g_test_run ();
}
