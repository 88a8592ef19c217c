/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/cleaning.h"

#include "prompt/entities.h"
#include "prompt/lowercase.h"
#include "prompt/windows-1252.h"

#include <string.h>

/* A text escaped as often as this is an attack on whoever reads it: each round
 * goes over all of it. */
#define MAX_ROUNDS 64

#define ESCAPE 0x1b
#define IDEOGRAPHIC_SPACE 0x3000

typedef struct {
  gunichar first, last;
} Range;

/* ftfy: LIGATURES */
static const struct {
  gunichar ligature;
  const gchar *letters;
} ligatures[] = {
  { 0x132, "IJ" },
  { 0x133, "ij" },
  { 0x149, "ʼn" },
  { 0x1c4, "DŽ" },
  { 0x1c5, "Dž" },
  { 0x1c6, "dž" },
  { 0x1c7, "LJ" },
  { 0x1c8, "Lj" },
  { 0x1c9, "lj" },
  { 0x1ca, "NJ" },
  { 0x1cb, "Nj" },
  { 0x1cc, "nj" },
  { 0x1f1, "DZ" },
  { 0x1f2, "Dz" },
  { 0x1f3, "dz" },
  { 0xfb00, "ff" },
  { 0xfb01, "fi" },
  { 0xfb02, "fl" },
  { 0xfb03, "ffi" },
  { 0xfb04, "ffl" },
  { 0xfb05, "ſt" },
  { 0xfb06, "st" },
};

/* ftfy: SINGLE_QUOTE_RE, DOUBLE_QUOTE_RE */
static const struct {
  Range curled;
  gunichar straight;
} quotes[] = {
  { { 0x2bc, 0x2bc }, '\'' },
  { { 0x2018, 0x201b }, '\'' },
  { { 0x201c, 0x201f }, '"' },
};

/* ftfy: WIDTH_MAP, where the half and full widths of others are */
static const Range widths = { 0xff01, 0xffef };

/* ftfy: CONTROL_CHARS */
static const Range dropped[] = {
  { 0x00, 0x08 },
  { 0x0b, 0x0b },
  { 0x0e, 0x1f },
  { 0x7f, 0x7f },
  { 0x206a, 0x206f },
  { 0xfeff, 0xfeff },
  { 0xfff9, 0xfffc },
};

static gboolean
is_in (gunichar c, const Range *range)
{
  return c >= range->first && c <= range->last;
}

static gboolean
is_dropped (gunichar c)
{
  for (gsize i = 0; i < G_N_ELEMENTS (dropped); i++)
    if (is_in (c, &dropped[i]))
      return TRUE;
  return FALSE;
}

static void
append_uncurled (GString *dst, gunichar c)
{
  for (gsize i = 0; i < G_N_ELEMENTS (quotes); i++)
    if (is_in (c, &quotes[i].curled))
      c = quotes[i].straight;
  g_string_append_unichar (dst, c);
}

static void
append_all_uncurled (GString *dst, const gchar *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    append_uncurled (dst, g_utf8_get_char (text));
}

static const gchar *
find_letters (gunichar ligature)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ligatures); i++)
    if (ligatures[i].ligature == ligature)
      return ligatures[i].letters;
  return NULL;
}

/* One character by another: control characters that were Windows-1252's,
 * ligatures, widths, quotes. */
static void
replace_characters (GString *dst, const gchar *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    gunichar c = g_utf8_get_char (text);
    const gchar *letters = find_letters (c);

    if (c >= 0x80 && c <= 0x9f)
      c = clip_windows_1252_decode (c);
    if (letters != NULL) {
      append_all_uncurled (dst, letters);
    } else if (is_in (c, &widths)) {
      g_autofree gchar *narrow = g_utf8_normalize (
          text, g_utf8_next_char (text) - text, G_NORMALIZE_NFKC);
      append_all_uncurled (dst, narrow);
    } else {
      append_uncurled (dst, c == IDEOGRAPHIC_SPACE ? ' ' : c);
    }
  }
}

/* Returns: behind the command to a terminal ("ESC [ 31 m") that begins at the
 * escape @text; @text where none does. */
static const gchar *
skip_command (const gchar *text)
{
  const gchar *p = text + 1;

  if (*p++ != '[')
    return text;
  while (*p == ';' || g_unichar_isdigit (g_utf8_get_char (p)))
    p = g_utf8_next_char (p);
  return g_ascii_isalpha (*p) ? p + 1 : text;
}

/* What ftfy makes of line ends is left out: all of them are blanks. */
static void
remove_controls (GString *dst, const gchar *text)
{
  while (*text != '\0') {
    gunichar c = g_utf8_get_char (text);
    const gchar *end = c == ESCAPE ? skip_command (text) : text;

    if (end == text) {
      end = g_utf8_next_char (text);
      if (!is_dropped (c))
        g_string_append_len (dst, text, end - text);
    }
    text = end;
  }
}

static void
unescape (GString *dst, const gchar *text, ClipReferenceFunc append)
{
  while (*text != '\0') {
    gsize size = strcspn (text, "&");
    const gchar *end;

    g_string_append_len (dst, text, size);
    text += size;
    if (*text == '\0')
      return;
    end = append (dst, text);
    if (end == text)
      g_string_append_c (dst, *end++);
    text = end;
  }
}

/* ftfy.fix_text() of one line, again and again until nothing changes. */
static void
append_fixed (GString *dst, gchar *line, gboolean unescapes)
{
  g_autofree gchar *text = line;
  g_autoptr (GString) read = g_string_new (NULL);
  g_autoptr (GString) replaced = g_string_new (NULL);
  g_autoptr (GString) kept = g_string_new (NULL);
  gboolean changed = TRUE;

  for (guint round = 0; changed && round < MAX_ROUNDS; round++) {
    g_autofree gchar *before = g_steal_pointer (&text);

    g_string_truncate (read, 0);
    if (unescapes)
      unescape (read, before, clip_whole_reference_append);
    g_string_truncate (replaced, 0);
    replace_characters (replaced, unescapes ? read->str : before);
    g_string_truncate (kept, 0);
    remove_controls (kept, replaced->str);
    text = g_utf8_normalize (kept->str, kept->len, G_NORMALIZE_NFC);
    changed = !g_str_equal (text, before);
  }
  g_string_append (dst, text);
}

/* References are read up to the first line with a '<': what follows may be
 * HTML, where they mean themselves. */
static void
fix_text (GString *dst, const gchar *text)
{
  gboolean unescapes = TRUE;

  while (*text != '\0') {
    gsize size = strcspn (text, "\n");

    size += text[size] == '\n';
    unescapes = unescapes && memchr (text, '<', size) == NULL;
    append_fixed (dst, g_strndup (text, size), unescapes);
    text += size;
  }
}

gchar *
clip_clean_original (const gchar *text)
{
  g_autoptr (GString) fixed = g_string_new (NULL);
  g_autoptr (GString) once = g_string_new (NULL);
  g_autoptr (GString) twice = g_string_new (NULL);
  GString *lower = g_string_new (NULL);

  fix_text (fixed, text);
  unescape (once, fixed->str, clip_reference_append);
  unescape (twice, once->str, clip_reference_append);
  clip_lowercase_append (lower, twice->str, TRUE);
  return g_string_free (lower, FALSE);
}

gchar *
clip_clean_hugging_face (const gchar *text)
{
  g_autofree gchar *composed = g_utf8_normalize (text, -1, G_NORMALIZE_NFC);
  GString *lower = g_string_new (NULL);

  clip_lowercase_append (lower, composed, FALSE);
  return g_string_free (lower, FALSE);
}
