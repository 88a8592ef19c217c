/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Files of the shapes of every published model, without values: each opens, and
 * has the parameters that its original code counts (model-spec 1.1 to 1.4). */

#include "load/load.h"
#include "models.h"

typedef enum {
  BARE,         /* OpenAI's precisions, no configuration */
  PARALLEL,     /* "module." before each name, no configuration */
  OPEN_CLIP,    /* its configuration */
  CUSTOM_TEXT,  /* "text." before the names of the text side */
  HUGGING_FACE, /* its configuration and names */
  N_FORMS
} Form;

typedef struct {
  const gchar *name;
  TestModelSpec spec;
  guint64 n_parameters;
  guint forms; /* 1 << Form */
} Published;

#define OPENAI_RESNET (1 << BARE | 1 << OPEN_CLIP)
#define OPENAI_VIT (1 << BARE | 1 << OPEN_CLIP | 1 << HUGGING_FACE)
#define OPEN (1 << OPEN_CLIP | 1 << CUSTOM_TEXT | 1 << HUGGING_FACE)
#define CHINESE (1 << PARALLEL | 1 << HUGGING_FACE)

/* clang-format off */
#define TEXT(W, L, H) { W, L, H, 4 * (W), 49408, 77, FALSE }
#define BERT(W, L, H) { W, L, H, 4 * (W), 21128, 512, TRUE }
#define RESNET(S, W, H, ...) { S, W, { __VA_ARGS__ }, 0, H, 0 }
#define VIT(S, P, W, L, H) { S, W, { L }, P, H, 4 * (W) }

static const Published models[] = {
  { "RN50", { 1024, RESNET (224, 64, 32, 3, 4, 6, 3), TEXT (512, 12, 8) },
    102007137, OPENAI_RESNET },
  { "RN101", { 512, RESNET (224, 64, 32, 3, 4, 23, 3), TEXT (512, 12, 8) },
    119688033, OPENAI_RESNET },
  { "RN50x4", { 640, RESNET (288, 80, 40, 4, 6, 10, 6), TEXT (640, 12, 10) },
    178300601, OPENAI_RESNET },
  { "RN50x16", { 768, RESNET (384, 96, 48, 6, 8, 18, 8), TEXT (768, 12, 12) },
    290979217, OPENAI_RESNET },
  { "RN50x64",
    { 1024, RESNET (448, 128, 64, 3, 15, 36, 10), TEXT (1024, 12, 16) },
    623258305, OPENAI_RESNET },
  { "ViT-B/32", { 512, VIT (224, 32, 768, 12, 12), TEXT (512, 12, 8) },
    151277313, OPENAI_VIT | OPEN },
  { "ViT-B/16", { 512, VIT (224, 16, 768, 12, 12), TEXT (512, 12, 8) },
    149620737, OPENAI_VIT | OPEN },
  { "ViT-L/14", { 768, VIT (224, 14, 1024, 24, 16), TEXT (768, 12, 12) },
    427616513, OPENAI_VIT | OPEN },
  { "ViT-L/14@336px",
    { 768, VIT (336, 14, 1024, 24, 16), TEXT (768, 12, 12) },
    427944193, OPENAI_VIT | OPEN },

  { "CN-RN50", { 1024, RESNET (224, 64, 32, 3, 4, 6, 3), BERT (768, 3, 12) },
    76989537, 1 << PARALLEL },
  { "CN-ViT-B-16", { 512, VIT (224, 16, 768, 12, 12), BERT (768, 12, 12) },
    188262913, CHINESE },
  { "CN-ViT-L-14", { 768, VIT (224, 14, 1024, 24, 16), BERT (768, 12, 12) },
    406233089, CHINESE },
  { "CN-ViT-L-14-336", { 768, VIT (336, 14, 1024, 24, 16),
      BERT (768, 12, 12) }, 406560769, CHINESE },
  { "CN-ViT-H-14", { 1024, VIT (224, 14, 1280, 32, 16), BERT (1024, 24, 16) },
    957598209, CHINESE },

  { "ViT-S-32", { 384, VIT (224, 32, 384, 12, 6), TEXT (384, 12, 6) },
    63085825, OPEN },
  { "ViT-S-16", { 384, VIT (224, 16, 384, 12, 6), TEXT (384, 12, 6) },
    62257537, OPEN },
  { "ViT-M-32", { 512, VIT (224, 32, 512, 12, 8), TEXT (512, 12, 8) },
    103119873, OPEN },
  { "ViT-M-16", { 512, VIT (224, 16, 512, 12, 8), TEXT (512, 12, 8) },
    102015489, OPEN },
  { "ViT-B-32-256", { 512, VIT (256, 32, 768, 12, 12), TEXT (512, 12, 8) },
    151288833, OPEN },
  { "ViT-B-16-plus-240",
    { 640, VIT (240, 16, 896, 12, 14), TEXT (640, 12, 10) }, 208377345, OPEN },
  { "ViT-H-14", { 1024, VIT (224, 14, 1280, 32, 16), TEXT (1024, 24, 16) },
    986109441, OPEN | 1 << BARE },
  { "ViT-H-14-378", { 1024, VIT (378, 14, 1280, 32, 16), TEXT (1024, 24, 16) },
    986714881, OPEN },
  { "ViT-g-14", { 1024, { 224, 1408, { 40 }, 14, 16, 6144 },
      TEXT (1024, 24, 16) }, 1366678273, OPEN | 1 << BARE },
  { "ViT-bigG-14", { 1280, { 224, 1664, { 48 }, 14, 16, 8192 },
      TEXT (1280, 32, 20) }, 2539567105, OPEN | 1 << BARE },

  { "TinyCLIP-8M-16", { 512, VIT (224, 16, 256, 10, 4), TEXT (256, 3, 4) },
    23446017, OPEN },
  { "TinyCLIP-39M-16", { 512, VIT (224, 16, 512, 12, 8), TEXT (512, 6, 8) },
    83101185, OPEN },
  { "TinyCLIP-40M-32", { 512, VIT (224, 32, 512, 12, 8), TEXT (512, 6, 8) },
    84205569, OPEN },
  { "TinyCLIP-61M-32", { 512, VIT (224, 32, 640, 12, 10), TEXT (512, 9, 8) },
    115382145, OPEN },
  { "TinyCLIP-ResNet-19M",
    { 1024, RESNET (224, 44, 22, 3, 4, 6, 3), TEXT (512, 6, 8) }, 63372703,
    1 << OPEN_CLIP | 1 << CUSTOM_TEXT },
  { "TinyCLIP-ResNet-30M",
    { 1024, RESNET (224, 56, 28, 3, 4, 6, 3), TEXT (512, 9, 8) }, 83816869,
    1 << OPEN_CLIP | 1 << CUSTOM_TEXT },
};
/* clang-format on */

