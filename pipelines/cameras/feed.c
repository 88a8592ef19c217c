/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "feed.h"

#include "pipelines/advice.h"

#define MAX_TRIES 50
#define RETRY (G_USEC_PER_SEC / 50)

/* What has to end in a thread of its own before the program may. */
static GMutex leaving_lock;
static GCond leaving_cond;
static guint n_leaving;

static gboolean
has_property (gpointer object, const gchar *name)
{
  return g_object_class_find_property (G_OBJECT_GET_CLASS (object), name) !=
         NULL;
}

/* --- the parts of a pipeline --- */

static gboolean
is_video_decoder (GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory != NULL &&
         gst_element_factory_list_is_type (
             factory, GST_ELEMENT_FACTORY_TYPE_DECODER |
                          GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO |
                          GST_ELEMENT_FACTORY_TYPE_MEDIA_IMAGE) &&
         !GST_IS_BIN (element);
}

/* Many cameras share the CPUs: a team of threads for each decoder would only
 * wait for the others. */
static void
on_deep_element_added (
    GstBin *pipeline, GstBin *bin, GstElement *element, gpointer data)
{
  static const gchar *const names[] = { "max-threads", "threads", "n-threads" };
  CameraGate *gate = data;
  guint n_threads = GPOINTER_TO_UINT (
      g_object_get_data (G_OBJECT (pipeline), "decoder-threads"));

  if (!is_video_decoder (element))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (n_threads > 0 && has_property (element, names[i])) {
      g_autofree gchar *number = g_strdup_printf ("%u", n_threads);

      gst_util_set_object_arg (G_OBJECT (element), names[i], number);
    }
  }
  camera_gate_guard (gate, element);
}

static gboolean
on_select_stream (
    GstElement *source, guint number, GstCaps *caps, gpointer data)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);

  return g_strcmp0 (gst_structure_get_string (structure, "media"), "video") ==
         0;
}

static void
on_source_setup (GstElement *decoder, GstElement *source, gpointer data)
{
  const gboolean tcp =
      GPOINTER_TO_INT (g_object_get_data (G_OBJECT (decoder), "tcp"));
  guint latency =
      GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (decoder), "latency"));

  if (g_signal_lookup ("select-stream", G_OBJECT_TYPE (source)) == 0)
    return;
  g_signal_connect (
      source, "select-stream", G_CALLBACK (on_select_stream), NULL);
  g_object_set (source, "latency", latency, "drop-on-latency", TRUE, NULL);
  if (tcp)
    gst_util_set_object_arg (G_OBJECT (source), "protocols", "tcp");
}

/* The first that comes; frames of a file are held back until their time. */
static void
on_pad_added (GstElement *decoder, GstPad *pad, gpointer data)
{
  GstElement *pace = data;
  g_autoptr (GstPad) sink = gst_element_get_static_pad (pace, "sink");
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_is_linked (sink))
    return;
  if (gst_pad_query (pad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  g_object_set (pace, "sync", !live, NULL);
  gst_pad_link (pad, sink);
}

static GstElement *
make_element (const gchar *factory, const gchar *name, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, name);
  g_autofree gchar *advice = NULL;

  if (element != NULL)
    return element;
  advice = tag_advise_element (factory);
  g_set_error_literal (
      error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN, advice);
  return NULL;
}

static GstElement *
make (GstElement *pipeline, const gchar *factory, const gchar *name,
    GError **error)
{
  GstElement *element = make_element (factory, name, error);

  if (element != NULL)
    gst_bin_add (GST_BIN (pipeline), element);
  return element;
}

static void
set_source (GstElement *source, const CameraPlan *plan)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string ("video/x-raw(ANY)");

  g_object_set (source, "uri", plan->uri, "caps", caps, "expose-all-streams",
      FALSE, "force-sw-decoders", TRUE, NULL);
  g_object_set_data (
      G_OBJECT (source), "latency", GUINT_TO_POINTER (plan->latency));
  g_object_set_data (G_OBJECT (source), "tcp", GINT_TO_POINTER (plan->tcp));
}

