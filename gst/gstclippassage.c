/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclippassage.h"

#include "gstclipanalytics.h"
#include "gstclipdebug.h"

#define GST_CAT_DEFAULT gst_clip_debug

/* Less is the trembling of timestamps, or frames out of order. */
#define JUMP GST_SECOND

void
gst_clip_passage_decide_mode (GstClipFilter *self)
{
  GstClipInferenceMode mode;
  gboolean live, answered;

  if (self->mode_decided)
    return;
  answered = gst_clip_filter_ask_if_live (self, &live);
  GST_OBJECT_LOCK (self);
  mode = self->settings.inference_mode;
  if (mode == GST_CLIP_INFERENCE_AUTO)
    mode =
        answered && !live ? GST_CLIP_INFERENCE_WAIT : GST_CLIP_INFERENCE_LATEST;
  self->mode = mode;
  self->live = live;
  self->stats.mode = gst_clip_inference_mode_get_name (mode);
  GST_OBJECT_UNLOCK (self);
  self->mode_decided = TRUE;
  GST_INFO_OBJECT (self, "upstream %s, inference mode is %s",
      !answered ? "does not say whether it is live"
      : live    ? "is live"
                : "is not live",
      gst_clip_inference_mode_get_name (mode));
}

/* What holds for one frame from its arrival to its departure. */
typedef struct {
  GstClipStamp stamp;
  GstClipDue due;
  GstClipMessages post;
  GstClipGate gate;
  GstClockTime max_age, trouble_after; /* 0: none */
  guint priority;
  gboolean qos;
  gboolean rescored; /* the newest result's prompts changed */
  gchar *element, *source;
  GstStructure *entry; /* of the result that was told last, or NULL */
} Passage;

