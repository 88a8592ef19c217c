/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "pictures.h"

#include "clip-error.h"
#include "support.h"

#include <gst/video/video.h>

#define FOLDER "/usr/share/doc/opencv-doc/examples/"
#define SEED 20260601
#define PLUGINS "CLIPFILTER_TEST_PLUGINS"
#define LONG "CLIPFILTER_TEST_LONG"
#define N_OF_AVI 2 /* plugins */

/* What a crop keeps of the shorter side at least, and how far its shape may be
 * from square: the frames of most cameras. */
#define LEAST_PART 0.25
#define MAX_ASPECT (16.0 / 9)

typedef struct {
  const gchar *path; /* absolute, or below tests/ */
  guint n_frames;
  guint step; /* from one of them to the next */
} Source;

/* clang-format off */
#define PHOTOGRAPH(name) { FOLDER name, 1, 1 }
/* clang-format on */

/* Drawings, test charts and pictures of text alone are left out. */
/* clang-format off */
static const Source sources[] = {
  PHOTOGRAPH ("alphamat/input_images/plant.jpg"),
  PHOTOGRAPH ("data/HappyFish.jpg"),
  PHOTOGRAPH ("data/aero1.jpg"),
  PHOTOGRAPH ("data/aero3.jpg"),
  PHOTOGRAPH ("data/aloeL.jpg"),
  PHOTOGRAPH ("data/apple.jpg"),
  PHOTOGRAPH ("data/baboon.jpg"),
  PHOTOGRAPH ("data/basketball1.png"),
  PHOTOGRAPH ("data/board.jpg"),
  PHOTOGRAPH ("data/box_in_scene.png"),
  PHOTOGRAPH ("data/building.jpg"),
  PHOTOGRAPH ("data/butterfly.jpg"),
  PHOTOGRAPH ("data/cards.png"),
  PHOTOGRAPH ("data/ela_original.jpg"),
  PHOTOGRAPH ("data/fruits.jpg"),
  PHOTOGRAPH ("data/graf1.png"),
  PHOTOGRAPH ("data/home.jpg"),
  PHOTOGRAPH ("data/left01.jpg"),
  PHOTOGRAPH ("data/leuvenA.jpg"),
  PHOTOGRAPH ("data/licenseplate_motion.jpg"),
  PHOTOGRAPH ("data/messi5.jpg"),
  PHOTOGRAPH ("data/orange.jpg"),
  PHOTOGRAPH ("data/rubberwhale1.png"),
  PHOTOGRAPH ("data/smarties.png"),
  PHOTOGRAPH ("data/squirrel_cls.jpg"),
  PHOTOGRAPH ("data/starry_night.jpg"),
  PHOTOGRAPH ("data/stuff.jpg"),
  PHOTOGRAPH ("hfs/data/000.jpg"),
  PHOTOGRAPH ("hfs/data/001.jpg"),
  PHOTOGRAPH ("hfs/data/002.jpg"),
  PHOTOGRAPH ("text/scenetext01.jpg"),
  PHOTOGRAPH ("text/scenetext02.jpg"),
  PHOTOGRAPH ("text/scenetext03.jpg"),
  PHOTOGRAPH ("text/scenetext04.jpg"),
  PHOTOGRAPH ("text/scenetext05.jpg"),
  PHOTOGRAPH ("text/scenetext06.jpg"),
  { "../pipelines/clip.webm", 24, 14 },
  { FOLDER "data/vtest.avi", 26, 30 },
  { FOLDER "data/tree.avi", 14, 5 },
};
/* clang-format on */

/* One file on its way into crops. */
typedef struct {
  Pictures *pictures;
  ClipPreprocessor *preprocessor;
  GRand *random;
  gsize crop_size; /* bytes */
  guint n_crops;   /* of all sources together */
  guint n_planned; /* pictures of all sources together */
  guint picture;   /* the next one's number among them */
  const Source *source;
  guint n_seen; /* frames of the source */
} Cutter;

static gdouble
draw (Cutter *cutter, gdouble least, gdouble most)
{
  return g_rand_double_range (cutter->random, least, most);
}

/* The part of a frame that a crop shows, and how it is turned. */
static void
cut (Cutter *cutter, const ClipFrame *frame, guint width, guint height)
{
  gdouble part = draw (cutter, LEAST_PART, 1),
          aspect = draw (cutter, 1 / MAX_ASPECT, MAX_ASPECT);
  gdouble side = part * MIN (width, height);
  ClipGeometry geometry = { .width = MIN (width, side * MAX (aspect, 1)),
    .height = MIN (height, side * MAX (1 / aspect, 1)),
    .pixel_width = 1,
    .pixel_height = 1 };
  guint x = draw (cutter, 0, width - geometry.width + 1),
        y = draw (cutter, 0, height - geometry.height + 1);
  ClipFrame crop = *frame;
  guint8 *picture = g_malloc (cutter->crop_size);

  geometry.mirror_x = g_rand_boolean (cutter->random);
  crop.planes[0] += y * crop.strides[0] + x * crop.pixel_size;
  if (!clip_preprocessor_set_geometry (cutter->preprocessor, &geometry, NULL))
    g_assert_not_reached ();
  clip_preprocessor_run (cutter->preprocessor, &crop, picture);
  cutter->pictures->crops[cutter->pictures->n_crops++] = picture;
}

