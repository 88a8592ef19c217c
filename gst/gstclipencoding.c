/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipencoding.h"

#include "clip-error.h"
#include "gstclipdebug.h"
#include "gstclipfilter.h"

#include <string.h>

#define GST_CAT_DEFAULT gst_clip_debug

/* How early a picture may be handed in before the encoder is idle: at the end
 * of the stream it is waited for, besides one inference. */
#define MAX_AHEAD (50 * GST_MSECOND)

gboolean
gst_clip_encoding_has_credit (GstClipFilter *self, GstClockTime interval)
{
  const GstClipEncoding *encoding = &self->encoding;
  GstClockTime idle;

  if (encoding->n_pictures == 0)
    return TRUE;
  if (encoding->n_pictures == GST_CLIP_PICTURES || encoding->encode_time == 0 ||
      !clip_stream_has_credit (self->model.stream))
    return FALSE;
  idle = encoding->pictures[0].begun + encoding->encode_time;
  return gst_util_get_timestamp () + MIN (interval, MAX_AHEAD) >= idle;
}

/* --- a frame becomes a picture --- */

static void
warn_of_buffer (GstClipFilter *self, GstBuffer *buffer)
{
  g_autoptr (GError) error = NULL;

  if (self->warned_of_buffer)
    return;
  self->warned_of_buffer = TRUE;
  error = g_error_new (CLIP_ERROR, CLIP_ERROR_FORMAT,
      "a buffer of %" G_GSIZE_FORMAT " bytes does not hold the %s frame of "
      "%dx%d that its caps announce",
      gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (&self->reader.info),
      GST_VIDEO_INFO_WIDTH (&self->reader.info),
      GST_VIDEO_INFO_HEIGHT (&self->reader.info));
  gst_clip_filter_warn (self, "Such frames go on without results", error);
}

GstClipSkip
gst_clip_encoding_read (GstClipFilter *self, GstBuffer *buffer)
{
  GstClockTime start = gst_util_get_timestamp (), time;
  ClipFrame view;

  if (!self->has_size)
    return GST_CLIP_SKIP_UNREADABLE;
  if (!gst_clip_reader_map (&self->reader, buffer, &view)) {
    warn_of_buffer (self, buffer);
    return GST_CLIP_SKIP_UNREADABLE;
  }
  clip_preprocessor_run (self->model.preprocessor, &view, self->model.picture);
  gst_clip_reader_unmap (&self->reader);
  time = gst_util_get_timestamp () - start;
  self->encoding.preprocess_time = time;
  GST_OBJECT_LOCK (self);
  self->stats.preprocessed++;
  self->stats.last_preprocess_time = time;
  self->stats.total_preprocess_time += time;
  GST_OBJECT_UNLOCK (self);
  return GST_CLIP_SKIP_NONE;
}

/* Exchanges the slot for the one before.
 *
 * Returns: whether the pictures in them differ. */
static gboolean
turn_slot (GstClipModel *model)
{
  guint8 *picture = model->picture;

  model->picture = model->previous;
  model->previous = picture;
  return memcmp (model->picture, model->previous,
             gst_clip_model_get_picture_size (model)) != 0;
}

/* --- to the encoder --- */

gboolean
gst_clip_encoding_is_interrupted (const GstClipFilter *self)
{
  return self->encoding.stopping || self->encoding.flushing;
}

/* Returns: FALSE where a flush or a state change came first. */
static gboolean
push (GstClipFilter *self, const GstClipPicture *picture)
{
  GstClipEncoding *encoding = &self->encoding;
  gboolean allowed;

  GST_OBJECT_LOCK (self);
  allowed = !gst_clip_encoding_is_interrupted (self);
  if (allowed)
    encoding->pictures[encoding->n_pictures++] = *picture;
  GST_OBJECT_UNLOCK (self);
  return allowed;
}

/* The oldest; its request is the caller's. */
static GstClipPicture
pop (GstClipFilter *self)
{
  GstClipEncoding *encoding = &self->encoding;
  GstClipPicture picture;

  GST_OBJECT_LOCK (self);
  picture = encoding->pictures[0];
  encoding->n_pictures--;
  for (guint i = 0; i < encoding->n_pictures; i++)
    encoding->pictures[i] = encoding->pictures[i + 1];
  GST_OBJECT_UNLOCK (self);
  return picture;
}

GstClipSkip
gst_clip_encoding_submit (
    GstClipFilter *self, const GstClipStamp *stamp, GstClockTime time)
{
  GstClipPicture picture = {
    .timestamp = stamp->timestamp,
    .running_time = stamp->running_time,
    .time = time,
    .begun = gst_util_get_timestamp (),
    .preprocess_time = self->encoding.preprocess_time,
  };

  picture.request =
      clip_stream_encode_picture (self->model.stream, self->model.picture);
  if (!push (self, &picture)) {
    clip_request_cancel (picture.request);
    clip_request_unref (picture.request);
    return GST_CLIP_SKIP_CANCELLED;
  }
  self->encoding.pictures[self->encoding.n_pictures - 1].changed =
      turn_slot (&self->model);
  return GST_CLIP_SKIP_NONE;
}

