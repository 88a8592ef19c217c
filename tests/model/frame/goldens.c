/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The shared pictures as the original code (openai/CLIP, Chinese-CLIP,
 * open_clip; torchvision 0.14.1, Pillow 9.4.0) hands them to the network:
 * equal to the byte after resize and crop, and to the bit when normalised. */

#include <jansson.h>
#include <string.h>

#include "frame/frame.h"
#include "picture.h"
#include "support.h"

typedef struct {
  const gchar *folder; /* in goldens/prepared */
  ClipFit fit;
  guint size;
} Prepared;

static const Prepared prepared[] = {
  { "64-crop", CLIP_FIT_SHORTEST, 64 },
  { "80-crop", CLIP_FIT_SHORTEST, 80 },
  { "112-crop", CLIP_FIT_SHORTEST, 112 },
  { "160-crop", CLIP_FIT_SHORTEST, 160 },
  { "64-square", CLIP_FIT_SQUASH, 64 },
  { "96-square", CLIP_FIT_SQUASH, 96 },
};

static const ClipPreprocess openai = {
  .kernel = CLIP_KERNEL_BICUBIC,
  .mean = { 0.48145466f, 0.4578275f, 0.40821073f },
  .std = { 0.26862954f, 0.26130258f, 0.27577711f },
};

static void
prepare (ClipPreprocessor *preprocessor, const gchar *path, guint size,
    Picture *picture)
{
  g_auto (Picture) source = { 0 };
  ClipFrame frame;

  picture_load (&source, path);
  frame = picture_frame (&source);
  g_assert_true (clip_preprocessor_set_size (
      preprocessor, source.width, source.height, NULL));
  picture->width = picture->height = size;
  picture->rgb = g_malloc ((gsize)size * size * 3);
  clip_preprocessor_run (preprocessor, &frame, picture->rgb);
}

static gchar *
with_png (const gchar *name)
{
  const gchar *dot = strrchr (name, '.');

  return g_strdup_printf ("%.*s.png", (gint)(dot - name), name);
}

static void
check_folder (const gchar *goldens, const Prepared *row)
{
  ClipPreprocess preprocess = openai;
  g_autoptr (ClipPreprocessor) preprocessor = NULL;
  g_autofree gchar *images = g_build_filename (goldens, "images", NULL);
  g_autoptr (GDir) dir = g_dir_open (images, 0, NULL);
  const gchar *name;
  guint n = 0;

  preprocess.fit = row->fit;
  preprocess.resize_size = preprocess.size = row->size;
  preprocessor = clip_preprocessor_new (&preprocess);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *in = g_build_filename (images, name, NULL);
    g_autofree gchar *png = with_png (name);
    g_autofree gchar *out =
        g_build_filename (goldens, "prepared", row->folder, png, NULL);
    g_auto (Picture) picture = { 0 };
    g_auto (Picture) expected = { 0 };

    if (g_str_has_suffix (name, ".json"))
      continue;
    prepare (preprocessor, in, row->size, &picture);
    picture_load (&expected, out);
    g_assert_cmpuint (expected.width, ==, row->size);
    picture_assert_equal (out, picture.rgb, &expected);
    n++;
  }
  g_assert_cmpuint (n, ==, 9);
}

static void
prepared_pictures_are_equal_to_the_byte (void)
{
  g_autofree gchar *goldens = test_shared_or_skip ("goldens");

  if (goldens == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (prepared); i++)
    check_folder (goldens, &prepared[i]);
}

/* SHA-256 of the normalised picture as float32, channel by channel. */
static gchar *
tensor_sha256 (const ClipPreprocess *preprocess, const Picture *picture)
{
  gsize n = (gsize)picture->width * picture->height;
  g_autofree gfloat *pixels = g_new (gfloat, n * 3);
  g_autofree guint32 *tensor = g_new (guint32, n * 3);

  clip_preprocess_normalise (preprocess, n, picture->rgb, pixels);
  for (gsize i = 0; i < n * 3; i++) {
    memcpy (&tensor[i % 3 * n + i / 3], &pixels[i], sizeof (gfloat));
    tensor[i % 3 * n + i / 3] = GUINT32_TO_LE (tensor[i % 3 * n + i / 3]);
  }
  return g_compute_checksum_for_data (
      G_CHECKSUM_SHA256, (const guchar *)tensor, n * 3 * sizeof (guint32));
}

