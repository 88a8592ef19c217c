/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Every layout against the definition of Y'CbCr (ITU-R BT.601, BT.709 and
 * BT.2020) in double precision, over strides and sides of all kinds. */

#include "frame/colour.h"

#include <math.h>
#include <string.h>

#include "picture.h"

static const ClipColour colours[] = {
  { 0.299, 0.114, FALSE, 8 },   /* BT.601 */
  { 0.299, 0.114, TRUE, 8 },    /* JPEG */
  { 0.2126, 0.0722, FALSE, 8 }, /* BT.709 */
  { 0.2126, 0.0722, TRUE, 8 },
  { 0.2627, 0.0593, FALSE, 10 }, /* BT.2020 */
  { 0.2627, 0.0593, TRUE, 10 },
  { 0.2627, 0.0593, FALSE, 12 },
  { 0.2627, 0.0593, TRUE, 12 },
  /* Factors for green as large as they may be. */
  { 0.4, 0.39, FALSE, 8 },
};

/* The bound that colour.h states, from the exact value clipped into 0 … 255 and
 * not rounded: half a step for the rounding, the rest for green's three
 * factors, of which the rounding of each makes less than 0.008. */
#define TOLERANCE 0.53

/* The definition solved for R, G and B, in 0 … 255, clipped, not rounded. */
static void
define_rgb (const ClipColour *colour, const gdouble yuv[3], gdouble rgb[3])
{
  gdouble kg = 1 - colour->kr - colour->kb;
  gdouble unit = 1 << (colour->depth - 8);
  gdouble full = (1 << colour->depth) - 1;
  gdouble y = colour->full_range ? yuv[0] / full : (yuv[0] / unit - 16) / 219;
  gdouble range = colour->full_range ? full : 224 * unit;
  gdouble pb = (yuv[1] - 128 * unit) / range;
  gdouble pr = (yuv[2] - 128 * unit) / range;

  rgb[0] = y + pr * 2 * (1 - colour->kr);
  rgb[2] = y + pb * 2 * (1 - colour->kb);
  rgb[1] = (y - colour->kr * rgb[0] - colour->kb * rgb[2]) / kg;
  for (guint c = 0; c < 3; c++)
    rgb[c] = CLAMP (rgb[c] * 255, 0, 255);
}

static void
assert_is_defined (
    const ClipColour *colour, const gdouble yuv[3], const guint8 *got)
{
  gdouble expected[3];

  define_rgb (colour, yuv, expected);
  for (guint c = 0; c < 3; c++) {
    if (fabs (got[c] - expected[c]) > TOLERANCE)
      g_error ("kr %g, %s range, %u bits, Y %g U %g V %g, channel %u: got %u, "
               "expected %.3f",
          colour->kr, colour->full_range ? "full" : "limited", colour->depth,
          yuv[0], yuv[1], yuv[2], c, got[c], expected[c]);
  }
}

/* Every fifth of 8 bits, and 0 and all ones among them. */
static guint16
level (const ClipColour *colour, guint i)
{
  return (guint16)(i * 5 * ((1 << colour->depth) - 1) / 255);
}

/* 256 of Y', among them the first and the last, with 52 each of U and V. */
static void
every_matrix_and_range_is_within_its_bound (void)
{
  guint16 y[256], u[256], v[256];
  guint8 rgb[256 * 3];
  const guint16 *const yuv[3] = { y, u, v };

  for (gsize k = 0; k < G_N_ELEMENTS (colours); k++) {
    for (guint chroma = 0; chroma < 52 * 52; chroma++) {
      for (guint i = 0; i < 256; i++) {
        y[i] = (guint16)(i * ((1 << colours[k].depth) - 1) / 255);
        u[i] = level (&colours[k], chroma % 52);
        v[i] = level (&colours[k], chroma / 52);
      }
      clip_colour_convert (&colours[k], 256, yuv, rgb);
      for (guint i = 0; i < 256; i++)
        assert_is_defined (
            &colours[k], (const gdouble[]){ y[i], u[0], v[0] }, rgb + 3 * i);
    }
  }
}

