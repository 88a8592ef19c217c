/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A path becomes a checkpoint, or an error that says what is wrong with it. */

#include "checkpoints.h"
#include "clip-error.h"
#include "load/load.h"
#include "support.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gchar *
new_folder (void)
{
  TestCheckpointSpec spec = test_checkpoint_a;

  spec.sparse = TRUE;
  return test_checkpoint_new (&spec);
}

static gchar *
weights_of (const gchar *folder)
{
  return g_build_filename (folder, "model.safetensors", NULL);
}

static void
assert_opens (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = clip_checkpoint_open (path, &error);

  g_assert_no_error (error);
  g_assert_nonnull (checkpoint);
}

static void
assert_fails (const gchar *path, ClipError code, const gchar *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (clip_checkpoint_open (path, &error));
  g_assert_error (error, CLIP_ERROR, (gint)code);
  if (strstr (error->message, message) == NULL)
    g_error ("got: %s; expected: %s", error->message, message);
}

/* The numbers of pipelines/demo-model/MODEL_CARD.md. */
static void
the_demo_model_opens (void)
{
  g_autofree gchar *folder = test_source ("../pipelines/demo-model");
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = clip_checkpoint_open (folder, &error);
  const ClipModifiedResNetTensors *resnet;

  g_assert_no_error (error);
  resnet = clip_checkpoint_get_modified_resnet (checkpoint);
  g_assert_cmpuint (resnet->n_bottlenecks, ==, 8);
  g_assert_nonnull (resnet->bottlenecks[2].downsample.conv);
  g_assert_null (resnet->bottlenecks[3].downsample.conv);
  g_assert_cmpuint (clip_tensor_get_dim (resnet->c_proj.weight, 1), ==, 1024);
  g_assert_cmpuint (clip_checkpoint_get_bert (checkpoint)->n_blocks, ==, 4);
  g_assert_null (clip_checkpoint_get_vision_transformer (checkpoint));
  g_assert_null (clip_checkpoint_get_text_transformer (checkpoint));
  /* exp (logit_scale) is 41.54 in the card. */
  g_assert_cmpfloat_with_epsilon (
      clip_checkpoint_get_logit_scale (checkpoint), 41.54f, 0.005f);
  /* 6.92 M and 2.49 M, each rounded to two digits. */
  g_assert_cmpfloat_with_epsilon (
      clip_checkpoint_get_n_parameters (checkpoint) * 1e-6, 6.92 + 2.49, 0.01);
  g_assert_cmpstr (
      clip_checkpoint_get_source_precision (checkpoint), ==, "f16");
}

/* Published models whose picture side is a ModifiedResNet (model-spec 1.1, 1.2,
 * 1.4: counted by their original code), all with the text side of Chinese-CLIP
 * RN50: 38,672,640 parameters with an embedding of 1024. */
static void
published_models_have_their_parameters (void)
{
  static const struct {
    guint embed_dim;
    TestVisionSpec vision;
    guint64 n_parameters;
  } models[] = {
    { 1024, { 224, { 3, 4, 6, 3 }, 64 }, 38316896 },
    { 512, { 224, { 3, 4, 23, 3 }, 64 }, 56259936 },
    { 640, { 288, { 4, 6, 10, 6 }, 80 }, 87137080 },
    { 768, { 384, { 6, 8, 18, 8 }, 96 }, 167328912 },
    { 1024, { 448, { 3, 15, 36, 10 }, 128 }, 420380352 },
    { 1024, { 224, { 3, 4, 6, 3 }, 44 }, 18596766 },
    { 1024, { 224, { 3, 4, 6, 3 }, 56 }, 29583780 },
  };
  TestCheckpointSpec spec = {
    .text = { 3, 768, 12, 3072, 21128, 512, 2 },
    .sparse = TRUE,
  };

  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    const guint64 n_text = 38672640 - 768 * (1024 - models[i].embed_dim);
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    g_autoptr (GError) error = NULL;
    gchar *folder;

    spec.embed_dim = models[i].embed_dim;
    spec.vision = models[i].vision;
    folder = test_checkpoint_new (&spec);
    checkpoint = clip_checkpoint_open (folder, &error);
    g_assert_no_error (error);
    /* One more for the logit scale. */
    g_assert_cmpuint (clip_checkpoint_get_n_parameters (checkpoint), ==,
        models[i].n_parameters + n_text + 1);
    test_checkpoint_remove (folder);
  }
}

