/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* From a camera's planes to the model's picture, against the long way: the
 * whole frame becomes RGB, and that is resized as Pillow does it (which
 * tests/model/frame/goldens.c holds to the byte).
 *
 * The yardstick for "becomes RGB" is a conversion of its own in double
 * precision, sample by sample, with chroma interpolated from where the chroma
 * site puts it, rounded once. GstVideoConverter, an implementation of others,
 * agrees with it for formats of 10 bits, which shows the yardstick right; of 8
 * bits it rounds chroma to 8 while it interpolates, twice in either direction,
 * and it knows no rows that chroma is cosited with. */
#include "pipelines.h"

#include "gst/gstclipframe.h"

#include <math.h>

#define FOLDER "/usr/share/doc/opencv-doc/examples/data/"
#define SIZE 224

/* The bounds for photographs: steps of 255, share of pixels beyond them. */
#define MAX_STEPS 2
#define MAX_SHARE 0.001

/* Of the embeddings of both ways. */
#define MIN_COSINE 0.9995

static const gchar *const photographs[] = { "fruits", "home", "building",
  "baboon", "messi5", "aloeL" };

/* --- photographs --- */

typedef struct {
  GstElement *pipeline;
  GstVideoInfo info;
  GstBuffer *buffer;
} Photograph;

static void
keep_frame (GstBuffer *buffer, gpointer user_data)
{
  Photograph *photograph = user_data;
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (photograph->pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

  fail_unless (gst_video_info_from_caps (&photograph->info, caps));
  gst_buffer_replace (&photograph->buffer, buffer);
}

static void
clear_photograph (Photograph *photograph)
{
  gst_clear_buffer (&photograph->buffer);
  gst_clear_object (&photograph->pipeline);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Photograph, clear_photograph)

/* As RGB, in its own size. */
static void
load_photograph (const gchar *name, Photograph *photograph)
{
  photograph->pipeline = pipelines_parse (
      "filesrc location=" FOLDER "%s.jpg ! jpegdec ! videoconvert ! "
      "video/x-raw,format=RGB ! fakesink name=sink",
      name);
  pipelines_watch (photograph->pipeline, "sink", keep_frame, photograph);
  pipelines_run (photograph->pipeline);
  photograph->info.colorimetry.range = GST_VIDEO_COLOR_RANGE_0_255;
}

static gboolean
may_run (void)
{
  if (!g_file_test (FOLDER "fruits.jpg", G_FILE_TEST_EXISTS)) {
    pipelines_skip ("the photographs of opencv-doc are not installed");
    return FALSE;
  }
  return pipelines_load ("coreelements jpeg videoconvertscale");
}

/* (transfer full) */
static GstBuffer *
convert (const GstVideoInfo *from, GstBuffer *buffer, const GstVideoInfo *to)
{
  GstVideoConverter *converter = gst_video_converter_new (from, to,
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL));
  GstBuffer *converted =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (to), NULL);
  GstVideoFrame src, dst;

  fail_unless (
      gst_video_frame_map (&src, (GstVideoInfo *)from, buffer, GST_MAP_READ));
  fail_unless (gst_video_frame_map (
      &dst, (GstVideoInfo *)to, converted, GST_MAP_READWRITE));
  gst_video_converter_frame (converter, &src, &dst);
  gst_video_frame_unmap (&dst);
  gst_video_frame_unmap (&src);
  gst_video_converter_free (converter);
  return converted;
}

/* --- the yardstick --- */

static gdouble
sample (const GstVideoFrame *frame, guint c, gint x, gint y)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  gboolean words = GST_VIDEO_FORMAT_INFO_DEPTH (finfo, c) > 8;
  guint offset = GST_VIDEO_FORMAT_INFO_POFFSET (finfo, c);
  const guint8 *at;

  x = CLAMP (x, 0, GST_VIDEO_FRAME_COMP_WIDTH (frame, c) - 1);
  y = CLAMP (y, 0, GST_VIDEO_FRAME_COMP_HEIGHT (frame, c) - 1);
  /* 1.22 says 1 where V of P010 lies behind the word of U. */
  if (words && offset == 1)
    offset = 2;
  at = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA (
           frame, GST_VIDEO_FORMAT_INFO_PLANE (finfo, c)) +
       offset + y * GST_VIDEO_FRAME_COMP_STRIDE (frame, c) +
       x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c);
  if (!words)
    return *at;
  return GST_READ_UINT16_LE (at) >> GST_VIDEO_FORMAT_INFO_SHIFT (finfo, c);
}

