/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Equal ids mean comparable vectors, equal keys the same unchanged files. */

#include "checkpoints.h"
#include "clip-error.h"
#include "load/load.h"
#include "support.h"

#include <glib/gstdio.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small, since every value is read. */
static const TestCheckpointSpec small = {
  .embed_dim = 8,
  .vision = { .image_size = 32, .layers = { 1, 2, 1, 1 }, .width = 2 },
  .text = { .n_layers = 1,
      .width = 8,
      .heads = 2,
      .mlp_width = 16,
      .vocab_size = 64,
      .n_positions = 12,
      .n_token_types = 2 },
};

static gchar *
identify (const gchar *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = clip_checkpoint_open (folder, &error);
  gchar *id;

  g_assert_no_error (error);
  id = clip_checkpoint_identify (checkpoint, &error);
  g_assert_no_error (error);
  return id;
}

static gchar *
identify_spec (const TestCheckpointSpec *spec)
{
  gchar *folder = test_checkpoint_new (spec);
  gchar *id = identify (folder);

  test_checkpoint_remove (folder);
  return id;
}

static void
an_id_can_name_a_file_and_a_topic (void)
{
  TestCheckpointSpec spec = small;
  g_autofree gchar *id = identify_spec (&spec);
  g_autofree gchar *deep = NULL;

  g_assert_true (g_regex_match_simple ("^rn-2x1211-[0-9a-f]{12}$", id, 0, 0));
  spec.vision.layers[1] = 10;
  deep = identify_spec (&spec);
  g_assert_true (
      g_regex_match_simple ("^rn-2x1\\.10\\.1\\.1-[0-9a-f]{12}$", deep, 0, 0));
}

static void
the_storage_changes_no_id (void)
{
  static const ClipDtype rounded[] = { CLIP_DTYPE_F16, CLIP_DTYPE_BF16 };

  for (guint i = 0; i < G_N_ELEMENTS (rounded); i++) {
    TestCheckpointSpec spec = small;
    g_autofree gchar *narrow = NULL;
    g_autofree gchar *single = NULL;
    g_autofree gchar *wide = NULL;

    spec.rounded_to = spec.dtype = rounded[i];
    narrow = identify_spec (&spec);
    spec.dtype = CLIP_DTYPE_F32;
    single = identify_spec (&spec);
    spec.dtype = CLIP_DTYPE_F64;
    wide = identify_spec (&spec);
    g_assert_cmpstr (narrow, ==, single);
    g_assert_cmpstr (narrow, ==, wide);
    spec.rounded_to = CLIP_DTYPE_F32;
    g_clear_pointer (&wide, g_free);
    wide = identify_spec (&spec);
    g_assert_cmpstr (narrow, !=, wide);
  }
}

static void
the_order_in_the_file_changes_no_id (void)
{
  gchar *folder = test_checkpoint_new (&small);
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (&small);
  g_autofree gchar *before = identify (folder);
  g_autofree gchar *after = NULL;

  for (guint i = 0; i < 40; i++)
    g_ptr_array_insert (
        tensors, -1, g_ptr_array_steal_index (tensors, (i * 7) % 50));
  test_checkpoint_write_tensors (folder, &small, tensors);
  after = identify (folder);
  g_assert_cmpstr (before, ==, after);
  test_checkpoint_remove (folder);
}

/* Adds @folder's id to @ids, where it is new. */
static void
assert_new_id (GHashTable *ids, const gchar *folder)
{
  g_assert_true (g_hash_table_add (ids, identify (folder)));
}

static void
each_tensor_changes_the_id (void)
{
  gchar *folder = test_checkpoint_new (&small);
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (&small);
  g_autoptr (GHashTable) ids =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  assert_new_id (ids, folder);
  for (guint i = 0; i < tensors->len; i++) {
    TestTensor *tensor = g_ptr_array_index (tensors, i);

    tensor->value = 0.25f;
    tensor->changed = 0;
    test_checkpoint_write_tensors (folder, &small, tensors);
    assert_new_id (ids, folder);
    tensor->changed = -1;
  }
  test_checkpoint_remove (folder);
}

