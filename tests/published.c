/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "published.h"

#define OPENAI_RESNET (1 << TEST_FORM_BARE | 1 << TEST_FORM_OPEN_CLIP)
#define OPENAI_VIT                                                             \
  (1 << TEST_FORM_BARE | 1 << TEST_FORM_OPEN_CLIP | 1 << TEST_FORM_HUGGING_FACE)
#define OPEN                                                                   \
  (1 << TEST_FORM_OPEN_CLIP | 1 << TEST_FORM_CUSTOM_TEXT |                     \
      1 << TEST_FORM_HUGGING_FACE)
#define CHINESE (1 << TEST_FORM_PARALLEL | 1 << TEST_FORM_HUGGING_FACE)

/* clang-format off */
#define TEXT(W, L, H) { W, L, H, 4 * (W), 49408, 77, FALSE }
#define BERT(W, L, H) { W, L, H, 4 * (W), 21128, 512, TRUE }
#define RESNET(S, W, H, ...) { S, W, { __VA_ARGS__ }, 0, H, 0 }
#define VIT(S, P, W, L, H) { S, W, { L }, P, H, 4 * (W) }

const TestPublished test_published[] = {
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
  { "ViT-B-32", { 512, VIT (224, 32, 768, 12, 12), TEXT (512, 12, 8) },
    151277313, OPENAI_VIT | OPEN },
  { "ViT-B-16", { 512, VIT (224, 16, 768, 12, 12), TEXT (512, 12, 8) },
    149620737, OPENAI_VIT | OPEN },
  { "ViT-L-14", { 768, VIT (224, 14, 1024, 24, 16), TEXT (768, 12, 12) },
    427616513, OPENAI_VIT | OPEN },
  { "ViT-L-14@336px",
    { 768, VIT (336, 14, 1024, 24, 16), TEXT (768, 12, 12) },
    427944193, OPENAI_VIT | OPEN },

  { "CN-RN50", { 1024, RESNET (224, 64, 32, 3, 4, 6, 3), BERT (768, 3, 12) },
    76989537, 1 << TEST_FORM_PARALLEL },
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
    986109441, OPEN | 1 << TEST_FORM_BARE },
  { "ViT-H-14-378", { 1024, VIT (378, 14, 1280, 32, 16), TEXT (1024, 24, 16) },
    986714881, OPEN },
  { "ViT-g-14", { 1024, { 224, 1408, { 40 }, 14, 16, 6144 },
      TEXT (1024, 24, 16) }, 1366678273, OPEN | 1 << TEST_FORM_BARE },
  { "ViT-bigG-14", { 1280, { 224, 1664, { 48 }, 14, 16, 8192 },
      TEXT (1280, 32, 20) }, 2539567105, OPEN | 1 << TEST_FORM_BARE },

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
    1 << TEST_FORM_OPEN_CLIP | 1 << TEST_FORM_CUSTOM_TEXT },
  { "TinyCLIP-ResNet-30M",
    { 1024, RESNET (224, 56, 28, 3, 4, 6, 3), TEXT (512, 9, 8) }, 83816869,
    1 << TEST_FORM_OPEN_CLIP | 1 << TEST_FORM_CUSTOM_TEXT },
};
/* clang-format on */

const guint test_n_published = G_N_ELEMENTS (test_published);

const TestPublished *
test_published_find (const gchar *name)
{
  g_autofree gchar *written = g_strdelimit (g_strdup (name), "/", '-');

  for (guint i = 0; i < test_n_published; i++)
    if (g_str_equal (test_published[i].name, written))
      return &test_published[i];
  return NULL;
}

static const gchar *const text_parts[] = { "transformer.", "token_embedding.",
  "positional_embedding", "ln_final.", "text_projection" };

gchar *
test_published_write (const TestPublished *published, TestForm form,
    const TestCheckpointSpec *values)
{
  const TestModelSpec *spec = &published->spec;
  gchar *folder = test_model_folder ();
  g_autofree gchar *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autoptr (GPtrArray) tensors = form == TEST_FORM_HUGGING_FACE
                                      ? test_model_tensors_hugging_face (spec)
                                      : test_model_tensors (spec);

  if (form == TEST_FORM_BARE || form == TEST_FORM_PARALLEL)
    test_tensors_halve (tensors);
  if (form == TEST_FORM_PARALLEL)
    test_tensors_prefix (tensors, "", "module.");
  for (guint i = 0;
       form == TEST_FORM_CUSTOM_TEXT && i < G_N_ELEMENTS (text_parts); i++)
    test_tensors_prefix (tensors, text_parts[i], "text.");
  if (form == TEST_FORM_OPEN_CLIP || form == TEST_FORM_CUSTOM_TEXT)
    test_model_write_open_clip (folder, spec, "");
  if (form == TEST_FORM_HUGGING_FACE)
    test_model_write_hugging_face (folder, spec);
  test_tensors_write (path, values, tensors);
  return folder;
}
