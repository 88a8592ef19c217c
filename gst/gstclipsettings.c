/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipsettings.h"

#include "gstclipfilter.h"

/* More threads than any machine has CPUs; clamped to those at start. */
#define MAX_THREADS 1024

#define DEFAULT_TOP_K 5

#define READY_FLAGS (G_PARAM_READWRITE | GST_PARAM_MUTABLE_READY)
#define PLAYING_FLAGS (G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING)
#define FIELD(name) G_STRUCT_OFFSET (GstClipFilter, settings.name)

static GType
get_inference_mode_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_CLIP_INFERENCE_WAIT,
        "A due frame waits for its own result and carries it", "wait" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstClipInferenceMode", values));
  return type;
}

static GType
get_post_messages_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_CLIP_MESSAGES_NONE, "No messages", "none" },
    { GST_CLIP_MESSAGES_CHANGES,
        "One when another prompt becomes the most probable", "changes" },
    { GST_CLIP_MESSAGES_ALL, "One for each new result", "all" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstClipPostMessages", values));
  return type;
}

void
gst_clip_settings_register_types (void)
{
  gst_type_mark_as_plugin_api (get_inference_mode_type (), 0);
  gst_type_mark_as_plugin_api (get_post_messages_type (), 0);
}

static void
change_prompts (GstElement *element, const GstClipProperty *property)
{
  GstClipFilter *filter = GST_CLIP_FILTER (element);

  GST_OBJECT_LOCK (filter);
  filter->settings.wording.from_file = filter->settings.wording.prompts == NULL;
  GST_OBJECT_UNLOCK (filter);
  gst_clip_prompts_change (filter);
}

static void
change_prompts_file (GstElement *element, const GstClipProperty *property)
{
  GstClipFilter *filter = GST_CLIP_FILTER (element);

  GST_OBJECT_LOCK (filter);
  filter->settings.wording.from_file = filter->settings.wording.file != NULL;
  GST_OBJECT_UNLOCK (filter);
  gst_clip_prompts_change (filter);
}

static void
change_templates (GstElement *element, const GstClipProperty *property)
{
  gst_clip_prompts_change (GST_CLIP_FILTER (element));
}

