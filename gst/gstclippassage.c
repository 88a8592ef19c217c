/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclippassage.h"

#include "clip-error.h"
#include "gstclipanalytics.h"
#include "gstclipdebug.h"

#include <string.h>

#define GST_CAT_DEFAULT gst_clip_debug

static gboolean
is_live (GstClipFilter *self)
{
  if (!self->asked_if_live) {
    g_autoptr (GstQuery) query = gst_query_new_latency ();

    self->asked_if_live = TRUE;
    self->live = FALSE;
    if (gst_pad_peer_query (GST_BASE_TRANSFORM_SINK_PAD (self), query))
      gst_query_parse_latency (query, &self->live, NULL, NULL);
    GST_DEBUG_OBJECT (self, "upstream is %s", self->live ? "live" : "not live");
  }
  return self->live;
}

/* What holds for one frame from its arrival to its departure. */
typedef struct {
  GstClipStamp stamp;
  GstClipDue due;
  GstClipMessages post;
  gboolean qos;
  gboolean map_utc;
  gchar *element, *source;
} Passage;

static void
clear_passage (Passage *passage)
{
  g_free (passage->element);
  g_free (passage->source);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Passage, clear_passage)

static void
copy_settings (GstClipFilter *self, Passage *passage)
{
  const GstClipSettings *settings = &self->settings;

  passage->element = gst_object_get_name (GST_OBJECT (self));
  GST_OBJECT_LOCK (self);
  passage->source = g_strdup (settings->source_id);
  passage->post = settings->post_messages;
  passage->qos = settings->qos;
  passage->stamp.top_k = settings->top_k;
  passage->stamp.attach_embedding = settings->attach_embedding;
  passage->due.interval = settings->inference_interval;
  passage->due.earliest = self->earliest;
  passage->map_utc = self->map_utc;
  self->map_utc = FALSE;
  GST_OBJECT_UNLOCK (self);
}

static void
map_utc (GstClipFilter *self, const Passage *passage)
{
  GstClockTime running_time = passage->stamp.running_time;

  if (passage->map_utc)
    self->has_utc_offset = FALSE;
  if (self->has_utc_offset || !is_live (self) ||
      !GST_CLOCK_TIME_IS_VALID (running_time))
    return;
  self->has_utc_offset = TRUE;
  self->utc_offset = g_get_real_time () * GST_USECOND - running_time;
}

static Passage
receive (GstClipFilter *self, GstBuffer *buffer)
{
  Passage passage = { 0 };
  GstClipStamp *stamp = &passage.stamp;

  copy_settings (self, &passage);
  stamp->element = passage.element;
  stamp->source = passage.source;
  stamp->model = clip_service_get_info (self->model.service)->id;
  stamp->precision = clip_precision_get_name (
      clip_service_get_precision (self->model.service));
  stamp->width = GST_VIDEO_INFO_WIDTH (&self->reader.info);
  stamp->height = GST_VIDEO_INFO_HEIGHT (&self->reader.info);
  gst_clip_stamp_set_times (stamp, buffer, &GST_BASE_TRANSFORM (self)->segment);
  map_utc (self, &passage);
  gst_clip_stamp_set_utc (
      stamp, buffer, self->has_utc_offset ? &self->utc_offset : NULL);

  passage.due.gap = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);
  passage.due.running_time = stamp->running_time;
  if (!passage.qos || !is_live (self))
    passage.due.earliest = GST_CLOCK_TIME_NONE;
  return passage;
}

/* Between two frames; the newest embedding is compared anew at once.
 *
 * Returns: whether it was. */
static gboolean
switch_prompts (GstClipFilter *self)
{
  const ClipModelInfo *info = clip_service_get_info (self->model.service);
  ClipPromptSet *set;

  if (!gst_clip_prompts_take (self, &set, &self->revision))
    return FALSE;
  clip_prompt_set_unref (self->prompt_set);
  self->prompt_set = set;
  GST_DEBUG_OBJECT (self, "revision %u of the prompts", self->revision);
  if (self->newest == NULL)
    return FALSE;
  gst_clip_result_score (
      self->newest, self->prompt_set, self->revision, info->logit_scale);
  return TRUE;
}

/* The picture goes into the stream's slot.
 *
 * Returns: FALSE where the frame cannot be read. */
