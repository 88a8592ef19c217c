/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Lower-casing by Unicode's rules and no language's: a Turkish locale must not
 * change what a model reads. */
#pragma once

#include <glib.h>

/* Appends @text in lower case, as Python's str.lower() does.
 *
 * @text: UTF-8
 * @final_sigma: whether a capital sigma at the end of a word becomes the final
 *   form (str.lower() of the whole text does, character by character not) */
void clip_lowercase_append (
    GString *dst, const gchar *text, gboolean final_sigma);
