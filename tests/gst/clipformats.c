/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Every raw format, colorimetry and memory layout against the same picture as
 * GstVideoConverter makes it RGB: the embeddings must agree. */
#include "frames.h"

#include <string.h>

/* What differs is rounding; a wrong plane, matrix or range gives less. */
#define MIN_COSINE 0.999

/* Processes among which the formats are shared out. */
#define N_SHARES 4

static GBytes *
get_embedding (GstBuffer *buffer)
{
  const GstStructure *entry = frames_get_result (buffer, 0);
  GstBuffer *embedding = NULL;
  gsize size;
  gpointer data;

  fail_if (entry == NULL);
  fail_unless (gst_structure_get (
      entry, "embedding", GST_TYPE_BUFFER, &embedding, NULL));
  size = gst_buffer_get_size (embedding);
  data = g_malloc (size);
  gst_buffer_extract (embedding, 0, data, size);
  gst_buffer_unref (embedding);
  return g_bytes_new_take (data, size);
}

/* @buffer: (transfer full) */
static GBytes *
encode (GstHarness *harness, const GstVideoInfo *info, GstBuffer *buffer)
{
  g_autoptr (GstBuffer) out = NULL;

  gst_harness_set_src_caps (
      harness, gst_video_info_to_caps ((GstVideoInfo *)info));
  out = gst_harness_push_and_pull (harness, buffer);
  fail_if (out == NULL);
  return get_embedding (out);
}

static void
check_against_converter (GstHarness *harness, const gchar *caps_string)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_string);
  g_autoptr (GBytes) expected = NULL;
  g_autoptr (GBytes) found = NULL;
  GstVideoInfo info, rgb;
  GstBuffer *buffer, *converted;
  gdouble cosine;

  fail_unless (gst_video_info_from_caps (&info, caps));
  buffer = frames_new (&info, 3);
  converted = frames_to_rgb (&info, buffer, GST_VIDEO_CHROMA_MODE_NONE, &rgb);
  expected = encode (harness, &rgb, converted);
  found = encode (harness, &info, buffer);
  cosine = frames_get_cosine (expected, found);
  fail_unless (cosine >= MIN_COSINE, "%s: cosine %.6f", caps_string, cosine);
}

GST_START_TEST (every_format_is_seen_as_converted)
{
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 precision=f32 attach-embedding=true", NULL);
  guint n_formats = 0;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = __i__; i < n_formats; i += N_SHARES) {
    g_autofree gchar *caps =
        frames_caps (gst_video_format_to_string (formats[i]), 161, 117);

    check_against_converter (harness, caps);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (every_colorimetry_is_seen_as_converted)
{
  /* range (1 full, 2 studio) : matrix : transfer : primaries */
  static const gchar *const formats[] = { "I420", "NV12", "Y444", "v210" };
  static const gchar *const names[] = { "bt601", "bt709", "bt2020", "smpte240m",
    "1:4:0:0", "1:3:0:0", "2:2:0:0" };
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 precision=f32 attach-embedding=true", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (guint c = 0; c < G_N_ELEMENTS (names); c++) {
      g_autofree gchar *caps = frames_caps (formats[i], 160, 120);
      g_autofree gchar *full =
          g_strdup_printf ("%s,colorimetry=(string)%s", caps, names[c]);

      check_against_converter (harness, full);
    }
  }
  frames_harness_free (harness);
}
GST_END_TEST;

