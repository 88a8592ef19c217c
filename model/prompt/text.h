/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Text that comes from outside: whole files of it, proven to be UTF-8. */
#pragma once

#include "clip-error.h"

/* Reads a regular file of UTF-8 text; a byte order mark at its head is left
 * out. Nothing else that a path can lead to (a FIFO, a device) is waited for.
 *
 * @max_size: bytes at most
 * @broken: the code of an error about what stands in the file: too much, not
 *   UTF-8, or a NUL byte (the line is named)
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NOT_FOUND, _OPEN, _READ or
 *   @broken. */
gchar *clip_text_read (
    const gchar *path, gsize max_size, ClipError broken, GError **error);

/* As clip_text_read(), of a file that gzip may have packed: @max_size bounds
 * what it unpacks to as well. */
gchar *clip_text_read_packed (
    const gchar *path, gsize max_size, ClipError broken, GError **error);

/* Leaves out what Python's str.strip() leaves out: blanks of every script.
 *
 * @text: (inout): UTF-8; moved to the first character that is no blank
 * @end: the first byte behind the text
 *
 * Returns: the first byte behind the last character that is no blank. */
const gchar *clip_text_strip (const gchar **text, const gchar *end);
