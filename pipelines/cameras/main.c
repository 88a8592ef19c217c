/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clip-cameras: watches many cameras with one model. */

#include "board.h"
#include "fleet.h"
#include "list.h"
#include "options.h"
#include "output.h"
#include "summary.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <glib-unix.h>

#define LONGEST_FLUSH 5 /* seconds, at the end */

typedef struct {
  CameraOptions options;
  GMainLoop *loop;
  CameraBoard *board;
  CameraOutput *output; /* NULL: no records are wanted */
  CameraFleet *fleet;
  gdouble cpu_mark; /* seconds */
  int status;       /* what the program ends with */
} Program;

static gdouble
get_seconds (const struct timeval *time)
{
  return (gdouble)time->tv_sec + (gdouble)time->tv_usec / G_USEC_PER_SEC;
}

static gdouble
get_cpu_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return get_seconds (&usage.ru_utime) + get_seconds (&usage.ru_stime);
}

/* --- news --- */

static void
on_result (const CameraResult *result, gpointer data)
{
  Program *program = data;
  g_autofree gchar *line = NULL;

  camera_board_add_result (program->board, result);
  if (program->output == NULL)
    return;
  line = g_strconcat (result->record, "\n", NULL);
  camera_output_add (program->output, line);
}

static void
on_status (const CameraStatus *status, gpointer data)
{
  Program *program = data;

  camera_board_set_status (program->board, status);
}

static void
on_say (const gchar *name, const gchar *sentence, gpointer data)
{
  g_printerr ("%s: %s\n", name, sentence);
}

/* --- the file --- */

static GPtrArray *
read_list (const Program *program, GError **error)
{
  const gchar *path = program->options.paths[0];
  g_autofree gchar *text = camera_list_read (path, error);

  if (text == NULL)
    return NULL;
  return camera_list_parse (text, path, program->options.keyframes, error);
}

static void
describe (const GPtrArray *plans)
{
  for (guint i = 0; i < plans->len; i++) {
    const CameraPlan *plan = g_ptr_array_index (plans, i);
    g_autoptr (GList) names = g_list_sort (
        g_hash_table_get_keys (plan->properties), (GCompareFunc)g_strcmp0);

    printf ("%s: %s, %s decoded%s\n", plan->name, plan->shown_uri,
        plan->keyframes ? "key frames are" : "all is",
        plan->loop ? ", again and again" : "");
    for (const GList *name = names; name != NULL; name = name->next)
      printf ("  %s = %s\n", (const gchar *)name->data,
          (const gchar *)g_hash_table_lookup (plan->properties, name->data));
  }
  printf ("%u %s\n", plans->len, plans->len == 1 ? "camera" : "cameras");
}

/* --- running --- */

static gboolean
on_interrupt (gpointer data)
{
  Program *program = data;

  g_main_loop_quit (program->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_end (gpointer data)
{
  on_interrupt (data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_warm (gpointer data)
{
  Program *program = data;

  camera_board_mark (program->board);
  program->cpu_mark = get_cpu_seconds ();
  return G_SOURCE_REMOVE;
}

static void
summarize (Program *program)
{
  g_autoptr (GArray) views = camera_board_get_views (program->board, TRUE);
  g_autofree gchar *lines =
      camera_summary_write (views, get_cpu_seconds () - program->cpu_mark);

  fputs (lines, stdout);
  fflush (stdout);
}

static void
run (Program *program, const GPtrArray *plans)
{
  const CameraListener listener = { on_result, on_status, on_say, program };
  gboolean all_ended;

  program->loop = g_main_loop_new (NULL, FALSE);
  program->board = camera_board_new ();
  program->fleet = camera_fleet_new (program->options.longest_wait, &listener);
  camera_board_set (program->board, plans);
  camera_fleet_set (program->fleet, plans);
  g_unix_signal_add (SIGINT, on_interrupt, program);
  g_unix_signal_add (SIGTERM, on_interrupt, program);
  if (program->options.seconds > 0)
    g_timeout_add (1000 * (guint)program->options.seconds, on_end, program);
  if (program->options.warm_up > 0)
    g_timeout_add (1000 * (guint)program->options.warm_up, on_warm, program);
  g_main_loop_run (program->loop);

  if (program->options.summary)
    summarize (program);
  all_ended = camera_fleet_free (program->fleet);
  if (program->output != NULL)
    camera_output_free (program->output, LONGEST_FLUSH);
  if (!all_ended)
    _exit (program->status);
  camera_board_free (program->board);
  g_main_loop_unref (program->loop);
}

int
main (int argc, char *argv[])
{
  Program program = { 0 };
  g_autoptr (GPtrArray) plans = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_CTYPE, "");
  signal (SIGPIPE, SIG_IGN);
  if (!camera_options_parse (&program.options, &argc, &argv, &error)) {
    g_printerr ("%s: --help lists the options.\n", error->message);
    return 2;
  }
  gst_init (NULL, NULL);
  plans = read_list (&program, &error);
  if (plans == NULL) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  if (program.options.check) {
    describe (plans);
    return 0;
  }
  if (program.options.json != NULL) {
    program.output = camera_output_new (program.options.json, &error);
    if (program.output == NULL) {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  }
  run (&program, plans);
  camera_options_clear (&program.options);
  return program.status;
}