static void
release_gate (gpointer gate, GClosure *closure)
{
  camera_gate_unref (gate);
}

GstElement *
camera_feed_make_filter (const CameraPlan *plan, GError **error)
{
  GstElement *clipfilter = make_element ("clipfilter", NULL, error);

  if (clipfilter == NULL)
    return NULL;
  gst_object_ref_sink (clipfilter);
  gst_element_set_locked_state (clipfilter, TRUE);
  camera_plan_apply (plan, NULL, G_OBJECT (clipfilter));
  return clipfilter;
}

GstElement *
camera_feed_new (const CameraPlan *plan, CameraGate *gate,
    GstElement *clipfilter, GError **error)
{
  g_autoptr (GstElement) pipeline =
      gst_object_ref_sink (gst_pipeline_new (NULL));
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  GstElement *source = make (pipeline, "uridecodebin", "source", error);
  GstElement *pace =
      source != NULL ? make (pipeline, "clocksync", "pace", error) : NULL;
  GstElement *sink =
      pace != NULL ? make (pipeline, "fakesink", "sink", error) : NULL;

  if (sink == NULL)
    return NULL;
  gst_pipeline_use_clock (GST_PIPELINE (pipeline), clock);
  set_source (source, plan);
  g_object_set (
      sink, "sync", FALSE, "async", FALSE, "enable-last-sample", FALSE, NULL);
  g_object_set_data (G_OBJECT (pipeline), "decoder-threads",
      GUINT_TO_POINTER (plan->decoder_threads));
  g_signal_connect_data (pipeline, "deep-element-added",
      G_CALLBACK (on_deep_element_added), g_atomic_rc_box_acquire (gate),
      release_gate, 0);
  g_signal_connect (source, "source-setup", G_CALLBACK (on_source_setup), NULL);
  g_signal_connect_object (
      source, "pad-added", G_CALLBACK (on_pad_added), pace, 0);

  gst_bin_add (GST_BIN (pipeline), clipfilter);
  gst_element_link_many (pace, clipfilter, sink, NULL);
  return g_steal_pointer (&pipeline);
}

/* --- leaving --- */

/* Where its source fails in the same moment, a pipeline may refuse to end, and
 * would keep all that it has open; asked again, it ends. */
static void
set_to_null (GstElement *pipeline)
{
  for (guint i = 0; i < MAX_TRIES; i++) {
    if (gst_element_set_state (pipeline, GST_STATE_NULL) !=
        GST_STATE_CHANGE_FAILURE)
      return;
    g_usleep (RETRY);
  }
}

static void
end_pipeline (GstElement *pipeline, gpointer data)
{
  g_autoptr (GMutexLocker) locker = NULL;

  set_to_null (pipeline);
  locker = g_mutex_locker_new (&leaving_lock);
  n_leaving--;
  g_cond_signal (&leaving_cond);
}

void
camera_feed_leave (GstElement *pipeline, GstElement *clipfilter)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstElement) pace =
      gst_bin_get_by_name (GST_BIN (pipeline), "pace");
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");

  gst_bus_remove_watch (bus);
  gst_bus_set_flushing (bus, TRUE);
  gst_element_unlink (pace, clipfilter);
  gst_element_unlink (clipfilter, sink);
  gst_bin_remove (GST_BIN (pipeline), clipfilter);

  g_mutex_lock (&leaving_lock);
  n_leaving++;
  g_mutex_unlock (&leaving_lock);
  gst_element_call_async (pipeline, end_pipeline, NULL, NULL);
  gst_object_unref (pipeline);
}

gboolean
camera_feed_wait_for_all (guint seconds)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&leaving_lock);
  gint64 end = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;

  while (n_leaving > 0) {
    if (!g_cond_wait_until (&leaving_cond, &leaving_lock, end))
      return FALSE;
  }
  return TRUE;
}
