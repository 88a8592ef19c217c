/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The same tensors are the same model however PyTorch has them in its file, and
 * whatever the file is called. */

#include "checkpoints.h"
#include "clip-error.h"
#include "load/load.h"
#include "load/torchfile.h"
#include "memory-file.h"
#include "support.h"
#include "torch-checkpoint.h"

#include <glib/gstdio.h>
#include <string.h>

static gchar *
identify (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = clip_checkpoint_open (path, &error);
  gchar *id;

  g_assert_no_error (error);
  id = clip_checkpoint_identify (checkpoint, &error);
  g_assert_no_error (error);
  return id;
}

/* The folder's model is the same after its weights are written as PyTorch has
 * them. */
static void
assert_same (const gchar *folder, const TestTorchForm *form)
{
  g_autofree gchar *weights =
      g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *moved = g_build_filename (folder, "kept", NULL);
  g_autofree gchar *path = g_build_filename (folder, "pytorch_model.bin", NULL);
  g_autofree gchar *expected = identify (folder);
  g_autofree gchar *found = NULL;

  test_torch_convert (weights, path, form);
  g_assert_cmpint (g_rename (weights, moved), ==, 0);
  found = identify (folder);
  g_assert_cmpstr (found, ==, expected);
  g_assert_cmpint (g_rename (moved, weights), ==, 0);
  g_assert_cmpint (g_unlink (path), ==, 0);
}

static void
views_of_any_layout_are_gathered (void)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_c);

  for (guint i = 0; i < TEST_N_LAYOUTS; i++) {
    const TestTorchForm form = { .layout = i };
    const TestTorchForm legacy = { .layout = i, .is_legacy = TRUE };
    assert_same (folder, &form);
    assert_same (folder, &legacy);
  }
  test_checkpoint_remove (folder);
}

static void
every_type_is_read (void)
{
  static const ClipDtype dtypes[] = { CLIP_DTYPE_F16, CLIP_DTYPE_BF16,
    CLIP_DTYPE_F64 };

  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++) {
    const TestTorchForm form = { TEST_LAYOUT_LAST };
    TestCheckpointSpec spec = test_checkpoint_c;
    gchar *folder;

    spec.dtype = dtypes[i];
    folder = test_checkpoint_new (&spec);
    assert_same (folder, &form);
    test_checkpoint_remove (folder);
  }
}

static void
a_checkpoint_of_parallel_training_is_the_model (void)
{
  const TestTorchForm form = { .is_parallel = TRUE, .is_training = TRUE };
  gchar *folder = test_checkpoint_new (&test_checkpoint_c);

  assert_same (folder, &form);
  test_checkpoint_remove (folder);
}

/* The weights that Hugging Face publishes beside model.safetensors. */
static void
a_hugging_face_folder_opens_with_its_bin (void)
{
  static const gchar *const names[] = { "config.json", "vocab.json",
    "merges.txt", "preprocessor_config.json", "tokenizer_config.json" };
  g_autofree gchar *shared = test_shared_or_skip ("goldens/hf-clip-f32");
  g_autofree gchar *folder = NULL;
  g_autofree gchar *weights = NULL;
  g_autofree gchar *bin = NULL;
  g_autofree gchar *expected = NULL;
  g_autofree gchar *found = NULL;
  const TestTorchForm form = { 0 };

  if (shared == NULL)
    return;
  folder = g_dir_make_tmp ("clip-torch-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *from = g_build_filename (shared, names[i], NULL);
    g_autofree gchar *to = g_build_filename (folder, names[i], NULL);
    g_autofree gchar *content = NULL;
    gsize size;
    g_assert_true (g_file_get_contents (from, &content, &size, NULL));
    g_assert_true (g_file_set_contents (to, content, (gssize)size, NULL));
  }
  weights = g_build_filename (shared, "model.safetensors", NULL);
  bin = g_build_filename (folder, "pytorch_model.bin", NULL);
  test_torch_convert (weights, bin, &form);
  expected = identify (shared);
  found = identify (folder);
  g_assert_cmpstr (found, ==, expected);
  test_checkpoint_remove (g_steal_pointer (&folder));
}

