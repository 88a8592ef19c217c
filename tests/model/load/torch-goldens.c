/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The golden .pt files open as they were published, TorchScript and state dict
 * alike, beside a vocabulary. */

#include "clip-error.h"
#include "load/load.h"
#include "support.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const gchar *file;
  const gchar *dialect;
  const gchar *precision;
  /* Of a tensor: Python's pickle, zipfile and struct modules said so. */
  gfloat projection[2]; /* first and last value of text_projection */
  gdouble conv_sum;     /* of the absolute values of visual.conv1.weight */
  gdouble words_sum;    /* of the table of words */
} Golden;

#define CHINESE "chinese-clip-original"
#define CHINESE_VOCABULARY "chinese-vit/vocab.txt"
#define OPENAI_VOCABULARY "hf-clip-sharded/vocab.json"
#define OPENAI_MERGES "hf-clip-sharded/merges.txt"

/* clang-format off */
static const Golden goldens[] = {
  { "openai-rn/openai-rn.pt", "openai", "f32",
    { 0.08880615234375f, 0.087890625f }, 16.11138939857483, 403618.9955893755 },
  { "openai-rn/openai-rn.state_dict.pt", "openai", "f16",
    { 0.08880615234375f, 0.087890625f }, 16.11138939857483, 403618.9955893755 },
  { "openai-vit/openai-vit.pt", "openai", "f16",
    { -0.0015649795532226562f, -0.07550048828125f },
    1770.9807642102242, 403507.929191947 },
  { "openai-vit/openai-vit.state_dict.pt", "openai", "f16",
    { -0.0015649795532226562f, -0.07550048828125f },
    1770.9807642102242, 403507.929191947 },
  { "chinese-rn/chinese-rn.pt", CHINESE, "f16",
    { -0.140625f, -0.1578369140625f }, 10.857919454574585, 53950.50325244665 },
  { "chinese-vit/chinese-vit.pt", CHINESE, "f16",
    { -0.04302978515625f, -0.04547119140625f },
    1777.5651984214783, 53880.07428175211 },
};
/* clang-format on */

static void
link_file (const gchar *relative, const gchar *folder)
{
  g_autofree gchar *below = g_build_filename ("goldens", relative, NULL);
  g_autofree gchar *shared = test_shared (below);
  g_autofree gchar *from = g_canonicalize_filename (shared, NULL);
  g_autofree gchar *name = g_path_get_basename (relative);
  g_autofree gchar *to = g_build_filename (folder, name, NULL);

  g_assert_cmpint (symlink (from, to), ==, 0);
}

/* A folder as a user has it who downloaded a .pt and its vocabulary.
 *
 * Returns: (transfer full): NULL where the goldens are absent */
static gchar *
new_folder (const Golden *golden, gboolean has_vocabulary)
{
  g_autofree gchar *shared = test_shared_or_skip ("goldens");
  gchar *folder;

  if (shared == NULL)
    return NULL;
  folder = g_dir_make_tmp ("clip-torch-XXXXXX", NULL);
  link_file (golden->file, folder);
  if (has_vocabulary && g_str_equal (golden->dialect, CHINESE)) {
    link_file (CHINESE_VOCABULARY, folder);
  } else if (has_vocabulary) {
    link_file (OPENAI_VOCABULARY, folder);
    link_file (OPENAI_MERGES, folder);
  }
  return folder;
}

