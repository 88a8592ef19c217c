/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Frames to pictures, beside GStreamer's own converter, one thread each. */

#include "bench.h"

#include "footage.h"
#include "machine.h"

#include "gst/gstclipframe.h"

#include <stdio.h>

/* Of the picture: most models', and the bundled one's. */
#define SIDE 224
#define SMALL_SIDE 96

/* Frames in turn, so that the last one is not simply still in the cache. */
#define N_FRAMES 4

static const struct {
  const gchar *name;
  guint width, height;
  guint side;
} sizes[] = {
  { "1080p", 1920, 1080, SIDE },
  { "4k", 3840, 2160, SIDE },
  { "1080p", 1920, 1080, SMALL_SIDE },
};

static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_RGB,
  GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420,
  GST_VIDEO_FORMAT_YUY2 };

typedef struct {
  GstVideoInfo info;
  GstBuffer *frames[N_FRAMES];
  GstClipReader reader;
  ClipPreprocessor *preprocessor;
  GstVideoConverter *converter;
  GstVideoInfo picture_info;
  GstBuffer *picture;
} Scaling;

static void
scaling_clear (Scaling *scaling)
{
  for (guint i = 0; i < N_FRAMES; i++)
    gst_buffer_unref (scaling->frames[i]);
  gst_clip_reader_clear (&scaling->reader);
  clip_preprocessor_free (scaling->preprocessor);
  gst_video_converter_free (scaling->converter);
  gst_buffer_unref (scaling->picture);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scaling, scaling_clear)

/* The square in the middle to the whole of @to, each output from as many inputs
 * as lie under the kernel: 16, the default, are too few to reduce without
 * aliasing. */
static GstVideoConverter *
make_converter (const GstVideoInfo *from, const GstVideoInfo *to)
{
  gint side = MIN (from->width, from->height);

  return gst_video_converter_new ((GstVideoInfo *)from, (GstVideoInfo *)to,
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD,
          GST_TYPE_VIDEO_RESAMPLER_METHOD, GST_VIDEO_RESAMPLER_METHOD_CUBIC,
          GST_VIDEO_RESAMPLER_OPT_MAX_TAPS, G_TYPE_INT, 128,
          GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, (from->width - side) / 2,
          GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, (from->height - side) / 2,
          GST_VIDEO_CONVERTER_OPT_SRC_WIDTH, G_TYPE_INT, side,
          GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, side,
          GST_VIDEO_CONVERTER_OPT_DITHER_METHOD, GST_TYPE_VIDEO_DITHER_METHOD,
          GST_VIDEO_DITHER_NONE, GST_VIDEO_CONVERTER_OPT_THREADS, G_TYPE_UINT,
          1, NULL));
}

static gboolean
prepare (Scaling *scaling, GstVideoFormat format, guint size, GError **error)
{
  guint side = sizes[size].side;
  ClipPreprocess preprocess = {
    .fit = CLIP_FIT_SHORTEST,
    .kernel = CLIP_KERNEL_BICUBIC,
    .resize_size = side,
    .size = side,
  };

  gst_video_info_set_format (
      &scaling->info, format, sizes[size].width, sizes[size].height);
  for (guint i = 0; i < N_FRAMES; i++)
    scaling->frames[i] = footage_new (&scaling->info);
  gst_clip_reader_set_info (&scaling->reader, &scaling->info);
  scaling->preprocessor = clip_preprocessor_new (&preprocess);
  gst_video_info_set_format (
      &scaling->picture_info, GST_VIDEO_FORMAT_RGB, side, side);
  scaling->picture = gst_buffer_new_allocate (
      NULL, GST_VIDEO_INFO_SIZE (&scaling->picture_info), NULL);
  scaling->converter = make_converter (&scaling->info, &scaling->picture_info);
  return clip_preprocessor_set_size (
      scaling->preprocessor, sizes[size].width, sizes[size].height, error);
}

static gdouble
time_ours (Scaling *scaling, guint frame, guint8 *picture)
{
  gint64 start = g_get_monotonic_time ();
  ClipFrame view;

  if (!gst_clip_reader_map (&scaling->reader, scaling->frames[frame], &view))
    g_error ("a frame cannot be mapped");
  clip_preprocessor_run (scaling->preprocessor, &view, picture);
  gst_clip_reader_unmap (&scaling->reader);
  return machine_ms_since (start);
}

static gdouble
time_converter (Scaling *scaling, guint frame)
{
  gint64 start = g_get_monotonic_time ();
  GstVideoFrame from, to;

  if (!gst_video_frame_map (
          &from, &scaling->info, scaling->frames[frame], GST_MAP_READ) ||
      !gst_video_frame_map (
          &to, &scaling->picture_info, scaling->picture, GST_MAP_WRITE))
    g_error ("a frame cannot be mapped");
  gst_video_converter_frame (scaling->converter, &from, &to);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  return machine_ms_since (start);
}

static gboolean
measure (GstVideoFormat format, guint size, guint n_rounds, json_t *rows,
    GError **error)
{
  g_auto (Scaling) scaling = { 0 };
  g_autofree guint8 *picture = g_malloc (SIDE * SIDE * 3);
  g_autoptr (GArray) ours = g_array_new (FALSE, FALSE, sizeof (gdouble));
  g_autoptr (GArray) theirs = g_array_new (FALSE, FALSE, sizeof (gdouble));
  const gchar *name = gst_video_format_to_string (format);

  if (!prepare (&scaling, format, size, error))
    return FALSE;
  for (guint i = 0; i < n_rounds; i++) {
    gdouble ms = time_ours (&scaling, i % N_FRAMES, picture);

    g_array_append_val (ours, ms);
    ms = time_converter (&scaling, i % N_FRAMES);
    g_array_append_val (theirs, ms);
  }
  printf ("%-5s %-4s to %u: %.2f ms (%.2f at best), GstVideoConverter %.2f "
          "(%.2f)\n",
      sizes[size].name, name, sizes[size].side, machine_median (ours),
      machine_quantile (ours, 0), machine_median (theirs),
      machine_quantile (theirs, 0));
  json_array_append_new (rows,
      json_pack ("{s:s, s:s, s:i, s:f, s:f}", "size", sizes[size].name,
          "format", name, "side", (gint)sizes[size].side, "ms",
          machine_median (ours), "converter_ms", machine_median (theirs)));
  return TRUE;
}

gboolean
bench_frames (const BenchOptions *options, json_t *report, GError **error)
{
  json_t *rows = json_array ();

  json_object_set_new (report, "frames", rows);
  for (guint size = 0; size < G_N_ELEMENTS (sizes); size++)
    for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
      if (!measure (formats[i], size, options->n_rounds, rows, error))
        return FALSE;
  return TRUE;
}
