/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/**
 * SECTION:element-clipfilter
 * @title: clipfilter
 * @short_description: says what is in a video, in words of the user's choice
 * @see_also: clippublish
 *
 * Runs a CLIP model on the CPU over the frames that pass, compares each with
 * text prompts, and attaches the answer to the buffer. Frames themselves go on
 * untouched, whatever happens to the answer; every raw format in system memory
 * is read as it is, at any size. The model sees what a viewer sees: pixels that
 * are not square are squared first, the tag image-orientation is obeyed, and
 * interlaced frames are seen whole.
 *
 * Files wait for results, cameras do not: #GstClipFilter:inference-mode. In
 * latest a frame carries the newest result there is, which says of which frame
 * it is and how old; a result that no frame has had yet is told before EOS.
 *
 * Each new result leaves as one #GstStructure in three ways: on the buffer, as
 * #GstCustomMeta "clipfilter"; before the buffer, as serialized custom event
 * "clipfilter-result"; and, with #GstClipFilter:post-messages, on the bus as
 * element message "clipfilter". All have a field "results", an array of
 * structures, one for each clipfilter upstream (the event and the message have
 * one):
 *
 * * "element", "source" (#GstClipFilter:source-id), "model", "precision":
 *   strings
 * * "result": guint64, counts this element's results from 1
 * * "reason": "encoded" on the first frame that has it (in wait the one that
 *   was encoded), or "unchanged" where that one was not encoded because it
 *   looks as the one that was; "carried" on those after it
 * * "timestamp", "running-time", "stream-time", "duration": guint64, of this
 *   frame, nanoseconds
 * * "utc": string, ISO 8601, from the frame's #GstReferenceTimestampMeta, or
 *   where the source is live
 * * "source-timestamp": guint64, timestamp of the frame that was encoded
 * * "age": guint64, running time since then
 * * "revision": guint, of the prompts, counts their changes from 1
 * * "frame-width", "frame-height": gint
 * * "prompts": array of structures, the most probable first: "index" (guint),
 *   "text", "similarity" (gdouble, cosine) and "probability" (gdouble, of all
 *   prompts together 1)
 * * "embedding": #GstBuffer of little-endian float32, with
 *   #GstClipFilter:attach-embedding; never in messages
 *
 * The element message "clipfilter-trouble" tells once when a camera is in
 * trouble and once when it is over: "trouble" ("frozen", "blank", "no-frames"),
 * "active" (gboolean), "duration" (guint64), "source".
 *
 * What is not known is absent. When prompts change while the element runs, the
 * message "clipfilter-prompts" tells "revision" and "prompts" (an array of
 * strings), and the newest embedding is compared with the new prompts at once.
 * With GStreamer 1.24 and later a frame with a new result also has a
 * GstAnalyticsClsMtd with the same prompts and their probabilities.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -q videotestsrc num-buffers=30 ! clipfilter ! clippublish
 * location=- ! fakesink
 * ]| The demonstration model with its own prompts, one record a frame.
 * |[
 * gst-launch-1.0 -m filesrc location=clip.webm ! decodebin ! clipfilter
 * model=/srv/clip-vit-b-32 prompts="a red car | a person, running | an empty
 * street" inference-interval=10 post-messages=changes ! fakesink
 * ]| A model of one's own, a message whenever another prompt is the best.
 */
#include "gstclipfilter.h"

#include "gstclipdebug.h"
#include "gstcliperror.h"
#include "gstclippassage.h"

#define GST_CAT_DEFAULT gst_clip_debug

#define FORMATS                                                                                           \
  GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL)                                                             \
  ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES (                                                                 \
      GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION,                                                \
      GST_VIDEO_FORMATS_ALL) ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES (GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY \
      ", " GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION,                                           \
      GST_VIDEO_FORMATS_ALL)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (FORMATS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (FORMATS));

static gchar **
get_preset_names (GstPreset *preset)
{
  return gst_clip_properties_get_preset_names (
      gst_clip_settings, gst_clip_n_settings);
}

static void
gst_clip_filter_preset_init (GstPresetInterface *interface)
{
  interface->get_property_names = get_preset_names;
}

G_DEFINE_TYPE_WITH_CODE (GstClipFilter, gst_clip_filter,
    GST_TYPE_BASE_TRANSFORM,
    G_IMPLEMENT_INTERFACE (GST_TYPE_PRESET, gst_clip_filter_preset_init))
