/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "text.h"

static guint
get_columns (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

guint
text_count_columns (const gchar *text)
{
  guint n_columns = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    n_columns += get_columns (g_utf8_get_char (text));
  return n_columns;
}

gchar *
text_dup_printable (const gchar *text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);
  GString *printable = g_string_new (NULL);

  for (text = valid; *text != '\0'; text = g_utf8_next_char (text)) {
    gunichar c = g_utf8_get_char (text);

    g_string_append_unichar (printable, g_unichar_iscntrl (c) ? ' ' : c);
  }
  return g_string_free (printable, FALSE);
}

gchar *
text_fit (const gchar *text, guint columns)
{
  g_autofree gchar *printable = text_dup_printable (text);
  gboolean cut = text_count_columns (printable) > columns;
  guint room = cut && columns > 0 ? columns - 1 : columns;
  GString *fitted = g_string_new (NULL);
  guint n = 0;

  for (const gchar *c = printable; *c != '\0'; c = g_utf8_next_char (c)) {
    guint width = get_columns (g_utf8_get_char (c));

    if (n + width > room)
      break;
    g_string_append_unichar (fitted, g_utf8_get_char (c));
    n += width;
  }
  if (cut && columns > 0) {
    g_string_append (fitted, "…");
    n++;
  }
  for (; n < columns; n++)
    g_string_append_c (fitted, ' ');
  return g_string_free (fitted, FALSE);
}
