/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Short prompts against prompts as long as the model reads. */

#include "bench.h"

#include "machine.h"

#include <stdio.h>

#define N_SHORT 1000 /* as many as the element takes */
#define N_FULL 40    /* measured; told as if they were N_SHORT */
#define N_ROUNDS 3   /* seconds each */

/* "a dog" is 4 tokens, "a photo of a dog in the rain" is 10. */
#define SHORTEST 4
#define N_LENGTHS 7

#define MIB (1024.0 * 1024)

typedef struct {
  ClipTokens tokens[N_SHORT];
  guint n;
  guint32 *ids; /* of all */
} Texts;

static void
texts_clear (Texts *texts)
{
  g_free (texts->ids);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Texts, texts_clear)

/* @length: of each; 0: as prompts are */
static void
make_texts (Texts *texts, const ClipTextConfig *config, guint n, guint length)
{
  guint most = MAX (length, SHORTEST + N_LENGTHS);

  texts->n = n;
  texts->ids = g_new (guint32, (gsize)n * most);
  for (guint i = 0; i < n; i++) {
    guint32 *ids = texts->ids + (gsize)i * most;
    guint n_ids = length > 0 ? length : SHORTEST + i % N_LENGTHS;

    texts->tokens[i] = (ClipTokens){ ids, MIN (n_ids, config->context_length) };
    for (guint t = 0; t < most; t++)
      ids[t] = (i * 7919 + t * 104729) % (config->vocab_size - 1);
    /* CLIP reads up to the largest, which ends a text. */
    ids[texts->tokens[i].n_ids - 1] = config->vocab_size - 1;
  }
}

static gboolean
time_texts (
    ClipEncoder *encoder, const Texts *texts, GArray *all_ms, GError **error)
{
  guint width =
      clip_model_get_info (clip_encoder_get_model (encoder))->embed_dim;
  g_autofree gfloat *embeddings = g_new (gfloat, (gsize)texts->n * width);
  gint64 start = g_get_monotonic_time ();
  gdouble ms;

  if (!clip_encoder_encode_tokens (
          encoder, texts->n, texts->tokens, embeddings, error))
    return FALSE;
  ms = machine_ms_since (start) * N_SHORT / texts->n;
  g_array_append_val (all_ms, ms);
  return TRUE;
}

static gboolean
compare (ClipEncoder *encoder, const ClipTextConfig *config, json_t *report,
    GError **error)
{
  g_auto (Texts) brief = { 0 };
  g_auto (Texts) full = { 0 };
  g_autoptr (GArray) brief_ms = g_array_new (FALSE, FALSE, sizeof (gdouble));
  g_autoptr (GArray) full_ms = g_array_new (FALSE, FALSE, sizeof (gdouble));
  gdouble ratio;

  make_texts (&brief, config, N_SHORT, 0);
  make_texts (&full, config, N_FULL, config->context_length);
  for (guint i = 0; i < N_ROUNDS; i++)
    if (!time_texts (encoder, &brief, brief_ms, error) ||
        !time_texts (encoder, &full, full_ms, error))
      return FALSE;
  ratio = machine_median (brief_ms) / machine_median (full_ms);
  printf ("%d prompts of %d to %d tokens %.0f ms, of %u tokens %.0f (from %d): "
          "%.3f\n",
      N_SHORT, SHORTEST, SHORTEST + N_LENGTHS - 1, machine_median (brief_ms),
      config->context_length, machine_median (full_ms), N_FULL, ratio);
  bench_set_number (report, "text_short_ms", machine_median (brief_ms));
  bench_set_number (report, "text_full_ms", machine_median (full_ms));
  bench_set_number (report, "text_ratio", ratio);
  return TRUE;
}

gboolean
bench_text (const BenchOptions *options, json_t *report, GError **error)
{
  const ClipEncoderOptions encoder_options = {
    .n_threads = options->n_threads,
    .max_batch = 1,
    .precision = CLIP_PRECISION_F32,
  };
  const ClipConfig *config;
  g_autoptr (ClipModel) model = clip_model_open (options->model, error);
  g_autoptr (ClipEncoder) encoder = NULL;
  gdouble before;

  if (model == NULL)
    return FALSE;
  config = clip_checkpoint_get_config (clip_model_get_checkpoint (model));
  encoder = clip_encoder_new (model, &encoder_options, error);
  if (encoder == NULL)
    return FALSE;
  before = clip_encoder_get_packed_size (encoder) / MIB;
  if (!compare (encoder, &config->text, report, error))
    return FALSE;
  printf ("packed: %.1f MiB before the first prompt, %.1f with it\n", before,
      clip_encoder_get_packed_size (encoder) / MIB);
  bench_set_number (report, "packed_before_text_mib", before);
  bench_set_number (report, "packed_with_text_mib",
      clip_encoder_get_packed_size (encoder) / MIB);
  return TRUE;
}
