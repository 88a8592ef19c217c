/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Expected values: model-spec.md section 6.3 (Pillow 9.4.0, torchvision
 * 0.14.1), and for what it has no numbers of, the second implementation in
 * reference.c. */

#include <math.h>
#include <string.h>

#include "clip-error.h"
#include "picture.h"
#include "reference.h"
#include "support.h"

static const ClipPreprocess openai = {
  .fit = CLIP_FIT_SHORTEST,
  .kernel = CLIP_KERNEL_BICUBIC,
  .resize_size = 224,
  .size = 224,
  .mean = { 0.48145466f, 0.4578275f, 0.40821073f },
  .std = { 0.26862954f, 0.26130258f, 0.27577711f },
};

static ClipPreprocess
variant (ClipFit fit, guint size)
{
  ClipPreprocess preprocess = openai;

  preprocess.fit = fit;
  preprocess.resize_size = preprocess.size = size;
  return preprocess;
}

/* (transfer full) */
static guint8 *
prepare (const ClipPreprocess *preprocess, const Picture *source)
{
  g_autoptr (ClipPreprocessor) preprocessor =
      clip_preprocessor_new (preprocess);
  guint8 *picture = g_malloc (preprocess->size * preprocess->size * 3);
  ClipFrame frame = picture_frame (source);
  GError *error = NULL;

  clip_preprocessor_set_size (
      preprocessor, source->width, source->height, &error);
  g_assert_no_error (error);
  clip_preprocessor_run (preprocessor, &frame, picture);
  return picture;
}

typedef struct {
  guint pattern;
  guint width, height;
  guint32 crc_cropped, crc_squashed;
  guint8 probe[3]; /* x 100, y 50, which section 6.3 calls
                      [y=100][x=50] */
} Prepared;

/* clang-format off */
static const Prepared prepared[] = {
  { 1, 640, 480, 0x547b3f14, 0x6809513b, { 127, 167, 207 } },
  { 1, 1920, 1080, 0x54f7dc8f, 0x67618115, { 193, 167, 100 } },
  { 1, 100, 50, 0xb783c543, 0x84ac2333, { 203, 243, 27 } },
  { 1, 1023, 767, 0xf37d5016, 0xae154b44, { 228, 103, 32 } },
  { 2, 640, 480, 0x09f8fc52, 0xfdc975b8, { 77, 127, 178 } },
  { 2, 480, 640, 0x1d3055fc, 0xc9d1d034, { 177, 222, 74 } },
  { 2, 1920, 1080, 0x11c70fce, 0x2f2f0a7f, { 212, 22, 54 } },
  { 2, 224, 224, 0x249970dc, 0x249970dc, { 50, 80, 110 } },
  { 2, 100, 50, 0x7f8d6cc7, 0xe16428d0, { 11, 41, 71 } },
  { 2, 641, 481, 0x5d4e8874, 0xed85a30f, { 79, 129, 178 } },
  { 2, 1280, 225, 0x9d125599, 0x7ec12cac, { 50, 80, 110 } },
};
/* clang-format on */

static void
patterns_have_pillows_checksums (void)
{
  ClipPreprocess squash = variant (CLIP_FIT_SQUASH, 224);

  for (gsize i = 0; i < G_N_ELEMENTS (prepared); i++) {
    const Prepared *row = &prepared[i];
    g_auto (Picture) source = { 0 };
    g_autofree guint8 *cropped = NULL;
    g_autofree guint8 *squashed = NULL;

    picture_fill (&source, row->pattern, row->width, row->height);
    cropped = prepare (&openai, &source);
    squashed = prepare (&squash, &source);
    g_test_message ("P%u %ux%u", row->pattern, row->width, row->height);
    g_assert_cmpmem (cropped + (50 * 224 + 100) * 3, 3, row->probe, 3);
    g_assert_cmphex (
        picture_crc (cropped, 224 * 224 * 3), ==, row->crc_cropped);
    g_assert_cmphex (
        picture_crc (squashed, 224 * 224 * 3), ==, row->crc_squashed);
  }
}

typedef struct {
  guint width, height;
  gboolean crop_floor;
  guint32 crc;
} Rounding;