static void
odd_widths_open (void)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_c);
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = clip_checkpoint_open (folder, &error);
  const ClipConfig *config;

  g_assert_no_error (error);
  config = clip_checkpoint_get_config (checkpoint);
  /* model-spec 9, model C: 6 heads, 10 positions of 384 channels. */
  g_assert_cmpuint (config->vision.heads, ==, 6);
  g_assert_cmpuint (
      clip_tensor_get_dim (clip_checkpoint_get_modified_resnet (checkpoint)
                               ->positional_embedding,
          0),
      ==, 10);
  g_assert_cmpfloat_with_epsilon (
      clip_checkpoint_get_logit_scale (checkpoint), (gfloat)(1 / 0.07), 1e-5f);
  test_checkpoint_remove (folder);
}

static void
most_weights_name_the_precision (void)
{
  static const struct {
    ClipDtype dtype;
    const gchar *name;
  } precisions[] = {
    { CLIP_DTYPE_F32, "f32" },
    { CLIP_DTYPE_F16, "f16" },
    { CLIP_DTYPE_BF16, "bf16" },
    { CLIP_DTYPE_F64, "f64" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (precisions); i++) {
    TestCheckpointSpec spec = test_checkpoint_a;
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    gchar *folder;

    spec.sparse = TRUE;
    spec.dtype = precisions[i].dtype;
    folder = test_checkpoint_new (&spec);
    checkpoint = clip_checkpoint_open (folder, NULL);
    g_assert_cmpstr (clip_checkpoint_get_source_precision (checkpoint), ==,
        precisions[i].name);
    test_checkpoint_remove (folder);
  }
}

static void
any_path_to_the_model_will_do (void)
{
  gchar *folder = new_folder ();
  g_autofree gchar *weights = weights_of (folder);
  g_autofree gchar *slash = g_strconcat (folder, "/", NULL);
  g_autofree gchar *other = g_build_filename (folder, "weights.pt", NULL);
  g_autofree gchar *link = g_strconcat (folder, "-link", NULL);
  g_autofree gchar *before = g_get_current_dir ();

  assert_opens (weights);
  assert_opens (slash);
  g_assert_cmpint (symlink (folder, link), ==, 0);
  assert_opens (link);
  g_assert_cmpint (chdir (folder), ==, 0);
  assert_opens (".");
  assert_opens ("model.safetensors");
  g_assert_cmpint (chdir (before), ==, 0);
  /* The name says nothing. */
  g_assert_cmpint (g_rename (weights, other), ==, 0);
  assert_opens (other);
  g_assert_cmpint (g_unlink (link), ==, 0);
  test_checkpoint_remove (folder);
}

static void
what_is_no_file_fails_at_once (void)
{
  g_autofree gchar *folder = g_dir_make_tmp ("clip-paths-XXXXXX", NULL);
  g_autofree gchar *fifo = g_build_filename (folder, "fifo", NULL);
  g_autofree gchar *loop = g_build_filename (folder, "loop", NULL);
  g_autofree gchar *below = g_build_filename (fifo, "model", NULL);

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (symlink (loop, loop), ==, 0);
  assert_fails ("/nowhere/model", CLIP_ERROR_NOT_FOUND, "'/nowhere/model'");
  assert_fails ("", CLIP_ERROR_NOT_FOUND, "''");
  assert_fails (folder, CLIP_ERROR_NOT_FOUND, "model.safetensors");
  assert_fails (fifo, CLIP_ERROR_OPEN, "is a FIFO");
  assert_fails (below, CLIP_ERROR_NOT_FOUND, below);
  assert_fails (loop, CLIP_ERROR_OPEN, loop);
  assert_fails ("/dev/zero", CLIP_ERROR_OPEN, "is a device");
  assert_fails ("/dev/null", CLIP_ERROR_OPEN, "is a device");
  g_unlink (fifo);
  g_unlink (loop);
  g_rmdir (folder);
}

static void
each_file_of_the_folder_must_be_one (void)
{
  static const gchar *const names[] = { "config.json",
    "preprocessor_config.json", "tokenizer_config.json", "vocab.txt",
    "model.safetensors" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gchar *folder = new_folder ();
    g_autofree gchar *path = g_build_filename (folder, names[i], NULL);

    g_unlink (path);
    g_assert_cmpint (mkfifo (path, 0600), ==, 0);
    assert_fails (folder, CLIP_ERROR_OPEN, path);
    g_unlink (path);
    g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
    assert_fails (folder, CLIP_ERROR_OPEN, path);
    g_rmdir (path);
    g_assert_cmpint (symlink ("/dev/zero", path), ==, 0);
    assert_fails (folder, CLIP_ERROR_OPEN, path);
    g_unlink (path);
    test_checkpoint_write (folder, names[i], "");
    assert_fails (folder, CLIP_ERROR_FORMAT, path);
    if (geteuid () != 0) {
      g_assert_cmpint (g_chmod (path, 0), ==, 0);
      assert_fails (folder, CLIP_ERROR_OPEN, path);
    }
    test_checkpoint_remove (folder);
  }
}

static void
a_folder_without_weights_names_them (void)
{
  gchar *folder = new_folder ();
  g_autofree gchar *weights = weights_of (folder);

  g_unlink (weights);
  assert_fails (folder, CLIP_ERROR_NOT_FOUND, weights);
  assert_fails (weights, CLIP_ERROR_NOT_FOUND, weights);
  test_checkpoint_remove (folder);
}

static void
other_formats_are_told_by_their_bytes (void)
{
  static const struct {
    const gchar *bytes;
    gsize size;
    const gchar *message;
  } formats[] = {
    { "PK\3\4\0\0\10\10\0\0", 10, "is not a valid archive of PyTorch" },
    { "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15,
        "the pickle of the version is empty" },
    { "\x80\x02}q\x01X\1\0\0\0ws.", 13, "saved without PyTorch" },
    { "GGUF\3\0\0\0", 8, "is a GGUF file" },
    { "version https://git-lfs.github.com/spec/v1\n", 43, "git lfs pull" },
    { "<!DOCTYPE html><html></html>", 28, "is not a valid safetensors file" },
    { "PK", 2, "is not a valid safetensors file" },
  };
  gchar *folder = new_folder ();
  g_autofree gchar *weights = weights_of (folder);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_assert_true (g_file_set_contents (
        weights, formats[i].bytes, (gssize)formats[i].size, NULL));
    assert_fails (folder, CLIP_ERROR_FORMAT, formats[i].message);
    assert_fails (folder, CLIP_ERROR_FORMAT, weights);
  }
  test_checkpoint_remove (folder);
}

