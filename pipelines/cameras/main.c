/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clip-cameras: watches many cameras with one model. */

#include "board.h"
#include "cpu.h"
#include "fleet.h"
#include "list.h"
#include "metrics.h"
#include "options.h"
#include "output.h"
#include "processes.h"
#include "screen.h"
#include "server.h"
#include "summary.h"
#include "watch.h"
#include "worker.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <glib-unix.h>

#define TICK 1          /* seconds */
#define LONGEST_FLUSH 5 /* seconds, at the end */

typedef struct {
  CameraOptions options;
  GMainLoop *loop;
  CameraBoard *board;
  CameraScreen *screen;
  CameraOutput *output; /* NULL: no records are wanted */
  CameraWatch *watch;
  CameraServer *server; /* NULL: no metrics are wanted */
  CameraFleet *fleet;   /* one of these two */
  CameraProcesses *processes;
  gchar *last_fault; /* of the file, so that it is said once; or NULL */
  guint64 n_dropped; /* records, as was said */
  gdouble cpu_mark;  /* seconds */
  gdouble cpu_shown; /* at the last tick */
  gint64 tick;       /* monotonic, microseconds */
  int status;        /* what the program ends with */
} Program;

static void
say (const Program *program, const gchar *name, const gchar *sentence)
{
  camera_screen_say (program->screen, name, sentence);
}

static gdouble
get_cpu_seconds (const Program *program)
{
  gdouble seconds = camera_cpu_get_seconds ();

  if (program->processes != NULL)
    seconds += camera_processes_get_cpu_seconds (program->processes);
  return seconds;
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
  say (data, name, sentence);
}

static void
on_gone (const gchar *name, gpointer data)
{
  Program *program = data;

  camera_board_begin_anew (program->board, name);
}

/* --- the file --- */

static void
watch_files (Program *program, const GPtrArray *plans)
{
  g_autoptr (GPtrArray) files = camera_list_get_files (plans);

  g_ptr_array_add (files, g_strdup (program->options.paths[0]));
  camera_watch_set (program->watch, files);
}

/* Returns: FALSE when the file is not understood; all stays as it was. */
static gboolean
read_file (Program *program, GError **error)
{
  const gchar *path = program->options.paths[0];
  g_autofree gchar *text = camera_list_read (path, error);
  g_autoptr (GPtrArray) plans = NULL;

  if (text != NULL)
    plans = camera_list_parse (text, path, program->options.keyframes, error);
  if (plans == NULL)
    return FALSE;
  camera_board_set (program->board, plans);
  if (program->fleet != NULL)
    camera_fleet_set (program->fleet, plans);
  else
    camera_processes_set (program->processes, text, plans);
  watch_files (program, plans);
  return TRUE;
}

static void
on_changed (gpointer data)
{
  Program *program = data;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *sentence = NULL;

  if (read_file (program, &error)) {
    g_clear_pointer (&program->last_fault, g_free);
    return;
  }
  if (g_strcmp0 (program->last_fault, error->message) == 0)
    return;
  g_free (program->last_fault);
  program->last_fault = g_strdup (error->message);
  sentence =
      g_strdup_printf ("%s The cameras stay as they were.", error->message);
  say (program, NULL, sentence);
}

static int
describe (const CameraOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = camera_list_read (options->paths[0], &error);
  g_autoptr (GPtrArray) plans = NULL;

  if (text != NULL)
    plans =
        camera_list_parse (text, options->paths[0], options->keyframes, &error);
  if (plans == NULL) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  for (guint i = 0; i < plans->len; i++) {
    g_autofree gchar *plan = camera_plan_describe (plans->pdata[i]);

    fputs (plan, stdout);
  }
  printf ("%u %s\n", plans->len, plans->len == 1 ? "camera" : "cameras");
  return 0;
}

/* --- time --- */

static void
check_output (Program *program)
{
  g_autofree gchar *failure = NULL;
  guint64 n_dropped = 0;
  gboolean broken = FALSE;

  if (program->output == NULL)
    return;
  failure = camera_output_take_failure (program->output, &broken);
  if (failure != NULL)
    say (program, NULL, failure);
  if (broken) {
    program->status = 1;
    g_main_loop_quit (program->loop);
  }
  n_dropped = camera_output_get_n_dropped (program->output);
  if (n_dropped > 0 && program->n_dropped == 0)
    say (program, NULL,
        "Results come faster than they can be written: some are dropped.");
  program->n_dropped = n_dropped;
}

static gboolean
on_tick (gpointer data)
{
  Program *program = data;
  g_autoptr (GArray) views = camera_board_get_views (program->board, FALSE);
  gdouble cpu = get_cpu_seconds (program);
  gint64 now = g_get_monotonic_time ();
  gdouble cpus = -1;

  if (program->tick != 0)
    cpus = (cpu - program->cpu_shown) * G_USEC_PER_SEC /
           (gdouble)(now - program->tick);
  program->cpu_shown = cpu;
  program->tick = now;
  camera_screen_show (program->screen, views, cpus);
  check_output (program);
  return G_SOURCE_CONTINUE;
}

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

