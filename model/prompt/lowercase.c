/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/lowercase.h"

#define CAPITAL_SIGMA 0x3a3
#define SMALL_SIGMA 0x3c3
#define FINAL_SIGMA 0x3c2
#define CAPITAL_I_DOT 0x130
#define COMBINING_DOT 0x307

typedef struct {
  gunichar first, last;
} Range;

/* Unicode's Cased beyond the letters Lu, Ll, Lt, as far as not ignorable:
 * ordinal indicators, Roman numerals, letters in circles and squares. */
static const Range other_cased[] = {
  { 0xaa, 0xaa },
  { 0xba, 0xba },
  { 0x2160, 0x217f },
  { 0x24b6, 0x24e9 },
  { 0x1f130, 0x1f149 },
  { 0x1f150, 0x1f169 },
  { 0x1f170, 0x1f189 },
};

/* Unicode's Case_Ignorable beyond Mn, Me, Cf, Lm, Sk: what may stand inside a
 * word (Word_Break MidLetter, MidNumLet, Single_Quote). */
static const Range other_ignorable[] = {
  { '\'', '\'' },
  { '.', '.' },
  { ':', ':' },
  { 0xb7, 0xb7 },
  { 0x387, 0x387 },
  { 0x55f, 0x55f },
  { 0x5f4, 0x5f4 },
  { 0x2018, 0x2019 },
  { 0x2024, 0x2024 },
  { 0x2027, 0x2027 },
  { 0xfe13, 0xfe13 },
  { 0xfe52, 0xfe52 },
  { 0xfe55, 0xfe55 },
  { 0xff07, 0xff07 },
  { 0xff0e, 0xff0e },
  { 0xff1a, 0xff1a },
};

/* Capitals that are no letters by category, which GLib leaves as they are:
 * Roman numerals, letters in circles. */
static const struct {
  Range capitals;
  gunichar distance;
} other_capitals[] = {
  { { 0x2160, 0x216f }, 16 },
  { { 0x24b6, 0x24cf }, 26 },
};

static gboolean
is_in (gunichar c, const Range *ranges, gsize n_ranges)
{
  for (gsize i = 0; i < n_ranges; i++)
    if (c >= ranges[i].first && c <= ranges[i].last)
      return TRUE;
  return FALSE;
}

static gboolean
is_cased (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  return type == G_UNICODE_UPPERCASE_LETTER ||
         type == G_UNICODE_LOWERCASE_LETTER ||
         type == G_UNICODE_TITLECASE_LETTER ||
         is_in (c, other_cased, G_N_ELEMENTS (other_cased));
}

static gboolean
is_ignorable (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  return type == G_UNICODE_NON_SPACING_MARK ||
         type == G_UNICODE_ENCLOSING_MARK || type == G_UNICODE_FORMAT ||
         type == G_UNICODE_MODIFIER_LETTER ||
         type == G_UNICODE_MODIFIER_SYMBOL ||
         is_in (c, other_ignorable, G_N_ELEMENTS (other_ignorable));
}

/* Unicode's Final_Sigma: a cased letter before @sigma and none behind it. */
static gboolean
ends_word (const gchar *text, const gchar *sigma)
{
  const gchar *p = sigma;
  gunichar c = 0;

  while (p > text) {
    p = g_utf8_prev_char (p);
    c = g_utf8_get_char (p);
    if (!is_ignorable (c))
      break;
    c = 0;
  }
  if (c == 0 || !is_cased (c))
    return FALSE;
  p = g_utf8_next_char (sigma);
  while (*p != '\0' && is_ignorable (g_utf8_get_char (p)))
    p = g_utf8_next_char (p);
  return *p == '\0' || !is_cased (g_utf8_get_char (p));
}

static gunichar
to_lower (gunichar c)
{
  for (gsize i = 0; i < G_N_ELEMENTS (other_capitals); i++)
    if (is_in (c, &other_capitals[i].capitals, 1))
      return c + other_capitals[i].distance;
  return g_unichar_tolower (c);
}

void
clip_lowercase_append (GString *dst, const gchar *text, gboolean final_sigma)
{
  for (const gchar *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c == CAPITAL_SIGMA) {
      g_string_append_unichar (
          dst, final_sigma && ends_word (text, p) ? FINAL_SIGMA : SMALL_SIGMA);
    } else if (c == CAPITAL_I_DOT) {
      /* Unicode's only character that is longer in lower case. */
      g_string_append_c (dst, 'i');
      g_string_append_unichar (dst, COMBINING_DOT);
    } else {
      g_string_append_unichar (dst, to_lower (c));
    }
  }
}