static void
remove_folder (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

static gchar *
path_of (const gchar *folder, const Golden *golden)
{
  g_autofree gchar *name = g_path_get_basename (golden->file);

  return g_build_filename (folder, name, NULL);
}

static json_t *
load_expected (const Golden *golden)
{
  g_autofree gchar *folder = g_path_get_dirname (golden->file);
  g_autofree gchar *below =
      g_build_filename ("goldens", folder, "expected.json", NULL);
  g_autofree gchar *path = test_shared (below);
  json_t *expected = json_load_file (path, 0, NULL);

  g_assert_nonnull (expected);
  return expected;
}

static guint
number (const json_t *object, const gchar *key)
{
  return (guint)json_integer_value (json_object_get (object, key));
}

static gdouble
sum_of (const ClipTensor *tensor)
{
  const gsize n = clip_tensor_get_n_elements (tensor);
  g_autofree gfloat *values = g_new (gfloat, n);
  g_autoptr (GError) error = NULL;
  gdouble sum = 0;

  clip_tensor_read_f32 (tensor, values, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < n; i++)
    sum += ABS ((gdouble)values[i]);
  return sum;
}

static void
assert_projection (const ClipTensor *tensor, const Golden *golden)
{
  const gsize n = clip_tensor_get_n_elements (tensor);
  g_autofree gfloat *values = g_new (gfloat, n);

  g_assert_true (clip_tensor_read_f32 (tensor, values, NULL));
  g_assert_cmpfloat (values[0], ==, golden->projection[0]);
  g_assert_cmpfloat (values[n - 1], ==, golden->projection[1]);
}

static void
assert_values (const ClipCheckpoint *checkpoint, const Golden *golden)
{
  const ClipModifiedResNetTensors *resnet =
      clip_checkpoint_get_modified_resnet (checkpoint);
  const ClipVisionTransformerTensors *transformer =
      clip_checkpoint_get_vision_transformer (checkpoint);
  const ClipTextTransformerTensors *text =
      clip_checkpoint_get_text_transformer (checkpoint);
  const ClipBertTensors *bert = clip_checkpoint_get_bert (checkpoint);
  const ClipTensor *conv =
      resnet != NULL ? resnet->stem[0].conv : transformer->conv1;

  assert_projection (
      text != NULL ? text->text_projection : bert->text_projection, golden);
  /* Sums of three million values in double precision, in another order. */
  g_assert_cmpfloat_with_epsilon (sum_of (conv), golden->conv_sum, 1e-6);
  g_assert_cmpfloat_with_epsilon (
      sum_of (text != NULL ? text->token_embedding : bert->word_embeddings),
      golden->words_sum, 1e-6);
}

static void
assert_facts (const ClipCheckpoint *checkpoint, const Golden *golden)
{
  json_auto_t *expected = load_expected (golden);
  const json_t *architecture = json_object_get (expected, "architecture");
  const ClipConfig *config = clip_checkpoint_get_config (checkpoint);

  g_assert_cmpstr (config->dialect, ==, golden->dialect);
  g_assert_cmpuint (
      config->vision.image_size, ==, number (expected, "image_size"));
  g_assert_cmpuint (config->embed_dim, ==, number (expected, "embed_dim"));
  g_assert_cmpuint (
      config->text.context_length, ==, number (expected, "context_length"));
  g_assert_cmpuint (config->vision.width, ==, number (architecture, "vwidth"));
  g_assert_cmpuint (config->text.width, ==, number (architecture, "tw"));
  g_assert_cmpuint (
      config->text.n_layers, ==, number (architecture, "tlayers"));
  /* expf may differ from PyTorch's by its last bit, at most 100. */
  g_assert_cmpfloat_with_epsilon (clip_checkpoint_get_logit_scale (checkpoint),
      (gfloat)json_number_value (json_object_get (expected, "logit_scale")),
      2e-5f);
  g_assert_cmpstr (
      clip_checkpoint_get_source_precision (checkpoint), ==, golden->precision);
}

static void
a_golden (gconstpointer user_data)
{
  const Golden *golden = user_data;
  g_autofree gchar *folder = new_folder (golden, TRUE);
  g_autofree gchar *path = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  g_autoptr (GError) error = NULL;

  if (folder == NULL)
    return;
  path = path_of (folder, golden);
  checkpoint = clip_checkpoint_open (path, &error);
  g_assert_no_error (error);
  assert_facts (checkpoint, golden);
  assert_values (checkpoint, golden);
  remove_folder (folder);
}

static gchar *
identify (const Golden *golden)
{
  g_autofree gchar *folder = new_folder (golden, TRUE);
  g_autofree gchar *path = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  g_autoptr (GError) error = NULL;
  gchar *id;

  if (folder == NULL)
    return NULL;
  path = path_of (folder, golden);
  checkpoint = clip_checkpoint_open (path, &error);
  g_assert_no_error (error);
  id = clip_checkpoint_identify (checkpoint, &error);
  g_assert_no_error (error);
  remove_folder (folder);
  return id;
}

static void
both_forms_are_one_model (void)
{
  for (guint i = 0; i < 4; i += 2) {
    g_autofree gchar *script = identify (&goldens[i]);
    g_autofree gchar *dict = identify (&goldens[i + 1]);

    g_assert_cmpstr (script, ==, dict);
  }
}

static void
a_missing_vocabulary_is_named (void)
{
  static const gchar *const wanted[] = { "vocab.json", "vocab.txt" };
  static const guint rows[] = { 2, 5 };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const Golden *golden = &goldens[rows[i]];
    g_autofree gchar *folder = new_folder (golden, FALSE);
    g_autofree gchar *path = NULL;
    g_autoptr (GError) error = NULL;

    if (folder == NULL)
      return;
    path = path_of (folder, golden);
    g_assert_null (clip_checkpoint_open (path, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND);
    g_assert_nonnull (strstr (error->message, folder));
    g_assert_nonnull (strstr (error->message, wanted[i]));
    remove_folder (folder);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (goldens); i++) {
    g_autofree gchar *name =
        g_strconcat ("/load/torch-goldens/", goldens[i].file, NULL);
    g_test_add_data_func (name, &goldens[i], a_golden);
  }
  g_test_add_func (
      "/load/torch-goldens/both-forms-are-one-model", both_forms_are_one_model);
  g_test_add_func ("/load/torch-goldens/a-missing-vocabulary-is-named",
      a_missing_vocabulary_is_named);
  return g_test_run ();
}