/* Where pixel @at lies among chroma samples of every second one. */
static gdouble
place (gint at, guint sub, gboolean cosited)
{
  if (sub == 0)
    return at;
  return cosited ? at / 2.0 : (at - 0.5) / 2;
}

static gdouble
component (const GstVideoFrame *frame, guint c, gint x, gint y)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  GstVideoChromaSite site = frame->info.chroma_site;
  gdouble u = place (x, GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c),
      (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0);
  gdouble v = place (y, GST_VIDEO_FORMAT_INFO_H_SUB (finfo, c),
      (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0);
  gint left = (gint)floor (u), top = (gint)floor (v);
  gdouble sum = 0;

  for (gint i = 0; i < 4; i++) {
    gdouble across = i % 2 == 0 ? left + 1 - u : u - left;
    gdouble down = i / 2 == 0 ? top + 1 - v : v - top;

    if (across * down > 0)
      sum += across * down * sample (frame, c, left + i % 2, top + i / 2);
  }
  return sum;
}

/* ITU-R BT.601 and BT.709, solved for R, G and B. */
static void
to_rgb (const GstVideoFrame *frame, gint x, gint y, guint8 *rgb)
{
  const GstVideoInfo *info = &frame->info;
  gboolean full = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
  guint depth = GST_VIDEO_INFO_COMP_DEPTH (info, 0);
  gdouble unit = 1 << (depth - 8), all = (1 << depth) - 1;
  gboolean hd = info->colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT709;
  gdouble kr = hd ? 0.2126 : 0.299, kb = hd ? 0.0722 : 0.114;
  gdouble luma = component (frame, 0, x, y);
  gdouble pb = component (frame, 1, x, y) - 128 * unit;
  gdouble pr = component (frame, 2, x, y) - 128 * unit;
  gdouble value[3];

  luma = full ? luma / all : (luma - 16 * unit) / (219 * unit);
  pb /= full ? all : 224 * unit;
  pr /= full ? all : 224 * unit;
  value[0] = luma + 2 * (1 - kr) * pr;
  value[2] = luma + 2 * (1 - kb) * pb;
  value[1] = (luma - kr * value[0] - kb * value[2]) / (1 - kr - kb);
  for (guint c = 0; c < 3; c++)
    rgb[c] = (guint8)CLAMP (floor (value[c] * 255 + 0.5), 0, 255);
}

/* (transfer full) */
static GstBuffer *
convert_exactly (
    const GstVideoInfo *info, GstBuffer *buffer, const GstVideoInfo *rgb)
{
  GstBuffer *converted =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (rgb), NULL);
  GstVideoFrame src, dst;

  fail_unless (
      gst_video_frame_map (&src, (GstVideoInfo *)info, buffer, GST_MAP_READ));
  fail_unless (gst_video_frame_map (
      &dst, (GstVideoInfo *)rgb, converted, GST_MAP_WRITE));
  for (gint y = 0; y < GST_VIDEO_INFO_HEIGHT (info); y++) {
    for (gint x = 0; x < GST_VIDEO_INFO_WIDTH (info); x++)
      to_rgb (&src, x, y,
          (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&dst, 0) +
              y * GST_VIDEO_FRAME_PLANE_STRIDE (&dst, 0) + 3 * x);
  }
  gst_video_frame_unmap (&dst);
  gst_video_frame_unmap (&src);
  return converted;
}

/* --- pictures --- */

/* (transfer full): what the element hands to the model */
static guint8 *
prepare (const GstVideoInfo *info, GstBuffer *buffer)
{
  static const ClipPreprocess preprocess = {
    .fit = CLIP_FIT_SHORTEST,
    .kernel = CLIP_KERNEL_BICUBIC,
    .resize_size = SIZE,
    .size = SIZE,
  };
  g_autoptr (ClipPreprocessor) preprocessor =
      clip_preprocessor_new (&preprocess);
  guint8 *picture = g_malloc (SIZE * SIZE * 3);
  GstClipReader reader = { 0 };
  ClipFrame view;

  gst_clip_reader_set_info (&reader, info);
  fail_unless (clip_preprocessor_set_size (preprocessor,
      GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info), NULL));
  fail_unless (gst_clip_reader_map (&reader, buffer, &view));
  clip_preprocessor_run (preprocessor, &view, picture);
  gst_clip_reader_unmap (&reader);
  gst_clip_reader_clear (&reader);
  return picture;
}