gboolean
gst_clip_encoding_is_done (GstClipFilter *self)
{
  return self->encoding.n_pictures > 0 &&
         clip_request_is_done (self->encoding.pictures[0].request);
}

/* --- and back --- */

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
watch_constancy (GstClipFilter *self, const GstClipPicture *picture)
{
  const gfloat *embedding = clip_request_get_embedding (picture->request);

  if (self->newest == NULL)
    return;
  if (gst_clip_constancy_note (&self->constancy, picture->changed,
          memcmp (embedding, self->newest->embedding,
              sizeof (gfloat) * self->newest->embed_dim) != 0))
    warn_of_constancy (self);
}

static void
keep_result (GstClipFilter *self, const GstClipPicture *picture)
{
  const ClipModelInfo *info = clip_service_get_info (self->model.service);
  GstClipResult *result = gst_clip_result_new (
      clip_request_get_embedding (picture->request), info->embed_dim);

  result->number = ++self->n_results;
  result->timestamp = picture->timestamp;
  result->running_time = picture->running_time;
  result->time = picture->time;
  gst_clip_result_score (
      result, self->prompt_set, self->revision, info->logit_scale);
  gst_clip_result_free (self->newest);
  self->newest = result;
}

/* @picture: collected; the next one's turn came when it was done */
static void
count_encoded (GstClipFilter *self, const GstClipPicture *picture)
{
  GstClipEncoding *encoding = &self->encoding;
  GstClockTime encode_time = clip_request_get_encode_time (picture->request);
  GstClockTime own_time =
      encode_time / clip_request_get_batch (picture->request);

  encoding->encode_time = encode_time;
  if (encoding->n_pictures > 0)
    encoding->pictures[0].begun =
        MAX (encoding->pictures[0].begun, picture->begun + encode_time);
  GST_OBJECT_LOCK (self);
  self->stats.encoded++;
  self->stats.last_encode_time = own_time;
  self->stats.total_encode_time += own_time;
  GST_OBJECT_UNLOCK (self);
  GST_CAT_LOG_OBJECT (gst_clip_perf_debug, self,
      "preprocessed in %" GST_TIME_FORMAT ", encoded in %" GST_TIME_FORMAT
      " in a batch of %u",
      GST_TIME_ARGS (picture->preprocess_time), GST_TIME_ARGS (encode_time),
      clip_request_get_batch (picture->request));
}

GstClipSkip
gst_clip_encoding_collect (GstClipFilter *self)
{
  g_autoptr (ClipRequest) request = NULL;
  g_autoptr (GError) error = NULL;
  GstClipPicture picture;
  gboolean encoded;

  /* Stays in its place while it is waited for, where it can be cancelled. */
  encoded = clip_request_wait (self->encoding.pictures[0].request, &error);
  picture = pop (self);
  request = picture.request;
  if (g_error_matches (error, CLIP_ERROR, CLIP_ERROR_CANCELLED))
    return GST_CLIP_SKIP_CANCELLED;
  if (!encoded) {
    warn_of_encoder (self, error);
    return GST_CLIP_SKIP_FAILED;
  }
  watch_constancy (self, &picture);
  keep_result (self, &picture);
  count_encoded (self, &picture);
  return GST_CLIP_SKIP_NONE;
}

void
gst_clip_encoding_drop (GstClipFilter *self)
{
  while (self->encoding.n_pictures > 0) {
    GstClipPicture picture = pop (self);

    clip_request_cancel (picture.request);
    clip_request_unref (picture.request);
    GST_OBJECT_LOCK (self);
    self->stats.skipped[GST_CLIP_SKIP_CANCELLED]++;
    GST_OBJECT_UNLOCK (self);
  }
}

void
gst_clip_encoding_interrupt (GstClipFilter *self, gboolean *flag)
{
  ClipRequest *requests[GST_CLIP_PICTURES];
  guint n;

  GST_OBJECT_LOCK (self);
  *flag = TRUE;
  n = self->encoding.n_pictures;
  for (guint i = 0; i < n; i++)
    requests[i] = clip_request_ref (self->encoding.pictures[i].request);
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < n; i++) {
    clip_request_cancel (requests[i]);
    clip_request_unref (requests[i]);
  }
  gst_clip_prompts_wake (self);
}

void
gst_clip_encoding_resume (GstClipFilter *self, gboolean *flag)
{
  GST_OBJECT_LOCK (self);
  *flag = FALSE;
  GST_OBJECT_UNLOCK (self);
}