const GstClipProperty gst_clip_settings[] = {
  { "model", "Model",
      "The CLIP model: a folder as it is published (config.json beside "
      "model.safetensors and the vocabulary), or the checkpoint file in it. "
      "Elements that name the same model share it. Default: not set, which "
      "uses the small demonstration model that comes with the plugin. "
      "Changeable in NULL and READY",
      .kind = GST_CLIP_STRING, .offset = FIELD (model), .flags = READY_FLAGS },
  { "prompts", "Prompts",
      "What to look for: texts with '|' between them, \"a red car | a person "
      "at the door\"; '\\|' is a bar and '\\\\' a backslash inside a text. "
      "0 to 1000 texts; without any, results have embeddings only (the "
      "demonstration model uses the list that comes with it). prompts and "
      "prompts-file: the one set last counts. Default: not set. Changeable at "
      "any time: new texts are encoded in the background and used from one "
      "frame to the next; a text that cannot be used is one warning, and the "
      "old ones stay",
      .kind = GST_CLIP_STRING, .offset = FIELD (wording.prompts),
      .flags = PLAYING_FLAGS, .changed = change_prompts },
  { "prompts-file", "Prompts file",
      "A file with one prompt a line, in UTF-8; empty lines and lines that "
      "begin with '#' are skipped. Read when it is set or at start; set it "
      "again to read it again. prompts and prompts-file: the one set last "
      "counts. Default: not set. Changeable at any time, as prompts",
      .kind = GST_CLIP_STRING, .offset = FIELD (wording.file),
      .flags = PLAYING_FLAGS, .changed = change_prompts_file },
  { "templates", "Templates",
      "Sentences that each prompt is put into, with '|' between them and '{}' "
      "where the prompt goes: \"a photo of {} | a blurry photo of {}\". A "
      "prompt is then the mean of its sentences. 0 to 256 templates. Default: "
      "not set, prompts are used as they are. Changeable at any time, as "
      "prompts",
      .kind = GST_CLIP_STRING, .offset = FIELD (wording.templates),
      .flags = PLAYING_FLAGS, .changed = change_templates },
  { "inference-interval", "Inference interval",
      "Every how many frames one is encoded, counted from the beginning of "
      "the segment or a flush: 1 = every frame, 25 = one of 25. The others "
      "carry the newest result. Range: 1 - 4294967295 frames. Default: 1. "
      "Changeable at any time",
      .kind = GST_CLIP_UINT, .minimum = 1, .maximum = G_MAXUINT, .initial = 1,
      .offset = FIELD (inference_interval), .flags = PLAYING_FLAGS },
  { "inference-mode", "Inference mode",
      "How frames and the encoder go together. 'wait': a frame that is due "
      "waits for its own result and carries it, so the same input gives the "
      "same results whatever the machine does besides; for files, tests and "
      "batch jobs. Default: wait. Changeable in NULL and READY",
      .kind = GST_CLIP_ENUM, .get_type = get_inference_mode_type,
      .initial = GST_CLIP_INFERENCE_WAIT, .offset = FIELD (inference_mode),
      .flags = READY_FLAGS },
  { "top-k", "Top k",
      "How many prompts a result names, the most probable first; "
      "probabilities are over all of them in any case. Range: 0 - 1000 "
      "prompts, 0 = all. Default: 5. Changeable at any time",
      .kind = GST_CLIP_UINT, .minimum = 0, .maximum = CLIP_PROMPTS_MAX,
      .initial = DEFAULT_TOP_K, .offset = FIELD (top_k),
      .flags = PLAYING_FLAGS },
  { "attach-embedding", "Attach embedding",
      "Whether a result also has the picture's embedding: a buffer of "
      "little-endian float32 of length 1, to be stored and compared later. "
      "Never in messages. Default: false. Changeable at any time",
      .kind = GST_CLIP_BOOLEAN, .initial = FALSE,
      .offset = FIELD (attach_embedding), .flags = PLAYING_FLAGS },
  { "post-messages", "Post messages",
      "Which results are also posted on the bus, as element messages "
      "'clipfilter' with the same fields. Default: none. Changeable at any "
      "time",
      .kind = GST_CLIP_ENUM, .get_type = get_post_messages_type,
      .initial = GST_CLIP_MESSAGES_NONE, .offset = FIELD (post_messages),
      .flags = PLAYING_FLAGS },
  { "source-id", "Source id",
      "A name of the camera or file, put into each result as 'source'. "
      "Default: not set. Changeable at any time",
      .kind = GST_CLIP_STRING, .offset = FIELD (source_id),
      .flags = PLAYING_FLAGS },
  { "threads", "Threads",
      "How many threads encode: CPUs for the model, which the first element "
      "that opens it decides for all who share it. More than this process "
      "may use is one warning and as many as it may. Range: 0 - 1024 threads, "
      "0 = all CPUs that this process may use. Default: 0. Changeable in NULL "
      "and READY",
      .kind = GST_CLIP_UINT, .minimum = 0, .maximum = MAX_THREADS, .initial = 0,
      .offset = FIELD (threads), .flags = READY_FLAGS },
  { "qos", "QoS",
      "Whether a live frame that downstream reports to be late is not "
      "encoded and carries the newest result. Frames themselves are never "
      "dropped; without effect where the source is not live, so that results "
      "of files do not depend on timing. Default: true. Changeable at any "
      "time",
      .kind = GST_CLIP_BOOLEAN, .initial = TRUE, .offset = FIELD (qos),
      .flags = PLAYING_FLAGS },
  { "stats", "Statistics",
      "What was done since the last start: frames, encoded, skipped (by "
      "reason: interval, gap, qos, unreadable, failed, cancelled), "
      "last-encode-time, mean-encode-time, last-preprocess-time, "
      "mean-preprocess-time (nanoseconds), model, family, model-path, demo "
      "(whether it is the demonstration model), threads, precision, engine, "
      "revision and prompts (of the set in use, and how many), warnings. "
      "Read-only",
      .kind = GST_CLIP_STRUCTURE, .flags = G_PARAM_READABLE },
};

const guint gst_clip_n_settings = G_N_ELEMENTS (gst_clip_settings);
