/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its line, when it is ready. */
static gboolean
read_uri (Server *server, gint output)
{
  FILE *lines = fdopen (output, "r");
  gchar line[100];
  gboolean done = fgets (line, sizeof line, lines) != NULL;

  fclose (lines);
  if (!done)
    return FALSE;
  g_free (server->uri);
  server->uri = g_strstrip (g_strdup (line));
  server->port = atoi (strrchr (server->uri, ':') + 1);
  return TRUE;
}

gboolean
server_start (Server *server, gint width)
{
  g_autofree gchar *command = g_strdup_printf (
      "%s --port=%d --width=%d --height=96 --rate=25 --frames=25", RTSP_SERVER,
      server->port, width);
  g_auto (GStrv) arguments = g_strsplit (command, " ", -1);
  g_autoptr (GError) error = NULL;
  gint output;

  if (!g_spawn_async_with_pipes (NULL, arguments, NULL,
          G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &server->pid, NULL, &output,
          NULL, &error)) {
    g_printerr ("%s\n", error->message);
    return FALSE;
  }
  if (read_uri (server, output))
    return TRUE;
  server_kill (server);
  return FALSE;
}

void
server_kill (Server *server)
{
  if (server->pid == 0)
    return;
  kill (server->pid, SIGKILL);
  waitpid (server->pid, NULL, 0);
  server->pid = 0;
}

void
server_clear (Server *server)
{
  server_kill (server);
  g_clear_pointer (&server->uri, g_free);
}
