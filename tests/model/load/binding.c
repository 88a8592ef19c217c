/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Weights that are a valid file and not the model that the configuration
 * describes: each problem is named, and nothing is run with part of a model. */

#include "checkpoints.h"
#include "clip-error.h"
#include "load/load.h"
#include "support.h"

#include <math.h>
#include <string.h>

typedef struct {
  TestCheckpointSpec spec;
  GPtrArray *tensors;
  gchar *folder;
} Model;

static void
setup (Model *model, gconstpointer user_data)
{
  model->spec = test_checkpoint_a;
  model->spec.sparse = TRUE;
  model->folder = test_checkpoint_new (&model->spec);
  model->tensors = test_checkpoint_tensors (&model->spec);
}

static void
teardown (Model *model, gconstpointer user_data)
{
  test_checkpoint_remove (model->folder);
  g_ptr_array_unref (model->tensors);
}

static void
rename_tensor (Model *model, const gchar *from, const gchar *to)
{
  TestTensor *tensor = test_tensors_find (model->tensors, from);

  g_free (tensor->name);
  tensor->name = g_strdup (to);
}

/* (transfer full) */
static gchar *
fail (Model *model)
{
  g_autofree gchar *config =
      g_build_filename (model->folder, "config.json", NULL);
  g_autofree gchar *weights =
      g_build_filename (model->folder, "model.safetensors", NULL);
  g_autoptr (GError) error = NULL;

  test_checkpoint_write_tensors (model->folder, &model->spec, model->tensors);
  g_assert_null (clip_checkpoint_open (model->folder, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MODEL);
  g_assert_nonnull (strstr (error->message, config));
  g_assert_nonnull (strstr (error->message, weights));
  return g_strdup (error->message);
}

static void
assert_says (const gchar *message, const gchar *piece)
{
  if (strstr (message, piece) == NULL)
    g_error ("got: %s; expected: %s", message, piece);
}

static void
a_missing_tensor_is_named (Model *model, gconstpointer user_data)
{
  g_autofree gchar *message = NULL;

  g_ptr_array_remove (model->tensors,
      test_tensors_find (model->tensors, "visual.layer3.0.bn2.running_var"));
  message = fail (model);
  assert_says (message, "tensor 'visual.layer3.0.bn2.running_var' is missing");
}

/* Each tensor of the model in turn. */
static void
no_tensor_can_be_missing (Model *model, gconstpointer user_data)
{
  for (guint i = 0; i < model->tensors->len; i++) {
    const TestTensor *tensor = g_ptr_array_index (model->tensors, i);
    g_autofree gchar *name = g_strdup (tensor->name);
    g_autofree gchar *piece = g_strdup_printf ("'%s' is missing", name);
    g_autofree gchar *message = NULL;

    rename_tensor (model, name, "bert.pooler.ignored");
    message = fail (model);
    assert_says (message, piece);
    rename_tensor (model, "bert.pooler.ignored", name);
  }
}

/* Each dimension of each tensor one larger, in turn. */
static void
no_shape_can_differ (Model *model, gconstpointer user_data)
{
  for (guint i = 0; i < model->tensors->len; i++) {
    TestTensor *tensor = g_ptr_array_index (model->tensors, i);
    g_autofree gchar *piece =
        g_strdup_printf ("tensor '%s' has the shape", tensor->name);

    for (guint j = 0; j < tensor->n_dims; j++) {
      g_autofree gchar *message = NULL;

      tensor->dims[j]++;
      message = fail (model);
      tensor->dims[j]--;
      assert_says (message, piece);
    }
  }
}

static void
a_wrong_shape_is_told_with_the_right_one (Model *model, gconstpointer user_data)
{
  TestTensor *words = test_tensors_find (
      model->tensors, "bert.embeddings.word_embeddings.weight");
  TestTensor *key = test_tensors_find (
      model->tensors, "bert.encoder.layer.0.attention.self.key.weight");
  g_autofree gchar *message = NULL;

  words->dims[0] = 65;
  key->dims[0] = 384;
  message = fail (model);
  assert_says (message,
      "'bert.embeddings.word_embeddings.weight' has the shape [65, 128] "
      "instead of [64 (vocabulary), 128 (width)]");
  assert_says (message,
      "'bert.encoder.layer.0.attention.self.key.weight' has the shape [384, "
      "128] instead of its share of [384 (query, key, value), 128 (width)]");
}

/* Never told from the shape, but never accepted where the shape shows it. */
static void
a_transposed_projection_is_refused (Model *model, gconstpointer user_data)
{
  TestTensor *projection =
      test_tensors_find (model->tensors, "text_projection");
  g_autofree gchar *message = NULL;

  projection->dims[0] = 32;
  projection->dims[1] = 128;
  message = fail (model);
  assert_says (message,
      "'text_projection' has the shape [32, 128] instead of [128 (width), 32 "
      "(embedding)]");
}

static void
other_ranks_are_refused (Model *model, gconstpointer user_data)
{
  TestTensor *bias =
      test_tensors_find (model->tensors, "visual.attnpool.c_proj.bias");
  TestTensor *conv =
      test_tensors_find (model->tensors, "visual.layer1.0.conv1.weight");
  TestTensor *scale = test_tensors_find (model->tensors, "logit_scale");
  g_autofree gchar *message = NULL;

  bias->n_dims = 2;
  bias->dims[1] = 1;
  conv->n_dims = 2;
  scale->n_dims = 2;
  scale->dims[0] = scale->dims[1] = 1;
  message = fail (model);
  assert_says (
      message, "'visual.attnpool.c_proj.bias' has the shape [32, 1] instead");
  assert_says (
      message, "'visual.layer1.0.conv1.weight' has the shape [16, 16] instead");
  assert_says (message, "'logit_scale' has the shape [1, 1] instead of []");
}

static void
an_empty_tensor_is_refused (Model *model, gconstpointer user_data)
{
  g_autofree gchar *message = NULL;

  test_tensors_find (model->tensors, "visual.bn1.weight")->dims[0] = 0;
  message = fail (model);
  assert_says (message, "'visual.bn1.weight' has the shape [0] instead of [8");
}

static void
an_unknown_tensor_is_named (Model *model, gconstpointer user_data)
{
  g_autofree gchar *message = NULL;

  rename_tensor (model, "visual.layer1.1.conv1.weight", "visual.layer1.1.gate");
  message = fail (model);
  assert_says (message, "tensor 'visual.layer1.1.gate' is not known");
  assert_says (message, "tensor 'visual.layer1.1.conv1.weight' is missing");
}

static void
more_layers_than_configured_are_refused (Model *model, gconstpointer user_data)
{
  g_autofree gchar *message = NULL;

  test_checkpoint_edit (model->folder, "config.json",
      "\"text_num_hidden_layers\": 2", "\"text_num_hidden_layers\": 1");
  message = fail (model);
  assert_says (message, "'bert.encoder.layer.1.");
  assert_says (message, "and 11 more problems");
}

static void
fewer_layers_than_configured_are_refused (Model *model, gconstpointer user_data)
{
  g_autofree gchar *message = NULL;

  test_checkpoint_edit (
      model->folder, "config.json", "[2, 1, 1, 1]", "[2, 1, 2, 1]");
  message = fail (model);
  assert_says (message, "'visual.layer3.1.conv1.weight' is missing");
}

static void
the_first_five_problems_are_listed (Model *model, gconstpointer user_data)
{
  g_autofree gchar *message = NULL;
  guint n = 0;

  for (guint i = 0; i < 7; i++)
    g_ptr_array_remove_index (model->tensors, 0);
  message = fail (model);
  for (const gchar *at = message; (at = strstr (at, "is missing")) != NULL;
       at++)
    n++;
  g_assert_cmpuint (n, ==, 5);
  assert_says (message, "; and 2 more problems");
}

/* model-spec 3.5 */
static void
tensors_that_mean_nothing_are_ignored (Model *model, gconstpointer user_data)
{
  static const gchar *const names[] = { "input_resolution", "context_length",
    "vocab_size", "visual.bn1.num_batches_tracked", "bert.pooler.dense.weight",
    "bert.embeddings.position_ids", "transformer.attn_mask" };
  g_autoptr (ClipCheckpoint) before =
      clip_checkpoint_open (model->folder, NULL);
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    TestTensor *tensor = g_new0 (TestTensor, 1);
    tensor->name = g_strdup (names[i]);
    tensor->changed = -1;
    g_ptr_array_insert (model->tensors, (gint)(i * 20), tensor);
  }
  test_checkpoint_write_tensors (model->folder, &model->spec, model->tensors);
  checkpoint = clip_checkpoint_open (model->folder, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (clip_checkpoint_get_n_parameters (checkpoint), ==,
      clip_checkpoint_get_n_parameters (before));
}

static void
integers_are_no_weights (Model *model, gconstpointer user_data)
{
  g_autofree gchar *path =
      g_build_filename (model->folder, "model.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *bytes = NULL;
  gchar *type;
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  /* Behind the length, whose zeros would end the search. */
  type = g_strstr_len (bytes + 8, (gssize)size - 8, "F32");
  type[0] = 'I';
  g_assert_true (g_file_set_contents (path, bytes, (gssize)size, NULL));
  g_assert_null (clip_checkpoint_open (model->folder, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MODEL);
  assert_says (error->message,
      "tensor 'visual.conv1.weight' is stored as I32; F32, F16, BF16 and F64");
}

static void
set_logit_scale (Model *model, guint n_dims, gfloat value)
{
  TestTensor *scale = test_tensors_find (model->tensors, "logit_scale");

  scale->n_dims = n_dims;
  scale->dims[0] = 1;
  scale->changed = 0;
  scale->value = value;
  test_checkpoint_write_tensors (model->folder, &model->spec, model->tensors);
}

static void
a_logit_scale_may_be_a_list_of_one (Model *model, gconstpointer user_data)
{
  for (guint n_dims = 0; n_dims < 2; n_dims++) {
    g_autoptr (ClipCheckpoint) checkpoint = NULL;

    set_logit_scale (model, n_dims, 4.6051702f);
    checkpoint = clip_checkpoint_open (model->folder, NULL);
    g_assert_nonnull (checkpoint);
    /* model-spec 2.7: the published models' scale. */
    g_assert_cmpfloat_with_epsilon (
        clip_checkpoint_get_logit_scale (checkpoint), 100, 1e-4f);
  }
}

static void
a_logit_scale_without_exponential_is_refused (
    Model *model, gconstpointer user_data)
{
  static const gfloat values[] = { 100, -200, NAN, INFINITY };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autoptr (GError) error = NULL;

    set_logit_scale (model, 0, values[i]);
    g_assert_null (clip_checkpoint_open (model->folder, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MODEL);
    assert_says (error->message, "'logit_scale'");
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                    \
  g_test_add ("/load/binding/" name, Model, NULL, setup, function, teardown)
  ADD ("a-missing-tensor-is-named", a_missing_tensor_is_named);
  ADD ("no-tensor-can-be-missing", no_tensor_can_be_missing);
  ADD ("no-shape-can-differ", no_shape_can_differ);
  ADD ("a-wrong-shape-is-told-with-the-right-one",
      a_wrong_shape_is_told_with_the_right_one);
  ADD (
      "a-transposed-projection-is-refused", a_transposed_projection_is_refused);
  ADD ("other-ranks-are-refused", other_ranks_are_refused);
  ADD ("an-empty-tensor-is-refused", an_empty_tensor_is_refused);
  ADD ("an-unknown-tensor-is-named", an_unknown_tensor_is_named);
  ADD ("more-layers-than-configured-are-refused",
      more_layers_than_configured_are_refused);
  ADD ("fewer-layers-than-configured-are-refused",
      fewer_layers_than_configured_are_refused);
  ADD (
      "the-first-five-problems-are-listed", the_first_five_problems_are_listed);
  ADD ("tensors-that-mean-nothing-are-ignored",
      tensors_that_mean_nothing_are_ignored);
  ADD ("integers-are-no-weights", integers_are_no_weights);
  ADD (
      "a-logit-scale-may-be-a-list-of-one", a_logit_scale_may_be_a_list_of_one);
  ADD ("a-logit-scale-without-exponential-is-refused",
      a_logit_scale_without_exponential_is_refused);
  return g_test_run ();
}
