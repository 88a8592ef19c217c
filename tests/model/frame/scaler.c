/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Expected values: model-spec.md sections 6.2 and 6.3, and goldens/resize, all
 * made with Pillow 9.4.0. */

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "frame/scaler.h"
#include "picture.h"
#include "reference.h"
#include "support.h"

/* (transfer full): the whole picture resized. */
static guint8 *
resize (const Picture *source, guint width, guint height)
{
  ClipSide x = { source->width, width, 0, width };
  ClipSide y = { source->height, height, 0, height };
  ClipScaler *scaler = clip_scaler_new (CLIP_KERNEL_BICUBIC, &x, &y);
  ClipFrame frame = picture_frame (source);
  guint8 *resized = g_malloc ((gsize)width * height * 3);

  clip_scaler_run (scaler, &frame, resized, (gsize)width * 3);
  clip_scaler_free (scaler);
  return resized;
}

typedef struct {
  guint pattern;
  guint width, height;
  guint resized_width, resized_height;
  guint32 crc_resized, crc_squashed;
} Whole;

/* clang-format off */
static const Whole wholes[] = {
  { 1, 640, 480, 298, 224, 0xb0daf9ca, 0x6809513b },
  { 1, 1920, 1080, 398, 224, 0x88b864cd, 0x67618115 },
  { 1, 100, 50, 448, 224, 0x1733c60e, 0x84ac2333 },
  { 1, 1023, 767, 298, 224, 0xc1c80b22, 0xae154b44 },
  { 2, 640, 480, 298, 224, 0x3b411892, 0xfdc975b8 },
  { 2, 480, 640, 224, 298, 0xf9cfd519, 0xc9d1d034 },
  { 2, 1920, 1080, 398, 224, 0x6b108a74, 0x2f2f0a7f },
  { 2, 224, 224, 224, 224, 0x249970dc, 0x249970dc },
  { 2, 100, 50, 448, 224, 0xebc199e2, 0xe16428d0 },
  { 2, 641, 481, 298, 224, 0x4751c0bc, 0xed85a30f },
  { 2, 1280, 225, 1274, 224, 0xd1bcab5d, 0x7ec12cac },
};
/* clang-format on */

static void
patterns_have_pillows_checksums (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (wholes); i++) {
    const Whole *row = &wholes[i];
    g_auto (Picture) source = { 0 };
    g_autofree guint8 *resized = NULL;
    g_autofree guint8 *squashed = NULL;

    picture_fill (&source, row->pattern, row->width, row->height);
    resized = resize (&source, row->resized_width, row->resized_height);
    squashed = resize (&source, 224, 224);
    g_test_message ("P%u %ux%u", row->pattern, row->width, row->height);
    g_assert_cmphex (
        picture_crc (resized, row->resized_width * row->resized_height * 3), ==,
        row->crc_resized);
    g_assert_cmphex (
        picture_crc (squashed, 224 * 224 * 3), ==, row->crc_squashed);
  }
}

/* The same picture with x and y exchanged. */
static void
transpose (Picture *picture)
{
  guint8 *turned = g_malloc ((gsize)picture->width * picture->height * 3);
  guint width = picture->width;

  for (guint y = 0; y < picture->height; y++) {
    for (guint x = 0; x < width; x++)
      memcpy (turned + ((gsize)x * picture->height + y) * 3,
          picture->rgb + ((gsize)y * width + x) * 3, 3);
  }
  g_free (picture->rgb);
  picture->rgb = turned;
  picture->width = picture->height;
  picture->height = width;
}

/* Turned before and after, the passes change places: section 8.2, mistake 7,
 * gives the checksum that this must not be, and does only where everything but
 * the order is right. */
static void
horizontal_pass_comes_first (void)
{
  g_auto (Picture) source = { 0 };
  g_auto (Picture) turned = { .width = 224, .height = 298 };
  g_autofree guint8 *resized = NULL;

  picture_fill (&source, 1, 1023, 767);
  resized = resize (&source, 298, 224);
  g_assert_cmphex (picture_crc (resized, 298 * 224 * 3), !=, 0xab733fd2);

  transpose (&source);
  turned.rgb = resize (&source, 224, 298);
  transpose (&turned);
  g_assert_cmphex (picture_crc (turned.rgb, 298 * 224 * 3), ==, 0xab733fd2);
}

typedef struct {
  guint source, target, t;
  guint n;
  gint32 weights[10];
} WeightRow;

/* clang-format off */
static const WeightRow weight_rows[] = {
  { 640, 224, 0, 7, { 1246769, 1580903, 1151941, 407797, -50803, -111242,
                      -31061 } },
  { 640, 224, 1, 10, { -107367, 19905, 565045, 1221211, 1430665, 962293,
                       285190, -69391, -94928, -18319 } },
  { 100, 224, 0, 2, { 4589675, -395371 } },
  { 100, 224, 3, 4, { -115200, 4154880, 162304, -7680 } },
};
/* clang-format on */

