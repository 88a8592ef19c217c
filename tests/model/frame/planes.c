/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Every layout against the definition of Y'CbCr (ITU-R BT.601, BT.709 and
 * BT.2020) in double precision, over strides and sides of all kinds. */

#include "frame/frame.h"

#include <math.h>
#include <string.h>

#include "frame/colour.h"
#include "picture.h"

static const ClipColour colours[] = {
  { 0.299, 0.114, FALSE },   /* BT.601 */
  { 0.299, 0.114, TRUE },    /* JPEG */
  { 0.2126, 0.0722, FALSE }, /* BT.709 */
  { 0.2126, 0.0722, TRUE },
  { 0.2627, 0.0593, FALSE }, /* BT.2020 */
  { 0.2627, 0.0593, TRUE },
};

/* The bound that colour.h states, from the exact value clipped into 0 … 255 and
 * not rounded: half a step for the rounding, the rest for 16-bit factors. */
#define TOLERANCE 0.51

/* The definition solved for R, G and B, in 0 … 255, clipped, not rounded. */
static void
define_rgb (const ClipColour *colour, const guint8 yuv[3], gdouble rgb[3])
{
  gdouble kg = 1 - colour->kr - colour->kb;
  gdouble y = colour->full_range ? yuv[0] / 255.0 : (yuv[0] - 16) / 219.0;
  gdouble range = colour->full_range ? 255 : 224;
  gdouble pb = (yuv[1] - 128) / range;
  gdouble pr = (yuv[2] - 128) / range;

  rgb[0] = y + pr * 2 * (1 - colour->kr);
  rgb[2] = y + pb * 2 * (1 - colour->kb);
  rgb[1] = (y - colour->kr * rgb[0] - colour->kb * rgb[2]) / kg;
  for (guint c = 0; c < 3; c++)
    rgb[c] = CLAMP (rgb[c] * 255, 0, 255);
}

static void
assert_is_defined (
    const ClipColour *colour, const guint8 yuv[3], const guint8 *got)
{
  gdouble expected[3];

  define_rgb (colour, yuv, expected);
  for (guint c = 0; c < 3; c++) {
    if (fabs (got[c] - expected[c]) > TOLERANCE)
      g_error ("kr %g, %s range, Y %u U %u V %u, channel %u: got %u, "
               "expected %.3f",
          colour->kr, colour->full_range ? "full" : "limited", yuv[0], yuv[1],
          yuv[2], c, got[c], expected[c]);
  }
}

/* Every Y, with every fifth U and V; 0 and 255 are among them. */
static void
every_matrix_and_range_is_within_half_a_step (void)
{
  guint8 y[256], u[256], v[256], rgb[256 * 3];
  const guint8 *const yuv[3] = { y, u, v };

  for (guint i = 0; i < 256; i++)
    y[i] = (guint8)i;
  for (gsize k = 0; k < G_N_ELEMENTS (colours); k++) {
    ClipColourMatrix matrix;

    clip_colour_matrix_init (&matrix, &colours[k]);
    for (guint chroma = 0; chroma < 52 * 52; chroma++) {
      memset (u, 5 * (chroma % 52), sizeof (u));
      memset (v, 5 * (chroma / 52), sizeof (v));
      clip_colour_row (&matrix, 256, yuv, rgb);
      for (guint i = 0; i < 256; i++)
        assert_is_defined (
            &colours[k], (const guint8[]){ y[i], u[0], v[0] }, rgb + 3 * i);
    }
  }
}

/* The same frame in all YUV layouts, written sample by sample. */
typedef struct {
  guint width, height;
  guint8 *memory[3];
  ClipFrame frame;
} Yuv;

static guint8
sample (guint plane, guint x, guint y)
{
  return (
      guint8)((x * 2654435761u + y * 2246822519u + plane * 3266489917u) >> 13);
}