static void
both_crop_roundings_have_their_checksum (void)
{
  static const Rounding rows[] = {
    { 300, 296, FALSE, 0x45c5c0a5 },
    { 300, 296, TRUE, 0xcd2d5507 },
    { 296, 300, FALSE, 0x6075333d },
    { 296, 300, TRUE, 0xd73a8ed6 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    ClipPreprocess preprocess = openai;
    g_auto (Picture) source = { 0 };
    g_autofree guint8 *picture = NULL;

    preprocess.crop_floor = rows[i].crop_floor;
    picture_fill (&source, 2, rows[i].width, rows[i].height);
    picture = prepare (&preprocess, &source);
    g_assert_cmphex (picture_crc (picture, 224 * 224 * 3), ==, rows[i].crc);
  }
}

/* Section 6.1's table of offsets, read back through the region; frames that
 * need no resize, so that the difference is the frame's own. */
static void
region_is_where_the_crop_lies (void)
{
  static const guint differences[] = { 0, 1, 2, 3, 4, 5, 7 };
  static const guint offsets[2][7] = { { 0, 0, 1, 2, 2, 2, 4 },
    { 0, 0, 1, 1, 2, 2, 3 } };
  ClipPreprocess preprocess = variant (CLIP_FIT_SHORTEST, 16);

  for (guint crop_floor = 0; crop_floor < 2; crop_floor++) {
    g_autoptr (ClipPreprocessor) preprocessor = NULL;

    preprocess.crop_floor = crop_floor;
    preprocessor = clip_preprocessor_new (&preprocess);
    for (gsize i = 0; i < G_N_ELEMENTS (differences); i++) {
      guint side = 16 + differences[i];
      gdouble x, y, width, height;

      clip_preprocessor_set_size (preprocessor, side, 16, NULL);
      clip_preprocessor_get_region (preprocessor, &x, &y, &width, &height);
      g_assert_cmpfloat_with_epsilon (x * side, offsets[crop_floor][i], 1e-12);
      g_assert_cmpfloat_with_epsilon (width * side, 16, 1e-12);
      g_assert_cmpfloat (y, ==, 0);
      g_assert_cmpfloat (height, ==, 1);

      clip_preprocessor_set_size (preprocessor, 16, side, NULL);
      clip_preprocessor_get_region (preprocessor, &x, &y, &width, &height);
      g_assert_cmpfloat_with_epsilon (y * side, offsets[crop_floor][i], 1e-12);
      g_assert_cmpfloat_with_epsilon (height * side, 16, 1e-12);
      g_assert_cmpfloat (x, ==, 0);
      g_assert_cmpfloat (width, ==, 1);
    }
  }
}

static void
squash_and_bars_show_the_whole_frame (void)
{
  static const ClipFit fits[] = { CLIP_FIT_SQUASH, CLIP_FIT_LONGEST };

  for (gsize i = 0; i < G_N_ELEMENTS (fits); i++) {
    ClipPreprocess preprocess = variant (fits[i], 32);
    g_autoptr (ClipPreprocessor) preprocessor =
        clip_preprocessor_new (&preprocess);
    gdouble region[4];

    clip_preprocessor_set_size (preprocessor, 100, 30, NULL);
    clip_preprocessor_get_region (
        preprocessor, &region[0], &region[1], &region[2], &region[3]);
    g_assert_cmpfloat (region[0], ==, 0);
    g_assert_cmpfloat (region[1], ==, 0);
    g_assert_cmpfloat (region[2], ==, 1);
    g_assert_cmpfloat (region[3], ==, 1);
  }
}

/* The resize itself, both kernels, in every fit, of odd and extreme sizes. */
typedef struct {
  ClipFit fit;
  guint width, height;
  guint resize_size, size;
  guint target[2], begin[2];
} Fit;

/* clang-format off */
static const Fit fit_rows[] = {
  { CLIP_FIT_SHORTEST, 77, 50, 24, 24, { 36, 24 }, { 6, 0 } },
  { CLIP_FIT_SHORTEST, 77, 50, 30, 24, { 46, 30 }, { 11, 3 } },
  { CLIP_FIT_SHORTEST, 1, 16384, 24, 24, { 24, 393216 }, { 0, 196596 } },
  { CLIP_FIT_SHORTEST, 16384, 1, 24, 24, { 393216, 24 }, { 196596, 0 } },
  { CLIP_FIT_SHORTEST, 32768, 1, 24, 24, { 786432, 24 }, { 393204, 0 } },
  { CLIP_FIT_SQUASH, 77, 50, 24, 24, { 24, 24 }, { 0, 0 } },
  { CLIP_FIT_SQUASH, 77, 50, 30, 24, { 30, 30 }, { 3, 3 } },
  { CLIP_FIT_SQUASH, 1, 16384, 24, 24, { 24, 24 }, { 0, 0 } },
  { CLIP_FIT_SQUASH, 16384, 1, 24, 24, { 24, 24 }, { 0, 0 } },
  { CLIP_FIT_SQUASH, 1, 1, 24, 24, { 24, 24 }, { 0, 0 } },
  { CLIP_FIT_SQUASH, 50, 50, 1, 1, { 1, 1 }, { 0, 0 } },
  { CLIP_FIT_LONGEST, 77, 50, 24, 24, { 24, 16 }, { 0, 0 } },
  { CLIP_FIT_LONGEST, 50, 77, 24, 24, { 16, 24 }, { 0, 0 } },
  { CLIP_FIT_LONGEST, 48, 3, 24, 24, { 24, 2 }, { 0, 0 } },  /* 1.5 */
  { CLIP_FIT_LONGEST, 5, 48, 24, 24, { 2, 24 }, { 0, 0 } },  /* 2.5 */
  { CLIP_FIT_LONGEST, 16384, 1, 24, 24, { 24, 1 }, { 0, 0 } },
  { CLIP_FIT_LONGEST, 1, 16384, 24, 24, { 1, 24 }, { 0, 0 } },
  { CLIP_FIT_LONGEST, 5, 3, 24, 24, { 24, 14 }, { 0, 0 } },  /* 14.4 */
  { CLIP_FIT_LONGEST, 77, 50, 31, 24, { 31, 20 }, { 4, 0 } },
};
/* clang-format on */

/* The reference in the middle of black. */
static void
expect_fit (Picture *expected, const Fit *row, ClipKernel kernel)
{
  ReferenceSide sides[2];
  g_auto (Picture) source = { 0 };
  g_auto (Picture) kept = { 0 };

  for (guint i = 0; i < 2; i++) {
    sides[i].target = row->target[i];
    sides[i].begin = row->begin[i];
    sides[i].n = MIN (row->size, row->target[i]);
  }
  picture_fill (&source, 2, row->width, row->height);
  reference_resize (&kept, &source, kernel, &sides[0], &sides[1]);

  expected->width = expected->height = row->size;
  expected->rgb = g_malloc0 ((gsize)row->size * row->size * 3);
  for (guint y = 0; y < kept.height; y++) {
    guint top = (row->size - kept.height) / 2;
    guint left = (row->size - kept.width) / 2;

    memcpy (expected->rgb + ((gsize)(top + y) * row->size + left) * 3,
        kept.rgb + (gsize)y * kept.width * 3, (gsize)kept.width * 3);
  }
}

static void
every_fit_and_kernel_agrees_with_the_reference (void)
{
  static const ClipKernel kernels[] = { CLIP_KERNEL_BICUBIC,
    CLIP_KERNEL_BILINEAR };

  for (gsize i = 0; i < G_N_ELEMENTS (fit_rows) * 2; i++) {
    const Fit *row = &fit_rows[i / 2];
    ClipPreprocess preprocess = variant (row->fit, row->size);
    g_auto (Picture) source = { 0 };
    g_auto (Picture) expected = { 0 };
    g_autofree guint8 *picture = NULL;
    g_autofree gchar *name = g_strdup_printf (
        "row %u, kernel %u of fit_rows", (guint)(i / 2), kernels[i % 2]);

    preprocess.kernel = kernels[i % 2];
    preprocess.resize_size = row->resize_size;
    picture_fill (&source, 2, row->width, row->height);
    picture = prepare (&preprocess, &source);
    expect_fit (&expected, row, kernels[i % 2]);
    picture_assert_equal (name, picture, &expected);
  }
}

static void
the_reference_has_pillows_checksum (void)
{
  ReferenceSide x = { 298, 0, 298 };
  ReferenceSide y = { 224, 0, 224 };
  g_auto (Picture) source = { 0 };
  g_auto (Picture) picture = { 0 };

  picture_fill (&source, 2, 641, 481);
  reference_resize (&picture, &source, CLIP_KERNEL_BICUBIC, &x, &y);
  g_assert_cmphex (picture_crc (picture.rgb, 298 * 224 * 3), ==, 0x4751c0bc);
}

typedef struct {
  const Picture *picture;
  gint64 last;
  guint n_read, first;
} Reads;

static void
read_row (gpointer user_data, guint y, guint8 *rgb)
{
  Reads *reads = user_data;

  g_assert_cmpint (y, >, reads->last);
  g_assert_cmpuint (y, <, reads->picture->height);
  if (reads->n_read++ == 0)
    reads->first = y;
  reads->last = y;
  memcpy (rgb, reads->picture->rgb + (gsize)y * reads->picture->width * 3,
      (gsize)reads->picture->width * 3);
}

static void
rows_are_read_once_in_order_and_only_where_needed (void)
{
  static const guint sizes[][2] = { { 480, 640 }, { 30, 400 }, { 640, 480 },
    { 24, 24 }, { 5, 90 } };
  ClipPreprocess preprocess = variant (CLIP_FIT_SHORTEST, 24);
  g_autoptr (ClipPreprocessor) preprocessor =
      clip_preprocessor_new (&preprocess);

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint width = sizes[i][0], height = sizes[i][1];
    guint target = 24 * height / MIN (width, height);
    guint begin = (guint)nearbyint ((target - 24) / 2.0);
    g_auto (Picture) source = { 0 };
    Reads reads = { .picture = &source, .last = -1 };
    ClipFrame frame = {
      .layout = CLIP_LAYOUT_ROWS, .read_row = read_row, .user_data = &reads
    };
    g_autofree guint8 *expected = NULL;
    guint8 picture[24 * 24 * 3];
    guint first, last, end;

    picture_fill (&source, 1, width, height);
    expected = prepare (&preprocess, &source);
    clip_preprocessor_set_size (preprocessor, width, height, NULL);
    clip_preprocessor_run (preprocessor, &frame, picture);
    g_assert_cmpmem (picture, sizeof (picture), expected, sizeof (picture));

    reference_window (CLIP_KERNEL_BICUBIC, height, target, begin, &first, &end);
    reference_window (
        CLIP_KERNEL_BICUBIC, height, target, begin + 23, &last, &end);
    g_assert_cmpuint (reads.first, ==, first);
    g_assert_cmpint (reads.last, ==, end - 1);
    g_assert_cmpuint (reads.n_read, ==, end - first);
  }
}