/* Values that no frame has among them, whose sums are clipped. */
static void
every_cpu_converts_the_same (void)
{
  static const gsize n = 4 * CLIP_COLOUR_STEP, pitch = 5 * CLIP_COLOUR_STEP;
  GRand *random = g_rand_new_with_seed (7);

  for (gsize k = 0; k < G_N_ELEMENTS (colours); k++) {
    g_autofree gint16 *yuv = g_new (gint16, 3 * pitch);
    g_autofree guint8 *expected = g_new0 (guint8, 3 * pitch);
    ClipColourMatrix matrix;

    for (gsize i = 0; i < 3 * pitch; i++)
      yuv[i] = (gint16)g_rand_int (random);
    clip_colour_matrix_init (&matrix, &colours[k], 0);
    clip_colour_get_row (0) (&matrix, n, yuv, expected, pitch);
    for (guint i = 1; clip_colour_get_row (i) != NULL; i++) {
      g_autofree guint8 *got = g_new0 (guint8, 3 * pitch);

      clip_colour_get_row (i) (&matrix, n, yuv, got, pitch);
      g_assert_cmpmem (got, 3 * pitch, expected, 3 * pitch);
    }
  }
  g_rand_free (random);
}

/* A frame of its own memory, written sample by sample. */
typedef struct {
  guint width, height;
  guint8 *memory[3];
  ClipFrame frame;
} Yuv;

static guint8
noise (guint plane, guint x, guint y)
{
  return (
      guint8)((x * 2654435761u + y * 2246822519u + plane * 3266489917u) >> 13);
}

static guint16
sample (const Yuv *yuv, guint plane, guint x, guint y)
{
  guint extra = yuv->frame.colour.depth - 8;

  return (guint16)(noise (plane, x, y) << extra |
                   noise (plane + 3, x, y) >> (8 - extra));
}

