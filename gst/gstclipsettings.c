/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipsettings.h"

#include "gstclipfilter.h"

/* More threads than any machine has CPUs; clamped to those at start. */
#define MAX_THREADS 1024

#define DEFAULT_TOP_K 5
#define DEFAULT_MAX_UNCHANGED (10 * GST_SECOND)
#define DEFAULT_TROUBLE_AFTER (10 * GST_SECOND)

#define READY_FLAGS (G_PARAM_READWRITE | GST_PARAM_MUTABLE_READY)
#define PLAYING_FLAGS (G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING)
#define FIELD(name) G_STRUCT_OFFSET (GstClipFilter, settings.name)

static GType
get_inference_mode_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_CLIP_INFERENCE_AUTO,
        "latest where upstream is live or does not say, else wait", "auto" },
    { GST_CLIP_INFERENCE_WAIT,
        "A due frame waits for its own result and carries it", "wait" },
    { GST_CLIP_INFERENCE_LATEST,
        "No frame waits, each carries the newest result", "latest" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstClipInferenceMode", values));
  return type;
}

static GType
get_precision_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { CLIP_PRECISION_AUTO, "bf16 where the CPU multiplies it, else f32",
        "auto" },
    { CLIP_PRECISION_F32, "32-bit floats, as the model was published", "f32" },
    { CLIP_PRECISION_BF16, "16-bit floats, added up in 32 bits", "bf16" },
    { CLIP_PRECISION_INT8, "8-bit integers, of vision transformers", "int8" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstClipPrecision", values));
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

const gchar *
gst_clip_inference_mode_get_name (GstClipInferenceMode mode)
{
  static const gchar *const names[] = {
    [GST_CLIP_INFERENCE_AUTO] = "auto",
    [GST_CLIP_INFERENCE_WAIT] = "wait",
    [GST_CLIP_INFERENCE_LATEST] = "latest",
  };

  return names[mode];
}

void
gst_clip_settings_register_types (void)
{
  gst_type_mark_as_plugin_api (get_inference_mode_type (), 0);
  gst_type_mark_as_plugin_api (get_post_messages_type (), 0);
  gst_type_mark_as_plugin_api (get_precision_type (), 0);
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
      "old ones stay. So are more than 100 at the start: frames of wait wait "
      "for them, those of latest have no results before",
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
      .offset = FIELD (inference_interval), .flags = PLAYING_FLAGS,
      .preset = TRUE },
  { "max-inference-rate", "Maximum inference rate",
      "How many frames a second are encoded at most, by running time (by the "
      "clock where frames have none), the first one at once: 2/1 = one each "
      "half second. inference-interval holds as well. Range: 0/1 - "
      "2147483647/1 per second, 0/1 = as many as there are. Default: 0/1. "
      "Changeable at any time",
      .kind = GST_CLIP_FRACTION, .minimum = 0, .maximum = G_MAXINT,
      .offset = FIELD (max_inference_rate), .flags = PLAYING_FLAGS,
      .preset = TRUE },
  { "inference-mode", "Inference mode",
      "How frames and the encoder go together. 'wait': a frame that is due "
      "waits for its own result and carries it, so the same input gives the "
      "same results whatever the machine does besides; for files, tests and "
      "batch jobs. 'latest': no frame waits, each carries the newest result, "
      "which says which frame it is of and how old; for cameras. 'auto': each "
      "time a stream begins upstream is asked: latest where it is live or "
      "does not say, else wait. appsrc (unless is-live=true) and shmsrc say "
      "that they are not live: choose latest for a camera behind them. "
      "Default: auto. Changeable at any time, from the next stream on",
      .kind = GST_CLIP_ENUM, .get_type = get_inference_mode_type,
      .initial = GST_CLIP_INFERENCE_AUTO, .offset = FIELD (inference_mode),
      .flags = PLAYING_FLAGS, .preset = TRUE },
  { "max-age", "Maximum age",
      "How old a result may be, in running time since the frame that was "
      "encoded, to be carried by a frame; an older one is still told once by "
      "its event. Range: 0 - 18446744073709551615 ns, 0 = any age. Default: "
      "0. Changeable at any time",
      .kind = GST_CLIP_TIME, .initial = 0, .offset = FIELD (max_age),
      .flags = PLAYING_FLAGS },
  { "unchanged-threshold", "Unchanged threshold",
      "How far a due frame may differ from the one that was encoded last to "
      "be taken for the same, so that its embedding is used again (reason "
      "'unchanged'): the model's picture is compared in 16 x 16 cells, by the "
      "one whose mean differs most in one colour, as a part of the full "
      "range: 0.02 is five levels of 255. Range: 0 - 1, 0 = off, even "
      "equal frames are encoded. Default: 0. Changeable at any time",
      .kind = GST_CLIP_DOUBLE, .minimum = 0, .maximum = 1,
      .offset = FIELD (gate.threshold), .flags = PLAYING_FLAGS },
  { "max-unchanged", "Maximum time unchanged",
      "How long, in running time since the frame that was encoded, frames "
      "are taken for unchanged before one is encoded anyway; max-age bounds "
      "it as well. Range: 0 - 18446744073709551615 ns, 0 = without end. "
      "Default: 10000000000 (10 s). Changeable at any time",
      .kind = GST_CLIP_TIME, .initial = DEFAULT_MAX_UNCHANGED,
      .offset = FIELD (gate.longest), .flags = PLAYING_FLAGS },
  { "trouble-after", "Trouble after",
      "How long trouble with a camera has to last until the element message "
      "'clipfilter-trouble' tells of it, once, and once more when it is over: "
      "frozen (pictures equal to the bit), blank (one plain colour: dark or "
      "covered), no-frames (live sources in PLAYING only). Pictures are looked "
      "at where they are due. Range: 0 - 18446744073709551615 ns, 0 = never. "
      "Default: 10000000000 (10 s). Changeable at any time; for no-frames "
      "before PLAYING",
      .kind = GST_CLIP_TIME, .initial = DEFAULT_TROUBLE_AFTER,
      .offset = FIELD (trouble_after), .flags = PLAYING_FLAGS },
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
  { "priority", "Priority",
      "Which streams come first where the encoder cannot serve all elements "
      "that share the model: one is served twice as often as one of the next "
      "lower priority, and none waits for ever. Range: 0 - 7, 7 = most often. "
      "Default: 0. Changeable at any time, from the next frame that is "
      "encoded on",
      .kind = GST_CLIP_UINT, .minimum = 0, .maximum = CLIP_STREAM_MAX_PRIORITY,
      .initial = 0, .offset = FIELD (priority), .flags = PLAYING_FLAGS },
  { "batch-timeout", "Batch timeout",
      "How long a frame waits at most for frames of other elements that share "
      "the model, to be encoded together with them, which takes less of the "
      "CPU for each and comes later. Only in latest; in wait each frame is "
      "encoded alone. The last frame before EOS or SEGMENT_DONE does not wait. "
      "The first element that opens the model decides for all "
      "who share it, for whom another value is one warning. Range: 0 - "
      "18446744073709551615 ns, 0 = a batch is what waits already. Default: "
      "0. Changeable in NULL and READY",
      .kind = GST_CLIP_TIME, .initial = 0, .offset = FIELD (batch_timeout),
      .flags = READY_FLAGS },
  { "model-instance-id", "Model instance id",
      "Elements share a model where they name the same files, precision and "
      "instance id: another id opens the model once more, with memory, a "
      "worker, threads and batch-timeout of its own. Default: not set. "
      "Changeable in NULL and READY",
      .kind = GST_CLIP_STRING, .offset = FIELD (instance_id),
      .flags = READY_FLAGS },
  { "threads", "Threads",
      "How many threads encode: CPUs for the model, which the first element "
      "that opens it decides for all who share it, for whom another number "
      "is one warning. More than this process may use is one warning and as "
      "many as it may. Range: 0 - 1024 threads, "
      "0 = all CPUs that this process may use. Default: 0. Changeable in NULL "
      "and READY",
      .kind = GST_CLIP_UINT, .minimum = 0, .maximum = MAX_THREADS, .initial = 0,
      .offset = FIELD (threads), .flags = READY_FLAGS, .preset = TRUE },
  { "precision", "Precision",
      "In which numbers frames are encoded. 'f32': as the model was trained "
      "and published. 'bf16': 16-bit floats, about twice as fast or more where "
      "the CPU multiplies them (AVX512-BF16 or AMX), with similarities within "
      "some thousandths; elsewhere one warning, and f32. 'int8': most products "
      "of a vision transformer in 8-bit integers, faster again where the CPU "
      "has VNNI, with similarities within about a hundredth; elsewhere, of "
      "other models, and where a test at loading finds more, one warning, and "
      "what auto is. 'auto': bf16 where the CPU has it, never int8. Prompts "
      "are always encoded in f32. Default: auto. Changeable in NULL and READY",
      .kind = GST_CLIP_ENUM, .get_type = get_precision_type,
      .initial = CLIP_PRECISION_AUTO, .offset = FIELD (precision),
      .flags = READY_FLAGS, .preset = TRUE },
  { "qos", "QoS",
      "Whether a frame that downstream reports to be late is not encoded and "
      "carries the newest result. Frames themselves are never dropped; "
      "without effect in wait where the source is not live, so that results "
      "of files do not depend on timing. Default: true. Changeable at any "
      "time",
      .kind = GST_CLIP_BOOLEAN, .initial = TRUE, .offset = FIELD (qos),
      .flags = PLAYING_FLAGS },
  { "stats", "Statistics",
      "What was done since the last start: frames, encoded, pending (with "
      "the encoder now), skipped (by reason: interval, rate, gap, qos, busy, "
      "unchanged, unreadable, failed, cancelled; with encoded and pending "
      "they make frames), last-encode-time and mean-encode-time (of one "
      "frame: a batch's time divided by its frames), "
      "last-preprocess-time, mean-preprocess-time, saved-encode-time (by "
      "unchanged frames), latency (as reported upon a LATENCY query) in "
      "nanoseconds, mode (wait or latest, as in use), model, family, "
      "model-path, demo (whether it is the demonstration model), threads, "
      "batch-timeout (as shared), precision, engine, layers (with int8: an "
      "array of structures with name, precision, error, which is relative and "
      "of the layer in int8 on the pictures of the test at loading, and "
      "smoothing), "
      "revision and prompts (of the set in use, and how many), warnings. "
      "Read-only",
      .kind = GST_CLIP_STRUCTURE, .flags = G_PARAM_READABLE },
};

const guint gst_clip_n_settings = G_N_ELEMENTS (gst_clip_settings);