/* As log rotation and administrators know it. */
static gboolean
on_hangup (gpointer data)
{
  Program *program = data;

  if (program->output != NULL)
    camera_output_reopen (program->output);
  on_changed (program);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_warm (gpointer data)
{
  Program *program = data;

  if (program->fleet != NULL)
    camera_fleet_tell (program->fleet);
  camera_board_mark (program->board);
  program->cpu_mark = get_cpu_seconds (program);
  return G_SOURCE_REMOVE;
}

/* --- running --- */

static void
summarize (Program *program)
{
  g_autoptr (GArray) views = NULL;
  g_autofree gchar *lines = NULL;

  if (program->fleet != NULL)
    camera_fleet_tell (program->fleet);
  views = camera_board_get_views (program->board, TRUE);
  lines = camera_summary_write (
      views, get_cpu_seconds (program) - program->cpu_mark);
  fputs (lines, stdout);
  fflush (stdout);
}

/* stdout may be for machines. */
static FILE *
get_table_stream (const CameraOptions *options)
{
  if (options->quiet)
    return NULL;
  return options->summary || g_strcmp0 (options->json, "-") == 0 ? stderr
                                                                 : stdout;
}

static gchar *
write_metrics (gpointer data)
{
  Program *program = data;
  g_autoptr (GArray) views = camera_board_get_views (program->board, FALSE);
  const CameraTotals totals = {
    .cpu_seconds = get_cpu_seconds (program),
    .n_dropped = program->output != NULL
                     ? camera_output_get_n_dropped (program->output)
                     : 0,
  };

  return camera_metrics_write (views, &totals);
}

static gboolean
serve (Program *program, GError **error)
{
  g_autofree gchar *sentence = NULL;

  if (program->options.metrics == NULL)
    return TRUE;
  program->server = camera_server_new (
      program->options.metrics, write_metrics, program, error);
  if (program->server == NULL)
    return FALSE;
  sentence = g_strdup_printf (
      "Metrics are at %s.", camera_server_get_uri (program->server));
  say (program, NULL, sentence);
  return TRUE;
}

static gboolean
set_up (Program *program, GError **error)
{
  const CameraListener listener = { on_result, on_status, on_say, program };
  const CameraOptions *options = &program->options;

  program->loop = g_main_loop_new (NULL, FALSE);
  program->board = camera_board_new ();
  program->screen =
      camera_screen_new (get_table_stream (options), options->interval);
  program->watch = camera_watch_new (on_changed, program);
  if (options->json != NULL) {
    program->output = camera_output_new (options->json, error);
    if (program->output == NULL)
      return FALSE;
  }
  if (options->processes > 0)
    program->processes = camera_processes_new (options, &listener, on_gone);
  else
    program->fleet = camera_fleet_new (options->longest_wait, &listener);
  return read_file (program, error) && serve (program, error);
}

static void
run (Program *program)
{
  const CameraOptions *options = &program->options;

  g_unix_signal_add (SIGINT, on_interrupt, program);
  g_unix_signal_add (SIGTERM, on_interrupt, program);
  g_unix_signal_add (SIGHUP, on_hangup, program);
  g_timeout_add_seconds (TICK, on_tick, program);
  if (options->seconds > 0)
    g_timeout_add (1000 * (guint)options->seconds, on_end, program);
  if (options->warm_up > 0)
    g_timeout_add (1000 * (guint)options->warm_up, on_warm, program);
  g_main_loop_run (program->loop);
  if (options->summary)
    summarize (program);
}

/* Returns: FALSE when a camera does not end. */
static gboolean
take_down (Program *program)
{
  gboolean all_ended = TRUE;

  g_clear_pointer (&program->server, camera_server_free);
  g_clear_pointer (&program->watch, camera_watch_free);
  g_clear_pointer (&program->processes, camera_processes_free);
  if (program->fleet != NULL)
    all_ended = camera_fleet_free (program->fleet);
  if (program->output != NULL)
    camera_output_free (program->output, LONGEST_FLUSH);
  if (!all_ended)
    return FALSE;
  camera_screen_free (program->screen);
  camera_board_free (program->board);
  g_main_loop_unref (program->loop);
  g_free (program->last_fault);
  camera_options_clear (&program->options);
  return TRUE;
}

/* Where stdout or stderr are closed the next file that is opened would take
 * their place, and the table be written into it. */
static void
fill_descriptors (void)
{
  gint fd;

  do
    fd = open ("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0)
    close (fd);
}

int
main (int argc, char *argv[])
{
  Program program = { 0 };
  g_autoptr (GError) error = NULL;

  fill_descriptors ();
  setlocale (LC_CTYPE, "");
  signal (SIGPIPE, SIG_IGN);
  if (!camera_options_parse (&program.options, &argc, &argv, &error)) {
    g_printerr ("%s: --help lists the options.\n", error->message);
    return 2;
  }
  gst_init (NULL, NULL);
  if (program.options.worker || program.options.check) {
    program.status = program.options.worker
                         ? camera_worker_run (&program.options)
                         : describe (&program.options);
    camera_options_clear (&program.options);
    return program.status;
  }
  if (set_up (&program, &error)) {
    run (&program);
  } else {
    g_printerr ("%s\n", error->message);
    program.status = 1;
  }
  if (!take_down (&program))
    _exit (program.status);
  return program.status;
}