static void
yuv_clear (Yuv *yuv)
{
  for (guint i = 0; i < 3; i++)
    g_free (yuv->memory[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Yuv, yuv_clear)

typedef struct {
  ClipLayout layout;
  guint offsets[2]; /* SEMI_420: of U and V */
  gint padding;     /* bytes behind a row */
  gboolean upwards; /* rows stored from the last to the first */
} Storage;

static const Storage storages[] = {
  { CLIP_LAYOUT_PLANAR_420, { 0, 0 }, 0, FALSE },
  { CLIP_LAYOUT_PLANAR_420, { 0, 0 }, 7, FALSE },
  { CLIP_LAYOUT_PLANAR_420, { 0, 0 }, 3, TRUE },
  { CLIP_LAYOUT_SEMI_420, { 0, 1 }, 0, FALSE },
  { CLIP_LAYOUT_SEMI_420, { 1, 0 }, 5, FALSE },
  { CLIP_LAYOUT_SEMI_420, { 0, 1 }, 2, TRUE },
};

/* Exactly as much memory as the rows need, so that a byte read beyond them is
 * seen by the address sanitizer. */
static guint8 *
add_plane (
    Yuv *yuv, guint plane, guint row_size, guint n_rows, const Storage *storage)
{
  gint stride = (gint)row_size + storage->padding;
  gsize size = (gsize)stride * (n_rows - 1) + row_size;

  yuv->memory[plane] = g_malloc0 (size);
  yuv->frame.strides[plane] = storage->upwards ? -stride : stride;
  yuv->frame.planes[plane] =
      yuv->memory[plane] +
      (storage->upwards ? (gsize)stride * (n_rows - 1) : 0);
  return (guint8 *)yuv->frame.planes[plane];
}

static void
yuv_init (Yuv *yuv, guint width, guint height, const Storage *storage)
{
  guint half_width = (width + 1) / 2, half_height = (height + 1) / 2;
  gboolean planar = storage->layout == CLIP_LAYOUT_PLANAR_420;
  guint8 *planes[3];
  guint step = planar ? 1 : 2;

  yuv->width = width;
  yuv->height = height;
  yuv->frame.layout = storage->layout;
  memcpy (yuv->frame.offsets, storage->offsets, sizeof (storage->offsets));
  planes[0] = add_plane (yuv, 0, width, height, storage);
  planes[1] = add_plane (yuv, 1, half_width * step, half_height, storage);
  planes[2] = planar ? add_plane (yuv, 2, half_width, half_height, storage)
                     : planes[1] + storage->offsets[1];
  if (!planar)
    planes[1] += storage->offsets[0];

  for (guint y = 0; y < height; y++) {
    for (guint x = 0; x < width; x++)
      planes[0][(gssize)y * yuv->frame.strides[0] + x] = sample (0, x, y);
  }
  for (guint y = 0; y < half_height; y++) {
    for (guint x = 0; x < half_width; x++) {
      gssize at = (gssize)y * yuv->frame.strides[1] + x * step;

      planes[1][at] = sample (1, x, y);
      planes[2][at] = sample (2, x, y);
    }
  }
}

/* (transfer full): the picture of @side pixels, cropped but not resized. */
static guint8 *
crop (const ClipFrame *frame, guint width, guint height, guint side)
{
  ClipPreprocess preprocess = {
    .fit = CLIP_FIT_SHORTEST,
    .resize_size = MIN (width, height),
    .size = side,
    .crop_floor = TRUE,
  };
  g_autoptr (ClipPreprocessor) preprocessor =
      clip_preprocessor_new (&preprocess);
  guint8 *picture = g_malloc ((gsize)side * side * 3);

  g_assert_true (
      clip_preprocessor_set_size (preprocessor, width, height, NULL));
  clip_preprocessor_run (preprocessor, frame, picture);
  return picture;
}

/* Crops that begin at even and odd columns and rows, of frames with even and
 * odd sides, wider than one block of the reader. */
static void
every_yuv_layout_is_as_defined (void)
{
  static const guint sizes[][3] = { { 1, 1, 1 }, { 2, 2, 2 }, { 33, 17, 17 },
    { 17, 34, 17 }, { 35, 32, 31 }, { 300, 273, 271 }, { 265, 270, 263 } };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes) * G_N_ELEMENTS (storages); i++) {
    const guint *size = sizes[i / G_N_ELEMENTS (storages)];
    const ClipColour *colour = &colours[i % G_N_ELEMENTS (colours)];
    guint left = (size[0] - size[2]) / 2, top = (size[1] - size[2]) / 2;
    g_autofree guint8 *picture = NULL;
    g_auto (Yuv) yuv = { 0 };

    yuv_init (&yuv, size[0], size[1], &storages[i % G_N_ELEMENTS (storages)]);
    yuv.frame.colour = *colour;
    picture = crop (&yuv.frame, size[0], size[1], size[2]);
    for (guint pixel = 0; pixel < size[2] * size[2]; pixel++) {
      guint x = left + pixel % size[2], y = top + pixel / size[2];

      assert_is_defined (colour,
          (const guint8[]){ sample (0, x, y), sample (1, x / 2, y / 2),
              sample (2, x / 2, y / 2) },
          picture + 3 * pixel);
    }
  }
}

typedef struct {
  guint pixel_size;
  guint offsets[3];
} Order;

