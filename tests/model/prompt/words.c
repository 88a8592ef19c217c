/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/words.h"

#include <string.h>

static const ClipWordRules original = { .final_sigma = TRUE,
  .extension_e = 0x2b820 };
static const ClipWordRules hugging_face = { .drops_private_use = TRUE,
  .extension_e = 0x2b920 };

typedef struct {
  const gchar *text;
  const gchar *words;        /* joined by spaces */
  const gchar *hugging_face; /* NULL where the same */
} Case;

/* clang-format off */
/* The answers of an implementation in Python over unicodedata (Unicode 14). */
static const Case cases[] = {
  { "",
      "" },
  { " \011\015\012\343\200\200\342\200\203\342\200\250 ",
      "" },
  { "a b\011c\012d\015e\342\200\250f\342\200\251g\302\240h\341\232\200i",
      "a b c d e f g h i" },
  { "a\302\205b\013c\014d\034e",
      "abcde" },
  { "a\342\200\213b\342\200\215c\357\273\277d\302\255e\342\201\240f",
      "abcdef" },
  { "\357\277\275 a\357\277\275b",
      "ab" },
  { "x\314\201\314\243 \314\201 \314\201y \315\217",
      "x y" },
  { "a\340\244\203b \342\203\235",
      "a\340\244\203b \342\203\235" },
  { "中文abc混合",
      "中 文 abc 混 合" },
  { "漢あ字ア가",
      "漢 あ 字 ア\341\204\200\341\205\241" },
  { "a䷿b㐀c䶿d䷀",
      "a䷿b 㐀 c 䶿 d䷀" },
  { "a一b鿿cꀀd㏿e",
      "a 一 b 鿿 cꀀd㏿e" },
  { "a\360\237\277\276b\360\240\200\200c\360\252\233\237d\360\252\233\240e",
      "a\360\237\277\276b \360\240\200\200 c \360\252\233\237 d\360\252\233\240e" },
  { "a\360\252\233\277b\360\252\234\200c\360\253\234\277d\360\253\235\200e\360\253\240\237f",
      "a\360\252\233\277b \360\252\234\200 c \360\253\234\277 d \360\253\235\200 e \360\253\240\237 f" },
  { "x\360\253\240\240y",
      "x \360\253\240\240 y",
      "x\360\253\240\240y" },
  { "x\360\253\244\237y",
      "x \360\253\244\237 y",
      "x\360\253\244\237y" },
  { "x\360\253\244\240y",
      "x \360\253\244\240 y" },
  { "x\360\254\272\257y\360\254\272\260z",
      "x \360\254\272\257 y\360\254\272\260z" },
  { "a\357\244\200b\357\253\277cﬀ",
      "a 豈 b \357\253\277 cﬀ" },
  { "a\360\257\240\200b\360\257\250\237c\360\257\250\240",
      "a 丽 b \360\257\250\237 c\360\257\250\240" },
  { "彁、。",
      "彁 、 。" },
  { "a.b,c!d?",
      "a . b , c ! d ?" },
  { "“x” — «z» ‹‿",
      "“ x ” — « z » ‹ ‿" },
  { "~`^$|<>+=",
      "~ ` ^ $ | < > + =" },
  { "¥€°±©x",
      "¥€°±©x" },
  { "don't",
      "don ' t" },
  { "‘a’",
      "‘ a ’" },
  { "।x\326\276\330\237y",
      "। x \326\276 \330\237 y" },
  { "ẛ\314\243",
      "ſ" },
  { "한글 がプ",
      "\341\204\222\341\205\241\341\206\253\341\204\200\341\205\263\341\206\257 かフ" },
  { "İıI",
      "iıi" },
  { "ΟΔΟΣ ΣΑΣ.",
      "οδος σας .",
      "οδοσ σασ ." },
  { "Σ\314\201ΑΣ",
      "σας",
      "σασ" },
  { "a\356\200\200b \356\200\200",
      "a\356\200\200b \356\200\200",
      "ab" },
  { "\364\217\277\275a",
      "\364\217\277\275a",
      "a" },
  { "\315\270x",
      "\315\270x" },
  { "\342\204\253\342\204\246\342\204\252",
      "aωk" },
  { "ⅠⒶ",
      "ⅰⓐ" },
  { "ﬁﷺ",
      "ﬁﷺ" },
  { "\315\200a\315\204",
      "a" },
  { "\360\235\205\236",
      "\360\235\205\227\360\235\205\245" },
  { "#\342\203\243 1\357\270\217\342\203\243",
      "# \342\203\243 1\342\203\243" },
};
/* clang-format on */

static void
cuts_as (gconstpointer data)
{
  const ClipWordRules *rules = data;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *c = &cases[i];
    g_autoptr (ClipWords) words =
        clip_words_new (rules, c->text, strlen (c->text));
    g_autoptr (GString) joined = g_string_new (NULL);
    const gchar *word;

    while ((word = clip_words_next (words)) != NULL) {
      g_assert_cmpstr (word, !=, "");
      g_string_append_printf (joined, "%s%s", joined->len > 0 ? " " : "", word);
    }
    g_assert_null (clip_words_next (words));
    g_test_message ("'%s'", c->text);
    if (rules == &hugging_face && c->hugging_face != NULL)
      g_assert_cmpstr (joined->str, ==, c->hugging_face);
    else
      g_assert_cmpstr (joined->str, ==, c->words);
  }
}

/* What stands behind the end is another token's. */
static void
reads_no_further_than_the_end (void)
{
  g_autoptr (ClipWords) words = clip_words_new (&original, "ab字cd", 5);

  g_assert_cmpstr (clip_words_next (words), ==, "ab");
  g_assert_cmpstr (clip_words_next (words), ==, "字");
  g_assert_null (clip_words_next (words));
}

gint
main (gint argc, gchar **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func (
      "/prompt/words/cuts-as-the-original-does", &original, cuts_as);
  g_test_add_data_func (
      "/prompt/words/cuts-as-hugging-face-does", &hugging_face, cuts_as);
  g_test_add_func ("/prompt/words/reads-no-further-than-the-end",
      reads_no_further_than_the_end);
  return g_test_run ();
}