static void
clear_passage (Passage *passage)
{
  g_free (passage->element);
  g_free (passage->source);
  g_clear_pointer (&passage->entry, gst_structure_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Passage, clear_passage)

static GstClockTime
get_period (const GstClipFraction *rate)
{
  return rate->n == 0
             ? 0
             : gst_util_uint64_scale_int (GST_SECOND, rate->d, rate->n);
}

/* Whichever ends first; 0 = never. */
static GstClockTime
get_shorter (GstClockTime a, GstClockTime b)
{
  return a == 0 || b == 0 ? MAX (a, b) : MIN (a, b);
}

static void
copy_settings (GstClipFilter *self, Passage *passage)
{
  const GstClipSettings *settings = &self->settings;
  GstClipStamp *stamp = &passage->stamp;

  passage->element = gst_object_get_name (GST_OBJECT (self));
  GST_OBJECT_LOCK (self);
  passage->source = g_strdup (settings->source_id);
  passage->post = settings->post_messages;
  passage->priority = settings->priority;
  passage->qos = settings->qos;
  passage->max_age = settings->max_age;
  passage->trouble_after = settings->trouble_after;
  passage->gate = settings->gate;
  stamp->top_k = settings->top_k;
  stamp->attach_embedding = settings->attach_embedding;
  passage->due.interval = settings->inference_interval;
  passage->due.period = get_period (&settings->max_inference_rate);
  passage->due.earliest = self->earliest;
  GST_OBJECT_UNLOCK (self);
  passage->gate.longest = get_shorter (passage->gate.longest, passage->max_age);
  stamp->element = passage->element;
  stamp->source = passage->source;
  stamp->model = clip_service_get_info (self->model.service)->id;
  stamp->precision = clip_precision_get_name (
      clip_service_get_precision (self->model.service));
}

static void
map_utc (GstClipFilter *self, GstClockTime running_time)
{
  GST_OBJECT_LOCK (self);
  if (self->map_utc)
    self->has_utc_offset = FALSE;
  self->map_utc = FALSE;
  GST_OBJECT_UNLOCK (self);
  if (self->has_utc_offset || !self->live ||
      !GST_CLOCK_TIME_IS_VALID (running_time))
    return;
  self->has_utc_offset = TRUE;
  self->utc_offset = g_get_real_time () * GST_USECOND - running_time;
}

/* Something must tell how often frames are due and how old results are: where
 * there is no running time of a frame, that of now; among frames that have one,
 * theirs, which may be far from the clock's. It stands still while nothing
 * plays: a clock is chosen, and set against the pipeline's time, with PLAYING.
 */
static GstClockTime
guess_time (GstClipFilter *self)
{
  g_autoptr (GstClock) clock = NULL;

  if (GST_STATE (self) != GST_STATE_PLAYING)
    return GST_CLOCK_TIME_IS_VALID (self->last_time) ? self->last_time : 0;

  if (GST_CLOCK_TIME_IS_VALID (self->anchor))
    return self->anchor + (gst_util_get_timestamp () - self->anchor_arrival);
  clock = gst_element_get_clock (GST_ELEMENT (self));
  if (clock == NULL)
    return gst_util_get_timestamp ();
  return gst_clock_get_time (clock) -
         gst_element_get_base_time (GST_ELEMENT (self));
}

/* A camera that was lost may count from 0 again without saying so: what is here
 * is then of another time, and would never grow old. */
static void
heed_time (GstClipFilter *self, Passage *passage)
{
  GstClockTime time = passage->due.time;

  if (GST_CLOCK_TIME_IS_VALID (self->last_time) &&
      time + JUMP < self->last_time) {
    GST_INFO_OBJECT (self,
        "time jumped back from %" GST_TIME_FORMAT " to %" GST_TIME_FORMAT,
        GST_TIME_ARGS (self->last_time), GST_TIME_ARGS (time));
    gst_clip_passage_collect (self);
    gst_clip_filter_reset_stream (self);
    self->has_utc_offset = FALSE;
    passage->due.earliest = GST_CLOCK_TIME_NONE;
  }
  self->last_time = time;
}

static Passage
receive (GstClipFilter *self, GstBuffer *buffer)
{
  Passage passage = { 0 };
  GstClipStamp *stamp = &passage.stamp;

  copy_settings (self, &passage);
  stamp->width = GST_VIDEO_INFO_WIDTH (&self->reader.info);
  stamp->height = GST_VIDEO_INFO_HEIGHT (&self->reader.info);
  gst_clip_stamp_set_times (stamp, buffer, &GST_BASE_TRANSFORM (self)->segment);
  passage.due.time = GST_CLOCK_TIME_IS_VALID (stamp->running_time)
                         ? stamp->running_time
                         : guess_time (self);
  heed_time (self, &passage);
  if (GST_CLOCK_TIME_IS_VALID (stamp->running_time)) {
    self->anchor = stamp->running_time;
    self->anchor_arrival = gst_util_get_timestamp ();
  }
  map_utc (self, stamp->running_time);
  gst_clip_stamp_set_utc (
      stamp, buffer, self->has_utc_offset ? &self->utc_offset : NULL);
  self->last = *stamp;

  passage.due.gap = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);
  passage.due.running_time = stamp->running_time;
  if (!passage.qos || (self->mode == GST_CLIP_INFERENCE_WAIT && !self->live))
    passage.due.earliest = GST_CLOCK_TIME_NONE;
  return passage;
}

/* For results that no frame waits for: the last frame's times. */
static Passage
receive_nothing (GstClipFilter *self)
{
  Passage passage = { .stamp = self->last };

  copy_settings (self, &passage);
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

/* --- results --- */

static GstStructure *
describe (GstClipFilter *self, Passage *passage)
{
  passage->stamp.reason = gst_clip_result_get_reason (self->newest);
  return gst_clip_result_describe (self->newest, &passage->stamp);
}

static void
post (GstClipFilter *self, const Passage *passage, const GstStructure *entry)
{
  const gchar *best = gst_clip_result_get_best (self->newest);
  gboolean other = g_strcmp0 (best, self->best) != 0;

  if (other) {
    g_free (self->best);
    self->best = g_strdup (best);
    GST_DEBUG_OBJECT (self, "now best: %s", best);
  }
  if (passage->post == GST_CLIP_MESSAGES_ALL ||
      (passage->post == GST_CLIP_MESSAGES_CHANGES && other && best != NULL))
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self),
                                gst_clip_result_wrap_for_bus (entry)));
}

