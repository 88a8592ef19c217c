/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A photograph is the same in every format: against itself in RGB. And no
 * format, size or memory layout is read beyond its end. */
#include "filters.h"
#include "pipelines.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PHOTOGRAPH "/usr/share/doc/opencv-doc/examples/data/fruits.jpg"

/* The bound for one picture in two formats. */
#define MIN_COSINE 0.999

/* --- the photograph --- */

static void
keep_frame (GstBuffer *buffer, gpointer user_data)
{
  GstBuffer **kept = user_data;

  gst_buffer_replace (kept, buffer);
}

/* Fruits, or where Debian's opencv-doc or a JPEG decoder is absent, a generated
 * scene of the same size; always RGB without padding. (transfer full) */
static GstBuffer *
load_photograph (GstVideoInfo *info)
{
  g_autoptr (GstElement) pipeline = NULL;
  GstBuffer *buffer = NULL;

  gst_video_info_set_format (info, GST_VIDEO_FORMAT_RGB, 512, 480);
  if (!g_file_test (PHOTOGRAPH, G_FILE_TEST_EXISTS) ||
      !pipelines_load ("coreelements jpeg videoconvertscale"))
    return frames_new (info, 3);
  pipeline = pipelines_parse ("filesrc location=%s ! jpegdec ! videoconvert ! "
                              "video/x-raw,format=RGB,width=512,height=480 ! "
                              "fakesink name=sink",
      PHOTOGRAPH);
  pipelines_watch (pipeline, "sink", keep_frame, &buffer);
  pipelines_run (pipeline);
  fail_unless_equals_uint64 (gst_buffer_get_size (buffer), info->size);
  return buffer;
}

/* As videoconvert does it. (transfer full) */
static GstBuffer *
convert (GstVideoInfo *from, GstBuffer *buffer, GstVideoInfo *to)
{
  GstVideoConverter *converter = gst_video_converter_new (from, to, NULL);
  GstBuffer *converted =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (to), NULL);
  GstVideoFrame src, dst;

  gst_buffer_memset (converted, 0, 0, -1);
  fail_unless (gst_video_frame_map (&src, from, buffer, GST_MAP_READ));
  fail_unless (gst_video_frame_map (&dst, to, converted, GST_MAP_READWRITE));
  gst_video_converter_frame (converter, &src, &dst);
  gst_video_frame_unmap (&dst);
  gst_video_frame_unmap (&src);
  gst_video_converter_free (converter);
  return converted;
}

/* --- embeddings --- */

/* @buffer: (transfer full)
 *
 * Returns: (transfer full): float32 */
static GBytes *
encode (GstHarness *harness, GstVideoInfo *info, GstBuffer *buffer)
{
  g_autoptr (GstBuffer) out = NULL;
  const GstStructure *entry;
  GstBuffer *embedding;
  gpointer data;
  gsize size;

  gst_harness_set_src_caps (harness, gst_video_info_to_caps (info));
  out = gst_harness_push_and_pull (harness, buffer);
  entry = frames_get_result (out, 0);
  fail_if (entry == NULL, "%s has no result", GST_VIDEO_INFO_NAME (info));
  embedding =
      gst_value_get_buffer (gst_structure_get_value (entry, "embedding"));
  gst_buffer_extract_dup (embedding, 0, -1, &data, &size);
  return g_bytes_new_take (data, size);
}

static gdouble
get_bound (GstVideoFormat format)
{
  /* A palette of 6 x 6 x 6 colours, in steps of 51 levels. */
  return format == GST_VIDEO_FORMAT_RGB8P ? 0.98 : MIN_COSINE;
}

/* Y of GRAY8 is full range: three equal channels. (transfer full) */
static GstBuffer *
make_grey (GstVideoInfo *rgb, GstBuffer *photograph)
{
  g_autoptr (GstBuffer) grey = NULL;
  g_autofree guint8 *levels = NULL;
  g_autofree guint8 *triplets = g_malloc (rgb->size);
  GstVideoInfo info;
  gpointer data;
  gsize size;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, 512, 480);
  grey = convert (rgb, photograph, &info);
  gst_buffer_extract_dup (grey, 0, -1, &data, &size);
  levels = data;
  for (gsize i = 0; i < size * 3; i++)
    triplets[i] = levels[i / 3];
  return gst_buffer_new_memdup (triplets, size * 3);
}