GST_ELEMENT_REGISTER_DEFINE (
    clipfilter, "clipfilter", GST_RANK_NONE, GST_TYPE_CLIP_FILTER)

void
gst_clip_filter_warn (
    GstClipFilter *filter, const gchar *what, const GError *error)
{
  GST_OBJECT_LOCK (filter);
  filter->stats.warnings++;
  GST_OBJECT_UNLOCK (filter);
  gst_clip_error_post (GST_ELEMENT (filter), GST_MESSAGE_WARNING, what, error);
}

gboolean
gst_clip_filter_ask_if_live (GstClipFilter *filter, gboolean *live)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();

  *live = FALSE;
  if (!gst_pad_peer_query (GST_BASE_TRANSFORM_SINK_PAD (filter), query))
    return FALSE;
  gst_query_parse_latency (query, live, NULL, NULL);
  return TRUE;
}

/* --- states --- */

void
gst_clip_filter_reset_stream (GstClipFilter *self)
{
  gst_clip_encoding_drop (self);
  gst_clip_scene_restart (&self->watch.scene);
  self->reference.valid = FALSE;
  g_clear_pointer (&self->newest, gst_clip_result_free);
  g_clear_pointer (&self->best, g_free);
  self->schedule = (GstClipSchedule){ 0 };
  self->last_time = GST_CLOCK_TIME_NONE;
  self->anchor = GST_CLOCK_TIME_NONE;
  GST_OBJECT_LOCK (self);
  self->earliest = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);
}

static void
publish_facts (GstClipFilter *self)
{
  GstClockTime encode_time = clip_service_get_encode_time (self->model.service);

  self->encoding.encode_time = encode_time;
  GST_OBJECT_LOCK (self);
  self->mode = GST_CLIP_INFERENCE_AUTO;
  gst_clip_latency_seed (&self->latency, encode_time);
  self->stats.model = gst_clip_model_describe (&self->model);
  GST_OBJECT_UNLOCK (self);
}

static gboolean
open_model (GstClipFilter *self, GError **error)
{
  g_autofree gchar *path = NULL;
  g_autofree gchar *instance_id = NULL;
  GstClipModelOptions options;

  GST_OBJECT_LOCK (self);
  gst_clip_stats_clear (&self->stats);
  options.path = path = g_strdup (self->settings.model);
  options.instance_id = instance_id = g_strdup (self->settings.instance_id);
  options.batch_timeout = self->settings.batch_timeout;
  options.threads = self->settings.threads;
  options.precision = self->settings.precision;
  GST_OBJECT_UNLOCK (self);
  return gst_clip_model_open (
      &self->model, GST_ELEMENT (self), &options, error);
}

static gboolean
gst_clip_filter_start (GstBaseTransform *trans)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);
  g_autoptr (GError) error = NULL;

  if (!open_model (self, &error)) {
    gst_clip_error_post (
        GST_ELEMENT (self), GST_MESSAGE_ERROR, "Cannot use the model", error);
    return FALSE;
  }
  publish_facts (self);
  if (!gst_clip_prompts_start (self, self->model.service,
          gst_clip_model_get_prompts_file (&self->model), &error)) {
    gst_clip_model_close (&self->model);
    gst_clip_error_post (
        GST_ELEMENT (self), GST_MESSAGE_ERROR, "Cannot use the prompts", error);
    return FALSE;
  }
  gst_clip_filter_reset_stream (self);
  self->mode_decided = FALSE;
  gst_clip_watch_begin (self);
  self->n_results = 0;
  self->warned_of_encoder = FALSE;
  self->constancy = (GstClipConstancy){ 0 };
  self->has_size = FALSE;
  return TRUE;
}

static gboolean
gst_clip_filter_stop (GstBaseTransform *trans)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);

  gst_clip_prompts_stop (self);
  gst_clip_watch_close (self);
  gst_clip_filter_reset_stream (self);
  g_clear_pointer (&self->prompt_set, clip_prompt_set_unref);
  gst_clip_reader_clear (&self->reader);
  self->reader.info = (GstVideoInfo){ 0 };
  gst_clip_model_close (&self->model);
  return TRUE;
}

