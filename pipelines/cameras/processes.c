/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "processes.h"

#include "backoff.h"
#include "lines.h"
#include "list.h"

#include <string.h>

#include <gio/gio.h>

#define TICK 1         /* seconds */
#define LONGEST_END 10 /* seconds, longer than a worker takes for its own */

/* A worker tells something each second. What is silent for so long hangs, or
 * loads a huge model. */
#define LONGEST_SILENCE (120 * G_USEC_PER_SEC)

typedef struct {
  CameraProcesses *all;
  guint index;
  GSubprocess *process; /* NULL: it is to be started */
  CameraBackoff backoff;
  gint64 due;   /* when; monotonic, microseconds */
  gint64 heard; /* its last news */
  CameraLineReader reader;
  GString *unsent; /* for its stdin */
  gboolean sending;
  gboolean reading;   /* its stdout is open */
  gchar *epitaph;     /* how it ended, until that is told; or NULL */
  gdouble cpu_before; /* seconds, of those that ended */
  gdouble cpu_now;
} Worker;

struct _CameraProcesses {
  const CameraOptions *options;
  CameraListener listener;
  void (*gone) (const gchar *name, gpointer data);
  GPtrArray *workers; /* of Worker */
  GPtrArray *names;   /* of all cameras */
  gchar *file;        /* the line that is sent, or NULL */
  guint timer;
  gboolean ending;
};

/* --- what a worker is told --- */

static void send_next (Worker *worker);

static void
on_sent (GObject *stream, GAsyncResult *result, gpointer data)
{
  Worker *worker = data;
  gboolean sent = g_output_stream_write_all_finish (
      G_OUTPUT_STREAM (stream), result, NULL, NULL);

  worker->sending = FALSE;
  if (sent)
    send_next (worker);
}

/* The line is kept until it is written: the stream only borrows it. */
static void
send_next (Worker *worker)
{
  GBytes *bytes;

  if (worker->sending || worker->unsent->len == 0 || worker->process == NULL)
    return;
  bytes = g_bytes_new (worker->unsent->str, worker->unsent->len);
  g_string_truncate (worker->unsent, 0);
  worker->sending = TRUE;
  g_object_set_data_full (
      G_OBJECT (worker->process), "sent", bytes, (GDestroyNotify)g_bytes_unref);
  g_output_stream_write_all_async (
      g_subprocess_get_stdin_pipe (worker->process),
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      G_PRIORITY_DEFAULT, NULL, on_sent, worker);
}

/* Of files that were not sent yet, the newest is enough. */
static void
send_file (Worker *worker)
{
  if (worker->all->file == NULL)
    return;
  g_string_assign (worker->unsent, worker->all->file);
  send_next (worker);
}

/* --- what it tells --- */

static void
on_cpu (gdouble seconds, gpointer data)
{
  ((Worker *)data)->cpu_now = seconds;
}

/* --- its life --- */

/* When it has ended and its last news is read, which may be in either order:
 * what it counted is counted once. */
static void
take_leave (Worker *worker)
{
  CameraProcesses *all = worker->all;

  if (worker->epitaph == NULL || worker->reading || all->ending)
    return;
  for (guint i = 0; i < all->names->len; i++) {
    const gchar *name = g_ptr_array_index (all->names, i);

    if (camera_list_get_share (name, all->workers->len) == worker->index)
      all->gone (name, all->listener.data);
  }
  worker->cpu_before += worker->cpu_now;
  worker->cpu_now = 0;
  camera_lines_clear (&worker->reader);
  all->listener.say (NULL, worker->epitaph, all->listener.data);
  g_clear_pointer (&worker->epitaph, g_free);
}

static void
on_news (GObject *stream, GAsyncResult *result, gpointer data)
{
  Worker *worker = data;
  g_autofree gchar *line = g_data_input_stream_read_line_finish (
      G_DATA_INPUT_STREAM (stream), result, NULL, NULL);

  if (line == NULL) {
    worker->reading = FALSE;
    take_leave (worker);
    return;
  }
  worker->heard = g_get_monotonic_time ();
  camera_lines_read (&worker->reader, line);
  g_data_input_stream_read_line_async (
      G_DATA_INPUT_STREAM (stream), G_PRIORITY_DEFAULT, NULL, on_news, worker);
}

static gchar *
describe_end (GSubprocess *process, guint index, guint wait)
{
  g_autofree gchar *how =
      g_subprocess_get_if_signaled (process)
          ? g_strdup_printf ("was ended by signal %d (%s)",
                g_subprocess_get_term_sig (process),
                g_strsignal (g_subprocess_get_term_sig (process)))
          : g_strdup_printf (
                "ended with status %d", g_subprocess_get_exit_status (process));

  return g_strdup_printf ("Process %u %s: it is started again in %.1f seconds.",
      index + 1, how, wait / 1000.0);
}

/* Returns: milliseconds until it is started again */
static guint
lose (Worker *worker)
{
  gint64 now = g_get_monotonic_time ();
  guint wait = camera_backoff_lose (&worker->backoff, now,
      worker->all->options->longest_wait, g_random_double ());

  worker->due = now + 1000 * (gint64)wait;
  return wait;
}

static void
on_ended (GObject *object, GAsyncResult *result, gpointer data)
{
  Worker *worker = data;
  g_autoptr (GSubprocess) process = g_steal_pointer (&worker->process);

  g_subprocess_wait_finish (process, result, NULL);
  if (worker->all->ending)
    return;
  worker->epitaph = describe_end (process, worker->index, lose (worker));
  take_leave (worker);
}