typedef struct {
  GstHarness *harness;
  GstVideoInfo rgb;
  GstBuffer *photograph;
  GBytes *colour, *grey; /* what RGB gives */
} Scene;

static void
begin_scene (Scene *scene)
{
  scene->photograph = load_photograph (&scene->rgb);
  scene->harness = frames_harness_new (
      "clipfilter threads=1 precision=f32 attach-embedding=true", NULL);
  scene->colour =
      encode (scene->harness, &scene->rgb, gst_buffer_ref (scene->photograph));
  scene->grey = encode (
      scene->harness, &scene->rgb, make_grey (&scene->rgb, scene->photograph));
}

static void
end_scene (Scene *scene)
{
  frames_harness_free (scene->harness);
  gst_buffer_unref (scene->photograph);
  g_bytes_unref (scene->colour);
  g_bytes_unref (scene->grey);
}

static void
compare (Scene *scene, GstVideoInfo *info)
{
  g_autofree gchar *colorimetry =
      gst_video_colorimetry_to_string (&info->colorimetry);
  g_autoptr (GBytes) found = encode (
      scene->harness, info, convert (&scene->rgb, scene->photograph, info));
  gdouble cosine = frames_get_cosine (
      found, GST_VIDEO_INFO_IS_GRAY (info) ? scene->grey : scene->colour);

  g_print (
      "# %-16s %-10s %.6f\n", GST_VIDEO_INFO_NAME (info), colorimetry, cosine);
  fail_unless (cosine >= get_bound (GST_VIDEO_INFO_FORMAT (info)),
      "%s %s: cosine %.6f", GST_VIDEO_INFO_NAME (info), colorimetry, cosine);
}

GST_START_TEST (a_photograph_is_the_same_in_every_format)
{
  guint n = 0;
  const GstVideoFormat *formats = gst_video_formats_raw (&n);
  Scene scene;

  begin_scene (&scene);
  for (guint i = 0; i < n; i++) {
    GstVideoInfo info;

    gst_video_info_set_format (&info, formats[i], 512, 480);
    compare (&scene, &info);
  }
  end_scene (&scene);
}
GST_END_TEST;

GST_START_TEST (a_photograph_is_the_same_in_every_colorimetry)
{
  /* range (1 full, 2 studio) : matrix (3 BT.709, 4 BT.601) */
  static const gchar *const names[] = { "bt601", "bt709", "bt2020", "1:4:0:0",
    "1:3:0:0" };
  static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_I420,
    GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_Y444_10LE };
  Scene scene;

  begin_scene (&scene);
  for (guint i = 0; i < G_N_ELEMENTS (names) * G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info;

    gst_video_info_set_format (
        &info, formats[i / G_N_ELEMENTS (names)], 512, 480);
    fail_unless (gst_video_colorimetry_from_string (
        &info.colorimetry, names[i % G_N_ELEMENTS (names)]));
    /* Only matrix and range are ours; other primaries are other colours. */
    info.colorimetry.primaries = scene.rgb.colorimetry.primaries;
    info.colorimetry.transfer = scene.rgb.colorimetry.transfer;
    compare (&scene, &info);
  }
  end_scene (&scene);
}
GST_END_TEST;

/* --- memory --- */

static GstBuffer *
make_noise (gsize size)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (size);
  guint8 *bytes = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8)g_rand_int (random);
  return gst_buffer_new_wrapped (bytes, size);
}

typedef struct {
  gpointer address;
  gsize size;
} Region;

static void
unmap (gpointer data)
{
  Region *region = data;

  munmap (region->address, region->size);
  g_free (region);
}