static void
a_mended_model_opens (void)
{
  gchar *folder = new_folder ();
  g_autofree gchar *vocab = g_build_filename (folder, "vocab.txt", NULL);
  g_autofree gchar *aside = g_build_filename (folder, "aside", NULL);

  for (guint i = 0; i < 3; i++) {
    g_assert_cmpint (g_rename (vocab, aside), ==, 0);
    assert_fails (folder, CLIP_ERROR_NOT_FOUND, vocab);
    g_assert_cmpint (g_rename (aside, vocab), ==, 0);
    assert_opens (folder);
  }
  test_checkpoint_remove (folder);
}

static void
no_file_is_left_open (void)
{
  gchar *folder = new_folder ();
  g_autofree gchar *weights = weights_of (folder);
  const guint before = test_count_entries ("/proc/self/fd");

  for (guint i = 0; i < 50; i++)
    assert_opens (folder);
  g_assert_cmpint (truncate (weights, 1000), ==, 0);
  for (guint i = 0; i < 50; i++)
    assert_fails (folder, CLIP_ERROR_FORMAT, weights);
  g_assert_cmpuint (test_count_entries ("/proc/self/fd"), ==, before);
  test_checkpoint_remove (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/load/checkpoint/" name, function)
  ADD ("the-demo-model-opens", the_demo_model_opens);
  ADD ("published-models-have-their-parameters",
      published_models_have_their_parameters);
  ADD ("odd-widths-open", odd_widths_open);
  ADD ("most-weights-name-the-precision", most_weights_name_the_precision);
  ADD ("any-path-to-the-model-will-do", any_path_to_the_model_will_do);
  ADD ("what-is-no-file-fails-at-once", what_is_no_file_fails_at_once);
  ADD ("each-file-of-the-folder-must-be-one",
      each_file_of_the_folder_must_be_one);
  ADD ("a-folder-without-weights-names-them",
      a_folder_without_weights_names_them);
  ADD ("other-formats-are-told-by-their-bytes",
      other_formats_are_told_by_their_bytes);
  ADD ("a-mended-model-opens", a_mended_model_opens);
  ADD ("no-file-is-left-open", no_file_is_left_open);
  return g_test_run ();
}
