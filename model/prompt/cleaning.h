/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a byte-pair tokenizer does to a text before it cuts it: repaired,
 * composed (NFC) and in lower case. Blanks are left as they are, since none of
 * them ever reaches a token. */
#pragma once

#include <glib.h>

/* As openai/CLIP's simple_tokenizer.py: ftfy.fix_text(), html.unescape() twice,
 * lower(). Two things are left out of ftfy: its repair of text that was decoded
 * wrongly ("schÃ¶n"), a guess from statistics, and what is escaped more than
 * 64 times over ("&amp;amp;...") is not unescaped to the end.
 *
 * @text: UTF-8
 *
 * Returns: (transfer full) */
gchar *clip_clean_original (const gchar *text);

/* As the normalizer in Hugging Face's tokenizer.json of CLIP: character by
 * character to lower case. */
gchar *clip_clean_hugging_face (const gchar *text);