/* The newest result, once; the frame that passes is the next to go on. */
static void
tell (GstClipFilter *self, Passage *passage)
{
  g_clear_pointer (&passage->entry, gst_structure_free);
  passage->entry = describe (self, passage);
  self->newest->told = TRUE;
  post (self, passage, passage->entry);
  gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self),
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_clip_result_wrap (GST_CLIP_RESULT_EVENT, passage->entry)));
}

/* Waits for the oldest picture.
 *
 * Returns: what came of it */
static GstClipSkip
collect (GstClipFilter *self, Passage *passage)
{
  GstClipSkip skip = gst_clip_encoding_collect (self);

  if (skip == GST_CLIP_SKIP_NONE)
    tell (self, passage);
  else
    self->reference.valid = FALSE;
  return skip;
}

static void
count (GstClipFilter *self, GstClipSkip skip)
{
  GST_OBJECT_LOCK (self);
  self->stats.skipped[skip]++;
  GST_OBJECT_UNLOCK (self);
}

static void
collect_done (GstClipFilter *self, Passage *passage)
{
  while (gst_clip_encoding_is_done (self))
    count (self, collect (self, passage));
}

void
gst_clip_passage_collect (GstClipFilter *self)
{
  if (gst_clip_encoding_is_done (self)) {
    g_auto (Passage) passage = receive_nothing (self);

    collect_done (self, &passage);
  }
}

void
gst_clip_passage_finish (GstClipFilter *self)
{
  while (self->encoding.n_pictures > 0) {
    g_auto (Passage) passage = receive_nothing (self);

    count (self, collect (self, &passage));
  }
}

/* --- one frame --- */

/* What is seen without the model.
 *
 * Returns: whether the frame looks as the one that was encoded last */
static gboolean
look (GstClipFilter *self, const Passage *passage)
{
  guint size = clip_service_get_info (self->model.service)->image_size;
  GstClipReference *reference = &self->reference;
  ClipSignature signature;

  if (passage->gate.threshold <= 0 && passage->trouble_after == 0)
    return FALSE;
  clip_signature_compute (self->model.picture, size, &signature);
  gst_clip_watch_picture (
      self, &signature, passage->due.time, passage->trouble_after);
  if (gst_clip_gate_is_unchanged (
          &passage->gate, reference, &signature, passage->due.time))
    return TRUE;
  *reference = (GstClipReference){ TRUE, signature, passage->due.time };
  return FALSE;
}

/* The embedding that is here is this frame's as well; one that is on its way
 * will be carried when it comes, one that has just come is. */
static void
repeat (GstClipFilter *self, Passage *passage)
{
  if (self->newest == NULL || passage->entry != NULL ||
      self->encoding.n_pictures > 0)
    return;
  gst_clip_result_repeat (self->newest, ++self->n_results);
  tell (self, passage);
}

static GstClockTime
get_interval (const GstClipFilter *self)
{
  const GstVideoInfo *info = &self->reader.info;

  if (GST_VIDEO_INFO_FPS_N (info) == 0)
    return 0;
  return gst_util_uint64_scale_int (
      GST_SECOND, GST_VIDEO_INFO_FPS_D (info), GST_VIDEO_INFO_FPS_N (info));
}

/* How long frames stay; a pipeline that counts on it is told. */
static void
note_latency (GstClipFilter *self, GstClockTime time)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = gst_clip_latency_note (&self->latency, time);
  GST_OBJECT_UNLOCK (self);
  if (changed && self->live)
    gst_element_post_message (
        GST_ELEMENT (self), gst_message_new_latency (GST_OBJECT (self)));
}

/* A frame that is due, and for which there is room: none of the stream's
 * pictures waits, so that another stream may take its place. */
