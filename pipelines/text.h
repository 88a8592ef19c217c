/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Text of any script, in columns of a terminal. */
#pragma once

#include <glib.h>

/* @text: UTF-8; wide characters count twice, combining ones not at all */
guint text_count_columns (const gchar *text);

/* A line break or an escape must not break the line.
 *
 * @text: of any origin, such as the name of a file
 *
 * Returns: (transfer full): with blanks for control characters */
gchar *text_dup_printable (const gchar *text);

/* Exactly @columns wide: cut, with an ellipsis, or filled with blanks.
 *
 * @text: may have control characters
 *
 * Returns: (transfer full) */
gchar *text_fit (const gchar *text, guint columns);
