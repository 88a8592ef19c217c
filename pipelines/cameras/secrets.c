/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "secrets.h"

/* A password may have any character, so all up to the last @ is one; people
 * also forget slashes. A number behind the colon is a port. */
#define USER "(//?[^\\s:/@?#]*:)(?!\\d+(?:[/?#]|$))\\S*@"

/* What cameras call them in queries and paths. */
#define KEY                                                                    \
  "((?:pass|pwd|psw|token|secret|key|auth|sig)[a-z0-9_-]*=)[^&\\s#'\"]*"

static gchar *
replace (const gchar *text, const gchar *pattern, const gchar *replacement)
{
  g_autoptr (GRegex) regex =
      g_regex_new (pattern, G_REGEX_RAW | G_REGEX_CASELESS, 0, NULL);
  gchar *replaced = g_regex_replace (regex, text, -1, 0, replacement, 0, NULL);

  /* A text beyond what the matcher can do might hold anything. */
  return replaced != NULL ? replaced : g_strdup ("***");
}

gchar *
camera_secrets_hide (const gchar *text)
{
  g_autofree gchar *users = replace (text, USER, "\\1***@");

  return replace (users, KEY, "\\1***");
}
