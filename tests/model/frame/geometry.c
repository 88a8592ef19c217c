/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Pixels that are not square, and frames that lie on their side, against the
 * second implementation in reference.c and against frames turned pixel by
 * pixel. */

#include <math.h>
#include <string.h>

#include "clip-error.h"
#include "picture.h"
#include "reference.h"

#define SIZE 224

/* (transfer full) */
static guint8 *
prepare (const ClipPreprocess *preprocess, const Picture *source,
    const ClipGeometry *geometry)
{
  g_autoptr (ClipPreprocessor) preprocessor =
      clip_preprocessor_new (preprocess);
  guint8 *picture = g_malloc ((gsize)preprocess->size * preprocess->size * 3);
  ClipFrame frame = picture_frame (source);
  GError *error = NULL;

  clip_preprocessor_set_geometry (preprocessor, geometry, &error);
  g_assert_no_error (error);
  clip_preprocessor_run (preprocessor, &frame, picture);
  return picture;
}

/* Worked out by hand: squared, fitted, cropped. */
typedef struct {
  ClipGeometry geometry;
  ClipFit fit;
  ReferenceSide x, y;
} Shape;

/* clang-format off */
static const Shape shapes[] = {
  /* 768 x 576, 1024 x 576, 352 x 264, 480 x 960, 482 x 480 */
  { { 720, 576, 16, 15 }, CLIP_FIT_SHORTEST, { 298, 37, 224 }, { 224, 0, 224 } },
  { { 720, 576, 64, 45 }, CLIP_FIT_SHORTEST, { 398, 87, 224 }, { 224, 0, 224 } },
  { { 352, 240, 10, 11 }, CLIP_FIT_SHORTEST, { 298, 37, 224 }, { 224, 0, 224 } },
  { { 480, 480, 1, 2 }, CLIP_FIT_SHORTEST, { 224, 0, 224 }, { 448, 112, 224 } },
  { { 321, 480, 3, 2 }, CLIP_FIT_SHORTEST, { 224, 0, 224 }, { 224, 0, 224 } },
  { { 720, 576, 64, 45 }, CLIP_FIT_LONGEST, { 224, 0, 224 }, { 126, 0, 126 } },
  { { 720, 576, 64, 45 }, CLIP_FIT_SQUASH, { 224, 0, 224 }, { 224, 0, 224 } },
};
/* clang-format on */

static void
check_shape (const Shape *shape)
{
  ClipPreprocess preprocess = {
    .fit = shape->fit, .resize_size = SIZE, .size = SIZE
  };
  gsize begin = (gsize)(SIZE - shape->y.n) / 2 * SIZE * 3;
  gsize n = (gsize)shape->y.n * SIZE * 3;
  g_auto (Picture) source = { 0 };
  g_auto (Picture) expected = { 0 };
  g_autofree guint8 *picture = NULL;

  picture_fill (&source, 1, shape->geometry.width, shape->geometry.height);
  picture = prepare (&preprocess, &source, &shape->geometry);
  reference_resize (
      &expected, &source, CLIP_KERNEL_BICUBIC, &shape->x, &shape->y);
  g_assert_cmpmem (picture + begin, n, expected.rgb, n);
}

static void
pixels_are_squared_first (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++)
    check_shape (&shapes[i]);
}

/* Broad waves, within what bytes hold. */
static void
fill_smoothly (Picture *picture, guint width, guint height)
{
  picture->width = width;
  picture->height = height;
  picture->rgb = g_malloc ((gsize)width * height * 3);
  for (guint i = 0; i < width * height * 3; i++) {
    gdouble x = (gdouble)(i / 3 % width) / width;
    gdouble y = (gdouble)(i / 3 / width) / height;

    picture->rgb[i] =
        (guint8)(128 + 60 * sin (9 * x + i % 3) + 60 * cos (7 * y * x));
  }
}

/* The long way, as a viewer goes it: stretched to the display's pixels, then
 * prepared. Rounded once oftener in either direction: a step each. */
static void
one_resize_is_what_two_are (void)
{
  static const guint stretched[][4] = { { 720, 576, 1024, 576 },
    { 352, 480, 640, 480 }, { 480, 480, 480, 960 } };
  ClipPreprocess preprocess = { .resize_size = SIZE, .size = SIZE };

  for (gsize i = 0; i < G_N_ELEMENTS (stretched); i++) {
    const guint *side = stretched[i];
    ReferenceSide x = { side[2], 0, side[2] }, y = { side[3], 0, side[3] };
    ClipGeometry geometry = { side[0], side[1], side[2] * side[1],
      side[3] * side[0] };
    ClipGeometry plain = { side[2], side[3], 1, 1 };
    g_auto (Picture) source = { 0 };
    g_auto (Picture) viewed = { 0 };
    g_autofree guint8 *once = NULL;
    g_autofree guint8 *twice = NULL;

    fill_smoothly (&source, side[0], side[1]);
    reference_resize (&viewed, &source, CLIP_KERNEL_BICUBIC, &x, &y);
    once = prepare (&preprocess, &source, &geometry);
    twice = prepare (&preprocess, &viewed, &plain);
    for (guint k = 0; k < SIZE * SIZE * 3; k++)
      g_assert_cmpint (ABS (once[k] - twice[k]), <=, 2);
  }
}

