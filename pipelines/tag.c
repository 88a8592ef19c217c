/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clip-tag: says what is in a video. pipelines/tag.sh builds and runs it. */

#include "advice.h"
#include "report.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <gst/pbutils/pbutils.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRESS_INTERVAL 200 /* milliseconds */

typedef struct {
  gchar *model;
  gchar **prompts;
  gboolean json;
  gchar **inputs;
} Options;

typedef struct {
  const gchar *input; /* as the user wrote it */
  GMainLoop *loop;
  GstElement *pipeline;
  TagReport *report;
  gchar *missing;  /* a decoder's description */
  gboolean warned; /* by clipfilter, of frames without results */
  gchar *failure;  /* a sentence */
} Tag;

static void
clear_options (Options *options)
{
  g_free (options->model);
  g_strfreev (options->prompts);
  g_strfreev (options->inputs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

static void
clear_tag (Tag *tag)
{
  if (tag->pipeline != NULL)
    gst_element_set_state (tag->pipeline, GST_STATE_NULL);
  gst_clear_object (&tag->pipeline);
  g_clear_pointer (&tag->loop, g_main_loop_unref);
  g_clear_pointer (&tag->report, tag_report_free);
  g_free (tag->missing);
  g_free (tag->failure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tag, clear_tag)

/* --- options --- */

static gboolean
parse_options (Options *options, gint *argc, gchar ***argv, GError **error)
{
  /* FILENAME: as it comes, where STRING would be converted from a locale that
   * may not be the terminal's. */
  const GOptionEntry entries[] = {
    { "model", 0, 0, G_OPTION_ARG_FILENAME, &options->model,
        "Folder of the model; without, the demonstration model", "PATH" },
    { "prompt", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->prompts,
        "What may be in the picture; once a prompt", "TEXT" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json,
        "Write the results as JSON, one a line, and nothing else", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->inputs,
        NULL, NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context =
      g_option_context_new ("INPUT - say what is in a video");

  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

static gboolean
check_options (const Options *options, GError **error)
{
  guint n_inputs = options->inputs ? g_strv_length (options->inputs) : 0;

  if (n_inputs != 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "%u inputs were given: give one, a file, a URI or the word camera.",
        n_inputs);
    return FALSE;
  }
  if (options->model != NULL && g_access (options->model, R_OK) != 0) {
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
        "The model '%s' cannot be read (%s): give --model the path of a model's "
        "folder.",
        options->model, g_strerror (errno));
    return FALSE;
  }
  for (guint i = 0; options->prompts && options->prompts[i]; i++) {
    g_autofree gchar *prompt = NULL;

    if (!g_utf8_validate (options->prompts[i], -1, NULL)) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "Prompt %u is not UTF-8: set the terminal to UTF-8 and write it "
          "again.",
          i + 1);
      return FALSE;
    }
    prompt = g_strstrip (g_strdup (options->prompts[i]));
    if (*prompt == '\0') {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "Prompt %u is empty: say in words what may be in the picture.",
          i + 1);
      return FALSE;
    }
  }
  return TRUE;
}

/* As the property wants them: '|' between prompts, '\' before its own. */
static gchar *
join_prompts (gchar **prompts)
{
  GString *joined = g_string_new (NULL);

  for (guint i = 0; prompts[i] != NULL; i++) {
    if (i > 0)
      g_string_append (joined, " | ");
    for (const gchar *c = prompts[i]; *c != '\0'; c++) {
      if (*c == '|' || *c == '\\')
        g_string_append_c (joined, '\\');
      g_string_append_c (joined, *c);
    }
  }
  return g_string_free (joined, FALSE);
}

/* --- input --- */

static gboolean
check_file (const gchar *path, const GStatBuf *status, GError **error)
{
  const gchar *fault = NULL;

  if (S_ISDIR (status->st_mode))
    fault = "is a folder";
  else if (!S_ISREG (status->st_mode))
    fault = "is neither a file nor a camera";
  else if (status->st_size == 0)
    fault = "is empty";
  else if (g_access (path, R_OK) != 0)
    fault = "may not be read by you";
  if (fault == NULL)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
      "'%s' %s: give the path of a video or picture file.", path, fault);
  return FALSE;
}

static gboolean
check_uri (const gchar *uri, GError **error)
{
  g_autofree gchar *protocol = gst_uri_get_protocol (uri);

  if (gst_uri_protocol_is_supported (GST_URI_SRC, protocol))
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
      "Nothing here reads %s:// addresses: install gstreamer1.0-plugins-bad, or "
      "give a file, rtsp:// or file://.",
      protocol);
  return FALSE;
}

/* @uri: (out): what to read
 * @device: (out): the camera instead, where it is one */