typedef struct {
  guint largest; /* difference of a value */
  gdouble share; /* of pixels that differ by more than MAX_STEPS */
} Difference;

static Difference
compare (const guint8 *a, const guint8 *b)
{
  Difference difference = { 0 };
  guint beyond = 0;

  for (guint i = 0; i < SIZE * SIZE; i++) {
    guint most = 0;

    for (guint c = 0; c < 3; c++)
      most = MAX (most, (guint)ABS (a[3 * i + c] - b[3 * i + c]));
    difference.largest = MAX (difference.largest, most);
    beyond += most > MAX_STEPS;
  }
  difference.share = (gdouble)beyond / (SIZE * SIZE);
  return difference;
}

static void
keep_worst (Difference *worst, Difference other)
{
  worst->largest = MAX (worst->largest, other.largest);
  worst->share = MAX (worst->share, other.share);
}

/* @buffer: (transfer full) */
static GBytes *
encode (GstHarness *harness, const GstVideoInfo *info, GstBuffer *buffer)
{
  g_autoptr (GstBuffer) out = NULL;
  const GstStructure *entry;
  GstBuffer *embedding;
  gpointer data;
  gsize size;

  gst_harness_set_src_caps (
      harness, gst_video_info_to_caps ((GstVideoInfo *)info));
  out = gst_harness_push_and_pull (harness, buffer);
  entry = frames_get_result (out, 0);
  fail_if (entry == NULL);
  embedding =
      gst_value_get_buffer (gst_structure_get_value (entry, "embedding"));
  gst_buffer_extract_dup (embedding, 0, -1, &data, &size);
  return g_bytes_new_take (data, size);
}

/* --- the table --- */

typedef struct {
  Difference ours, converter; /* from the yardstick */
  gdouble cosine;
} Row;

static const gchar *const formats[] = { "NV12", "I420", "YUY2", "NV16", "Y42B",
  "P010_10LE", "I420_10LE" };

/* Colorimetry and chroma site in turn. */
static const gchar *const colours[][2] = { { "bt601", "jpeg" },
  { "bt709", "mpeg2" }, { "1:4:0:0", "cosited" }, { "1:3:0:0", "mpeg2" } };

/* Only matrix and range are ours; other primaries are other colours. */
static void
describe (const GstVideoInfo *rgb, const gchar *format,
    const gchar *const colour[2], GstVideoInfo *info)
{
  gst_video_info_set_format (info, gst_video_format_from_string (format),
      GST_VIDEO_INFO_WIDTH (rgb), GST_VIDEO_INFO_HEIGHT (rgb));
  fail_unless (
      gst_video_colorimetry_from_string (&info->colorimetry, colour[0]));
  info->colorimetry.primaries = rgb->colorimetry.primaries;
  info->colorimetry.transfer = rgb->colorimetry.transfer;
  info->chroma_site = gst_video_chroma_from_string (colour[1]);
}

static void
measure (GstHarness *harness, const Photograph *photograph,
    const GstVideoInfo *info, Row *row)
{
  const GstVideoInfo *rgb = &photograph->info;
  g_autoptr (GstBuffer) frame = convert (rgb, photograph->buffer, info);
  g_autoptr (GstBuffer) exact = convert_exactly (info, frame, rgb);
  GstVideoInfo plain;
  g_autoptr (GstBuffer) converted =
      frames_to_rgb (info, frame, GST_VIDEO_CHROMA_MODE_FULL, &plain);
  g_autofree guint8 *expected = prepare (rgb, exact);
  g_autofree guint8 *by_converter = prepare (&plain, converted);
  g_autofree guint8 *found = prepare (info, frame);
  g_autoptr (GBytes) expected_embedding =
      encode (harness, rgb, gst_buffer_ref (exact));
  g_autoptr (GBytes) embedding = encode (harness, info, gst_buffer_ref (frame));

  keep_worst (&row->ours, compare (found, expected));
  if ((info->chroma_site & GST_VIDEO_CHROMA_SITE_V_COSITED) == 0)
    keep_worst (&row->converter, compare (by_converter, expected));
  row->cosine =
      MIN (row->cosine, frames_get_cosine (embedding, expected_embedding));
}

