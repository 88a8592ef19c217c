/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Files of the shapes of every published model, without values: each opens, and
 * has the parameters that its original code counts (model-spec 1.1 to 1.4). */

#include "load/load.h"
#include "published.h"

static const gchar *const dialects[TEST_N_FORMS] = {
  [TEST_FORM_BARE] = "openai",
  [TEST_FORM_PARALLEL] = "chinese-clip-original",
  [TEST_FORM_OPEN_CLIP] = "open-clip",
  [TEST_FORM_CUSTOM_TEXT] = "open-clip",
  [TEST_FORM_HUGGING_FACE] = "hugging-face-clip",
};

static void
assert_is (const ClipCheckpoint *checkpoint, const TestPublished *model)
{
  const ClipConfig *config = clip_checkpoint_get_config (checkpoint);
  const TestModelSpec *spec = &model->spec;

  g_assert_cmpuint (
      clip_checkpoint_get_n_parameters (checkpoint), ==, model->n_parameters);
  g_assert_cmpuint (config->embed_dim, ==, spec->embed_dim);
  g_assert_cmpuint (config->vision.image_size, ==, spec->vision.image_size);
  g_assert_cmpuint (config->vision.width, ==, spec->vision.width);
  g_assert_cmpuint (config->vision.heads, ==, spec->vision.heads);
  g_assert_cmpuint (config->vision.patch_size, ==, spec->vision.patch_size);
  g_assert_cmpuint (config->vision.mlp_width, ==, spec->vision.mlp_width);
  g_assert_cmpuint (config->text.width, ==, spec->text.width);
  g_assert_cmpuint (config->text.heads, ==, spec->text.heads);
  g_assert_cmpuint (config->text.n_layers, ==, spec->text.n_layers);
  g_assert_cmpuint (config->text.mlp_width, ==, spec->text.mlp_width);
  g_assert_cmpuint (
      config->text.context_length, ==, spec->text.is_bert ? 52 : 77);
  g_assert_cmpuint (config->preprocess.crop_size, ==, spec->vision.image_size);
}

static void
a_model (gconstpointer user_data)
{
  const TestCheckpointSpec values = { .sparse = TRUE };
  const TestPublished *model = user_data;

  for (TestForm form = TEST_FORM_BARE; form < TEST_N_FORMS; form++) {
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    g_autoptr (GError) error = NULL;
    gchar *folder;

    if ((model->forms & 1u << form) == 0)
      continue;
    folder = test_published_write (model, form, &values);
    checkpoint = clip_checkpoint_open (folder, &error);
    g_assert_no_error (error);
    assert_is (checkpoint, model);
    g_assert_cmpstr (clip_checkpoint_get_config (checkpoint)->dialect, ==,
        form == TEST_FORM_HUGGING_FACE && model->spec.text.is_bert
            ? "hugging-face-chinese-clip"
            : dialects[form]);
    test_checkpoint_remove (folder);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < test_n_published; i++) {
    g_autofree gchar *name =
        g_strconcat ("/load/published/", test_published[i].name, NULL);

    g_test_add_data_func (name, &test_published[i], a_model);
  }
  return g_test_run ();
}