static gboolean
resolve_input (const gchar *input, gchar **uri, gchar **device, GError **error)
{
  GStatBuf status;

  if (g_strcmp0 (input, "camera") == 0) {
    *device = g_strdup ("/dev/video0");
    return TRUE;
  }
  if (g_stat (input, &status) == 0) {
    if (S_ISCHR (status.st_mode)) {
      *device = g_strdup (input);
      return TRUE;
    }
    if (!check_file (input, &status, error))
      return FALSE;
    *uri = gst_filename_to_uri (input, error);
    return *uri != NULL;
  }
  if (gst_uri_is_valid (input)) {
    *uri = g_strdup (input);
    return check_uri (input, error);
  }
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
      "'%s' cannot be opened (%s): give the path of a video or picture file, a "
      "URI or the word camera.",
      input, g_strerror (errno));
  return FALSE;
}

/* --- pipeline --- */

/* Sound is not decoded, and a decoder on a graphics card, whose pixels may
 * differ and lie elsewhere, is not chosen. */
#define DECODE                                                                 \
  "caps=video/x-raw(ANY) expose-all-streams=false force-sw-decoders=true"

static const gchar uri_source[] = "uridecodebin name=source " DECODE;
static const gchar camera_source[] = "v4l2src name=camera ! decodebin " DECODE;

/* videoflip: phones write video as the sensor sees it, and say how to turn. */
static const gchar filters[] =
    "queue name=queue max-size-buffers=4 max-size-bytes=0 max-size-time=0 ! "
    "videoconvert ! videoflip video-direction=auto ! "
    "clipfilter name=clipfilter";
static const gchar text_sink[] = "fakesink name=sink sync=false";
static const gchar json_sink[] = "clippublish location=- format=json ! "
                                 "fakesink name=sink sync=false";

static GstElement *
parse_pipeline (const gchar *description, GError **error)
{
  g_autoptr (GstParseContext) context = gst_parse_context_new ();
  g_autoptr (GError) reason = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch_full (
      description, context, GST_PARSE_FLAG_FATAL_ERRORS, &reason);
  g_auto (GStrv) missing = gst_parse_context_get_missing_elements (context);

  if (pipeline != NULL)
    return g_steal_pointer (&pipeline);
  if (missing != NULL) {
    g_autofree gchar *advice = tag_advise_element (missing[0]);

    g_set_error_literal (error, reason->domain, reason->code, advice);
  } else {
    g_propagate_error (error, g_steal_pointer (&reason));
  }
  return NULL;
}

static void
set_property (GstElement *pipeline, const gchar *element, const gchar *property,
    const gchar *value)
{
  g_autoptr (GstElement) child =
      gst_bin_get_by_name (GST_BIN (pipeline), element);

  gst_util_set_object_arg (G_OBJECT (child), property, value);
}

static void
set_string (GstElement *pipeline, const gchar *element, const gchar *property,
    const gchar *value)
{
  g_autoptr (GstElement) child =
      gst_bin_get_by_name (GST_BIN (pipeline), element);

  g_object_set (child, property, value, NULL);
}

static GstElement *
build_pipeline (const Options *options, GError **error)
{
  g_autofree gchar *uri = NULL, *device = NULL, *description = NULL;
  GstElement *pipeline;

  if (!resolve_input (options->inputs[0], &uri, &device, error))
    return NULL;
  description = g_strdup_printf ("%s ! %s ! %s",
      device != NULL ? camera_source : uri_source, filters,
      options->json ? json_sink : text_sink);
  pipeline = parse_pipeline (description, error);
  if (pipeline == NULL)
    return NULL;

  if (device != NULL)
    set_string (pipeline, "camera", "device", device);
  else
    set_string (pipeline, "source", "uri", uri);
  if (options->model != NULL)
    set_string (pipeline, "clipfilter", "model", options->model);
  if (options->prompts != NULL) {
    g_autofree gchar *prompts = join_prompts (options->prompts);

    set_string (pipeline, "clipfilter", "prompts", prompts);
  }
  set_property (pipeline, "clipfilter", "post-messages", "all");
  /* The table tells of every prompt. */
  if (!options->json)
    set_property (pipeline, "clipfilter", "top-k", "0");
  return pipeline;
}

/* What is live shall stay so: a frame that comes while the model is busy takes
 * the place of the one that waits. The sink does not wait for the clock, or
 * that place would be taken for the whole latency of the source. */
static void
make_live (GstElement *pipeline)
{
  set_property (pipeline, "queue", "max-size-buffers", "1");
  set_property (pipeline, "queue", "leaky", "downstream");
}

/* --- messages --- */

static void
fail (Tag *tag, gchar *failure)
{
  if (tag->failure == NULL)
    tag->failure = failure;
  else
    g_free (failure);
  g_main_loop_quit (tag->loop);
}