static void
weights_are_pillows (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (weight_rows); i++) {
    const WeightRow *row = &weight_rows[i];
    ClipSide side = { row->source, row->target, row->t, 1 };
    ClipAxis axis;

    clip_resample_axis_init (&axis, CLIP_KERNEL_BICUBIC, &side);
    g_assert_cmpuint (axis.first[0], ==, 0);
    g_assert_cmpmem (axis.weights, axis.count[0] * sizeof (gint32),
        row->weights, row->n * sizeof (gint32));
    clip_resample_axis_clear (&axis);
  }
}

static void
goldens_are_equal_to_the_byte (void)
{
  g_autofree gchar *folder = test_shared_or_skip ("goldens/resize");
  g_autofree gchar *list = NULL;
  json_t *cases;
  json_t *item;
  gsize i;

  if (folder == NULL)
    return;
  list = g_build_filename (folder, "cases.json", NULL);
  cases = json_load_file (list, 0, NULL);
  g_assert_cmpuint (json_array_size (cases), >=, 16);
  json_array_foreach (cases, i, item)
  {
    const gchar *name, *in, *out, *filter;
    g_autofree gchar *in_path = NULL;
    g_autofree gchar *out_path = NULL;
    g_autofree guint8 *resized = NULL;
    g_auto (Picture) source = { 0 };
    g_auto (Picture) expected = { 0 };

    g_assert_cmpint (json_unpack (item, "{s:s,s:s,s:s,s:s}", "name", &name,
                         "in", &in, "out", &out, "filter", &filter),
        ==, 0);
    g_assert_cmpstr (filter, ==, "bicubic");
    in_path = g_build_filename (folder, in, NULL);
    out_path = g_build_filename (folder, out, NULL);
    picture_load (&source, in_path);
    picture_load (&expected, out_path);
    resized = resize (&source, expected.width, expected.height);
    picture_assert_equal (name, resized, &expected);
  }
  json_decref (cases);
}

/* A view of @picture with pixels of @size bytes, its channels in the order B,
 * G, R behind whatever else there is.
 *
 * @memory: (out): exactly as much as that takes */
static ClipFrame
pack (const Picture *picture, guint size, guint8 **memory)
{
  gsize n = (gsize)picture->width * picture->height;
  ClipFrame frame = {
    .layout = CLIP_LAYOUT_PACKED,
    .strides = { (gint)(picture->width * size) },
    .pixel_size = size,
    .offsets = { size - 1, size - 2, size - 3 },
  };

  *memory = g_malloc0 (n * size);
  for (gsize i = 0; i < 3 * n; i++)
    (*memory)[i / 3 * size + frame.offsets[i % 3]] = picture->rgb[i];
  frame.planes[0] = *memory;
  return frame;
}

/* One to a hundred times as long or as short, or the same; some of it kept. */
static ReferenceSide
draw_side (GRand *random, guint *source)
{
  ReferenceSide side = { 0 };

  *source = (guint)exp (g_rand_double_range (random, 0, 5.5));
  side.target = g_rand_int_range (random, 0, 8) == 0
                    ? *source
                    : (guint)exp (g_rand_double_range (random, 0, 4.7));
  side.begin = (guint)g_rand_int_range (random, 0, (gint32)side.target);
  side.n = (guint)g_rand_int_range (
      random, 1, (gint32)(side.target - side.begin + 1));
  return side;
}

static void
any_sides_are_as_defined (void)
{
  GRand *random = g_rand_new_with_seed (1);

  for (guint i = 0; i < 300; i++) {
    ClipKernel kernel = i % 3 == 0 ? CLIP_KERNEL_BILINEAR : CLIP_KERNEL_BICUBIC;
    guint width, height;
    ReferenceSide to_x = draw_side (random, &width);
    ReferenceSide to_y = draw_side (random, &height);
    ClipSide x = { width, to_x.target, to_x.begin, to_x.n };
    ClipSide y = { height, to_y.target, to_y.begin, to_y.n };
    ClipScaler *scaler = clip_scaler_new (kernel, &x, &y);
    g_autofree guint8 *got = g_malloc ((gsize)x.n * y.n * 3);
    g_auto (Picture) source = { 0 };
    g_auto (Picture) expected = { 0 };

    picture_fill (&source, 1 + i % 2, width, height);
    reference_resize (&expected, &source, kernel, &to_x, &to_y);
    for (guint size = 3; size <= 4; size++) {
      g_autofree guint8 *memory = NULL;
      ClipFrame frame = pack (&source, size, &memory);

      clip_scaler_run (scaler, &frame, got, (gsize)x.n * 3);
      picture_assert_equal ("a resize", got, &expected);
    }
    clip_scaler_free (scaler);
  }
  g_rand_free (random);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/scaler/patterns-have-pillows-checksums",
      patterns_have_pillows_checksums);
  g_test_add_func (
      "/frame/scaler/horizontal-pass-comes-first", horizontal_pass_comes_first);
  g_test_add_func ("/frame/scaler/weights-are-pillows", weights_are_pillows);
  g_test_add_func ("/frame/scaler/goldens-are-equal-to-the-byte",
      goldens_are_equal_to_the_byte);
  g_test_add_func (
      "/frame/scaler/any-sides-are-as-defined", any_sides_are_as_defined);
  return g_test_run ();
}