static GSubprocess *
spawn (const CameraProcesses *all, guint index, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autofree gchar *program = g_file_read_link ("/proc/self/exe", error);
  g_autofree gchar *share = g_strdup_printf ("--worker=%u", index);
  g_autofree gchar *processes =
      g_strdup_printf ("--processes=%u", all->workers->len);
  g_autofree gchar *wait =
      g_strdup_printf ("--longest-wait=%d", all->options->longest_wait);

  if (program == NULL)
    return NULL;
  return g_subprocess_launcher_spawn (launcher, error, program, share,
      processes, wait,
      all->options->keyframes ? "--decode=keyframes" : "--decode=all",
      all->options->paths[0], NULL);
}

static void
start (Worker *worker)
{
  CameraProcesses *all = worker->all;
  g_autoptr (GDataInputStream) input = NULL;
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_monotonic_time ();

  worker->process = spawn (all, worker->index, &error);
  if (worker->process == NULL) {
    all->listener.say (NULL, error->message, all->listener.data);
    lose (worker);
    return;
  }
  worker->heard = now;
  camera_backoff_begin (&worker->backoff, now);
  input =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (worker->process));
  worker->reading = TRUE;
  g_data_input_stream_read_line_async (
      input, G_PRIORITY_DEFAULT, NULL, on_news, worker);
  g_subprocess_wait_async (worker->process, NULL, on_ended, worker);
  send_file (worker);
}

static gboolean
on_tick (gpointer data)
{
  CameraProcesses *all = data;
  gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < all->workers->len; i++) {
    Worker *worker = g_ptr_array_index (all->workers, i);

    if (worker->process == NULL && !worker->reading && !worker->sending &&
        worker->due <= now)
      start (worker);
    else if (worker->process != NULL && now - worker->heard > LONGEST_SILENCE)
      g_subprocess_force_exit (worker->process);
  }
  return G_SOURCE_CONTINUE;
}

/* --- all of them --- */

static void
free_worker (gpointer data)
{
  Worker *worker = data;

  g_string_free (worker->unsent, TRUE);
  camera_lines_clear (&worker->reader);
  g_free (worker->epitaph);
  g_free (worker);
}

CameraProcesses *
camera_processes_new (const CameraOptions *options,
    const CameraListener *listener,
    void (*gone) (const gchar *name, gpointer data))
{
  CameraProcesses *all = g_new0 (CameraProcesses, 1);

  all->options = options;
  all->listener = *listener;
  all->gone = gone;
  all->names = g_ptr_array_new_with_free_func (g_free);
  all->workers = g_ptr_array_new_with_free_func (free_worker);
  for (guint i = 0; i < options->processes; i++) {
    Worker *worker = g_new0 (Worker, 1);

    worker->all = all;
    worker->index = i;
    worker->unsent = g_string_new (NULL);
    worker->reader = (CameraLineReader){
      .listener = &all->listener, .cpu = on_cpu, .data = worker
    };
    g_ptr_array_add (all->workers, worker);
  }
  all->timer = g_timeout_add_seconds (TICK, on_tick, all);
  on_tick (all);
  return all;
}

void
camera_processes_set (
    CameraProcesses *all, const gchar *text, const GPtrArray *plans)
{
  g_ptr_array_set_size (all->names, 0);
  for (guint i = 0; i < plans->len; i++) {
    const CameraPlan *plan = g_ptr_array_index (plans, i);

    g_ptr_array_add (all->names, g_strdup (plan->name));
  }
  g_free (all->file);
  all->file = camera_lines_write_file (text);
  for (guint i = 0; i < all->workers->len; i++)
    send_file (g_ptr_array_index (all->workers, i));
}

gdouble
camera_processes_get_cpu_seconds (const CameraProcesses *all)
{
  gdouble sum = 0;

  for (guint i = 0; i < all->workers->len; i++) {
    const Worker *worker = g_ptr_array_index (all->workers, i);

    sum += worker->cpu_before + worker->cpu_now;
  }
  return sum;
}

static guint
count_busy (const CameraProcesses *all)
{
  guint n = 0;

  for (guint i = 0; i < all->workers->len; i++) {
    const Worker *worker = g_ptr_array_index (all->workers, i);

    n += worker->process != NULL || worker->reading || worker->sending;
  }
  return n;
}

static void
kill_all (CameraProcesses *all)
{
  for (guint i = 0; i < all->workers->len; i++) {
    Worker *worker = g_ptr_array_index (all->workers, i);

    if (worker->process != NULL)
      g_subprocess_force_exit (worker->process);
  }
}

void
camera_processes_free (CameraProcesses *all)
{
  gint64 end = g_get_monotonic_time () + LONGEST_END * G_USEC_PER_SEC;

  all->ending = TRUE;
  g_source_remove (all->timer);
  for (guint i = 0; i < all->workers->len; i++) {
    Worker *worker = g_ptr_array_index (all->workers, i);

    if (worker->process != NULL)
      g_output_stream_close_async (
          g_subprocess_get_stdin_pipe (worker->process), G_PRIORITY_DEFAULT,
          NULL, NULL, NULL);
  }
  /* What is busy for longer keeps its memory. */
  while (count_busy (all) > 0) {
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (G_USEC_PER_SEC / 100);
    if (g_get_monotonic_time () >= end)
      kill_all (all);
    if (g_get_monotonic_time () >= end + LONGEST_END * G_USEC_PER_SEC)
      return;
  }
  g_ptr_array_unref (all->workers);
  g_ptr_array_unref (all->names);
  g_free (all->file);
  g_free (all);
}