static void
on_error (GstBus *bus, GstMessage *message, gpointer data)
{
  Tag *tag = data;

  fail (tag,
      tag_advise (message, tag->input,
          tag_report_get_n_results (tag->report) == 0 ? tag->missing : NULL));
}

/* Decoders' warnings are about details; ours mean frames without results. */
static void
on_warning (GstBus *bus, GstMessage *message, gpointer data)
{
  Tag *tag = data;
  g_autoptr (GError) warning = NULL;

  if (!g_str_has_prefix (GST_MESSAGE_SRC_NAME (message), "clip"))
    return;
  gst_message_parse_warning (message, &warning, NULL);
  tag_report_hide_progress (tag->report);
  fprintf (stderr, "%s\n", warning->message);
  tag->warned = TRUE;
}

static void
on_end (GstBus *bus, GstMessage *message, gpointer data)
{
  Tag *tag = data;

  if (tag_report_get_n_results (tag->report) == 0)
    fail (tag, tag_advise_no_result (tag->input, tag->warned));
  g_main_loop_quit (tag->loop);
}

static void
on_element (GstBus *bus, GstMessage *message, gpointer data)
{
  Tag *tag = data;
  const GstStructure *structure = gst_message_get_structure (message);
  const GValue *results;

  if (gst_is_missing_plugin_message (message)) {
    g_free (tag->missing);
    tag->missing = gst_missing_plugin_message_get_description (message);
    return;
  }
  if (!gst_structure_has_name (structure, "clipfilter"))
    return;
  results = gst_structure_get_value (structure, "results");
  if (results == NULL || !GST_VALUE_HOLDS_ARRAY (results))
    return;
  for (guint i = 0; i < gst_value_array_get_size (results); i++)
    tag_report_add (tag->report,
        gst_value_get_structure (gst_value_array_get_value (results, i)));
}

static gboolean
on_progress (gpointer data)
{
  Tag *tag = data;
  gint64 position = -1, duration = -1;

  gst_element_query_position (tag->pipeline, GST_FORMAT_TIME, &position);
  gst_element_query_duration (tag->pipeline, GST_FORMAT_TIME, &duration);
  tag_report_show_progress (tag->report, position, duration);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt (gpointer data)
{
  Tag *tag = data;

  g_main_loop_quit (tag->loop);
  return G_SOURCE_CONTINUE;
}

static void
connect_bus (Tag *tag)
{
  static const struct {
    const gchar *signal;
    void (*callback) (GstBus *bus, GstMessage *message, gpointer data);
  } handlers[] = {
    { "message::error", on_error },
    { "message::warning", on_warning },
    { "message::eos", on_end },
    { "message::element", on_element },
  };
  g_autoptr (GstBus) bus = gst_element_get_bus (tag->pipeline);

  gst_bus_add_signal_watch (bus);
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect (
        bus, handlers[i].signal, G_CALLBACK (handlers[i].callback), tag);
}

static void
run (Tag *tag)
{
  GstStateChangeReturn change;

  tag->loop = g_main_loop_new (NULL, FALSE);
  connect_bus (tag);
  /* A failure is on the bus, with its reason. */
  change = gst_element_set_state (tag->pipeline, GST_STATE_PAUSED);
  if (change == GST_STATE_CHANGE_NO_PREROLL)
    make_live (tag->pipeline);
  if (change != GST_STATE_CHANGE_FAILURE)
    gst_element_set_state (tag->pipeline, GST_STATE_PLAYING);

  g_unix_signal_add (SIGINT, on_interrupt, tag);
  g_unix_signal_add (SIGTERM, on_interrupt, tag);
  g_timeout_add (PROGRESS_INTERVAL, on_progress, tag);
  g_main_loop_run (tag->loop);
  tag_report_summarize (tag->report);
}

int
main (int argc, char *argv[])
{
  g_auto (Options) options = { 0 };
  g_auto (Tag) tag = { 0 };
  g_autoptr (GError) error = NULL;

  if (!parse_options (&options, &argc, &argv, &error)) {
    g_printerr ("%s: --help lists the options.\n", error->message);
    return 2;
  }
  if (!check_options (&options, &error)) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  gst_init (NULL, NULL);
  /* Numbers with a point and English throughout, in the user's characters. */
  setlocale (LC_ALL, "C");
  setlocale (LC_CTYPE, "");

  tag.input = options.inputs[0];
  tag.pipeline = build_pipeline (&options, &error);
  if (tag.pipeline == NULL) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  if (options.prompts != NULL && options.prompts[1] == NULL)
    g_printerr ("One prompt alone always has the probability 1: give another "
                "to compare it with.\n");
  tag.report = tag_report_new (!options.json);
  run (&tag);
  if (tag.failure == NULL)
    return 0;
  fprintf (stderr, "%s\n", tag.failure);
  return 1;
}
