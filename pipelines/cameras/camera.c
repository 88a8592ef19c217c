/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "camera.h"

#include "backoff.h"
#include "feed.h"
#include "opening.h"
#include "secrets.h"
#include "tap.h"

#include "pipelines/advice.h"

#include <gst/pbutils/pbutils.h>
#include <string.h>

/* A file that is over sooner is begun anew no more often. */
#define SHORTEST_LOOP (G_USEC_PER_SEC / 2)

/* Timeouts in which packets may come without a frame: a stream may have been
 * joined long before its next key frame. */
#define PATIENCE 4

struct _Camera {
  CameraPlan *plan;
  CameraListener listener;
  guint longest_wait; /* seconds */

  CameraState state;
  CameraBackoff backoff;
  gint64 due;     /* when it is to be started; monotonic, microseconds */
  gint64 started; /* when it was */
  guint64 reconnects;

  GstElement
      *clipfilter;      /* in PAUSED or PLAYING; NULL before the first start */
  CameraTap *tap;       /* on its pads */
  GstElement *pipeline; /* NULL between two connections */
  CameraGate *gate;     /* of this connection, or NULL */

  gboolean opening; /* a thread brings up the pipeline; it has a reference */
  CameraChange pending; /* when it is open: how it is connected anew */
  gboolean ended;       /* nobody wants it any more */
  gchar *missing;       /* what decoder was asked for, or NULL */
  gchar *said;          /* the last sentence, so that it is said once */
  guint64 skipped[CAMERA_N_SKIPS]; /* of clipfilters and gates that are gone */
};

static void
clear_camera (gpointer data)
{
  Camera *camera = data;

  camera_plan_unref (camera->plan);
  camera_tap_unref (camera->tap);
  g_clear_pointer (&camera->gate, camera_gate_unref);
  g_free (camera->missing);
  g_free (camera->said);
}

static void
unref_camera (gpointer camera)
{
  g_atomic_rc_box_release_full (camera, clear_camera);
}

Camera *
camera_new (
    CameraPlan *plan, guint longest_wait, const CameraListener *listener)
{
  Camera *camera = g_atomic_rc_box_new0 (Camera);

  camera->plan = camera_plan_ref (plan);
  camera->listener = *listener;
  camera->longest_wait = longest_wait;
  camera->tap = camera_tap_new (plan->name, listener);
  camera->due = g_get_monotonic_time ();
  return camera;
}

static void
say (Camera *camera, const gchar *sentence)
{
  if (g_strcmp0 (sentence, camera->said) == 0)
    return;
  g_free (camera->said);
  camera->said = g_strdup (sentence);
  camera->listener.say (camera->plan->name, sentence, camera->listener.data);
}

/* --- counts --- */

static void
add_gate (const Camera *camera, guint64 *skipped)
{
  CameraGateCounts counts;

  if (camera->gate == NULL)
    return;
  camera_gate_get_counts (camera->gate, &counts);
  skipped[CAMERA_SKIP_KEYFRAMES] += counts.keyframes;
  skipped[CAMERA_SKIP_LAG] += counts.lag;
}

static void
add_stats (const Camera *camera, guint64 *skipped)
{
  g_autoptr (GstStructure) stats = NULL, reasons = NULL;

  if (camera->clipfilter == NULL)
    return;
  g_object_get (camera->clipfilter, "stats", &stats, NULL);
  if (!gst_structure_get (stats, "skipped", GST_TYPE_STRUCTURE, &reasons, NULL))
    return;
  for (guint i = 0; i < CAMERA_N_SKIPS; i++) {
    guint64 n = 0;

    gst_structure_get_uint64 (reasons, camera_skip_get_name (i), &n);
    skipped[i] += n;
  }
}

static void
tell_status (Camera *camera)
{
  CameraStatus status = { .name = camera->plan->name,
    .state = camera->state,
    .reconnects = camera->reconnects };
  CameraTapCounts counts;

  memcpy (status.skipped, camera->skipped, sizeof status.skipped);
  add_gate (camera, status.skipped);
  add_stats (camera, status.skipped);
  camera_tap_get_counts (camera->tap, &counts);
  status.frames = counts.frames;
  camera->listener.status (&status, camera->listener.data);
}

/* --- connections --- */

static void
leave (Camera *camera)
{
  if (camera->pipeline == NULL)
    return;
  camera_gate_close (camera->gate);
  gst_element_set_state (camera->clipfilter, GST_STATE_PAUSED);
  camera_feed_leave (g_steal_pointer (&camera->pipeline), camera->clipfilter);
  add_gate (camera, camera->skipped);
  g_clear_pointer (&camera->gate, camera_gate_unref);
}

static void
drop_filter (Camera *camera)
{
  if (camera->clipfilter == NULL)
    return;
  add_stats (camera, camera->skipped);
  gst_element_set_state (camera->clipfilter, GST_STATE_NULL);
  gst_clear_object (&camera->clipfilter);
}

