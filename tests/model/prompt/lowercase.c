/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/lowercase.h"

#include <locale.h>

typedef struct {
  const gchar *text;
  const gchar *final;  /* str.lower() of the whole text */
  const gchar *single; /* of each character alone; NULL where the same */
} Case;

/* The answers of Python 3.11 (Unicode 14). */
/* clang-format off */
static const Case cases[] = {
  { "", "" },
  { "Hello, WORLD 42!", "hello, world 42!" },
  { "ÉCOLE ПРИВЕТ ՀԱՅ", "école привет հայ" },
  { "I İ ı", "i i\314\207 ı" },
  { "Straße ẞ", "straße ß" },
  { "ǄǅǆﬁǱ", "ǆǆǆﬁǳ" },
  { "\342\204\252 \342\204\246 \342\204\253", "k ω å" }, /* Kelvin, ohm, angstrom */
  { "ⒶⓏ ⅠⅫⅯ Ↄ", "ⓐⓩ ⅰⅻⅿ ↄ" },
  { "ᲐᲑ Ꭰ Ა", "აბ ꭰ ა" },
  { "\360\220\220\200", "\360\220\220\250" },         /* Deseret */
  { "字 ß ñ ª 1", "字 ß ñ ª 1" },
  { "ΟΔΥΣΣΕΥΣ", "οδυσσευς", "οδυσσευσ" },
  { "ΟΔΟΣ.", "οδος.", "οδοσ." },
  { "ΟΔΟΣ.Α", "οδοσ.α" },
  { "ΟΔΟΣ ΑΣ", "οδος ας", "οδοσ ασ" },
  { "Σ", "σ" },
  { " Σ", " σ" },
  { "ΣΣ", "σς", "σσ" },
  { "1Σ", "1σ" },
  { "ªΣ", "ªς", "ªσ" },
  { "ⅠΣ", "ⅰς", "ⅰσ" },
  { "ⓐΣ", "ⓐς", "ⓐσ" },
  { "字Σ", "字σ" },
  { "A'Σ", "a'ς", "a'σ" },
  { "A\314\201Σ\314\201", "a\314\201ς\314\201", "a\314\201σ\314\201" },
  { "AΣ\302\255B", "aσ\302\255b" },                   /* soft hyphen */
  { "A-Σ", "a-σ" },
  { "AΣ字", "aς字", "aσ字" },
  { "AΣ1", "aς1", "aσ1" },
};
/* clang-format on */

static void
assert_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GString) final = g_string_new ("kept ");
    g_autoptr (GString) single = g_string_new (NULL);

    clip_lowercase_append (final, cases[i].text, TRUE);
    clip_lowercase_append (single, cases[i].text, FALSE);
    g_assert_true (g_str_has_prefix (final->str, "kept "));
    g_assert_cmpstr (final->str + 5, ==, cases[i].final);
    g_assert_cmpstr (single->str, ==,
        cases[i].single != NULL ? cases[i].single : cases[i].final);
  }
}

static void
follows_unicode (void)
{
  assert_cases ();
}

/* Turkish, Azeri and Lithuanian have rules of their own for i, which GLib's
 * g_utf8_strdown() would follow. */
static void
follows_no_locale (void)
{
  static const gchar *const locales[] = { "tr_TR.UTF-8", "az_AZ.UTF-8",
    "lt_LT.UTF-8" };
  gboolean found = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (locales); i++) {
    if (setlocale (LC_ALL, locales[i]) == NULL)
      continue;
    found = TRUE;
    assert_cases ();
  }
  setlocale (LC_ALL, "C");
  if (!found)
    g_test_skip ("no Turkish, Azeri or Lithuanian locale on this machine");
}

gint
main (gint argc, gchar **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prompt/lowercase/follows-unicode", follows_unicode);
  g_test_add_func ("/prompt/lowercase/follows-no-locale", follows_no_locale);
  return g_test_run ();
}