/* The crop's offset in pixels of the resized picture. */
static void
check_crop (ClipPreprocessor *preprocessor, json_t *facts, const gchar *key)
{
  gint resized[2], crop[2];
  gdouble x, y, width, height;

  g_assert_cmpint (json_unpack (facts, "{s:[i,i],s:[i,i]}", "resized",
                       &resized[0], &resized[1], key, &crop[0], &crop[1]),
      ==, 0);
  clip_preprocessor_get_region (preprocessor, &x, &y, &width, &height);
  g_assert_cmpfloat_with_epsilon (x * resized[0], crop[0], 1e-9);
  g_assert_cmpfloat_with_epsilon (y * resized[1], crop[1], 1e-9);
}

static void
check_image (const gchar *goldens, ClipPreprocess preprocess, json_t *image)
{
  const gchar *file, *rgb, *tensor;
  json_t *facts;
  g_autoptr (ClipPreprocessor) preprocessor =
      clip_preprocessor_new (&preprocess);
  g_autofree gchar *path = NULL;
  g_autofree gchar *rgb_sha256 = NULL;
  g_autofree gchar *sha256 = NULL;
  g_auto (Picture) picture = { 0 };

  g_assert_cmpint (json_unpack (image, "{s:s,s:o,s:{s:s,s:s}}", "file", &file,
                       "preprocessed", &facts, "preprocessed", "rgb_sha256",
                       &rgb, "tensor_sha256_f32le_chw", &tensor),
      ==, 0);
  path = g_build_filename (goldens, "images", file, NULL);
  prepare (preprocessor, path, preprocess.size, &picture);
  rgb_sha256 = g_compute_checksum_for_data (G_CHECKSUM_SHA256, picture.rgb,
      (gsize)preprocess.size * preprocess.size * 3);
  g_assert_cmpstr (rgb_sha256, ==, rgb);
  sha256 = tensor_sha256 (&preprocess, &picture);
  g_assert_cmpstr (sha256, ==, tensor);
  check_crop (preprocessor, facts, "crop");

  if (json_object_get (facts, "crop_floor") != NULL) {
    g_autoptr (ClipPreprocessor) floor = NULL;
    g_auto (Picture) ignored = { 0 };

    preprocess.crop_floor = TRUE;
    floor = clip_preprocessor_new (&preprocess);
    prepare (floor, path, preprocess.size, &ignored);
    check_crop (floor, facts, "crop_floor");
  }
}

static void
each_models_input_is_equal_to_the_bit (void)
{
  static const gchar *const models[] = { "openai-rn", "openai-vit",
    "hf-clip-f32", "hf-clip-fp16", "hf-clip-bf16-gelu", "hf-clip-sharded",
    "open-clip", "chinese-vit", "hf-chinese-clip", "chinese-rn" };
  g_autofree gchar *goldens = test_shared_or_skip ("goldens");

  if (goldens == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autofree gchar *path =
        g_build_filename (goldens, models[i], "expected.json", NULL);
    json_t *expected = json_load_file (path, 0, NULL);
    ClipPreprocess preprocess = openai;
    const gchar *resize;
    gint size;
    json_t *images;
    json_t *image;
    gsize k;

    g_assert_cmpint (
        json_unpack (expected, "{s:i,s:{s:s},s:o}", "image_size", &size,
            "preprocess", "resize", &resize, "images", &images),
        ==, 0);
    preprocess.fit =
        g_str_equal (resize, "square") ? CLIP_FIT_SQUASH : CLIP_FIT_SHORTEST;
    preprocess.resize_size = preprocess.size = (guint)size;
    json_array_foreach (images, k, image)
    {
      g_test_message ("%s, picture %u", models[i], (guint)k);
      check_image (goldens, preprocess, image);
    }
    json_decref (expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/goldens/prepared-pictures-are-equal-to-the-byte",
      prepared_pictures_are_equal_to_the_byte);
  g_test_add_func ("/frame/goldens/each-models-input-is-equal-to-the-bit",
      each_models_input_is_equal_to_the_bit);
  return g_test_run ();
}