/* @sentence: (nullable): why, for the user */
static void
lose (Camera *camera, const gchar *sentence)
{
  gint64 now = g_get_monotonic_time ();

  leave (camera);
  camera->state = CAMERA_LOST;
  camera->reconnects++;
  camera->due = now + 1000 * (gint64)camera_backoff_lose (&camera->backoff, now,
                                 camera->longest_wait, g_random_double ());
  if (sentence != NULL)
    say (camera, sentence);
  tell_status (camera);
}

static void
end_of_stream (Camera *camera)
{
  gint64 now = g_get_monotonic_time ();

  if (!g_str_has_prefix (camera->plan->uri, "file:")) {
    lose (camera, "The stream ended.");
    return;
  }
  /* A file that begins anew is on all the while. */
  leave (camera);
  if (!camera->plan->loop)
    camera->state = CAMERA_ENDED;
  camera->due = MAX (now, camera->started + SHORTEST_LOOP);
  tell_status (camera);
}

/* --- messages --- */

static void
on_error (Camera *camera, GstMessage *message)
{
  g_autofree gchar *advice =
      tag_advise (message, camera->plan->shown_uri, camera->missing);
  g_autofree gchar *sentence = camera_secrets_hide (advice);

  /* An encoder that failed is opened anew, the next time. */
  if (camera->clipfilter != NULL &&
      GST_MESSAGE_SRC (message) == GST_OBJECT (camera->clipfilter)) {
    leave (camera);
    drop_filter (camera);
  }
  lose (camera, sentence);
}

static void
on_trouble (Camera *camera, const GstStructure *structure)
{
  static const struct {
    const gchar *name;
    CameraState state;
  } troubles[] = { { "frozen", CAMERA_FROZEN }, { "blank", CAMERA_BLANK } };
  const gchar *trouble = gst_structure_get_string (structure, "trouble");
  gboolean active = FALSE;

  gst_structure_get_boolean (structure, "active", &active);
  for (guint i = 0; i < G_N_ELEMENTS (troubles); i++) {
    if (g_strcmp0 (trouble, troubles[i].name) != 0)
      continue;
    if (active && camera_state_is_up (camera->state))
      camera->state = troubles[i].state;
    else if (camera->state == troubles[i].state)
      camera->state = CAMERA_ON;
  }
}

static void
on_element (Camera *camera, GstMessage *message)
{
  if (gst_is_missing_plugin_message (message)) {
    g_free (camera->missing);
    camera->missing = gst_missing_plugin_message_get_description (message);
  } else if (gst_message_has_name (message, "clipfilter-trouble")) {
    on_trouble (camera, gst_message_get_structure (message));
  }
}

/* Decoders' warnings are about details; ours mean frames without results. */
static void
on_warning (Camera *camera, GstMessage *message)
{
  g_autoptr (GError) warning = NULL;

  if (GST_MESSAGE_SRC (message) != GST_OBJECT (camera->clipfilter))
    return;
  gst_message_parse_warning (message, &warning, NULL);
  say (camera, warning->message);
}

/* clipfilter's state is ours: the pipeline leaves it alone. */
static void
on_state_changed (Camera *camera, GstMessage *message)
{
  GstState state;
  g_autoptr (GstClock) clock = NULL;

  gst_message_parse_state_changed (message, NULL, &state, NULL);
  if (GST_MESSAGE_SRC (message) != GST_OBJECT (camera->pipeline) ||
      state != GST_STATE_PLAYING)
    return;
  clock = gst_element_get_clock (camera->pipeline);
  gst_element_set_clock (camera->clipfilter, clock);
  gst_element_set_base_time (
      camera->clipfilter, gst_element_get_base_time (camera->pipeline));
  gst_element_set_state (camera->clipfilter, GST_STATE_PLAYING);
}

static void
on_end (Camera *camera, GstMessage *message)
{
  end_of_stream (camera);
}

static void
on_latency (Camera *camera, GstMessage *message)
{
  gst_bin_recalculate_latency (GST_BIN (camera->pipeline));
}

static const struct {
  GstMessageType type;
  void (*handle) (Camera *camera, GstMessage *message);
} handlers[] = {
  { GST_MESSAGE_ERROR, on_error },
  { GST_MESSAGE_WARNING, on_warning },
  { GST_MESSAGE_EOS, on_end },
  { GST_MESSAGE_ELEMENT, on_element },
  { GST_MESSAGE_STATE_CHANGED, on_state_changed },
  { GST_MESSAGE_LATENCY, on_latency },
};

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Camera *camera = data;

  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++) {
    if (handlers[i].type == GST_MESSAGE_TYPE (message))
      handlers[i].handle (camera, message);
    /* What was lost has no bus any more. */
    if (camera->pipeline == NULL)
      return G_SOURCE_REMOVE;
  }
  return G_SOURCE_CONTINUE;
}

/* --- starting --- */

static void
finish_ending (Camera *camera)
{
  leave (camera);
  drop_filter (camera);
}

/* As the file says now. */
static void
reconnect (Camera *camera)
{
  leave (camera);
  if (camera->pending == CAMERA_CHANGE_FILTER)
    drop_filter (camera);
  camera->pending = CAMERA_CHANGE_NONE;
  camera->state = CAMERA_WAITING;
  camera->due = g_get_monotonic_time ();
}