/* Grey, and whoever reads or writes a byte more dies. */
static GstBuffer *
make_guarded (gsize size)
{
  gsize page = sysconf (_SC_PAGESIZE), used = (size + page - 1) / page * page;
  Region *region = g_new (Region, 1);
  guint8 *bytes;

  region->size = used + page;
  region->address = mmap (NULL, region->size, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  fail_if (region->address == MAP_FAILED);
  bytes = region->address;
  memset (bytes, 128, used);
  fail_unless_equals_int (mprotect (bytes, used, PROT_READ), 0);
  fail_unless_equals_int (mprotect (bytes + used, page, PROT_NONE), 0);
  return gst_buffer_new_wrapped_full (
      GST_MEMORY_FLAG_READONLY, bytes, used, used - size, size, region, unmap);
}

GST_START_TEST (caps_may_change_with_every_buffer)
{
  static const gint sizes[][2] = { { 64, 48 }, { 1, 1 }, { 16, 16384 },
    { 2, 1 }, { 65, 33 }, { 1, 3 }, { 4096, 2 }, { 7, 5 } };
  GstHarness *harness = filters_harness_new (filters_folder, "", NULL);
  guint n = 0;
  const GstVideoFormat *formats = gst_video_formats_raw (&n);

  for (guint i = 0; i < n * G_N_ELEMENTS (sizes); i++) {
    const gint *size = sizes[(i + i / n) % G_N_ELEMENTS (sizes)];
    g_autoptr (GstBuffer) out = NULL;
    const GstStructure *entry;
    gint width = 0, height = 0;
    GstVideoInfo info;

    gst_video_info_set_format (&info, formats[i % n], size[0], size[1]);
    gst_harness_set_src_caps (harness, gst_video_info_to_caps (&info));
    out = gst_harness_push_and_pull (
        harness, make_guarded (GST_VIDEO_INFO_SIZE (&info)));
    entry = frames_get_result (out, 0);
    fail_if (entry == NULL, "%s %dx%d", GST_VIDEO_INFO_NAME (&info), size[0],
        size[1]);
    gst_structure_get (entry, "frame-width", G_TYPE_INT, &width, "frame-height",
        G_TYPE_INT, &height, NULL);
    fail_unless_equals_int (width, size[0]);
    fail_unless_equals_int (height, size[1]);
  }
  frames_harness_free (harness);
}
GST_END_TEST;

/* The same picture in a corner of a larger one, with noise around it. */
static GstBuffer *
pad (const GstVideoInfo *info, GstBuffer *buffer)
{
  GstVideoAlignment border = { .padding_top = 6,
    .padding_bottom = 2,
    .padding_left = 16,
    .padding_right = 8 };
  GstVideoInfo wide = *info;
  GstVideoFrame src, dst;
  GstBuffer *padded;

  fail_unless (gst_video_info_align (&wide, &border));
  padded = make_noise (GST_VIDEO_INFO_SIZE (&wide));
  gst_buffer_add_video_meta_full (padded, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), GST_VIDEO_INFO_WIDTH (info),
      GST_VIDEO_INFO_HEIGHT (info), GST_VIDEO_INFO_N_PLANES (info), wide.offset,
      wide.stride);
  fail_unless (
      gst_video_frame_map (&src, (GstVideoInfo *)info, buffer, GST_MAP_READ));
  fail_unless (gst_video_frame_map (
      &dst, (GstVideoInfo *)info, padded, GST_MAP_READWRITE));
  fail_unless (gst_video_frame_copy (&dst, &src));
  gst_video_frame_unmap (&dst);
  gst_video_frame_unmap (&src);
  return padded;
}

