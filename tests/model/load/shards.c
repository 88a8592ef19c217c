/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Weights in several files: the index is as untrusted as they are. */

#include "opening.h"

#define INDEX "model.safetensors.index.json"
#define FIRST "model-00001-of-00002.safetensors"
#define SECOND "model-00002-of-00002.safetensors"

/* A Hugging Face model in two shards: the text side's tensors are in the
 * second. */
static gchar *
new_sharded (void)
{
  g_autoptr (GPtrArray) all =
      test_model_tensors_hugging_face (&test_model_clip);
  g_autoptr (GPtrArray) first = g_ptr_array_new ();
  g_autoptr (GPtrArray) second = g_ptr_array_new ();
  g_autoptr (GString) index =
      g_string_new ("{\"metadata\": {\"total_size\": 1}, \"weight_map\": {");
  gchar *folder = test_model_folder ();

  test_model_write_hugging_face (folder, &test_model_clip);
  for (guint i = 0; i < all->len; i++) {
    TestTensor *tensor = g_ptr_array_index (all, i);
    const gboolean is_text = g_str_has_prefix (tensor->name, "text_");

    g_string_append_printf (index, "%s\n\"%s\": \"%s\"", i > 0 ? "," : "",
        tensor->name, is_text ? SECOND : FIRST);
    g_ptr_array_add (is_text ? second : first, tensor);
  }
  g_string_append (index, "}}\n");
  test_checkpoint_write (folder, INDEX, index->str);
  test_model_write (folder, FIRST, first, TRUE);
  test_model_write (folder, SECOND, second, TRUE);
  return folder;
}

static void
shards_are_one_model (void)
{
  gchar *folder = new_sharded ();
  g_autofree gchar *index = g_build_filename (folder, INDEX, NULL);
  g_autoptr (ClipCheckpoint) whole =
      open_and_remove (new_hugging_face (&test_model_clip));
  g_autoptr (ClipCheckpoint) named = open_model (index);
  g_autoptr (ClipCheckpoint) sharded = open_and_remove (folder);

  g_assert_cmpuint (clip_checkpoint_get_n_parameters (sharded), ==,
      clip_checkpoint_get_n_parameters (whole));
  g_assert_cmpuint (clip_checkpoint_get_n_parameters (named), ==,
      clip_checkpoint_get_n_parameters (whole));
}

/* One change to the index each. */
static void
an_index_that_lies_is_refused (void)
{
  static const struct {
    const gchar *from, *to, *message;
    ClipError code;
  } rows[] = {
    { "\"logit_scale\": \"" FIRST "\"", "\"logit_scale\": \"" SECOND "\"",
        "has tensor 'logit_scale' in " SECOND ", and it lies in " FIRST,
        CLIP_ERROR_MODEL },
    { "\"logit_scale\": \"" FIRST "\"", "\"logit\": \"" FIRST "\"",
        "has tensor 'logit_scale' nowhere, and it lies in " FIRST,
        CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"position_ids\": \"" FIRST "\",",
        "has tensor 'position_ids' in " FIRST ", which does not hold it",
        CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \"third.safetensors\",",
        "third.safetensors", CLIP_ERROR_NOT_FOUND },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \"../" FIRST "\",",
        "is not the name of a file in the same folder", CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \"/etc/passwd\",",
        "names '/etc/passwd', which is not the name", CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \"sub/" FIRST "\",",
        "is not the name of a file in the same folder", CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \"sub\\\\" FIRST "\",",
        "is not the name of a file in the same folder", CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \"..\",",
        "names '..', which is not", CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \".\",",
        "names '.', which is not", CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \"\",",
        "names '', which is not", CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": 7,",
        "is not the name of a file in the same folder", CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \"" INDEX "\",",
        "is not a valid safetensors file", CLIP_ERROR_FORMAT },
    { "\"weight_map\": {", "\"weight_map\": { \"a\": \"config.json\",",
        "is not a valid safetensors file", CLIP_ERROR_FORMAT },
    { "\"weight_map\"", "\"other\"", "is missing, empty or not an object",
        CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": {}, \"x\": {",
        "is missing, empty or not an object", CLIP_ERROR_MODEL },
    { "\"weight_map\": {", "\"weight_map\": [], \"x\": {",
        "is missing, empty or not an object", CLIP_ERROR_MODEL },
    { "}}", "}", "does not hold valid JSON", CLIP_ERROR_FORMAT },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gchar *folder = new_sharded ();

    test_checkpoint_edit (folder, INDEX, rows[i].from, rows[i].to);
    assert_refused (
        folder, rows[i].code, (const gchar *const[]){ rows[i].message, NULL });
  }
}

static void
too_many_shards_are_refused (void)
{
  g_autoptr (GString) index = g_string_new ("{ \"weight_map\": {");
  gchar *folder = new_sharded ();

  for (guint i = 0; i < 257; i++)
    g_string_append_printf (
        index, "%s\"t%u\": \"f%u\"", i > 0 ? ", " : "", i, i);
  g_string_append (index, "} }");
  test_checkpoint_write (folder, INDEX, index->str);
  REFUSED (folder, INDEX, "names more than 256 files");
}

static void
a_shard_that_is_gone_is_named (void)
{
  gchar *folder = new_sharded ();

  remove_file (folder, SECOND);
  assert_refused (folder, CLIP_ERROR_NOT_FOUND,
      (const gchar *const[]){ INDEX, SECOND, NULL });
}

static void
a_damaged_shard_is_named (void)
{
  gchar *folder = new_sharded ();

  test_checkpoint_write (folder, SECOND, "{\"weight_map\": {}}");
  assert_refused (folder, CLIP_ERROR_FORMAT,
      (const gchar *const[]){ SECOND, "is not a valid safetensors", NULL });
}

static void
each_shard_counts_in_the_key (void)
{
  gchar *folder = new_sharded ();
  g_autofree gchar *before = clip_checkpoint_get_key (folder, NULL);
  g_autofree gchar *same = clip_checkpoint_get_key (folder, NULL);
  g_autofree gchar *after = NULL;

  test_checkpoint_write (folder, SECOND, "other");
  after = clip_checkpoint_get_key (folder, NULL);
  g_assert_cmpstr (before, ==, same);
  g_assert_cmpstr (before, !=, after);
  test_checkpoint_remove (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/load/shards/" name, function)
  ADD ("shards-are-one-model", shards_are_one_model);
  ADD ("an-index-that-lies-is-refused", an_index_that_lies_is_refused);
  ADD ("too-many-shards-are-refused", too_many_shards_are_refused);
  ADD ("a-shard-that-is-gone-is-named", a_shard_that_is_gone_is_named);
  ADD ("a-damaged-shard-is-named", a_damaged_shard_is_named);
  ADD ("each-shard-counts-in-the-key", each_shard_counts_in_the_key);
  return g_test_run ();
}
