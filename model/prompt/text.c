/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/text.h"

#include "prompt/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>

/* O_NONBLOCK: without it, opening a FIFO waits for somebody to write. */
static gint
open_regular (const gchar *path, guint64 *size, GError **error)
{
  gint fd = g_open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  GStatBuf info;

  if (fd < 0) {
    gboolean absent = errno == ENOENT || errno == ENOTDIR;
    g_set_error (error, CLIP_ERROR,
        absent ? CLIP_ERROR_NOT_FOUND : CLIP_ERROR_OPEN, "cannot open '%s': %s",
        path, g_strerror (errno));
    return -1;
  }
  if (fstat (fd, &info) < 0 || !S_ISREG (info.st_mode)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_OPEN,
        "'%s' is not a regular file: name a text file", path);
    close (fd);
    return -1;
  }
  *size = info.st_size;
  return fd;
}

/* Returns: FALSE with errno set. */
static gboolean
read_all (gint fd, gsize max_size, GString *text)
{
  gchar chunk[16384];
  gssize n = 1;

  while (n > 0 && text->len <= max_size) {
    n = read (fd, chunk, sizeof chunk);
    if (n > 0)
      g_string_append_len (text, chunk, n);
    else if (n < 0 && errno == EINTR)
      n = 1;
  }
  return n >= 0;
}

static gboolean
check (const gchar *path, const GString *text, ClipError broken, GError **error)
{
  const gchar *fault = NULL;
  guint line = 1;

  if (g_utf8_validate_len (text->str, text->len, &fault))
    return TRUE;
  for (const gchar *p = text->str; p < fault; p++)
    line += *p == '\n';
  g_set_error (error, CLIP_ERROR, broken,
      "'%s', line %u: byte 0x%02x is not UTF-8 text: save the file as UTF-8",
      path, line, (guint8)*fault);
  return FALSE;
}

/* Returns: (transfer full): what stands in the file, whatever it is. */
static GString *
read_file (const gchar *path, gsize max_size, ClipError broken, GError **error)
{
  g_autoptr (GString) text = NULL;
  guint64 size;
  gboolean ok;
  gint fd = open_regular (path, &size, error);

  if (fd < 0)
    return NULL;
  text = g_string_sized_new (MIN (size, max_size) + 1);
  ok = size > max_size || read_all (fd, max_size, text);
  if (!ok) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_READ, "cannot read '%s': %s",
        path, g_strerror (errno));
  } else if (size > max_size || text->len > max_size) {
    g_set_error (error, CLIP_ERROR, broken,
        "'%s' has %" G_GUINT64_FORMAT " bytes, more than the %" G_GSIZE_FORMAT
        " that such a file may have",
        path, MAX (size, text->len), max_size);
    ok = FALSE;
  }
  close (fd);
  return ok ? g_steal_pointer (&text) : NULL;
}

/* Returns: (transfer full): @text where it is text. */
static gchar *
finish (const gchar *path, GString *text, ClipError broken, GError **error)
{
  static const gchar byte_order_mark[] = "\xef\xbb\xbf";
  gboolean ok = check (path, text, broken, error);

  if (ok && g_str_has_prefix (text->str, byte_order_mark))
    g_string_erase (text, 0, strlen (byte_order_mark));
  return g_string_free (text, !ok);
}

gchar *
clip_text_read (
    const gchar *path, gsize max_size, ClipError broken, GError **error)
{
  GString *text = read_file (path, max_size, broken, error);

  return text != NULL ? finish (path, text, broken, error) : NULL;
}

gchar *
clip_text_read_packed (
    const gchar *path, gsize max_size, ClipError broken, GError **error)
{
  GString *text = read_file (path, max_size, broken, error);
  const gchar *fault;

  if (text == NULL)
    return NULL;
  if (clip_gzip_is_packed ((guint8 *)text->str, text->len)) {
    g_autoptr (GString) packed = text;

    text =
        clip_gzip_unpack ((guint8 *)packed->str, packed->len, max_size, &fault);
    if (text == NULL) {
      g_set_error (error, CLIP_ERROR, broken,
          "'%s' cannot be unpacked: %s; copy it anew", path, fault);
      return NULL;
    }
  }
  return finish (path, text, broken, error);
}

/* Python's str.isspace(). */
static gboolean
is_space (gunichar c)
{
  return g_unichar_isspace (c) || c == 0x0b || (c >= 0x1c && c <= 0x1f) ||
         c == 0x85;
}

const gchar *
clip_text_strip (const gchar **text, const gchar *end)
{
  while (*text < end && is_space (g_utf8_get_char (*text)))
    *text = g_utf8_next_char (*text);
  while (end > *text && is_space (g_utf8_get_char (g_utf8_prev_char (end))))
    end = g_utf8_prev_char (end);
  return end;
}