static void
cut_frame (Cutter *cutter, const GstVideoFrame *video)
{
  const ClipFrame frame = {
    .layout = CLIP_LAYOUT_PACKED,
    .planes = { GST_VIDEO_FRAME_PLANE_DATA (video, 0) },
    .strides = { GST_VIDEO_FRAME_PLANE_STRIDE (video, 0) },
    .pixel_size = 3,
    .offsets = { 0, 1, 2 },
  };
  guint n = cutter->n_crops, picture = cutter->picture++;
  guint n_here =
      (picture + 1) * n / cutter->n_planned - picture * n / cutter->n_planned;

  if (n_here > 0)
    cutter->pictures->n_pictures++;
  for (guint i = 0; i < n_here; i++)
    cut (cutter, &frame, GST_VIDEO_FRAME_WIDTH (video),
        GST_VIDEO_FRAME_HEIGHT (video));
}

static void
take (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer user_data)
{
  Cutter *cutter = user_data;
  const Source *source = cutter->source;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstVideoInfo info;
  GstVideoFrame frame;
  guint index = cutter->n_seen++;

  if (index % source->step != 0 || index / source->step >= source->n_frames)
    return;
  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  cut_frame (cutter, &frame);
  gst_video_frame_unmap (&frame);
}

static gboolean
wait_for_end (GstElement *pipeline, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return TRUE;
  gst_message_parse_error (message, error, NULL);
  return FALSE;
}

static gboolean
decode (Cutter *cutter, const gchar *path, GError **error)
{
  g_autofree gchar *launch = g_strdup_printf (
      "filesrc location=\"%s\" ! decodebin ! videoconvert ! "
      "video/x-raw,format=RGB ! fakesink name=sink signal-handoffs=true",
      path);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, error);
  g_autoptr (GstElement) sink = NULL;
  gboolean succeeded;

  if (pipeline == NULL)
    return FALSE;
  gst_object_ref_sink (pipeline);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (take), cutter);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  succeeded = wait_for_end (pipeline, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (!succeeded)
    g_prefix_error (error, "'%s': ", path);
  return succeeded;
}

/* AVI needs libav, which is not everywhere, and leaks on purpose. */
static gboolean
has_decoder (const Source *source)
{
  g_autoptr (GstElementFactory) factory = NULL;

  if (!g_str_has_suffix (source->path, ".avi"))
    return TRUE;
  factory = gst_element_factory_find ("avdec_msmpeg4");
  return factory != NULL;
}

/* Whatever a source has to give, the next one's crops are the same. */
static gboolean
cut_source (Cutter *cutter, const Source *source, GError **error)
{
  g_autofree gchar *path = g_path_is_absolute (source->path)
                               ? g_strdup (source->path)
                               : test_source (source->path);
  guint next = cutter->picture + source->n_frames;

  cutter->source = source;
  cutter->n_seen = 0;
  g_rand_set_seed (cutter->random, SEED + cutter->picture);
  if (has_decoder (source) && g_file_test (path, G_FILE_TEST_EXISTS) &&
      !decode (cutter, path, error))
    return FALSE;
  cutter->picture = next;
  return TRUE;
}

/* The few that a test names, whose processes know no other plugins. */
static gboolean
load_plugins (GError **error)
{
  static const gchar *const names[] = { "coreelements", "jpeg", "matroska",
    "playback", "png", "typefindfunctions", "videoconvertscale", "vpx", "avi",
    "libav" };
  guint n = G_N_ELEMENTS (names) - (g_getenv (LONG) != NULL ? 0 : N_OF_AVI);
  const gchar *folder = g_getenv (PLUGINS);

  gst_init (NULL, NULL);
  for (guint i = 0; folder != NULL && i < n; i++) {
    g_autofree gchar *path =
        g_strdup_printf ("%s/libgst%s.so", folder, names[i]);
    g_autoptr (GstPlugin) plugin = gst_plugin_load_file (path, error);

    if (plugin == NULL)
      return FALSE;
  }
  return TRUE;
}

gboolean
pictures_load (Pictures *pictures, guint n_crops,
    const ClipPreprocess *preprocess, GError **error)
{
  g_autoptr (ClipPreprocessor) preprocessor =
      clip_preprocessor_new (preprocess);
  g_autoptr (GRand) random = g_rand_new_with_seed (SEED);
  Cutter cutter = { .pictures = pictures,
    .preprocessor = preprocessor,
    .random = random,
    .crop_size = (gsize)preprocess->size * preprocess->size * 3,
    .n_crops = n_crops };

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    cutter.n_planned += sources[i].n_frames;
  *pictures = (Pictures){ .crops = g_new0 (guint8 *, n_crops) };
  if (!load_plugins (error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    if (!cut_source (&cutter, &sources[i], error))
      return FALSE;
  if (pictures->n_crops > 0)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND,
      "there is no picture to encode: Debian's package opencv-doc has some in " FOLDER);
  return FALSE;
}

void
pictures_clear (Pictures *pictures)
{
  for (guint i = 0; i < pictures->n_crops; i++)
    g_free (pictures->crops[i]);
  g_free (pictures->crops);
}
