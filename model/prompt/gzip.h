/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Gzip files of one member, unpacked in memory, with a bound on what comes
 * out. */
#pragma once

#include <glib.h>

/* By content, not by name. */
gboolean clip_gzip_is_packed (const guint8 *data, gsize size);

/* Returns: (transfer full): the content; NULL with a sentence about the file,
 *   static or zlib's, where it is damaged, cut off, or unpacks to more than
 *   @max_size bytes */
GString *clip_gzip_unpack (
    const guint8 *data, gsize size, gsize max_size, const gchar **fault);
