/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "pipelines.h"

/* Machines with sanitizers and other work are slow; nothing waits for it. */
#define PATIENCE (300 * GST_SECOND)

/* libav registers so many types that GLib's table of quarks grows, and GLib
 * gives up the old one on purpose (gquark.c, quark_new): no leak of ours could
 * be told from it. LeakSanitizer asks here. */
static gboolean loaded_libav;

gint __lsan_is_turned_off (void);

gint
__lsan_is_turned_off (void)
{
  return loaded_libav;
}

void
pipelines_skip (const gchar *format, ...)
{
  g_autofree gchar *reason = NULL;
  va_list arguments;

  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_print ("# SKIP %s\n", reason);
}

gboolean
pipelines_load (const gchar *plugins)
{
  const gchar *folder = g_getenv ("CLIPFILTER_TEST_PLUGINS");
  g_auto (GStrv) names = g_strsplit (plugins, " ", -1);

  fail_if (folder == NULL, "CLIPFILTER_TEST_PLUGINS is not set");
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree gchar *path =
        g_strdup_printf ("%s/libgst%s.so", folder, names[i]);
    g_autoptr (GstPlugin) plugin = NULL;
    g_autoptr (GError) error = NULL;

    if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
      pipelines_skip ("GStreamer's plugin %s is not installed", names[i]);
      return FALSE;
    }
    plugin = gst_plugin_load_file (path, &error);
    fail_if (plugin == NULL, "%s", error != NULL ? error->message : path);
    loaded_libav = loaded_libav || g_str_equal (names[i], "libav");
  }
  return TRUE;
}

GstElement *
pipelines_parse (const gchar *format, ...)
{
  g_autofree gchar *launch = NULL;
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;
  va_list arguments;

  va_start (arguments, format);
  launch = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  pipeline = gst_parse_launch (launch, &error);
  fail_if (
      error != NULL, "%s: %s", launch, error != NULL ? error->message : NULL);
  return gst_object_ref_sink (pipeline);
}

void
pipelines_run (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_if (
      message == NULL, "no end after %u s", (guint)(PATIENCE / GST_SECOND));
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *details = NULL;

    gst_message_parse_error (message, &error, &details);
    fail ("%s (%s)", error->message, details);
  }
  fail_unless (gst_element_set_state (pipeline, GST_STATE_NULL) ==
               GST_STATE_CHANGE_SUCCESS);
  frames_wait_for_workers ();
}

typedef struct {
  PipelinesFrameFunc func;
  gpointer user_data;
} Watch;

static GstPadProbeReturn
call (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  const Watch *watch = user_data;

  watch->func (GST_PAD_PROBE_INFO_BUFFER (info), watch->user_data);
  return GST_PAD_PROBE_OK;
}

void
pipelines_watch (GstElement *pipeline, const gchar *name,
    PipelinesFrameFunc func, gpointer user_data)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autoptr (GstPad) pad = NULL;
  Watch *watch = g_new (Watch, 1);

  fail_if (element == NULL, "no element '%s'", name);
  *watch = (Watch){ func, user_data };
  pad = gst_element_get_static_pad (element, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, call, watch, g_free);
}
