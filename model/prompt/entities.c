/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/entities.h"

#include "prompt/windows-1252.h"

#include <string.h>

#define SHORTEST_OPEN_NAME 2 /* of those that need no semicolon */
#define LONGEST_OPEN_NAME 6
#define WHOLE_MAX_LETTERS 24 /* ftfy: HTML_ENTITY_RE */
#define MAX_CODE_POINT 0x10ffff

static const gchar needs_no_semicolon = '?';

/* Returns: the mark behind the name in the table; NULL where it is unknown. */
static const gchar *
find (const gchar *name, gsize size)
{
  const gchar *low = clip_entity_table;
  const gchar *high = low + clip_entity_table_size;

  while (low < high) {
    const gchar *row = low + (high - low) / 2;
    gsize row_size;
    gint order;

    while (row > low && row[-1] != ' ')
      row--;
    row_size = strcspn (row, "?;");
    order = memcmp (name, row, MIN (size, row_size));
    if (order == 0 && size == row_size)
      return row + row_size;
    if (order < 0 || (order == 0 && size < row_size))
      high = row;
    else
      low = strchr (row, ' ') + 1;
  }
  return NULL;
}

/* Returns: the mark behind the longest name that @text begins with and that
 * needs no semicolon; NULL where there is none. */
static const gchar *
find_open (const gchar *text, gsize size, gsize *name_size)
{
  for (gsize n = MIN (size, LONGEST_OPEN_NAME); n >= SHORTEST_OPEN_NAME; n--) {
    const gchar *mark = find (text, n);

    if (mark != NULL && *mark == needs_no_semicolon) {
      *name_size = n;
      return mark;
    }
  }
  return NULL;
}

static void
append_value (GString *dst, const gchar *mark, gunichar (*map) (gunichar c))
{
  gchar *end = (gchar *)mark;

  do {
    gunichar c = g_ascii_strtoull (end + 1, &end, 16);
    g_string_append_unichar (dst, map != NULL ? map (c) : c);
  } while (*end == '+');
}

/* What HTML 5 makes of a number; nothing of control characters and of code
 * points that are no characters. */
static void
append_number (GString *dst, guint64 number)
{
  static const gunichar replacement = 0xfffd;

  if (number == 0 || number > MAX_CODE_POINT ||
      (number >= 0xd800 && number <= 0xdfff))
    g_string_append_unichar (dst, replacement);
  else if (number >= 0x80 && number <= 0x9f)
    g_string_append_unichar (dst, clip_windows_1252_decode (number));
  else if (number >= 0x20
               ? number != 0x7f && (number < 0xfdd0 || number > 0xfdef) &&
                     (number & 0xfffe) != 0xfffe
               : number == '\t' || number == '\n' || number == '\f' ||
                     number == '\r')
    g_string_append_unichar (dst, number);
}

/* "&#123" or "&#x7b"; the value of a longer number than fits is the largest.
 *
 * Returns: behind its digits; NULL where there are none. */
static const gchar *
read_number (const gchar *text, guint64 *number)
{
  gboolean is_hex = text[2] == 'x' || text[2] == 'X';
  const gchar *digits = text + 2 + is_hex;
  gchar *end;

  if (text[1] != '#' ||
      !(is_hex ? g_ascii_isxdigit (*digits) : g_ascii_isdigit (*digits)))
    return NULL;
  *number = g_ascii_strtoull (digits, &end, is_hex ? 16 : 10);
  return end;
}

const gchar *
clip_reference_append (GString *dst, const gchar *text)
{
  const gchar *name = text + 1, *mark, *end;
  gsize size = strcspn (name, "\t\n\f <&#;");
  guint64 number;

  end = text[1] == '#' ? read_number (text, &number) : NULL;
  if (end != NULL) {
    append_number (dst, number);
    return end + (*end == ';');
  }
  mark = name[size] == ';' ? find (name, size) : NULL;
  if (mark != NULL) {
    append_value (dst, mark, NULL);
    return name + size + 1;
  }
  mark = find_open (name, size, &size);
  if (mark == NULL)
    return text;
  append_value (dst, mark, NULL);
  return name + size;
}

static gunichar
to_upper (gunichar c)
{
  return g_unichar_toupper (c);
}

/* ftfy takes "&EACUTE;" for É unless HTML 5 reads something in it. */
static gboolean
append_in_capitals (GString *dst, const gchar *name, gsize size)
{
  static const gchar sharp_s[] = "SZLIG";
  g_autofree gchar *lower = g_ascii_strdown (name, size);
  g_autofree gchar *upper = g_ascii_strup (name, size);
  const gchar *mark = find (lower, size);
  gsize open_size;

  if (mark == NULL || strncmp (name, upper, size) != 0 ||
      find_open (name, size, &open_size) != NULL)
    return FALSE;
  /* The one that is longer in capitals and stays so in lower case. */
  if (g_str_equal (upper, sharp_s))
    g_string_append (dst, "SS");
  else
    append_value (dst, mark, to_upper);
  return TRUE;
}

const gchar *
clip_whole_reference_append (GString *dst, const gchar *text)
{
  gboolean is_number = text[1] == '#';
  const gchar *name = text + 1 + is_number, *mark;
  gsize size = 0;
  guint64 number;

  while (size <= WHOLE_MAX_LETTERS && g_ascii_isalnum (name[size]))
    size++;
  if (size == 0 || size > WHOLE_MAX_LETTERS || name[size] != ';')
    return text;
  if (is_number) {
    /* A reference to ';' is left: ftfy cannot tell it from one cut short. */
    if (read_number (text, &number) != name + size || number == ';')
      return text;
    append_number (dst, number);
  } else if ((mark = find (name, size)) != NULL) {
    append_value (dst, mark, NULL);
  } else if (!append_in_capitals (dst, name, size)) {
    return text;
  }
  return name + size + 1;
}
