/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "worker.h"

#include "cpu.h"
#include "fleet.h"
#include "lines.h"
#include "list.h"
#include "output.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <glib/gstdio.h>

#define TICK 1          /* seconds */
#define LONGEST_FLUSH 2 /* seconds, at the end */

typedef struct {
  const CameraOptions *options;
  GMainLoop *loop;
  GDataInputStream *input;
  CameraOutput *output;
  CameraFleet *fleet;
} Worker;

/* --- news --- */

static void
on_result (const CameraResult *result, gpointer data)
{
  const Worker *worker = data;
  g_autofree gchar *line = camera_lines_write_result (result);

  camera_output_add (worker->output, line);
}

static void
on_status (const CameraStatus *status, gpointer data)
{
  const Worker *worker = data;
  g_autofree gchar *line = camera_lines_write_status (status);

  camera_output_add (worker->output, line);
}

static void
on_say (const gchar *name, const gchar *sentence, gpointer data)
{
  const Worker *worker = data;
  g_autofree gchar *line = camera_lines_write_sentence (name, sentence);

  camera_output_add (worker->output, line);
}

static gboolean
on_tick (gpointer data)
{
  const Worker *worker = data;
  g_autofree gchar *line = camera_lines_write_cpu (camera_cpu_get_seconds ());

  camera_output_add (worker->output, line);
  return G_SOURCE_CONTINUE;
}

/* --- what is asked of it --- */

static GPtrArray *
take_share (const Worker *worker, GPtrArray *plans)
{
  const CameraOptions *options = worker->options;
  GPtrArray *share =
      g_ptr_array_new_with_free_func ((GDestroyNotify)camera_plan_unref);

  for (guint i = 0; i < plans->len; i++) {
    CameraPlan *plan = g_ptr_array_index (plans, i);

    if (camera_list_get_share (plan->name, options->processes) !=
        options->share)
      continue;
    camera_plan_share_cpus (plan, options->processes);
    g_ptr_array_add (share, camera_plan_ref (plan));
  }
  return share;
}

static void
set_file (Worker *worker, const gchar *line)
{
  const CameraOptions *options = worker->options;
  g_autofree gchar *text = camera_lines_read_file (line);
  g_autoptr (GPtrArray) plans = NULL, share = NULL;
  g_autoptr (GError) error = NULL;

  if (text != NULL)
    plans =
        camera_list_parse (text, options->paths[0], options->keyframes, &error);
  if (plans == NULL) {
    on_say (
        NULL, error != NULL ? error->message : "A line is no file.", worker);
    return;
  }
  share = take_share (worker, plans);
  camera_fleet_set (worker->fleet, share);
}

static void
on_line (GObject *input, GAsyncResult *result, gpointer data)
{
  Worker *worker = data;
  g_autofree gchar *line = g_data_input_stream_read_line_finish_utf8 (
      G_DATA_INPUT_STREAM (input), result, NULL, NULL);

  if (line == NULL) {
    g_main_loop_quit (worker->loop);
    return;
  }
  set_file (worker, line);
  g_data_input_stream_read_line_async (
      worker->input, G_PRIORITY_DEFAULT, NULL, on_line, worker);
}

static gboolean
on_terminate (gpointer data)
{
  g_main_loop_quit (((Worker *)data)->loop);
  return G_SOURCE_CONTINUE;
}

/* Ctrl-C in a terminal reaches every process; the first one's stdin tells us
 * when to end, and should it end without a word, the kernel does. */
static void
follow_parent (void)
{
  signal (SIGINT, SIG_IGN);
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

/* Libraries may print; only news go to the parent. */
static CameraOutput *
take_stdout (void)
{
  gint fd = dup (STDOUT_FILENO);
  g_autofree gchar *path = g_strdup_printf ("/dev/fd/%d", fd);
  CameraOutput *output = camera_output_new (path, NULL);

  g_close (fd, NULL);
  dup2 (STDERR_FILENO, STDOUT_FILENO);
  return output;
}

int
camera_worker_run (const CameraOptions *options)
{
  Worker worker = { .options = options };
  const CameraListener listener = { on_result, on_status, on_say, &worker };
  g_autoptr (GInputStream) stdin_stream =
      g_unix_input_stream_new (STDIN_FILENO, FALSE);
  gboolean all_ended;

  follow_parent ();
  worker.output = take_stdout ();
  if (worker.output == NULL)
    return 1;
  worker.loop = g_main_loop_new (NULL, FALSE);
  worker.fleet = camera_fleet_new (options->longest_wait, &listener);
  worker.input = g_data_input_stream_new (stdin_stream);
  g_data_input_stream_read_line_async (
      worker.input, G_PRIORITY_DEFAULT, NULL, on_line, &worker);
  g_unix_signal_add (SIGTERM, on_terminate, &worker);
  g_timeout_add_seconds (TICK, on_tick, &worker);
  g_main_loop_run (worker.loop);

  all_ended = camera_fleet_free (worker.fleet);
  on_tick (&worker);
  camera_output_free (worker.output, LONGEST_FLUSH);
  if (!all_ended)
    _exit (0);
  g_object_unref (worker.input);
  g_main_loop_unref (worker.loop);
  return 0;
}