/* The same bytes in three memories. */
static GstBuffer *
split (GstBuffer *buffer)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstBuffer *pieces = gst_buffer_new ();
  gsize size = gst_buffer_get_size (buffer);

  if (meta != NULL)
    gst_buffer_add_video_meta_full (pieces, meta->flags, meta->format,
        meta->width, meta->height, meta->n_planes, (gsize *)meta->offset,
        (gint *)meta->stride);
  for (guint i = 0; i < 3; i++) {
    gpointer bytes;
    gsize length;

    gst_buffer_extract_dup (buffer, size * i / 3,
        size * (i + 1) / 3 - size * i / 3, &bytes, &length);
    gst_buffer_append_memory (pieces,
        gst_memory_new_wrapped (0, bytes, length, 0, length, bytes, g_free));
  }
  return pieces;
}

GST_START_TEST (padding_and_several_memories_make_no_difference)
{
  GstHarness *harness = filters_harness_new (
      filters_folder, "precision=f32 attach-embedding=true", NULL);
  guint n = 0;
  const GstVideoFormat *formats = gst_video_formats_raw (&n);

  for (guint i = 0; i < n; i++) {
    g_autoptr (GstBuffer) plain = NULL;
    g_autoptr (GBytes) expected = NULL;
    GstBuffer *others[3];
    GstVideoInfo info;

    gst_video_info_set_format (&info, formats[i], 64, 48);
    plain = make_noise (GST_VIDEO_INFO_SIZE (&info));
    expected = encode (harness, &info, gst_buffer_ref (plain));
    others[0] = split (plain);
    /* There is no room around the picture between tiles. */
    others[1] = GST_VIDEO_FORMAT_INFO_IS_TILED (info.finfo)
                    ? gst_buffer_ref (plain)
                    : pad (&info, plain);
    others[2] = split (others[1]);
    for (guint k = 0; k < G_N_ELEMENTS (others); k++) {
      g_autoptr (GBytes) found = encode (harness, &info, others[k]);

      fail_unless (g_bytes_equal (found, expected), "%s, layout %u",
          GST_VIDEO_INFO_NAME (&info), k);
    }
  }
  frames_harness_free (harness);
}
GST_END_TEST;

GST_START_TEST (short_buffers_pass_untagged_with_one_warning)
{
  GstHarness *harness = filters_harness_new (filters_folder, "", NULL);
  guint n = 0;
  const GstVideoFormat *formats = gst_video_formats_raw (&n);

  for (guint i = 0; i < n; i++) {
    GstVideoInfo info;

    gst_video_info_set_format (&info, formats[i], 64, 48);
    gst_harness_set_src_caps (harness, gst_video_info_to_caps (&info));
    for (guint k = 0; k < 3; k++) {
      gsize size = k * (GST_VIDEO_INFO_SIZE (&info) - 1) / 2;
      g_autoptr (GstBuffer) out = gst_harness_push_and_pull (
          harness, size > 0 ? make_guarded (size) : gst_buffer_new ());
      g_autoptr (GstMessage) warning =
          frames_pop_message (harness->element, GST_MESSAGE_WARNING, NULL);

      fail_unless_equals_uint64 (gst_buffer_get_size (out), size);
      fail_if (frames_get_result (out, 0) != NULL, "%s",
          GST_VIDEO_INFO_NAME (&info));
      fail_unless ((warning != NULL) == (k == 0), "%s, buffer %u",
          GST_VIDEO_INFO_NAME (&info), k);
    }
  }
  frames_harness_free (harness);
}
GST_END_TEST;

static Suite *
formats_suite (void)
{
  Suite *suite = suite_create ("formats");
  TCase *demo = tcase_create ("demo-model");
  TCase *generated = tcase_create ("generated-model");

  suite_add_tcase (suite, demo);
  tcase_add_test (demo, a_photograph_is_the_same_in_every_format);
  tcase_add_test (demo, a_photograph_is_the_same_in_every_colorimetry);
  suite_add_tcase (suite, generated);
  tcase_add_checked_fixture (generated, filters_set_up, filters_tear_down);
  tcase_add_test (generated, caps_may_change_with_every_buffer);
  tcase_add_test (generated, padding_and_several_memories_make_no_difference);
  tcase_add_test (generated, short_buffers_pass_untagged_with_one_warning);
  return suite;
}

GST_CHECK_MAIN (formats);
