/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A process with cameras, to be killed as a camera's power fails. */
#pragma once

#include <glib.h>

typedef struct {
  gchar *uri; /* of its camera */
  gint port;  /* 0 before the first start: the system chooses */
  GPid pid;   /* 0: not running */
} Server;

/* Starts clip-rtsp-server with a camera of small M-JPEG frames, 25 a second,
 * on the port it had before. Returns when the camera can be connected to.
 *
 * @width: of its frames, so that a later start can be told from this one
 * Returns: FALSE when it does not start; it has said why on standard error */
gboolean server_start (Server *server, gint width);

/* By SIGKILL; returns when it is gone. */
void server_kill (Server *server);

/* Kills it and frees what it owns. */
void server_clear (Server *server);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Server, server_clear)