/* Messages are read from here on, so that nothing ends a pipeline while it is
 * being opened. */
static void
on_opened (GstElement *pipeline, gpointer data)
{
  Camera *camera = data;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  camera->opening = FALSE;
  if (camera->ended)
    finish_ending (camera);
  else if (camera->pending != CAMERA_CHANGE_NONE)
    reconnect (camera);
  else
    gst_bus_add_watch (bus, on_message, camera);
  unref_camera (camera);
}

void
camera_start (Camera *camera)
{
  g_autoptr (GError) error = NULL;

  if (!camera_state_is_up (camera->state))
    camera->state = CAMERA_STARTING;
  camera->started = g_get_monotonic_time ();
  if (camera->clipfilter == NULL) {
    camera->clipfilter = camera_feed_make_filter (camera->plan, &error);
    if (camera->clipfilter != NULL)
      camera_tap_attach (camera->tap, camera->clipfilter);
  }
  if (camera->clipfilter != NULL) {
    camera->gate = camera_gate_new (camera->plan, camera->clipfilter);
    camera->pipeline = camera_feed_new (
        camera->plan, camera->gate, camera->clipfilter, &error);
  }
  if (camera->pipeline == NULL) {
    g_clear_pointer (&camera->gate, camera_gate_unref);
    lose (camera, error->message);
    return;
  }
  g_clear_pointer (&camera->missing, g_free);
  camera->opening = TRUE;
  camera_opening_begin (camera->pipeline, camera->clipfilter, on_opened,
      g_atomic_rc_box_acquire (camera));
}

gint
camera_compare_due (const Camera *a, const Camera *b)
{
  return a->due < b->due ? -1 : a->due > b->due;
}

gboolean
camera_is_due (const Camera *camera, gint64 now)
{
  return !camera->opening && camera->pipeline == NULL &&
         camera->state != CAMERA_ENDED && camera->due <= now;
}

void
camera_end (Camera *camera)
{
  camera->ended = TRUE;
  if (!camera->opening)
    finish_ending (camera);
  unref_camera (camera);
}

/* --- time and changes --- */

/* When something came last; packets are enough for a while. */
static gint64
get_last_sign (const Camera *camera, gint64 now, const CameraTapCounts *counts)
{
  gint64 patience = (gint64)(PATIENCE * camera->plan->timeout * G_USEC_PER_SEC);
  gint64 last = MAX (counts->last_frame, camera->started);
  CameraGateCounts packets;

  camera_gate_get_counts (camera->gate, &packets);
  return camera->plan->keyframes || now - last < patience
             ? MAX (last, packets.last)
             : last;
}

/* Nothing ends what a source waits for while it is being opened. */
static void
watch_opening (Camera *camera, gint64 now)
{
  g_autofree gchar *sentence = NULL;

  if (now - camera->started < (gint64)(camera->plan->timeout * G_USEC_PER_SEC))
    return;
  sentence = g_strdup_printf (
      "'%s' is still being opened after %g seconds: see whether it is there, "
      "unless a large model is being read.",
      camera->plan->shown_uri, camera->plan->timeout);
  say (camera, sentence);
}

static void
watch (Camera *camera, gint64 now)
{
  CameraTapCounts counts;
  g_autofree gchar *sentence = NULL;

  if (camera->opening)
    watch_opening (camera, now);
  if (camera->pipeline == NULL || camera->opening)
    return;
  camera_tap_get_counts (camera->tap, &counts);
  if (camera->state == CAMERA_STARTING &&
      counts.last_frame >= camera->started) {
    camera->state = CAMERA_ON;
    camera_backoff_begin (&camera->backoff, counts.last_frame);
    g_clear_pointer (&camera->said, g_free);
  }
  if (now - get_last_sign (camera, now, &counts) <
      (gint64)(camera->plan->timeout * G_USEC_PER_SEC))
    return;
  sentence = g_strdup_printf (
      "No frame came from '%s' for %g seconds: see whether the camera is on "
      "and its network works.",
      camera->plan->shown_uri, camera->plan->timeout);
  lose (camera, sentence);
}

void
camera_tick (Camera *camera, gint64 now)
{
  watch (camera, now);
  tell_status (camera);
}

void
camera_change (Camera *camera, CameraPlan *plan)
{
  g_autoptr (CameraPlan) before = camera->plan;
  CameraChange change = camera_plan_compare (before, plan);

  camera->plan = camera_plan_ref (plan);
  if (change == CAMERA_CHANGE_NONE)
    return;
  if (change != CAMERA_CHANGE_FILTER && camera->clipfilter != NULL)
    camera_plan_apply (plan, before, G_OBJECT (camera->clipfilter));
  if (camera->gate != NULL)
    camera_gate_set_period (camera->gate, camera_plan_get_period (plan));
  if (change == CAMERA_CHANGE_PROPERTIES)
    return;
  camera->pending = MAX (camera->pending, change);
  camera->backoff = (CameraBackoff){ 0 };
  if (!camera->opening)
    reconnect (camera);
}