static void
a_file_s_name_does_not_tell_its_format (void)
{
  const TestTorchForm form = { 0 };
  gchar *folder = test_checkpoint_new (&test_checkpoint_c);
  g_autofree gchar *weights =
      g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *bin = g_build_filename (folder, "pytorch_model.bin", NULL);
  g_autofree gchar *expected = identify (folder);
  g_autofree gchar *as_bin = NULL;
  g_autofree gchar *as_safetensors = NULL;

  g_assert_cmpint (g_rename (weights, bin), ==, 0);
  as_bin = identify (folder);
  g_assert_cmpstr (as_bin, ==, expected);
  test_torch_convert (bin, weights, &form);
  as_safetensors = identify (folder);
  g_assert_cmpstr (as_safetensors, ==, expected);
  test_checkpoint_remove (folder);
}

/* Opening reads no weights; what is damaged is seen when they are read. */
static void
check_damage (const gchar *path, const gchar *mask)
{
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *content = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  for (gsize i = 0; mask[i] != 0; i++)
    content[size / 2 + i] |= mask[i];
  g_assert_true (g_file_set_contents (path, content, (gssize)size, NULL));
  checkpoint = clip_checkpoint_open (path, &error);
  g_assert_no_error (error);
  g_assert_null (clip_checkpoint_identify (checkpoint, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_READ);
  g_assert_nonnull (strstr (error->message, "is damaged: the CRC-32"));
  g_assert_nonnull (strstr (error->message, path));
}

static void
a_damaged_tensor_is_named_when_it_is_read (void)
{
  const TestTorchForm form = { 0 };
  gchar *folder = test_checkpoint_new (&test_checkpoint_c);
  g_autofree gchar *weights =
      g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *path = g_build_filename (folder, "model.pt", NULL);

  test_torch_convert (weights, path, &form);
  check_damage (path, "\x55");
  /* What makes a number none is damage too, and called so. */
  test_torch_convert (weights, path, &form);
  check_damage (path, "\xff\xff\xff\xff\xff\xff\xff");
  test_checkpoint_remove (folder);
}

static void
a_tar_archive_is_refused_with_what_to_do (void)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_c);
  g_autofree gchar *path = g_build_filename (folder, "model.pt", NULL);
  g_autoptr (GError) error = NULL;
  gchar tar[512] = "sys_info";

  memcpy (tar + 257, "ustar", 5);
  g_assert_true (g_file_set_contents (path, tar, sizeof tar, NULL));
  g_assert_null (clip_checkpoint_open (path, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "is a tar archive"));
  g_assert_nonnull (strstr (error->message, "save it again"));
  test_checkpoint_remove (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/torchfile/views-of-any-layout-are-gathered",
      views_of_any_layout_are_gathered);
  g_test_add_func ("/load/torchfile/every-type-is-read", every_type_is_read);
  g_test_add_func (
      "/load/torchfile/a-checkpoint-of-parallel-training-is-the-model",
      a_checkpoint_of_parallel_training_is_the_model);
  g_test_add_func ("/load/torchfile/a-hugging-face-folder-opens-with-its-bin",
      a_hugging_face_folder_opens_with_its_bin);
  g_test_add_func ("/load/torchfile/a-file-s-name-does-not-tell-its-format",
      a_file_s_name_does_not_tell_its_format);
  g_test_add_func ("/load/torchfile/a-damaged-tensor-is-named-when-it-is-read",
      a_damaged_tensor_is_named_when_it_is_read);
  g_test_add_func ("/load/torchfile/a-tar-archive-is-refused-with-what-to-do",
      a_tar_archive_is_refused_with_what_to_do);
  return g_test_run ();
}