static GstStateChangeReturn
gst_clip_filter_change_state (GstElement *element, GstStateChange transition)
{
  GstClipFilter *self = GST_CLIP_FILTER (element);
  GstClipEncoding *encoding = &self->encoding;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    gst_clip_encoding_resume (self, &encoding->stopping);
    gst_clip_encoding_resume (self, &encoding->flushing);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    /* Not in stop(), which comes when the streaming thread has let go. */
    gst_clip_encoding_interrupt (self, &encoding->stopping);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
    /* Running time stood still while paused, the world did not. */
    GST_OBJECT_LOCK (self);
    self->map_utc = TRUE;
    GST_OBJECT_UNLOCK (self);
    gst_clip_watch_start (self);
  } else if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED) {
    gst_clip_watch_stop (self);
  }
  return GST_ELEMENT_CLASS (gst_clip_filter_parent_class)
      ->change_state (element, transition);
}

/* --- caps and events --- */

static gboolean
gst_clip_filter_accept_caps (
    GstBaseTransform *trans, GstPadDirection direction, GstCaps *caps)
{
  GstVideoInfo info;

  /* Half pictures of their own are no frames. */
  if (!gst_video_info_from_caps (&info, caps) ||
      GST_VIDEO_INFO_INTERLACE_MODE (&info) ==
          GST_VIDEO_INTERLACE_MODE_ALTERNATE)
    return FALSE;
  return GST_BASE_TRANSFORM_CLASS (gst_clip_filter_parent_class)
      ->accept_caps (trans, direction, caps);
}

/* Tags come before or after the caps, which the reader has. */
static void
set_geometry (GstClipFilter *self)
{
  g_autoptr (GError) error = NULL;
  ClipGeometry geometry;

  if (self->reader.info.finfo == NULL)
    return;
  geometry =
      gst_clip_orientation_describe (&self->orientation, &self->reader.info);
  self->has_size = clip_preprocessor_set_geometry (
      self->model.preprocessor, &geometry, &error);
  if (!self->has_size)
    gst_clip_filter_warn (self, "Frames go on without results", error);
}

static gboolean
gst_clip_filter_set_caps (
    GstBaseTransform *trans, GstCaps *caps, GstCaps *out_caps)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);
  GstVideoInfo info;

  if (!gst_video_info_from_caps (&info, caps) ||
      GST_VIDEO_INFO_INTERLACE_MODE (&info) ==
          GST_VIDEO_INTERLACE_MODE_ALTERNATE)
    return FALSE;
  gst_clip_reader_set_info (&self->reader, &info);
  self->warned_of_buffer = FALSE;
  set_geometry (self);
  gst_clip_passage_decide_mode (self);
  GST_DEBUG_OBJECT (self, "frames: %" GST_PTR_FORMAT, caps);
  return TRUE;
}

static gboolean
gst_clip_filter_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_START:
    gst_clip_encoding_interrupt (self, &self->encoding.flushing);
    break;
  case GST_EVENT_FLUSH_STOP:
    gst_clip_encoding_resume (self, &self->encoding.flushing);
    gst_clip_filter_reset_stream (self);
    break;
  case GST_EVENT_STREAM_START:
    gst_clip_passage_collect (self);
    self->mode_decided = FALSE;
    self->orientation = (GstClipOrientation){ 0 };
    set_geometry (self);
    gst_clip_filter_reset_stream (self);
    gst_clip_watch_begin (self);
    break;
  case GST_EVENT_TAG:
    if (gst_clip_orientation_take (&self->orientation, event))
      set_geometry (self);
    break;
  case GST_EVENT_SEGMENT:
    gst_clip_passage_collect (self);
    gst_clip_filter_reset_stream (self);
    break;
  case GST_EVENT_GAP:
    gst_clip_passage_collect (self);
    break;
  case GST_EVENT_SEGMENT_DONE:
    gst_clip_passage_finish (self);
    break;
  case GST_EVENT_EOS:
    gst_clip_passage_finish (self);
    gst_clip_watch_end (self);
    break;
  default:
    break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_clip_filter_parent_class)
      ->sink_event (trans, event);
}

/* The base class drops late frames when its own qos is on, so it stays off and
 * the event is read here. */
