/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "options.h"

#include <string.h>

#define DEFAULT_INTERVAL 5
#define DEFAULT_LONGEST_WAIT 30
#define MAX_PROCESSES 64
#define MAX_SECONDS 2000000 /* whose milliseconds a guint holds */

static const gchar summary[] =
    "Watches the cameras that FILE lists, with one model for all, and says\n"
    "which of its prompts each of them shows. FILE may be edited while it "
    "runs.\n"
    "It looks like this; README.md, \"Many cameras\", has all keys:\n"
    "\n"
    "  [defaults]\n"
    "  prompts = a person | an empty street\n"
    "  rate = 1/1\n"
    "\n"
    "  [front-door]\n"
    "  uri = rtsp://user:password@camera.local/stream";

static gboolean
parse_decode (
    const gchar *name, const gchar *value, gpointer data, GError **error)
{
  CameraOptions *options = data;

  options->keyframes = strcmp (value, "keyframes") == 0;
  if (options->keyframes || strcmp (value, "all") == 0)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--decode is all or keyframes, not '%s'", value);
  return FALSE;
}

static gboolean
parse_worker (
    const gchar *name, const gchar *value, gpointer data, GError **error)
{
  CameraOptions *options = data;
  guint64 share = 0;

  options->worker = g_ascii_string_to_unsigned (
      value, 10, 0, MAX_PROCESSES - 1, &share, error);
  options->share = (guint)share;
  return options->worker;
}

static gboolean
parse_processes (
    const gchar *name, const gchar *value, gpointer data, GError **error)
{
  CameraOptions *options = data;
  guint64 n;

  if (g_ascii_string_to_unsigned (value, 10, 0, MAX_PROCESSES, &n, NULL)) {
    options->processes = (guint)n;
    return TRUE;
  }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--processes is 0 to %d, not '%s'", MAX_PROCESSES, value);
  return FALSE;
}

static gboolean
check_numbers (const CameraOptions *options, GError **error)
{
  const struct {
    const gchar *name;
    gint value, least;
  } numbers[] = {
    { "seconds", options->seconds, 0 },
    { "warm-up", options->warm_up, 0 },
    { "interval", options->interval, 1 },
    { "longest-wait", options->longest_wait, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    if (numbers[i].value >= numbers[i].least && numbers[i].value <= MAX_SECONDS)
      continue;
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--%s is %d: give %d to %d seconds", numbers[i].name, numbers[i].value,
        numbers[i].least, MAX_SECONDS);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check (const CameraOptions *options, GError **error)
{
  guint n = options->paths != NULL ? g_strv_length (options->paths) : 0;

  if (n != 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "%u files are given: give one, the list of cameras", n);
    return FALSE;
  }
  if (options->summary && g_strcmp0 (options->json, "-") == 0) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--summary and --json both go to standard output: give --json a file");
    return FALSE;
  }
  return check_numbers (options, error);
}

gboolean
camera_options_parse (
    CameraOptions *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_FILENAME, &options->json,
        "Add each result to FILE, or - for standard output, as a line of JSON",
        "FILE" },
    { "decode", 0, 0, G_OPTION_ARG_CALLBACK, parse_decode,
        "What is decoded: all, or keyframes alone, which costs far less and "
        "gives results no more often than those come (default: all)",
        "WHAT" },
    { "check", 0, 0, G_OPTION_ARG_NONE, &options->check,
        "Read the file, say what would be done, and end", NULL },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &options->seconds,
        "End after N seconds (default: never)", "N" },
    { "summary", 0, 0, G_OPTION_ARG_NONE, &options->summary,
        "At the end print a line of JSON for each camera and one for all",
        NULL },
    { "warm-up", 0, 0, G_OPTION_ARG_INT, &options->warm_up,
        "Leave the first N seconds out of the summary (default: 0)", "N" },
    { "interval", 0, 0, G_OPTION_ARG_INT, &options->interval,
        "Where there is no terminal, print the table every N seconds "
        "(default: 5)",
        "N" },
    { "longest-wait", 0, 0, G_OPTION_ARG_INT, &options->longest_wait,
        "Try a lost camera again after N seconds at most (default: 30)", "N" },
    { "metrics", 0, 0, G_OPTION_ARG_STRING, &options->metrics,
        "Serve Prometheus' text format at http://HOST:PORT/metrics; without "
        "HOST to this machine alone",
        "[HOST:]PORT" },
    { "processes", 0, 0, G_OPTION_ARG_CALLBACK, parse_processes,
        "Spread the cameras over N processes, each with the model in its own "
        "memory, so that a crash takes only its share away for a moment "
        "(default: 0, all in this one)",
        "N" },
    { "worker", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_CALLBACK, parse_worker,
        NULL, NULL },
    { "quiet", 0, 0, G_OPTION_ARG_NONE, &options->quiet, "Print no table",
        NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->paths,
        NULL, "FILE" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  GOptionGroup *group =
      g_option_group_new ("cameras", NULL, NULL, options, NULL);

  options->interval = DEFAULT_INTERVAL;
  options->longest_wait = DEFAULT_LONGEST_WAIT;
  g_option_group_add_entries (group, entries);
  g_option_context_set_main_group (context, group);
  g_option_context_set_summary (context, summary);
  return g_option_context_parse (context, argc, argv, error) &&
         check (options, error);
}

void
camera_options_clear (CameraOptions *options)
{
  g_strfreev (options->paths);
  g_free (options->json);
  g_free (options->metrics);
}
