/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "server.h"

#include "config.h"

#if HAVE_SOUP

#include <libsoup/soup.h>
#include <string.h>

#define PATH "/metrics"
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct _CameraServer {
  SoupServer *soup;
  gchar *uri;
  gchar *(*write) (gpointer data);
  gpointer data;
};

static void
on_request (SoupServer *soup, SoupServerMessage *message, const char *path,
    GHashTable *query, gpointer data)
{
  CameraServer *server = data;
  const char *method = soup_server_message_get_method (message);
  gchar *text;

  if (strcmp (path, PATH) != 0) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    return;
  }
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
    soup_server_message_set_status (
        message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
    return;
  }
  text = server->write (server->data);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (
      message, CONTENT_TYPE, SOUP_MEMORY_TAKE, text, strlen (text));
}

/* Returns: (transfer full): NULL with an error */
static GSocketAddress *
parse_address (const gchar *address, GError **error)
{
  const gchar *colon = strrchr (address, ':');
  g_autofree gchar *host =
      colon != NULL ? g_strndup (address, colon - address) : NULL;
  guint64 port;

  if (!g_ascii_string_to_unsigned (colon != NULL ? colon + 1 : address, 10, 0,
          G_MAXUINT16, &port, NULL)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "--metrics is PORT or HOST:PORT with a port of 0 to 65535, not '%s'.",
        address);
    return NULL;
  }
  if (host != NULL && g_str_has_prefix (host, "[") &&
      g_str_has_suffix (host, "]")) {
    host[strlen (host) - 1] = '\0';
    memmove (host, host + 1, strlen (host));
  }
  if (host == NULL || *host == '\0' || strcmp (host, "localhost") == 0)
    return g_inet_socket_address_new_from_string ("127.0.0.1", (guint)port);
  if (g_hostname_is_ip_address (host))
    return g_inet_socket_address_new_from_string (host, (guint)port);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "--metrics: '%s' is no address of this machine: give its number, or "
      "0.0.0.0 for all.",
      host);
  return NULL;
}

/* From the socket, which knows the port that was chosen. */
static gchar *
describe_uri (SoupServer *soup)
{
  g_autoptr (GSList) listeners = soup_server_get_listeners (soup);
  g_autoptr (GSocketAddress) address =
      g_socket_get_local_address (listeners->data, NULL);
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (address);
  g_autofree gchar *host =
      g_inet_address_to_string (g_inet_socket_address_get_address (inet));

  return g_uri_join (G_URI_FLAGS_NONE, "http", NULL, host,
      g_inet_socket_address_get_port (inet), PATH, NULL, NULL);
}

CameraServer *
camera_server_new (const gchar *address, gchar *(*write) (gpointer data),
    gpointer data, GError **error)
{
  g_autoptr (GSocketAddress) socket = parse_address (address, error);
  g_autoptr (CameraServer) server = NULL;
  g_autoptr (GError) reason = NULL;

  if (socket == NULL)
    return NULL;
  server = g_new0 (CameraServer, 1);
  server->write = write;
  server->data = data;
  server->soup = soup_server_new ("server-header", "clip-cameras", NULL);
  soup_server_add_handler (server->soup, NULL, on_request, server, NULL);
  if (!soup_server_listen (server->soup, socket, 0, &reason)) {
    g_set_error (error, G_IO_ERROR, reason->code,
        "--metrics %s cannot be served: %s: choose another port or address.",
        address, reason->message);
    return NULL;
  }
  server->uri = describe_uri (server->soup);
  return g_steal_pointer (&server);
}

void
camera_server_free (CameraServer *server)
{
  soup_server_disconnect (server->soup);
  g_object_unref (server->soup);
  g_free (server->uri);
  g_free (server);
}

const gchar *
camera_server_get_uri (const CameraServer *server)
{
  return server->uri;
}

#else

CameraServer *
camera_server_new (const gchar *address, gchar *(*write) (gpointer data),
    gpointer data, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      "--metrics is not in this build: install libsoup-3.0-dev and build "
      "again.");
  return NULL;
}

void
camera_server_free (CameraServer *server)
{
}

const gchar *
camera_server_get_uri (const CameraServer *server)
{
  return NULL;
}

#endif