/* GstVideoConverter does not stretch RGB, so it is squeezed here. */
GST_START_TEST (studio_range_rgb_is_stretched)
{
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 precision=f32 attach-embedding=true", NULL);
  g_autoptr (GBytes) expected = NULL;
  g_autoptr (GBytes) found = NULL;
  GstBuffer *full, *studio;
  GstVideoInfo info;
  GstMapInfo map;
  gdouble cosine;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 161, 117);
  full = frames_new (&info, 3);
  studio = gst_buffer_copy_deep (full);
  fail_unless (gst_buffer_map (studio, &map, GST_MAP_READWRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (map.data[i] * 219 + 127) / 255 + 16;
  gst_buffer_unmap (studio, &map);
  expected = encode (harness, &info, full);
  info.colorimetry.range = GST_VIDEO_COLOR_RANGE_16_235;
  found = encode (harness, &info, studio);
  cosine = frames_get_cosine (expected, found);
  fail_unless (cosine >= MIN_COSINE, "cosine %.6f", cosine);
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- memory layouts: the same bytes elsewhere --- */

#define PADDING 48

/* A copy of @buffer with wider rows and space between the planes, and memory
 * that ends with the last pixel; the padding is noise. */
static GstBuffer *
pad (const GstVideoInfo *info, GstBuffer *buffer)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { 0 };
  gsize size = PADDING, end = 0;
  GstVideoFrame frame;
  GstBuffer *padded;
  guint8 *bytes;

  fail_unless (
      gst_video_frame_map (&frame, (GstVideoInfo *)info, buffer, GST_MAP_READ));
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    strides[p] = GST_VIDEO_INFO_PLANE_STRIDE (info, p) + PADDING;
    offsets[p] = size;
    size += (gsize)strides[p] * GST_VIDEO_INFO_COMP_HEIGHT (info, p);
    size += PADDING;
  }
  bytes = g_malloc (size);
  memset (bytes, 0xa5, size);
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    gsize row = (gsize)GST_VIDEO_INFO_COMP_WIDTH (info, p) *
                GST_VIDEO_INFO_COMP_PSTRIDE (info, p);

    for (gint y = 0; y < GST_VIDEO_INFO_COMP_HEIGHT (info, p); y++) {
      memcpy (bytes + offsets[p] + (gsize)y * strides[p],
          (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, p) +
              (gsize)y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, p),
          row);
      end = offsets[p] + (gsize)y * strides[p] + row;
    }
  }
  gst_video_frame_unmap (&frame);
  padded = gst_buffer_new_memdup (bytes, end);
  g_free (bytes);
  gst_buffer_add_video_meta_full (padded, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), GST_VIDEO_INFO_WIDTH (info),
      GST_VIDEO_INFO_HEIGHT (info), GST_VIDEO_INFO_N_PLANES (info), offsets,
      strides);
  return padded;
}

/* The same bytes in @n memories, GstVideoMeta kept. (transfer full) */
static GstBuffer *
split (GstBuffer *buffer, guint n)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstBuffer *pieces = gst_buffer_new ();
  gsize size = gst_buffer_get_size (buffer);

  for (guint i = 0; i < n; i++) {
    gsize from = size * i / n, length = size * (i + 1) / n - from;
    gpointer bytes = g_malloc (length);

    gst_buffer_extract (buffer, from, bytes, length);
    gst_buffer_append_memory (pieces,
        gst_memory_new_wrapped (0, bytes, length, 0, length, bytes, g_free));
  }
  if (meta != NULL)
    gst_buffer_add_video_meta_full (pieces, meta->flags, meta->format,
        meta->width, meta->height, meta->n_planes, meta->offset, meta->stride);
  return pieces;
}

GST_START_TEST (memory_layouts_make_no_difference)
{
  static const gchar *const formats[] = { "RGB", "xBGR", "I420", "YV12", "NV12",
    "NV21", "Y42B", "GBR", "I420_10LE", "NV24" };
  GstHarness *harness = frames_harness_new (
      "clipfilter threads=1 precision=f32 attach-embedding=true", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (GstBuffer) plain = NULL;
    g_autoptr (GstBuffer) padded = NULL;
    g_autoptr (GBytes) expected = NULL;
    GstBuffer *others[3];
    GstVideoInfo info;

    gst_video_info_set_format (
        &info, gst_video_format_from_string (formats[i]), 161, 117);
    plain = frames_new (&info, 5);
    padded = pad (&info, plain);
    expected = encode (harness, &info, gst_buffer_ref (plain));
    others[0] = gst_buffer_ref (padded);
    others[1] = split (plain, 3);
    others[2] = split (padded, 5);
    for (guint k = 0; k < G_N_ELEMENTS (others); k++) {
      g_autoptr (GBytes) found = encode (harness, &info, others[k]);

      fail_unless (
          g_bytes_equal (found, expected), "%s, layout %u", formats[i], k);
    }
  }
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
clipformats_suite (void)
{
  Suite *suite = suite_create ("clipformats");
  TCase *tests = tcase_create ("demo-model");

  suite_add_tcase (suite, tests);
  tcase_add_loop_test (tests, every_format_is_seen_as_converted, 0, N_SHARES);
  tcase_add_test (tests, every_colorimetry_is_seen_as_converted);
  tcase_add_test (tests, studio_range_rgb_is_stretched);
  tcase_add_test (tests, memory_layouts_make_no_difference);
  return suite;
}

GST_CHECK_MAIN (clipformats);
