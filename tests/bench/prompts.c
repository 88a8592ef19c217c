/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompts.h"

#include "support.h"

#include "engine/engine.h"
#include "prompt/prompt.h"

#define N_DRAWN 50

/* The demonstration model's own list, and more of its words. */
static const gchar default_prompts[] =
    "a photo of a person | a photo of a dog | a photo of a cat | "
    "a photo of a bird | a photo of a car | a photo of a boat | "
    "a photo of a building | a photo of food | a cup of coffee | "
    "a piece of furniture | a landscape | a black and white photo | "
    "a photo of a fish | a photo of a snake | a photo of an insect | "
    "a photo of a butterfly | a photo of a monkey | a photo of a truck | "
    "a photo of a bus | a photo of a train | a photo of an airplane | "
    "a photo of a horse | a photo of a bridge | a photo of fruit | "
    "a photo of an orange | a photo of an apple | a photo of vegetables | "
    "a photo of a flower | a photo of a plant | a photo of a tree | "
    "a photo of clothes | a photo of a bottle | a photo of a chair | "
    "a photo of a table | a photo of a musical instrument | "
    "a photo of a face | people walking on a street | a photo of a house | "
    "a photo of a mountain | a photo of the sea | a photo of the sky | "
    "a photo of a clock | a photo of a ball | a photo of a computer | "
    "a photo of a sign | a dark picture | an indoor scene | an animal | "
    "a vehicle | 一张狗的照片 | 一张汽车的照片 | 一张建筑的照片";

static ClipTokenizer *
open_tokenizer (ClipModel *model, GError **error)
{
  const ClipConfig *config =
      clip_checkpoint_get_config (clip_model_get_checkpoint (model));

  return clip_tokenizer_new (&config->tokenizer, config->text.vocab_size,
      config->text.context_length, error);
}

gboolean
prompts_encode (
    ClipModel *model, const gchar *prompts, Vectors *vectors, GError **error)
{
  const ClipEncoderOptions options = {
    .n_threads = 2, .max_batch = 1, .precision = CLIP_PRECISION_F32
  };
  g_auto (GStrv) texts =
      clip_prompts_parse (prompts != NULL ? prompts : default_prompts, error);
  g_autoptr (ClipTokenizer) tokenizer = NULL;
  g_autoptr (ClipEncoder) encoder = NULL;
  g_autoptr (ClipPromptWork) work = NULL;
  g_autoptr (ClipPromptSet) set = NULL;

  if (texts == NULL)
    return FALSE;
  tokenizer = open_tokenizer (model, error);
  if (tokenizer == NULL)
    return FALSE;
  encoder = clip_encoder_new (model, &options, error);
  if (encoder == NULL)
    return FALSE;
  work = clip_prompt_work_new (
      tokenizer, encoder, (const gchar *const *)texts, NULL, error);
  if (work == NULL)
    return FALSE;
  while (set == NULL)
    if (!clip_prompt_work_run (work, &set, error))
      return FALSE;
  *vectors = (Vectors){ set->n_prompts, set->embed_dim,
    g_memdup2 (
        set->embeddings, sizeof (gfloat) * set->n_prompts * set->embed_dim) };
  return TRUE;
}

void
prompts_draw (guint width, Vectors *vectors)
{
  *vectors =
      (Vectors){ N_DRAWN, width, g_new (gfloat, (gsize)N_DRAWN * width) };
  for (guint i = 0; i < N_DRAWN * width; i++)
    vectors->values[i] = test_uniform (i, "prompts");
  for (guint i = 0; i < N_DRAWN; i++)
    clip_rows_normalise (width, vectors->values + (gsize)i * width);
}