static const gchar *const dialects[N_FORMS] = {
  [BARE] = "openai",
  [PARALLEL] = "chinese-clip-original",
  [OPEN_CLIP] = "open-clip",
  [CUSTOM_TEXT] = "open-clip",
  [HUGGING_FACE] = "hugging-face-clip",
};

static const gchar *const text_parts[] = { "transformer.", "token_embedding.",
  "positional_embedding", "ln_final.", "text_projection" };

/* (transfer full) */
static gchar *
write_folder (const TestModelSpec *spec, Form form)
{
  gchar *folder = test_model_folder ();
  g_autoptr (GPtrArray) tensors = form == HUGGING_FACE
                                      ? test_model_tensors_hugging_face (spec)
                                      : test_model_tensors (spec);

  if (form == BARE || form == PARALLEL)
    test_tensors_halve (tensors);
  if (form == PARALLEL)
    test_tensors_prefix (tensors, "", "module.");
  for (guint i = 0; form == CUSTOM_TEXT && i < G_N_ELEMENTS (text_parts); i++)
    test_tensors_prefix (tensors, text_parts[i], "text.");
  if (form == OPEN_CLIP || form == CUSTOM_TEXT)
    test_model_write_open_clip (folder, spec, "");
  if (form == HUGGING_FACE)
    test_model_write_hugging_face (folder, spec);
  test_model_write (folder, "model.safetensors", tensors, TRUE);
  return folder;
}

static void
assert_is (const ClipCheckpoint *checkpoint, const Published *model)
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
  const Published *model = user_data;

  for (Form form = BARE; form < N_FORMS; form++) {
    g_autoptr (ClipCheckpoint) checkpoint = NULL;
    g_autoptr (GError) error = NULL;
    gchar *folder;

    if ((model->forms & 1u << form) == 0)
      continue;
    folder = write_folder (&model->spec, form);
    checkpoint = clip_checkpoint_open (folder, &error);
    g_assert_no_error (error);
    assert_is (checkpoint, model);
    g_assert_cmpstr (clip_checkpoint_get_config (checkpoint)->dialect, ==,
        form == HUGGING_FACE && model->spec.text.is_bert
            ? "hugging-face-chinese-clip"
            : dialects[form]);
    test_checkpoint_remove (folder);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autofree gchar *path = g_strdup (models[i].name);
    g_autofree gchar *name = NULL;

    name =
        g_strconcat ("/load/published/", g_strdelimit (path, "/", '-'), NULL);
    g_test_add_data_func (name, &models[i], a_model);
  }
  return g_test_run ();
}