/* Two tensors of one shape, their values exchanged. */
static void
each_place_of_a_tensor_changes_the_id (void)
{
  gchar *folder = test_checkpoint_new (&small);
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (&small);
  TestTensor *q = test_tensors_find (tensors, "visual.attnpool.q_proj.weight");
  TestTensor *k = test_tensors_find (tensors, "visual.attnpool.k_proj.weight");
  TestCheckpointSpec spec = small;
  g_autoptr (GHashTable) ids =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  spec.sparse = TRUE;
  q->changed = 3;
  q->value = 1;
  test_checkpoint_write_tensors (folder, &spec, tensors);
  assert_new_id (ids, folder);
  q->changed = -1;
  k->changed = 3;
  k->value = 1;
  test_checkpoint_write_tensors (folder, &spec, tensors);
  assert_new_id (ids, folder);
  k->changed = 4;
  test_checkpoint_write_tensors (folder, &spec, tensors);
  assert_new_id (ids, folder);
  test_checkpoint_remove (folder);
}

static void
what_changes_vectors_changes_the_id (void)
{
  static const struct {
    const gchar *file, *from, *to;
  } changes[] = {
    { "config.json", "\"text_num_attention_heads\": 2",
        "\"text_num_attention_heads\": 4" },
    { "config.json", "\"gelu\"", "\"gelu_new\"" },
    { "config.json", "\"gelu\"", "\"quick_gelu\"" },
    { "config.json", "\"embed_dim\"",
        "\"text_layer_norm_eps\": 1e-5, \"embed_dim\"" },
    { "config.json", "\"embed_dim\"",
        "\"text_context_length\": 7, \"embed_dim\"" },
    { "preprocessor_config.json", "\"shortest_edge\": 32",
        "\"shortest_edge\": 36" },
    { "preprocessor_config.json", "\"shortest_edge\": 32",
        "\"width\": 32, \"height\": 32" },
    { "preprocessor_config.json", "\"resample\": 3", "\"resample\": 2" },
    { "preprocessor_config.json", "0.48145466", "0.5" },
    { "preprocessor_config.json", "0.27577711", "0.5" },
    { "vocab.txt", "[MASK]", "[MASC]" },
  };
  g_autoptr (GHashTable) ids =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gchar *folder = test_checkpoint_new (&small);

  assert_new_id (ids, folder);
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    test_checkpoint_edit (
        folder, changes[i].file, changes[i].from, changes[i].to);
    assert_new_id (ids, folder);
    test_checkpoint_edit (
        folder, changes[i].file, changes[i].to, changes[i].from);
  }
  test_checkpoint_remove (folder);
}

static void
what_changes_no_vector_changes_no_id (void)
{
  gchar *folder = test_checkpoint_new (&small);
  g_autofree gchar *tokenizer =
      g_build_filename (folder, "tokenizer_config.json", NULL);
  g_autofree gchar *before = identify (folder);
  g_autofree gchar *after = NULL;

  test_checkpoint_edit (folder, "config.json", "\"embed_dim\"",
      "\"comment\": 1, \"text_hidden_dropout_prob\": 0.1, \"embed_dim\"");
  test_checkpoint_edit (
      folder, "preprocessor_config.json", "{ \"shortest_edge\": 32 }", "32");
  g_unlink (tokenizer);
  after = identify (folder);
  g_assert_cmpstr (before, ==, after);
  test_checkpoint_remove (folder);
}

static gchar *
key_of (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  gchar *key = clip_checkpoint_get_key (path, &error);

  g_assert_no_error (error);
  return key;
}

