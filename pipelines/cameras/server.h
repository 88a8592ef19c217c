/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The metrics over HTTP, in the main loop. */
#pragma once

#include <gio/gio.h>

typedef struct _CameraServer CameraServer;

/* @address: "PORT", on loopback alone, or "HOST:PORT" ("[::1]:9100" for IPv6);
 *   port 0 is one that is free
 * @write: (transfer full): called for each request, the text to answer with
 *
 * Returns: (transfer full): NULL with G_IO_ERROR: an address that is none, or
 *   in use, or a build without libsoup. */
CameraServer *camera_server_new (const gchar *address,
    gchar *(*write) (gpointer data), gpointer data, GError **error);
void camera_server_free (CameraServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CameraServer, camera_server_free)

/* Where it answers. (transfer none) */
const gchar *camera_server_get_uri (const CameraServer *server);
