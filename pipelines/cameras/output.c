/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define MAX_WAITING (16 * 1024 * 1024) /* bytes */
#define FILE_MODE 0666                 /* less the umask */
#define RETRY 1                        /* seconds */
#define POLL 200 /* milliseconds: how soon an end is seen */

struct _CameraOutput {
  gchar *path;
  GThread *thread;

  GMutex lock; /* of all below */
  GCond cond;
  gint fd;
  GString *waiting; /* whole lines */
  guint64 n_dropped;
  gboolean reopen;
  gint64 end; /* monotonic microseconds: write no longer; 0 = goes on */
  gchar *failure;
  gboolean failing; /* since the last that could be written */
  gboolean broken;
};

static gint
open_file (const gchar *path)
{
  return g_open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, FILE_MODE);
}

static gboolean
is_stdout (const CameraOutput *output)
{
  return strcmp (output->path, "-") == 0;
}

/* --- the thread --- */

static gboolean
is_over (CameraOutput *output)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&output->lock);

  return output->broken ||
         (output->end != 0 && g_get_monotonic_time () >= output->end);
}

/* Then waits, until it may be tried again. */
static void
fail (CameraOutput *output, gint code)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&output->lock);
  gint64 again = g_get_monotonic_time () + RETRY * G_USEC_PER_SEC;
  gboolean ending = output->end != 0;

  output->broken = code == EPIPE;
  if (!output->failing) {
    g_free (output->failure);
    output->failure = g_strdup_printf ("Cannot write to '%s': %s.",
        is_stdout (output) ? "standard output" : output->path,
        g_strerror (code));
  }
  output->failing = TRUE;
  while (!output->broken && !output->reopen && ending == (output->end != 0) &&
         g_cond_wait_until (&output->cond, &output->lock,
             ending ? MIN (again, output->end) : again))
    continue;
}

static void
succeed (CameraOutput *output)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&output->lock);

  output->failing = FALSE;
}

static gboolean
take_reopen (CameraOutput *output)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&output->lock);
  gboolean reopens = output->reopen;

  output->reopen = FALSE;
  return reopens;
}

static void
reopen (CameraOutput *output)
{
  gint fd = open_file (output->path);

  if (fd < 0) {
    fail (output, errno);
    return;
  }
  g_close (output->fd, NULL);
  output->fd = fd;
}

/* The disk may be full of the very file that was moved away: no line is begun
 * in one file and ended in another.
 *
 * Returns: where to go on in @lines, from @bytes */
static const gchar *
change_files (CameraOutput *output, const gchar *lines, const gchar *bytes)
{
  const gchar *end;

  reopen (output);
  if (bytes == lines || bytes[-1] == '\n')
    return bytes;
  end = strchr (bytes, '\n');
  return end != NULL ? end + 1 : bytes + strlen (bytes);
}

/* A line that was begun is ended, unless there is nobody to read it. */
static void
write_all (CameraOutput *output, const gchar *lines)
{
  const gchar *bytes = lines;

  while (*bytes != '\0' && !is_over (output)) {
    GPollFD poll = { .fd = output->fd, .events = G_IO_OUT };
    gssize n;

    if (g_poll (&poll, 1, POLL) <= 0)
      continue;
    /* A pipe that can take some may not be able to take all. */
    n = write (output->fd, bytes, strnlen (bytes, PIPE_BUF));
    if (n > 0) {
      bytes += n;
      succeed (output);
    } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
      fail (output, errno);
      if (take_reopen (output))
        bytes = change_files (output, lines, bytes);
    }
  }
}

/* Returns: (transfer full): NULL at the end. */
static GString *
wait_for_lines (CameraOutput *output, gboolean *reopens)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&output->lock);
  GString *lines;

  while (output->waiting->len == 0 && output->end == 0 && !output->reopen)
    g_cond_wait (&output->cond, &output->lock);
  if (output->waiting->len == 0 && !output->reopen)
    return NULL;
  *reopens = output->reopen;
  output->reopen = FALSE;
  lines = output->waiting;
  output->waiting = g_string_new (NULL);
  return lines;
}

static gpointer
write_lines (gpointer data)
{
  CameraOutput *output = data;
  gboolean reopens = FALSE;
  GString *lines;

  while ((lines = wait_for_lines (output, &reopens)) != NULL) {
    if (reopens)
      reopen (output);
    write_all (output, lines->str);
    g_string_free (lines, TRUE);
  }
  return NULL;
}

/* --- what is asked of it --- */

CameraOutput *
camera_output_new (const gchar *path, GError **error)
{
  CameraOutput *output;
  gint fd = strcmp (path, "-") == 0 ? STDOUT_FILENO : open_file (path);

  if (fd < 0) {
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
        "Cannot open '%s' for writing: %s.", path, g_strerror (errno));
    return NULL;
  }
  output = g_new0 (CameraOutput, 1);
  output->path = g_strdup (path);
  output->fd = fd;
  output->waiting = g_string_new (NULL);
  g_mutex_init (&output->lock);
  g_cond_init (&output->cond);
  output->thread = g_thread_new ("output", write_lines, output);
  return output;
}

void
camera_output_free (CameraOutput *output, guint seconds)
{
  g_mutex_lock (&output->lock);
  output->end = MAX (1, g_get_monotonic_time () + seconds * G_USEC_PER_SEC);
  g_cond_signal (&output->cond);
  g_mutex_unlock (&output->lock);
  g_thread_join (output->thread);
  if (!is_stdout (output))
    g_close (output->fd, NULL);
  g_string_free (output->waiting, TRUE);
  g_mutex_clear (&output->lock);
  g_cond_clear (&output->cond);
  g_free (output->failure);
  g_free (output->path);
  g_free (output);
}

void
camera_output_add (CameraOutput *output, const gchar *line)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&output->lock);

  if (output->waiting->len + strlen (line) > MAX_WAITING) {
    output->n_dropped++;
    return;
  }
  g_string_append (output->waiting, line);
  g_cond_signal (&output->cond);
}

guint64
camera_output_get_n_dropped (CameraOutput *output)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&output->lock);

  return output->n_dropped;
}

void
camera_output_reopen (CameraOutput *output)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&output->lock);

  output->reopen = !is_stdout (output);
  g_cond_signal (&output->cond);
}

gchar *
camera_output_take_failure (CameraOutput *output, gboolean *broken)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&output->lock);

  *broken = output->broken;
  return g_steal_pointer (&output->failure);
}
