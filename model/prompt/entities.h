/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* HTML's character references: "&amp;", "&#39;". */
#pragma once

#include <glib.h>

/* Rows in the order of bytes: the name; '?' where it means something without
 * its semicolon too, else ';'; its characters in hexadecimal, '+' between two;
 * a blank. */
extern const gchar clip_entity_table[];
extern const gsize clip_entity_table_size;

/* Appends what the reference that begins at @text stands for.
 *
 * @text: UTF-8 that begins with '&'
 *
 * Returns: behind the reference; @text where none begins there, and nothing is
 *   appended. */
typedef const gchar *(*ClipReferenceFunc) (GString *dst, const gchar *text);

/* As Python's html.unescape(), which is HTML 5's rule: the semicolon may be
 * missing, "&notit;" is a sign and "it;". */
const gchar *clip_reference_append (GString *dst, const gchar *text);

/* As ftfy: only whole references, at most 24 letters and a semicolon, but also
 * names that somebody wrote in capitals ("&EACUTE;"). */
const gchar *clip_whole_reference_append (GString *dst, const gchar *text);
