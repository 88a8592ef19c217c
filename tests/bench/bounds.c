/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* That the answers in a precision are those in f32, as far as a user can tell:
 * on crops of real pictures the demonstration model, and of int8 a transformer.
 */

#include "accuracy.h"
#include "prompts.h"
#include "published.h"
#include "support.h"

#define N_CROPS 100
#define N_LONG_CROPS 1000

/* Differences of scores decide, and those of prompts that are both plausible
 * are some hundredths: a standard deviation of 0.0007 changes no answer that
 * was not a toss-up. */
#define DIFFERENCE_RMS 0.0007

/* One score in a thousand may be further off. Of a hundred crops that is the
 * one that suits the precision least, which tells nothing: only of all. */
#define SIMILARITY_P999 0.003

#define CLEAR_AGREEMENT 0.999

/* @prompts: for @model */
static void
measure (ClipModel *model, ClipPrecision precision, guint n_crops,
    const Vectors *prompts, AccuracyFigures *figures)
{
  g_auto (Pictures) pictures = { 0 };
  g_auto (Vectors) reference = { 0 };
  g_auto (Vectors) other = { 0 };
  g_autoptr (GError) error = NULL;

  if (pictures_load (&pictures, n_crops,
          &clip_model_get_info (model)->preprocess, &error) &&
      accuracy_encode (
          model, CLIP_PRECISION_F32, &pictures, &reference, &error) &&
      accuracy_encode (model, precision, &pictures, &other, &error))
    accuracy_compare (&reference, &other, prompts, figures);
  g_assert_no_error (error);
  g_test_message ("%u crops: differences %.6f, p99.9 %.6f, agreement %.4f",
      figures->n_crops, figures->difference_rms, figures->similarity_p999,
      figures->clear_agreement);
}

static void
bf16_gives_the_answers_of_f32 (void)
{
  g_autofree gchar *folder = test_source ("../pipelines/demo-model");
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipModel) model = NULL;
  g_auto (Vectors) prompts = { 0 };
  gboolean is_long = g_getenv ("CLIPFILTER_TEST_LONG") != NULL;
  AccuracyFigures figures;

  if (clip_encoder_choose_precision (CLIP_PRECISION_BF16) !=
      CLIP_PRECISION_BF16) {
    g_test_skip ("this CPU has no bf16");
    return;
  }
  model = clip_model_open (folder, &error);
  g_assert_no_error (error);
  prompts_encode (model, NULL, &prompts, &error);
  g_assert_no_error (error);
  measure (model, CLIP_PRECISION_BF16, is_long ? N_LONG_CROPS : N_CROPS,
      &prompts, &figures);
  g_assert_cmpfloat (figures.difference_rms, <=, DIFFERENCE_RMS);
  if (is_long)
    g_assert_cmpfloat (figures.similarity_p999, <=, SIMILARITY_P999);
  g_assert_cmpfloat (figures.clear_agreement, >=, CLEAR_AGREEMENT);
}

/* The goal of a precision that is asked for by name; 0.0009 was seen. */
#define INT8_DIFFERENCE_RMS 0.003

static void
int8_gives_the_answers_of_f32 (void)
{
  const TestCheckpointSpec values = { .quick = TRUE, .dtype = CLIP_DTYPE_F16 };
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipModel) model = NULL;
  g_auto (Vectors) prompts = { 0 };
  AccuracyFigures figures;
  gchar *folder;

  if (clip_encoder_choose_precision (CLIP_PRECISION_INT8) !=
      CLIP_PRECISION_INT8) {
    g_test_skip ("this CPU has no VNNI");
    return;
  }
  folder = test_published_write (
      test_published_find ("TinyCLIP-8M-16"), TEST_FORM_OPEN_CLIP, &values);
  model = clip_model_open (folder, &error);
  g_assert_no_error (error);
  prompts_draw (clip_model_get_info (model)->embed_dim, &prompts);
  measure (model, CLIP_PRECISION_INT8, N_CROPS, &prompts, &figures);
  g_assert_cmpfloat (figures.difference_rms, <=, INT8_DIFFERENCE_RMS);
  g_assert_cmpfloat (figures.clear_agreement, >=, CLEAR_AGREEMENT);
  test_checkpoint_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/encode/accuracy/bf16-gives-the-answers-of-f32",
      bf16_gives_the_answers_of_f32);
  g_test_add_func ("/encode/accuracy/int8-gives-the-answers-of-f32",
      int8_gives_the_answers_of_f32);
  return g_test_run ();
}
