/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The bytes 0x80 to 0x9f are control characters in Unicode, but where they
 * occur somebody meant the characters of Windows-1252. */
#pragma once

#include <glib.h>

/* @c: 0x80 to 0x9f
 *
 * Returns: the character; @c where Windows-1252 has none. */
gunichar clip_windows_1252_decode (gunichar c);