static gboolean
preprocess (GstClipFilter *self, GstBuffer *buffer, GstClockTime *time)
{
  GstClockTime start = gst_util_get_timestamp ();
  ClipFrame view;

  if (!self->has_size)
    return FALSE;
  if (!gst_clip_reader_map (&self->reader, buffer, &view)) {
    if (!self->warned_of_buffer) {
      g_autoptr (GError) error = g_error_new (CLIP_ERROR, CLIP_ERROR_FORMAT,
          "a buffer of %" G_GSIZE_FORMAT " bytes does not hold the %s frame of "
          "%dx%d that its caps announce",
          gst_buffer_get_size (buffer),
          GST_VIDEO_INFO_NAME (&self->reader.info),
          GST_VIDEO_INFO_WIDTH (&self->reader.info),
          GST_VIDEO_INFO_HEIGHT (&self->reader.info));

      self->warned_of_buffer = TRUE;
      gst_clip_filter_warn (self, "Such frames go on without results", error);
    }
    return FALSE;
  }
  clip_preprocessor_run (self->model.preprocessor, &view, self->model.picture);
  gst_clip_reader_unmap (&self->reader);
  *time = gst_util_get_timestamp () - start;
  return TRUE;
}

/* So that a flush or a state change can cancel it.
 *
 * Returns: FALSE where one of them came first. */
static gboolean
expose_request (GstClipFilter *self, ClipRequest *request)
{
  gboolean allowed;

  GST_OBJECT_LOCK (self);
  allowed = !self->stopping && !self->flushing;
  if (allowed)
    self->request = clip_request_ref (request);
  GST_OBJECT_UNLOCK (self);
  return allowed;
}

static void
hide_request (GstClipFilter *self)
{
  ClipRequest *request;

  GST_OBJECT_LOCK (self);
  request = g_steal_pointer (&self->request);
  GST_OBJECT_UNLOCK (self);
  clip_request_unref (request);
}

static void
warn_of_encoder (GstClipFilter *self, const GError *error)
{
  GST_WARNING_OBJECT (self, "%s", error->message);
  if (self->warned_of_encoder) {
    GST_OBJECT_LOCK (self);
    self->stats.warnings++;
    GST_OBJECT_UNLOCK (self);
    return;
  }
  self->warned_of_encoder = TRUE;
  gst_clip_filter_warn (
      self, "Frames that cannot be encoded go on without results", error);
}

static void
warn_of_constancy (GstClipFilter *self)
{
  g_autoptr (GError) error = g_error_new (CLIP_ERROR, CLIP_ERROR_MODEL,
      "%u pictures in a row differed and got the same embedding from model %s: "
      "it does not see what they show, and no result of it means anything "
      "(constant-output)",
      GST_CLIP_CONSTANCY_RUN, clip_service_get_info (self->model.service)->id);

  GST_WARNING_OBJECT (self, "%s", error->message);
  gst_clip_filter_warn (self, "The model's output is constant", error);
}

/* Compares with the result before, which is still the newest one. */
static void
watch_constancy (GstClipFilter *self, const gfloat *embedding)
{
  GstClipModel *model = &self->model;
  gsize size = gst_clip_model_get_picture_size (model);
  guint8 *picture = model->picture;
  gboolean picture_changed = memcmp (picture, model->previous, size) != 0;

  model->picture = model->previous;
  model->previous = picture;
  if (self->newest == NULL)
    return;
  if (gst_clip_constancy_note (&self->constancy, picture_changed,
          memcmp (embedding, self->newest->embedding,
              sizeof (gfloat) * self->newest->embed_dim) != 0))
    warn_of_constancy (self);
}

static void
keep_result (
    GstClipFilter *self, const ClipRequest *request, const Passage *passage)
{
  const ClipModelInfo *info = clip_service_get_info (self->model.service);
  GstClipResult *result = gst_clip_result_new (
      clip_request_get_embedding (request), info->embed_dim);

  result->number = ++self->n_results;
  result->timestamp = passage->stamp.timestamp;
  result->running_time = passage->stamp.running_time;
  gst_clip_result_score (
      result, self->prompt_set, self->revision, info->logit_scale);
  gst_clip_result_free (self->newest);
  self->newest = result;
}