static gboolean
gst_clip_filter_src_event (GstBaseTransform *trans, GstEvent *event)
{
  GstClipFilter *self = GST_CLIP_FILTER (trans);

  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS) {
    GstClockTimeDiff jitter;
    GstClockTime timestamp, earliest;

    gst_event_parse_qos (event, NULL, NULL, &jitter, &timestamp);
    earliest = gst_clip_schedule_get_earliest (timestamp, jitter);
    GST_OBJECT_LOCK (self);
    self->earliest = earliest;
    GST_OBJECT_UNLOCK (self);
  }
  return GST_BASE_TRANSFORM_CLASS (gst_clip_filter_parent_class)
      ->src_event (trans, event);
}

/* Frames that wait are late by so much where somebody counts on time. */
static void
add_latency (GstClipFilter *self, GstQuery *query)
{
  GstClockTime min, max, own = 0;
  GstClipInferenceMode mode;
  gboolean live;

  gst_query_parse_latency (query, &live, &min, &max);
  GST_OBJECT_LOCK (self);
  mode = self->mode;
  if (mode == GST_CLIP_INFERENCE_AUTO)
    mode = self->settings.inference_mode;
  if (mode == GST_CLIP_INFERENCE_WAIT && live)
    own = self->latency.reported;
  self->stats.latency = own;
  GST_OBJECT_UNLOCK (self);
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += own;
  gst_query_set_latency (query, live, min + own, max);
}

static gboolean
gst_clip_filter_query (
    GstBaseTransform *trans, GstPadDirection direction, GstQuery *query)
{
  if (!GST_BASE_TRANSFORM_CLASS (gst_clip_filter_parent_class)
           ->query (trans, direction, query))
    return FALSE;
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY && direction == GST_PAD_SRC)
    add_latency (GST_CLIP_FILTER (trans), query);
  return TRUE;
}

static GstFlowReturn
gst_clip_filter_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  return gst_clip_passage_run (GST_CLIP_FILTER (trans), buffer);
}

/* --- the class --- */

static void
gst_clip_filter_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  gst_clip_properties_set (
      GST_ELEMENT (object), &gst_clip_settings[id - 1], value);
}

static void
gst_clip_filter_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstClipFilter *self = GST_CLIP_FILTER (object);

  if (gst_clip_settings[id - 1].kind != GST_CLIP_STRUCTURE) {
    gst_clip_properties_get (
        GST_ELEMENT (object), &gst_clip_settings[id - 1], value);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_value_take_boxed (value,
      gst_clip_stats_to_structure (&self->stats, self->encoding.n_pictures));
  GST_OBJECT_UNLOCK (self);
}

static void
gst_clip_filter_finalize (GObject *object)
{
  GstClipFilter *self = GST_CLIP_FILTER (object);

  gst_clip_prompts_clear (&self->prompts);
  gst_clip_stats_clear (&self->stats);
  gst_clip_properties_clear (
      GST_ELEMENT (self), gst_clip_settings, gst_clip_n_settings);
  G_OBJECT_CLASS (gst_clip_filter_parent_class)->finalize (object);
}

static void
gst_clip_filter_class_init (GstClipFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_clip_filter_set_property;
  object_class->get_property = gst_clip_filter_get_property;
  object_class->finalize = gst_clip_filter_finalize;
  gst_clip_properties_install (
      object_class, gst_clip_settings, gst_clip_n_settings);
  gst_clip_settings_register_types ();

  gst_element_class_set_static_metadata (element_class, "CLIP video tagger",
      "Filter/Analyzer/Video",
      "Says what is in a video, in words of the user's choice: compares each "
      "frame with text prompts through a CLIP model on the CPU",
      "the clipfilter authors");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  element_class->change_state = gst_clip_filter_change_state;

  transform_class->start = gst_clip_filter_start;
  transform_class->stop = gst_clip_filter_stop;
  transform_class->accept_caps = gst_clip_filter_accept_caps;
  transform_class->set_caps = gst_clip_filter_set_caps;
  transform_class->sink_event = gst_clip_filter_sink_event;
  transform_class->src_event = gst_clip_filter_src_event;
  transform_class->query = gst_clip_filter_query;
  transform_class->transform_ip = gst_clip_filter_transform_ip;
}

static void
gst_clip_filter_init (GstClipFilter *self)
{
  self->earliest = GST_CLOCK_TIME_NONE;
  gst_clip_prompts_init (&self->prompts);
  gst_clip_properties_init (
      GST_ELEMENT (self), gst_clip_settings, gst_clip_n_settings);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}