static void
each_path_to_a_model_has_its_key (void)
{
  gchar *folder = test_checkpoint_new (&small);
  g_autofree gchar *weights =
      g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *slash = g_strconcat (folder, "//", NULL);
  g_autofree gchar *link = g_strconcat (folder, "-link", NULL);
  g_autofree gchar *key = key_of (folder);
  const gchar *paths[] = { folder, weights, slash, link };

  g_assert_cmpint (symlink (folder, link), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree gchar *other = key_of (paths[i]);
    g_assert_cmpstr (other, ==, key);
  }
  g_unlink (link);
  test_checkpoint_remove (folder);
}

/* A nanosecond on one file, a byte more, another file of the same bytes. */
static void
each_change_of_a_file_changes_the_key (void)
{
  static const gchar *const names[] = { "config.json",
    "preprocessor_config.json", "tokenizer_config.json", "vocab.txt",
    "model.safetensors" };
  g_autoptr (GHashTable) keys =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gchar *folder = test_checkpoint_new (&small);

  g_assert_true (g_hash_table_add (keys, key_of (folder)));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path = g_build_filename (folder, names[i], NULL);
    g_autofree gchar *copy = g_build_filename (folder, "copy", NULL);
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 1000, 1 } };
    g_autofree gchar *content = NULL;
    struct stat status;
    gsize size;

    g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
    g_assert_true (g_hash_table_add (keys, key_of (folder)));
    times[1].tv_nsec = 2;
    g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
    g_assert_true (g_hash_table_add (keys, key_of (folder)));
    g_assert_true (g_file_get_contents (path, &content, &size, NULL));
    g_assert_true (g_file_set_contents (copy, content, (gssize)size, NULL));
    g_assert_cmpint (utimensat (AT_FDCWD, copy, times, 0), ==, 0);
    g_assert_cmpint (g_rename (copy, path), ==, 0);
    g_assert_true (g_hash_table_add (keys, key_of (folder)));
    g_assert_cmpint (stat (path, &status), ==, 0);
    g_assert_cmpint (truncate (path, status.st_size + 1), ==, 0);
    g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
    g_assert_true (g_hash_table_add (keys, key_of (folder)));
  }
  test_checkpoint_remove (folder);
}

/* Which files belong to the model is known only to who reads them. */
static void
a_key_needs_the_weights_alone (void)
{
  static const gchar *const names[] = { "tokenizer_config.json", "vocab.txt",
    "preprocessor_config.json", "config.json" };
  gchar *folder = test_checkpoint_new (&small);
  g_autofree gchar *weights =
      g_build_filename (folder, "model.safetensors", NULL);
  g_autoptr (GHashTable) keys =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_hash_table_add (keys, key_of (folder)));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path = g_build_filename (folder, names[i], NULL);
    g_unlink (path);
    g_assert_true (g_hash_table_add (keys, key_of (folder)));
  }
  g_unlink (weights);
  g_assert_null (clip_checkpoint_get_key (folder, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, weights));
  g_clear_error (&error);
  g_assert_null (clip_checkpoint_get_key ("/dev/zero", &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_OPEN);
  test_checkpoint_remove (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/load/identity/" name, function)
  ADD ("an-id-can-name-a-file-and-a-topic", an_id_can_name_a_file_and_a_topic);
  ADD ("the-storage-changes-no-id", the_storage_changes_no_id);
  ADD ("the-order-in-the-file-changes-no-id",
      the_order_in_the_file_changes_no_id);
  ADD ("each-tensor-changes-the-id", each_tensor_changes_the_id);
  ADD ("each-place-of-a-tensor-changes-the-id",
      each_place_of_a_tensor_changes_the_id);
  ADD ("what-changes-vectors-changes-the-id",
      what_changes_vectors_changes_the_id);
  ADD ("what-changes-no-vector-changes-no-id",
      what_changes_no_vector_changes_no_id);
  ADD ("each-path-to-a-model-has-its-key", each_path_to_a_model_has_its_key);
  ADD ("each-change-of-a-file-changes-the-key",
      each_change_of_a_file_changes_the_key);
  ADD ("a-key-needs-the-weights-alone", a_key_needs_the_weights_alone);
  return g_test_run ();
}