GST_START_TEST (planes_give_what_rgb_gives)
{
  Photograph loaded[G_N_ELEMENTS (photographs)] = { 0 };
  Row rows[G_N_ELEMENTS (formats)];
  GstHarness *harness;

  if (!may_run ())
    return;
  /* Threads that a pipeline starts beside a worker would bear its name. */
  for (guint i = 0; i < G_N_ELEMENTS (photographs); i++)
    load_photograph (photographs[i], &loaded[i]);
  harness = frames_harness_new (
      "clipfilter precision=f32 attach-embedding=true", NULL);
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
    rows[f] = (Row){ .cosine = 1 };
  for (guint i = 0; i < G_N_ELEMENTS (photographs); i++) {
    for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
      GstVideoInfo info;

      describe (&loaded[i].info, formats[f],
          colours[(i + f) % G_N_ELEMENTS (colours)], &info);
      measure (harness, &loaded[i], &info, &rows[f]);
    }
    clear_photograph (&loaded[i]);
  }
  frames_harness_free (harness);

  g_print ("# format       beyond 2 steps  largest  cosine    videoconvert\n");
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++)
    g_print ("# %-12s %12.4f %%  %7u  %.6f  %.4f %%, %u\n", formats[f],
        100 * rows[f].ours.share, rows[f].ours.largest, rows[f].cosine,
        100 * rows[f].converter.share, rows[f].converter.largest);
  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    fail_unless (rows[f].ours.share <= MAX_SHARE, "%s: %.4f %% beyond",
        formats[f], 100 * rows[f].ours.share);
    fail_unless (!g_str_has_suffix (formats[f], "_10LE") ||
                     rows[f].converter.share <= MAX_SHARE,
        "%s: the references differ, %.4f %% beyond", formats[f],
        100 * rows[f].converter.share);
    fail_unless (rows[f].cosine >= MIN_COSINE, "%s: cosine %.6f", formats[f],
        rows[f].cosine);
  }
}
GST_END_TEST;

/* What RGB holds more than 8 bits of is rounded to them, the rest is the same
 * byte. */
GST_START_TEST (every_order_of_rgb_gives_what_rgb_gives)
{
  static const GstVideoFormat orders[] = { GST_VIDEO_FORMAT_BGR,
    GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_xRGB,
    GST_VIDEO_FORMAT_xBGR, GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_BGRA,
    GST_VIDEO_FORMAT_ARGB, GST_VIDEO_FORMAT_ABGR, GST_VIDEO_FORMAT_GBR,
    GST_VIDEO_FORMAT_GBRA, GST_VIDEO_FORMAT_GBR_10LE, GST_VIDEO_FORMAT_GBR_12LE,
    GST_VIDEO_FORMAT_ARGB64, GST_VIDEO_FORMAT_r210,
    GST_VIDEO_FORMAT_BGR10A2_LE };
  g_auto (Photograph) photograph = { 0 };
  g_autofree guint8 *expected = NULL;

  if (!may_run ())
    return;
  load_photograph ("building", &photograph);
  expected = prepare (&photograph.info, photograph.buffer);
  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) {
    g_autoptr (GstBuffer) frame = NULL;
    g_autofree guint8 *found = NULL;
    Difference difference;
    GstVideoInfo info;

    gst_video_info_set_format (&info, orders[i],
        GST_VIDEO_INFO_WIDTH (&photograph.info),
        GST_VIDEO_INFO_HEIGHT (&photograph.info));
    info.colorimetry = photograph.info.colorimetry;
    frame = convert (&photograph.info, photograph.buffer, &info);
    found = prepare (&info, frame);
    difference = compare (found, expected);
    fail_unless (difference.largest <=
                     (GST_VIDEO_INFO_COMP_DEPTH (&info, 0) > 8 ? 1 : 0),
        "%s: %u steps", GST_VIDEO_INFO_NAME (&info), difference.largest);
  }
}
GST_END_TEST;

static Suite *
conversion_suite (void)
{
  Suite *suite = suite_create ("conversion");
  TCase *tests = tcase_create ("photographs");

  suite_add_tcase (suite, tests);
  tcase_add_test (tests, planes_give_what_rgb_gives);
  tcase_add_test (tests, every_order_of_rgb_gives_what_rgb_gives);
  return suite;
}

GST_CHECK_MAIN (conversion);