static void
region_is_of_the_stored_frame (void)
{
  ClipPreprocess preprocess = { .resize_size = SIZE, .size = SIZE };
  g_autoptr (ClipPreprocessor) preprocessor =
      clip_preprocessor_new (&preprocess);
  ClipGeometry geometry = { 720, 576, 64, 45, .transpose = TRUE };
  gdouble x, y, width, height;

  g_assert_true (
      clip_preprocessor_set_geometry (preprocessor, &geometry, NULL));
  clip_preprocessor_get_region (preprocessor, &x, &y, &width, &height);
  g_assert_cmpfloat_with_epsilon (x, 87.0 / 398, 1e-12);
  g_assert_cmpfloat_with_epsilon (width, 224.0 / 398, 1e-12);
  g_assert_cmpfloat (y, ==, 0);
  g_assert_cmpfloat (height, ==, 1);
}

static void
a_side_too_long_is_refused (void)
{
  ClipPreprocess preprocess = { .resize_size = SIZE, .size = SIZE };
  g_autoptr (ClipPreprocessor) preprocessor =
      clip_preprocessor_new (&preprocess);
  ClipGeometry geometry = { 720, 576, 64, 45 };
  ClipGeometry extreme = { 640, 480, G_MAXINT, 1 };
  g_autoptr (GError) error = NULL;
  gdouble before, after, rest[3];

  g_assert_true (
      clip_preprocessor_set_geometry (preprocessor, &geometry, NULL));
  clip_preprocessor_get_region (
      preprocessor, &before, &rest[0], &rest[1], &rest[2]);
  g_assert_false (
      clip_preprocessor_set_geometry (preprocessor, &extreme, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MODEL);
  g_assert_nonnull (strstr (error->message, "2147483647/1"));
  clip_preprocessor_get_region (
      preprocessor, &after, &rest[0], &rest[1], &rest[2]);
  g_assert_cmpfloat (before, ==, after);
}

/* --- turns --- */

/* Pixel by pixel, from the words of ClipGeometry. */
static void
turn (const Picture *source, const ClipGeometry *geometry, Picture *turned)
{
  gboolean transpose = geometry->transpose;

  turned->width = transpose ? source->height : source->width;
  turned->height = transpose ? source->width : source->height;
  turned->rgb = g_malloc ((gsize)turned->width * turned->height * 3);
  for (guint y = 0; y < source->height; y++) {
    for (guint x = 0; x < source->width; x++) {
      guint u = transpose ? y : x, v = transpose ? x : y;

      if (geometry->mirror_x)
        u = turned->width - 1 - u;
      if (geometry->mirror_y)
        v = turned->height - 1 - v;
      memcpy (turned->rgb + ((gsize)v * turned->width + u) * 3,
          source->rgb + ((gsize)y * source->width + x) * 3, 3);
    }
  }
}

static void
check_turn (const ClipPreprocess *preprocess, const Picture *source, guint bits,
    gint tolerance)
{
  ClipGeometry geometry = { source->width, source->height, 1, 1,
    (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0 };
  ClipGeometry upright = { .pixel_width = 1, .pixel_height = 1 };
  gsize n = (gsize)preprocess->size * preprocess->size * 3;
  g_auto (Picture) turned = { 0 };
  g_autofree guint8 *found = prepare (preprocess, source, &geometry);
  g_autofree guint8 *expected = NULL;

  turn (source, &geometry, &turned);
  upright.width = turned.width;
  upright.height = turned.height;
  expected = prepare (preprocess, &turned, &upright);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpint (ABS (found[i] - expected[i]), <=, tolerance);
}

/* Every remainder of a crop that either rounding knows; nothing is resized, so
 * nothing is rounded. */
static void
every_turn_is_that_of_the_frame (void)
{
  for (guint i = 0; i < 8 * 8; i++) {
    ClipPreprocess preprocess = {
      .resize_size = 40, .size = 40 - i / 8 % 4, .crop_floor = i / 32 > 0
    };
    g_auto (Picture) source = { 0 };

    picture_fill (&source, 1, 61 + i / 8 % 4, 40);
    check_turn (&preprocess, &source, i % 8, 0);
  }
}

/* The two passes come in the other order, each rounded to bytes: a step each.
 */
static void
every_turn_when_resized (void)
{
  static const ClipFit fits[] = { CLIP_FIT_SHORTEST, CLIP_FIT_SQUASH,
    CLIP_FIT_LONGEST };

  for (guint i = 0; i < 8 * G_N_ELEMENTS (fits); i++) {
    ClipPreprocess preprocess = {
      .fit = fits[i / 8], .resize_size = 96, .size = 96
    };
    g_auto (Picture) source = { 0 };

    fill_smoothly (&source, 331, 202);
    check_turn (&preprocess, &source, i % 8, 2);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/frame/geometry/pixels-are-squared-first", pixels_are_squared_first);
  g_test_add_func (
      "/frame/geometry/one-resize-is-what-two-are", one_resize_is_what_two_are);
  g_test_add_func ("/frame/geometry/region-is-of-the-stored-frame",
      region_is_of_the_stored_frame);
  g_test_add_func (
      "/frame/geometry/a-side-too-long-is-refused", a_side_too_long_is_refused);
  g_test_add_func ("/frame/geometry/every-turn-is-that-of-the-frame",
      every_turn_is_that_of_the_frame);
  g_test_add_func (
      "/frame/geometry/every-turn-when-resized", every_turn_when_resized);
  return g_test_run ();
}