static void
yuv_clear (Yuv *yuv)
{
  for (guint i = 0; i < 3; i++)
    g_free (yuv->memory[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Yuv, yuv_clear)

typedef struct {
  guint planes[3];  /* in which of the memories Y', U and V are */
  guint offsets[3]; /* of the first sample, bytes */
  ClipSamples samples;
  gint padding;     /* bytes behind a row */
  gboolean upwards; /* rows stored from the last to the first */
} Storage;

/* Half width and height, cosited x and y, fields. */
/* clang-format off */
static const Storage storages[] = {
  { { 0, 1, 2 }, { 0, 0, 0 }, { { 1, 1, 1 }, 0, 1, 1, 0, 0, 0 }, 0, FALSE },
  { { 0, 1, 2 }, { 0, 0, 0 }, { { 1, 1, 1 }, 0, 1, 1, 1, 0, 0 }, 7, FALSE },
  { { 0, 1, 2 }, { 0, 0, 0 }, { { 1, 1, 1 }, 0, 1, 1, 1, 1, 1 }, 3, TRUE },
  { { 0, 1, 1 }, { 0, 0, 1 }, { { 1, 2, 2 }, 0, 1, 1, 1, 0, 0 }, 0, FALSE },
  { { 0, 1, 1 }, { 0, 1, 0 }, { { 1, 2, 2 }, 0, 1, 1, 0, 0, 1 }, 5, FALSE },
  { { 0, 1, 1 }, { 0, 0, 1 }, { { 1, 2, 2 }, 0, 1, 1, 0, 1, 0 }, 2, TRUE },
  { { 0, 1, 2 }, { 0, 0, 0 }, { { 1, 1, 1 }, 0, 1, 0, 0, 0, 0 }, 1, FALSE },
  { { 0, 0, 0 }, { 0, 1, 3 }, { { 2, 4, 4 }, 0, 1, 0, 1, 0, 1 }, 0, FALSE },
  { { 0, 0, 0 }, { 1, 0, 2 }, { { 2, 4, 4 }, 0, 1, 0, 1, 0, 0 }, 4, TRUE },
  { { 0, 1, 2 }, { 0, 0, 0 }, { { 1, 1, 1 }, 0, 0, 0, 0, 0, 0 }, 0, FALSE },
  { { 0, 0, 0 }, { 1, 2, 3 }, { { 4, 4, 4 }, 0, 0, 0, 0, 0, 0 }, 0, FALSE },
  { { 0, 1, 2 }, { 0, 0, 0 }, { { 1, 1, 1 }, 0, 0, 1, 0, 0, 0 }, 0, FALSE },
};

/* Which of them has chroma for each pixel. */
#define WHOLE 9

/* Of more than 8 bits; bytes of a word may lie at odd addresses. */
static const Storage words[] = {
  { { 0, 1, 2 }, { 0, 0, 0 }, { { 2, 2, 2 }, 0, 1, 1, 0, 0, 0 }, 0, FALSE },
  { { 0, 1, 1 }, { 0, 0, 2 }, { { 2, 4, 4 }, 4, 1, 1, 1, 0, 0 }, 5, FALSE },
  { { 0, 1, 2 }, { 0, 0, 0 }, { { 2, 2, 2 }, 0, 1, 0, 1, 0, 0 }, 2, TRUE },
  { { 0, 1, 2 }, { 0, 0, 0 }, { { 2, 2, 2 }, 0, 0, 0, 0, 0, 0 }, 0, FALSE },
};
/* clang-format on */

static guint
halve (guint side, gboolean half)
{
  return half ? (side + 1) / 2 : side;
}

/* Exactly as much memory as the rows need, so that a byte read beyond them is
 * seen by the address sanitizer. */
static void
add_plane (Yuv *yuv, guint plane, const Storage *storage)
{
  const ClipSamples *samples = &storage->samples;
  guint size = yuv->frame.colour.depth > 8 ? 2 : 1;
  guint end = 0, n_rows = 1, n = 0;
  gint stride;

  for (guint c = 0; c < 3; c++) {
    if (storage->planes[c] != plane)
      continue;
    n = halve (yuv->width, c > 0 && samples->half_width);
    n_rows = halve (yuv->height, c > 0 && samples->half_height);
    end = MAX (end, storage->offsets[c] + samples->steps[c] * (n - 1) + size);
  }
  stride = (gint)end + storage->padding;
  yuv->memory[plane] = g_malloc0 ((gsize)stride * (n_rows - 1) + end);
  for (guint c = 0; c < 3; c++) {
    if (storage->planes[c] != plane)
      continue;
    yuv->frame.strides[c] = storage->upwards ? -stride : stride;
    yuv->frame.planes[c] =
        yuv->memory[plane] + storage->offsets[c] +
        (storage->upwards ? (gsize)stride * (n_rows - 1) : 0);
  }
}

static void
write_samples (Yuv *yuv, guint c)
{
  const ClipSamples *samples = &yuv->frame.samples;
  guint width = halve (yuv->width, c > 0 && samples->half_width);
  guint height = halve (yuv->height, c > 0 && samples->half_height);

  for (guint i = 0; i < width * height; i++) {
    guint8 *to = (guint8 *)yuv->frame.planes[c] +
                 (gssize)(i / width) * yuv->frame.strides[c] +
                 i % width * samples->steps[c];
    guint16 value = sample (yuv, c, i % width, i / width);

    if (yuv->frame.colour.depth == 8) {
      *to = (guint8)value;
    } else {
      value = (guint16)(value << samples->shift);
      memcpy (to, &value, sizeof (value));
    }
  }
}

static void
yuv_init (Yuv *yuv, guint width, guint height, const ClipColour *colour,
    const Storage *storage)
{
  yuv->width = width;
  yuv->height = height;
  yuv->frame.layout = CLIP_LAYOUT_YUV;
  yuv->frame.colour = *colour;
  yuv->frame.samples = storage->samples;
  for (guint plane = 0; plane < 3; plane++)
    add_plane (yuv, plane, storage);
  for (guint c = 0; c < 3; c++)
    write_samples (yuv, c);
}

/* The chroma samples that a row or column of pixels lies between. */
typedef struct {
  guint first, second;
  gdouble weight; /* of @second */
} Place;

static Place
place (guint at, gboolean half, gboolean cosited, guint n)
{
  gdouble exact = cosited ? at / 2.0 : (at - 0.5) / 2;
  Place place = { at, at, 0 };

  if (!half)
    return place;
  place.weight = exact - floor (exact);
  place.first = (guint)CLAMP (floor (exact), 0, n - 1);
  place.second = (guint)CLAMP (floor (exact) + 1, 0, n - 1);
  return place;
}

/* As an interlaced frame has them: its fields are pictures of their own. */
static Place
place_row (const Yuv *yuv, guint y)
{
  const ClipSamples *samples = &yuv->frame.samples;
  guint n = (yuv->height + 1) / 2;
  Place rows;

  if (!samples->fields || !samples->half_height)
    return place (y, samples->half_height, samples->cosited_y, n);
  rows = place (y / 2, TRUE, samples->cosited_y, MAX (1, (n + 1 - y % 2) / 2));
  rows.first = MIN (2 * rows.first + y % 2, n - 1);
  rows.second = MIN (2 * rows.second + y % 2, n - 1);
  return rows;
}

static gdouble
chroma_at (const Yuv *yuv, guint plane, guint x, guint y)
{
  const ClipSamples *samples = &yuv->frame.samples;
  Place rows = place_row (yuv, y);
  Place columns =
      place (x, samples->half_width, samples->cosited_x, (yuv->width + 1) / 2);
  gdouble above =
      sample (yuv, plane, columns.first, rows.first) * (1 - columns.weight) +
      sample (yuv, plane, columns.second, rows.first) * columns.weight;
  gdouble below =
      sample (yuv, plane, columns.first, rows.second) * (1 - columns.weight) +
      sample (yuv, plane, columns.second, rows.second) * columns.weight;

  return above * (1 - rows.weight) + below * rows.weight;
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

static void
check_storage (
    const guint *size, const ClipColour *colour, const Storage *storage)
{
  guint left = (size[0] - size[2]) / 2, top = (size[1] - size[2]) / 2;
  g_autofree guint8 *picture = NULL;
  g_auto (Yuv) yuv = { 0 };

  yuv_init (&yuv, size[0], size[1], colour, storage);
  picture = crop (&yuv.frame, size[0], size[1], size[2]);
  for (guint pixel = 0; pixel < size[2] * size[2]; pixel++) {
    guint x = left + pixel % size[2], y = top + pixel / size[2];

    assert_is_defined (colour,
        (const gdouble[]){ sample (&yuv, 0, x, y), chroma_at (&yuv, 1, x, y),
            chroma_at (&yuv, 2, x, y) },
        picture + 3 * pixel);
  }
}

/* Crops that begin at even and odd columns and rows, of frames with even and
 * odd sides, wider than one block of the reader. */
static void
every_yuv_layout_is_as_defined (void)
{
  static const guint sizes[][3] = { { 1, 1, 1 }, { 2, 2, 2 }, { 2, 4, 2 },
    { 33, 17, 17 }, { 17, 34, 17 }, { 35, 32, 31 }, { 300, 273, 271 },
    { 265, 270, 263 } };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    for (gsize k = 0; k < G_N_ELEMENTS (storages); k++)
      check_storage (sizes[i], &colours[(i + k) % 4], &storages[k]);
    for (gsize k = 0; k < G_N_ELEMENTS (words); k++)
      check_storage (sizes[i], &colours[4 + (i + k) % 4], &words[k]);
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
        noise (i % 3, i / 3 % width, i / 3 / width);
  picture = crop (&frame, width, height, side);
  for (guint i = 0; i < side * side * 3; i++)
    g_assert_cmpuint (picture[i], ==,
        noise (i % 3, (width - side) / 2 + i / 3 % side,
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

    yuv_init (&yuv, width, 101, &colours[0], &storages[WHOLE]);
    converted.rgb = g_malloc ((gsize)width * 101 * 3);
    for (guint i = 0; i < width * 101; i++) {
      guint16 values[3];
      const guint16 *const pointers[3] = { &values[0], &values[1], &values[2] };

      for (guint c = 0; c < 3; c++)
        values[c] = sample (&yuv, c, i % width, i / width);
      clip_colour_convert (
          &colours[0], 1, pointers, converted.rgb + 3 * (gsize)i);
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
  g_test_add_func ("/frame/planes/every-matrix-and-range-is-within-its-bound",
      every_matrix_and_range_is_within_its_bound);
  g_test_add_func (
      "/frame/planes/every-cpu-converts-the-same", every_cpu_converts_the_same);
  g_test_add_func ("/frame/planes/every-yuv-layout-is-as-defined",
      every_yuv_layout_is_as_defined);
  g_test_add_func (
      "/frame/planes/every-packed-order-is-read", every_packed_order_is_read);
  g_test_add_func ("/frame/planes/rows-and-planes-give-the-same-picture",
      rows_and_planes_give_the_same_picture);
  return g_test_run ();
}