static void
a_size_out_of_range_is_refused_and_the_old_one_stays (void)
{
  static const guint sizes[][2] = { { 0, 480 }, { 640, 0 }, { 32769, 480 },
    { 640, 32769 }, { G_MAXUINT, G_MAXUINT } };
  g_autoptr (ClipPreprocessor) preprocessor = clip_preprocessor_new (&openai);
  g_autofree guint8 *picture = g_malloc (224 * 224 * 3);
  g_auto (Picture) source = { 0 };
  ClipFrame frame;

  picture_fill (&source, 1, 640, 480);
  frame = picture_frame (&source);
  g_assert_true (clip_preprocessor_set_size (preprocessor, 640, 480, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *found =
        g_strdup_printf ("%u x %u", sizes[i][0], sizes[i][1]);

    g_assert_false (clip_preprocessor_set_size (
        preprocessor, sizes[i][0], sizes[i][1], &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MODEL);
    g_assert_nonnull (strstr (error->message, found));
    g_assert_nonnull (strstr (error->message, "32768"));
  }
  clip_preprocessor_run (preprocessor, &frame, picture);
  g_assert_cmphex (picture_crc (picture, 224 * 224 * 3), ==, 0x547b3f14);
}

static void
normalised_values_are_the_originals (void)
{
  static const guint8 levels[] = { 0, 1, 128, 255 };
  static const gfloat expected[4][3] = {
    { -1.7922626f, -1.7520971f, -1.4802198f },
    { -1.7776641f, -1.7370893f, -1.4659997f },
    { 0.0763361f, 0.1688973f, 0.3399488f },
    { 1.9303361f, 2.0748837f, 2.1458969f },
  };
  guint8 picture[67 * 3];
  gfloat pixels[67 * 3];

  /* 67 pixels: whole steps of the loop and a rest. */
  for (guint i = 0; i < sizeof (picture); i++)
    picture[i] = levels[i / 3 % 4];
  clip_preprocess_normalise (&openai, 67, picture, pixels);
  /* The expected ones are printed with seven digits behind the point. */
  for (guint i = 0; i < sizeof (picture); i++)
    g_assert_cmpfloat_with_epsilon (
        pixels[i], expected[i / 3 % 4][i % 3], 2e-7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/preprocess/patterns-have-pillows-checksums",
      patterns_have_pillows_checksums);
  g_test_add_func ("/frame/preprocess/both-crop-roundings-have-their-checksum",
      both_crop_roundings_have_their_checksum);
  g_test_add_func ("/frame/preprocess/region-is-where-the-crop-lies",
      region_is_where_the_crop_lies);
  g_test_add_func ("/frame/preprocess/squash-and-bars-show-the-whole-frame",
      squash_and_bars_show_the_whole_frame);
  g_test_add_func ("/frame/preprocess/the-reference-has-pillows-checksum",
      the_reference_has_pillows_checksum);
  g_test_add_func (
      "/frame/preprocess/every-fit-and-kernel-agrees-with-the-reference",
      every_fit_and_kernel_agrees_with_the_reference);
  g_test_add_func ("/frame/preprocess/rows-are-read-once-in-order-where-needed",
      rows_are_read_once_in_order_and_only_where_needed);
  g_test_add_func (
      "/frame/preprocess/a-size-out-of-range-is-refused-and-the-old-one-stays",
      a_size_out_of_range_is_refused_and_the_old_one_stays);
  g_test_add_func ("/frame/preprocess/normalised-values-are-the-originals",
      normalised_values_are_the_originals);
  return g_test_run ();
}
