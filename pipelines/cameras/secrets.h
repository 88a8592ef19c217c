/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Passwords in addresses, which nobody is to read in a log. */
#pragma once

#include <glib.h>

/* "//user:password@" becomes "//user:***@", and "pwd=password" "pwd=***". What
 * only looks like a password is hidden, too.
 *
 * @text: an address, or a sentence or line with addresses in it
 *
 * Returns: (transfer full) */
gchar *camera_secrets_hide (const gchar *text);
