/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/gzip.h"

#include <zlib.h>

#define WINDOW_OF_GZIP (15 + 16) /* zlib.h: inflateInit2() */

gboolean
clip_gzip_is_packed (const guint8 *data, gsize size)
{
  return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

/* Returns: what is wrong; NULL where all is well. */
static const gchar *
inflate_all (z_stream *stream, gsize max_size, GString *text)
{
  guint8 chunk[16384];
  gint status = Z_OK;

  while (status == Z_OK) {
    stream->next_out = chunk;
    stream->avail_out = sizeof chunk;
    status = inflate (stream, Z_NO_FLUSH);
    g_string_append_len (
        text, (gchar *)chunk, sizeof chunk - stream->avail_out);
    if (text->len > max_size)
      return "it unpacks to more than such a file may hold";
  }
  if (status == Z_BUF_ERROR)
    return "it is cut off";
  if (status != Z_STREAM_END)
    return stream->msg != NULL ? stream->msg : "zlib gave up";
  return stream->avail_in > 0 ? "something stands behind its end" : NULL;
}

GString *
clip_gzip_unpack (
    const guint8 *data, gsize size, gsize max_size, const gchar **fault)
{
  GString *text = g_string_new (NULL);
  z_stream stream = { .next_in = (guint8 *)data, .avail_in = size };

  if (inflateInit2 (&stream, WINDOW_OF_GZIP) != Z_OK)
    g_error ("zlib cannot be set up");
  *fault = inflate_all (&stream, max_size, text);
  inflateEnd (&stream);
  if (*fault == NULL)
    return text;
  g_string_free (text, TRUE);
  return NULL;
}