/* RGB, BGR, RGBx, BGRx, xRGB, xBGR, and one that is no format's. */
static const Order orders[] = {
  { 3, { 0, 1, 2 } },
  { 3, { 2, 1, 0 } },
  { 4, { 0, 1, 2 } },
  { 4, { 2, 1, 0 } },
  { 4, { 1, 2, 3 } },
  { 4, { 3, 2, 1 } },
  { 3, { 1, 2, 0 } },
};

static void
check_order (const Order *order, gint padding, gboolean upwards)
{
  guint width = 61, height = 37, side = 35;
  gint stride = (gint)(width * order->pixel_size) + padding;
  gsize size = (gsize)stride * (height - 1) + width * order->pixel_size;
  gsize first = upwards ? (gsize)stride * (height - 1) : 0;
  g_autofree guint8 *memory = g_malloc0 (size);
  g_autofree guint8 *picture = NULL;
  ClipFrame frame = {
    .layout = CLIP_LAYOUT_PACKED,
    .planes = { memory + first },
    .strides = { upwards ? -stride : stride },
    .pixel_size = order->pixel_size,
  };

  memcpy (frame.offsets, order->offsets, sizeof (frame.offsets));
  for (guint i = 0; i < width * height * 3; i++)
    memory[(gssize)first + (gssize)(i / 3 / width) * frame.strides[0] +
           i / 3 % width * order->pixel_size + order->offsets[i % 3]] =
        sample (i % 3, i / 3 % width, i / 3 / width);
  picture = crop (&frame, width, height, side);
  for (guint i = 0; i < side * side * 3; i++)
    g_assert_cmpuint (picture[i], ==,
        sample (i % 3, (width - side) / 2 + i / 3 % side,
            (height - side) / 2 + i / 3 / side));
}

static void
every_packed_order_is_read (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (orders); i++) {
    check_order (&orders[i], 0, FALSE);
    check_order (&orders[i], 13, FALSE);
    check_order (&orders[i], 0, TRUE);
    check_order (&orders[i], 13, TRUE);
  }
}

static void
read_row (gpointer user_data, guint y, guint8 *rgb)
{
  const Picture *picture = user_data;
  gsize size = (gsize)picture->width * 3;

  memcpy (rgb, picture->rgb + y * size, size);
}

/* The whole way, resize and crop included: the layout changes nothing. */
static void
rows_and_planes_give_the_same_picture (void)
{
  ClipPreprocess preprocess = {
    .fit = CLIP_FIT_SHORTEST,
    .resize_size = 64,
    .size = 64,
  };

  for (guint width = 181; width < 189; width++) {
    g_autoptr (ClipPreprocessor) preprocessor =
        clip_preprocessor_new (&preprocess);
    guint8 from_planes[64 * 64 * 3], from_rows[64 * 64 * 3];
    g_auto (Picture) converted = { .width = width, .height = 101 };
    g_auto (Yuv) yuv = { 0 };
    ClipFrame rows = {
      .layout = CLIP_LAYOUT_ROWS, .read_row = read_row, .user_data = &converted
    };
    ClipColourMatrix matrix;

    yuv_init (&yuv, width, 101, &storages[width % G_N_ELEMENTS (storages)]);
    yuv.frame.colour = colours[0];
    converted.rgb = g_malloc ((gsize)width * 101 * 3);
    clip_colour_matrix_init (&matrix, &colours[0]);
    for (guint i = 0; i < width * 101; i++) {
      guint x = i % width, y = i / width;
      guint8 values[3] = { sample (0, x, y), sample (1, x / 2, y / 2),
        sample (2, x / 2, y / 2) };
      const guint8 *const pointers[3] = { &values[0], &values[1], &values[2] };

      clip_colour_row (&matrix, 1, pointers, converted.rgb + 3 * (gsize)i);
    }
    clip_preprocessor_set_size (preprocessor, width, 101, NULL);
    clip_preprocessor_run (preprocessor, &yuv.frame, from_planes);
    clip_preprocessor_run (preprocessor, &rows, from_rows);
    g_assert_cmpmem (
        from_planes, sizeof (from_planes), from_rows, sizeof (from_rows));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/planes/every-matrix-and-range-is-within-half-a-step",
      every_matrix_and_range_is_within_half_a_step);
  g_test_add_func ("/frame/planes/every-yuv-layout-is-as-defined",
      every_yuv_layout_is_as_defined);
  g_test_add_func (
      "/frame/planes/every-packed-order-is-read", every_packed_order_is_read);
  g_test_add_func ("/frame/planes/rows-and-planes-give-the-same-picture",
      rows_and_planes_give_the_same_picture);
  return g_test_run ();
}
