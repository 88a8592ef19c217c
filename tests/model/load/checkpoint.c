/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "checkpoints.h"
#include "clip-error.h"
#include "load/load.h"
#include "support.h"

/* The numbers of pipelines/demo-model/MODEL_CARD.md and config.json. */
static void
the_demo_model_opens (void)
{
  g_autofree gchar *folder = test_source ("../pipelines/demo-model");
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = clip_checkpoint_open (folder, &error);
  const ClipModifiedResNetTensors *resnet;
  const ClipConfig *config;

  g_assert_no_error (error);
  config = clip_checkpoint_get_config (checkpoint);
  resnet = clip_checkpoint_get_modified_resnet (checkpoint);
  g_assert_cmpstr (config->dialect, ==, "chinese-clip-original");
  g_assert_cmpuint (config->embed_dim, ==, 256);
  g_assert_cmpuint (config->vision.heads, ==, 16);
  g_assert_cmpuint (config->text.context_length, ==, 52);
  g_assert_cmpuint (resnet->n_bottlenecks, ==, 8);
  g_assert_cmpuint (clip_tensor_get_dim (resnet->c_proj.weight, 1), ==, 1024);
  /* exp (logit_scale) is 41.54 in the card. */
  g_assert_cmpfloat_with_epsilon (
      clip_checkpoint_get_logit_scale (checkpoint), 41.54f, 0.005f);
  /* 6.92 M and 2.49 M, each rounded to two digits. */
  g_assert_cmpfloat_with_epsilon (
      clip_checkpoint_get_n_parameters (checkpoint) * 1e-6, 6.92 + 2.49, 0.01);
  g_assert_cmpstr (
      clip_checkpoint_get_source_precision (checkpoint), ==, "f16");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/load/checkpoint/the-demo-model-opens", the_demo_model_opens);
  return g_test_run ();
}