static GstClipSkip
encode (GstClipFilter *self, GstBuffer *buffer, Passage *passage)
{
  const ClipStreamOptions options = {
    .alone = self->mode == GST_CLIP_INFERENCE_WAIT,
    .priority = passage->priority,
  };
  GstClockTime start = gst_util_get_timestamp ();
  GstClipSkip skip = gst_clip_encoding_read (self, buffer);

  if (skip != GST_CLIP_SKIP_NONE)
    return skip;
  gst_clip_schedule_take (&self->schedule, &passage->due);
  if (look (self, passage)) {
    repeat (self, passage);
    return GST_CLIP_SKIP_UNCHANGED;
  }
  gst_clip_model_open_stream (&self->model, &options);
  skip = gst_clip_encoding_submit (self, &passage->stamp, passage->due.time);
  if (skip == GST_CLIP_SKIP_NONE && self->mode == GST_CLIP_INFERENCE_WAIT) {
    skip = collect (self, passage);
    note_latency (self, gst_util_get_timestamp () - start);
  }
  return skip;
}

/* No result without words, where any were asked for. */
static GstClipSkip
await_prompts (GstClipFilter *self, Passage *passage)
{
  GstClipSkip skip =
      gst_clip_prompts_await (self, self->mode == GST_CLIP_INFERENCE_WAIT);

  if (skip == GST_CLIP_SKIP_NONE && self->prompt_set == NULL)
    passage->rescored |= switch_prompts (self);
  return skip;
}

static GstClipSkip
decide (GstClipFilter *self, GstBuffer *buffer, Passage *passage)
{
  GstClipSkip skip = gst_clip_schedule_next (&self->schedule, &passage->due);

  if (skip != GST_CLIP_SKIP_NONE)
    return skip;
  if (!gst_clip_encoding_has_credit (self, get_interval (self)))
    return GST_CLIP_SKIP_BUSY;
  skip = await_prompts (self, passage);
  return skip == GST_CLIP_SKIP_NONE ? encode (self, buffer, passage) : skip;
}

/* Which frames without a result of their own carry the newest one. */
static gboolean
may_carry (const GstClipFilter *self, const Passage *passage, GstClipSkip skip)
{
  GstClockTime now = passage->due.time;

  if (self->newest == NULL || skip >= GST_CLIP_SKIP_UNREADABLE)
    return FALSE;
  return passage->max_age == 0 || now <= self->newest->time ||
         now - self->newest->time <= passage->max_age;
}

/* The newest result leaves with this frame. */
static void
carry (GstClipFilter *self, GstBuffer *buffer, Passage *passage)
{
  if (passage->entry == NULL) {
    passage->entry = describe (self, passage);
    if (passage->rescored)
      post (self, passage, passage->entry);
  }
  gst_clip_result_attach (buffer, g_steal_pointer (&passage->entry));
#if HAVE_GST_ANALYTICS
  if (!self->newest->carried)
    gst_clip_analytics_attach (buffer, self->newest, passage->stamp.top_k);
#endif
  self->newest->carried = TRUE;
}

GstFlowReturn
gst_clip_passage_run (GstClipFilter *self, GstBuffer *buffer)
{
  g_auto (Passage) passage = { 0 };
  GstClipSkip skip;

  gst_clip_passage_decide_mode (self);
  gst_clip_watch_frame (self);
  passage = receive (self, buffer);
  passage.rescored = switch_prompts (self);
  collect_done (self, &passage);
  skip = decide (self, buffer, &passage);
  GST_OBJECT_LOCK (self);
  self->stats.frames++;
  self->stats.skipped[skip]++;
  GST_OBJECT_UNLOCK (self);
  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT ": skip %s", buffer,
      gst_clip_skip_get_name (skip));

  if (skip == GST_CLIP_SKIP_CANCELLED)
    return GST_FLOW_FLUSHING;
  if (may_carry (self, &passage, skip))
    carry (self, buffer, &passage);
  return GST_FLOW_OK;
}
