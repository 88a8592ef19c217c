/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clip-rtsp-server: cameras on 127.0.0.1 for tests and benchmarks. They show
 * one recording, encoded before the first connection, without end and in real
 * time; all who look at the same camera see the same. Prints a URI a line when
 * it is ready, and ends with its parent. */

#include "recording.h"

#include <gst/app/gstappsrc.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <signal.h>
#include <sys/prctl.h>

#define VTEST "/usr/share/doc/opencv-doc/examples/data/vtest.avi"

static gchar *codec = NULL;
static gchar *path = NULL;
static gint n_cameras = 1;
static gint port = 0;
static gint seconds = 3600;
static RecordingOptions options = {
  .width = 768, .height = 576, .rate = 10, .n_frames = 100, .gop = 20
};

static const GOptionEntry entries[] = {
  { "codec", 0, 0, G_OPTION_ARG_STRING, &codec, "mjpeg or h264 (mjpeg)",
      "NAME" },
  { "file", 0, 0, G_OPTION_ARG_FILENAME, &path,
      "What is shown (opencv-doc's vtest.avi)", "FILE" },
  { "cameras", 0, 0, G_OPTION_ARG_INT, &n_cameras, "Cameras (1)", "N" },
  { "port", 0, 0, G_OPTION_ARG_INT, &port, "0: one that is free (0)", "PORT" },
  { "width", 0, 0, G_OPTION_ARG_INT, &options.width, "Pixels (768)", "N" },
  { "height", 0, 0, G_OPTION_ARG_INT, &options.height, "Pixels (576)", "N" },
  { "rate", 0, 0, G_OPTION_ARG_INT, &options.rate, "Frames a second (10)",
      "N" },
  { "frames", 0, 0, G_OPTION_ARG_INT, &options.n_frames,
      "Of the file, then from its first again (100)", "N" },
  { "gop", 0, 0, G_OPTION_ARG_INT, &options.gop,
      "Frames from key to key; mjpeg has no others (20)", "N" },
  { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Ends after (3600)", "S" },
  { NULL },
};

/* --- one camera, from its first spectator to its last --- */

typedef struct {
  const Recording *recording;
  guint64 n_sent;
} Camera;

static void
send_frame (GstAppSrc *source, guint size, gpointer user_data)
{
  Camera *camera = user_data;

  gst_app_src_push_buffer (
      source, recording_get (camera->recording, camera->n_sent++));
}

static void
begin (GstRTSPMediaFactory *factory, GstRTSPMedia *media, gpointer user_data)
{
  static GstAppSrcCallbacks callbacks = { .need_data = send_frame };
  const Recording *recording = user_data;
  g_autoptr (GstElement) bin = gst_rtsp_media_get_element (media);
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (bin), "frames");
  Camera *camera = g_new0 (Camera, 1);

  camera->recording = recording;
  gst_app_src_set_caps (GST_APP_SRC (source), recording->caps);
  gst_app_src_set_callbacks (GST_APP_SRC (source), &callbacks, camera, g_free);
}

static void
add_cameras (GstRTSPServer *server, const Recording *recording)
{
  g_autoptr (GstRTSPMountPoints) mounts =
      gst_rtsp_server_get_mount_points (server);
  g_autofree gchar *launch = g_strdup_printf (
      "( appsrc name=frames format=time ! %s )", options.codec->payloader);

  for (gint i = 0; i < n_cameras; i++) {
    GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();
    g_autofree gchar *name = g_strdup_printf ("/camera%d", i);

    gst_rtsp_media_factory_set_launch (factory, launch);
    gst_rtsp_media_factory_set_shared (factory, TRUE);
    g_signal_connect (
        factory, "media-configure", G_CALLBACK (begin), (gpointer)recording);
    gst_rtsp_mount_points_add_factory (mounts, name, factory);
  }
}

/* --- all of them --- */

static gboolean
serve (const Recording *recording, GError **error)
{
  g_autoptr (GstRTSPServer) server = gst_rtsp_server_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autofree gchar *service = g_strdup_printf ("%d", port);

  gst_rtsp_server_set_address (server, "127.0.0.1");
  gst_rtsp_server_set_service (server, service);
  add_cameras (server, recording);
  if (gst_rtsp_server_attach (server, NULL) == 0) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY,
        "Port %d of 127.0.0.1 cannot be had: choose another with --port", port);
    return FALSE;
  }
  for (gint i = 0; i < n_cameras; i++)
    g_print ("rtsp://127.0.0.1:%d/camera%d\n",
        gst_rtsp_server_get_bound_port (server), i);
  g_timeout_add_seconds (seconds, G_SOURCE_FUNC (g_main_loop_quit), loop);
  g_main_loop_run (loop);
  return TRUE;
}

static gboolean
parse (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- cameras on 127.0.0.1 for tests");

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  options.path = path != NULL ? path : VTEST;
  options.codec = recording_find_codec (codec != NULL ? codec : "mjpeg");
  if (options.codec != NULL && n_cameras >= 1 && options.width >= 16 &&
      options.height >= 16 && options.rate >= 1 && options.n_frames >= 1 &&
      options.gop >= 1 && seconds >= 1)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      options.codec == NULL
          ? "--codec is mjpeg or h264"
          : "--width and --height are at least 16, all other numbers 1");
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Recording) recording = NULL;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (parse (&argc, &argv, &error))
    recording = recording_new (&options, &error);
  if (recording == NULL || !serve (recording, &error)) {
    g_printerr ("clip-rtsp-server: %s\n", error->message);
    return 1;
  }
  return 0;
}
