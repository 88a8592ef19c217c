/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "screen.h"

#include "table.h"

#include "pipelines/text.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define PLAIN_WIDTH 132
#define LEAST_WIDTH 20
#define LONGEST_WAIT 1000 /* milliseconds, for a sentence's place */

struct _CameraScreen {
  FILE *stream; /* NULL: no table */
  guint interval;
  gboolean terminal;
  gboolean colour;
  guint n_lines; /* of the table that is on the terminal */
  guint n_shown; /* times that a table was asked for */
};

CameraScreen *
camera_screen_new (FILE *stream, guint interval)
{
  CameraScreen *screen = g_new0 (CameraScreen, 1);

  screen->stream = stream;
  screen->interval = interval;
  screen->terminal = stream != NULL && isatty (fileno (stream)) &&
                     g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  screen->colour = screen->terminal && g_getenv ("NO_COLOR") == NULL;
  return screen;
}

void
camera_screen_free (CameraScreen *screen)
{
  g_free (screen);
}

/* A terminal that was stopped, or a pipe that nobody reads, would stop the main
 * loop, and cameras, metrics and signals with it. */
static gboolean
has_room (FILE *stream, gint milliseconds)
{
  GPollFD poll = { .fd = fileno (stream), .events = G_IO_OUT };

  return g_poll (&poll, 1, milliseconds) > 0;
}

/* To where the table begins. */
static void
go_back (CameraScreen *screen)
{
  if (screen->n_lines > 0)
    fprintf (screen->stream, "\033[%uA\r", screen->n_lines);
  screen->n_lines = 0;
}

/* Without a line's being wrapped, should the terminal have become narrower. */
static void
redraw (CameraScreen *screen, const gchar *table)
{
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);
  g_autofree gchar *cleared = g_strjoinv ("\033[K\n", lines);

  go_back (screen);
  fprintf (screen->stream, "\033[?7l%s\033[J\033[?7h", cleared);
  screen->n_lines = g_strv_length (lines) - 1;
}

void
camera_screen_show (CameraScreen *screen, const GArray *views, gdouble cpus)
{
  CameraTableLook look = {
    .width = PLAIN_WIDTH, .colour = screen->colour, .cpus = cpus
  };
  g_autofree gchar *table = NULL;
  struct winsize size;

  if (screen->stream == NULL ||
      (!screen->terminal && screen->n_shown++ % screen->interval != 0) ||
      !has_room (screen->stream, 0))
    return;
  if (screen->terminal &&
      ioctl (fileno (screen->stream), TIOCGWINSZ, &size) == 0) {
    look.width = MAX (size.ws_col, LEAST_WIDTH);
    look.height = size.ws_row > 1 ? size.ws_row - 1 : 0;
  }
  table = camera_table_draw (views, &look);
  if (screen->terminal)
    redraw (screen, table);
  else
    fputs (table, screen->stream);
  fflush (screen->stream);
}

void
camera_screen_say (
    CameraScreen *screen, const gchar *name, const gchar *sentence)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree gchar *time = g_date_time_format (now, "%F %T");
  g_autofree gchar *printable = text_dup_printable (sentence);
  FILE *stream = screen->terminal ? screen->stream : stderr;

  if (!has_room (stream, LONGEST_WAIT))
    return;
  if (screen->terminal) {
    go_back (screen);
    fputs ("\033[J", stream);
  }
  fprintf (stream, "%s %s%s%s\n", time, name != NULL ? name : "",
      name != NULL ? ": " : "", printable);
  fflush (stream);
}