static void
count_encoded (
    GstClipFilter *self, GstClockTime preprocess_time, GstClockTime encode_time)
{
  GST_OBJECT_LOCK (self);
  self->stats.encoded++;
  self->stats.last_preprocess_time = preprocess_time;
  self->stats.total_preprocess_time += preprocess_time;
  self->stats.last_encode_time = encode_time;
  self->stats.total_encode_time += encode_time;
  GST_OBJECT_UNLOCK (self);
  GST_CAT_LOG_OBJECT (gst_clip_perf_debug, self,
      "preprocessed in %" GST_TIME_FORMAT ", encoded in %" GST_TIME_FORMAT,
      GST_TIME_ARGS (preprocess_time), GST_TIME_ARGS (encode_time));
}

static GstClipSkip
encode (GstClipFilter *self, GstBuffer *buffer, const Passage *passage)
{
  g_autoptr (ClipRequest) request = NULL;
  g_autoptr (GError) error = NULL;
  GstClockTime preprocess_time;
  gboolean encoded;

  if (!preprocess (self, buffer, &preprocess_time))
    return GST_CLIP_SKIP_UNREADABLE;
  request =
      clip_service_encode_picture (self->model.service, self->model.picture);
  if (!expose_request (self, request)) {
    clip_request_cancel (request);
    return GST_CLIP_SKIP_CANCELLED;
  }
  encoded = clip_request_wait (request, &error);
  hide_request (self);
  if (g_error_matches (error, CLIP_ERROR, CLIP_ERROR_CANCELLED))
    return GST_CLIP_SKIP_CANCELLED;
  if (!encoded) {
    warn_of_encoder (self, error);
    return GST_CLIP_SKIP_FAILED;
  }
  watch_constancy (self, clip_request_get_embedding (request));
  keep_result (self, request, passage);
  count_encoded (self, preprocess_time, clip_request_get_encode_time (request));
  return GST_CLIP_SKIP_NONE;
}

static void
post (GstClipFilter *self, const GstStructure *entry, GstClipMessages which,
    gboolean changed)
{
  const gchar *best = gst_clip_result_get_best (self->newest);
  gboolean other = g_strcmp0 (best, self->best) != 0;

  if (other) {
    g_free (self->best);
    self->best = g_strdup (best);
    GST_DEBUG_OBJECT (self, "now best: %s", best);
  }
  if ((which == GST_CLIP_MESSAGES_ALL && changed) ||
      (which == GST_CLIP_MESSAGES_CHANGES && other && best != NULL))
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self),
                                gst_clip_result_wrap_for_bus (entry)));
}

/* The newest result leaves with this frame.
 *
 * @encoded: it is this frame's own
 * @rescored: its prompts changed */
static void
deliver (GstClipFilter *self, GstBuffer *buffer, Passage *passage,
    gboolean encoded, gboolean rescored)
{
  g_autoptr (GstStructure) entry = NULL;

  passage->stamp.reason = encoded ? "encoded" : "carried";
  entry = gst_clip_result_describe (self->newest, &passage->stamp);
  post (self, entry, passage->post, encoded || rescored);
  gst_clip_result_attach (buffer, entry);
  if (!encoded)
    return;
#if HAVE_GST_ANALYTICS
  gst_clip_analytics_attach (buffer, self->newest, passage->stamp.top_k);
#endif
  gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self),
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_clip_result_wrap (GST_CLIP_RESULT_EVENT, entry)));
}

/* Which frames without a result of their own carry the newest one. */
static gboolean
may_carry (GstClipSkip skip)
{
  return skip == GST_CLIP_SKIP_NONE || skip == GST_CLIP_SKIP_INTERVAL ||
         skip == GST_CLIP_SKIP_GAP || skip == GST_CLIP_SKIP_QOS;
}

GstFlowReturn
gst_clip_passage_run (GstClipFilter *self, GstBuffer *buffer)
{
  g_auto (Passage) passage = receive (self, buffer);
  gboolean rescored = switch_prompts (self);
  GstClipSkip skip = gst_clip_schedule_next (&self->schedule, &passage.due);

  if (skip == GST_CLIP_SKIP_NONE)
    skip = encode (self, buffer, &passage);
  GST_OBJECT_LOCK (self);
  self->stats.frames++;
  self->stats.skipped[skip]++;
  GST_OBJECT_UNLOCK (self);
  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT ": skip %s", buffer,
      gst_clip_skip_get_name (skip));

  if (skip == GST_CLIP_SKIP_CANCELLED)
    return GST_FLOW_FLUSHING;
  if (self->newest != NULL && may_carry (skip))
    deliver (self, buffer, &passage, skip == GST_CLIP_SKIP_NONE, rescored);
  return GST_FLOW_OK;
}
