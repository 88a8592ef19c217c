/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Texts and the tokens they fall into. */
#pragma once

#include <glib.h>

typedef struct {
  const gchar *text;
  const gchar *tokens;
  const gchar *hugging_face; /* NULL where it is the same */
} BpeCase;

/* What openai/CLIP's tokenizer (without ftfy's repair of wrongly decoded text)
 * and Hugging Face's tokenizer.json make of these texts, over the published
 * merges (model-spec.md section 5.2). Merges that put each of these tokens
 * together symbol by symbol, in the order of this list, make the same of them:
 * texts for which they would not are left out. */
/* clang-format off */
static const BpeCase cases[] = {
  { "",
      "" },
  { "a photo of a cat",
      "a</w> photo</w> of</w> a</w> cat</w>" },
  { "a photo of a dog.",
      "a</w> photo</w> of</w> a</w> dog</w> .</w>" },
  { "A Photo Of A CAT!!!",
      "a</w> photo</w> of</w> a</w> cat</w> !!!</w>" },
  { "itap of a 3d-printed t-rex.",
      "it ap</w> of</w> a</w> 3</w> d</w> -</w> printed</w> t</w> -</w>"
      " rex</w> .</w>" },
  { "  leading and   trailing\tspaces \n",
      "leading</w> and</w> trailing</w> spaces</w>" },
  { "don't they'll we've I'm she'd it's you're",
      "don</w> 't</w> they</w> 'll</w> we</w> 've</w> i</w> 'm</w> she</w>"
      " 'd</w> it</w> 's</w> you</w> 're</w>" },
  { "DON'T IT'S THEY'LL",
      "don</w> 't</w> it</w> 's</w> they</w> 'll</w>" },
  { "'s 't 're 've 'm 'll 'd",
      "'s</w> 't</w> 're</w> 've</w> 'm</w> 'll</w> 'd</w>" },
  { "rock'n'roll 'tis o'clock",
      "rock</w> '</w> n</w> '</w> roll</w> 't</w> is</w> o</w> '</w>"
      " clock</w>" },
  { "''s",
      "''</w> s</w>" },
  { "dogs' bones",
      "dogs</w> '</w> bones</w>" },
  { "1 22 333 4444 3.14159 1,000,000",
      "1</w> 2</w> 2</w> 3</w> 3</w> 3</w> 4</w> 4</w> 4</w> 4</w> 3</w>"
      " .</w> 1</w> 4</w> 1</w> 5</w> 9</w> 1</w> ,</w> 0</w> 0</w> 0</w>"
      " ,</w> 0</w> 0</w> 0</w>" },
  { "2024-11-23 14:37",
      "2</w> 0</w> 2</w> 4</w> -</w> 1</w> 1</w> -</w> 2</w> 3</w> 1</w>"
      " 4</w> :</w> 3</w> 7</w>" },
  { "50% off $9.99",
      "5</w> 0</w> %</w> off</w> $</w> 9</w> .</w> 9</w> 9</w>" },
  { "room 101b",
      "room</w> 1</w> 0</w> 1</w> b</w>" },
  { "½ ⅓ ²³ Ⅳ ① \331\243 五",
      "Â½</w> â ħ ĵ</w> Â²</w> Â ³</w> â ħ ³</w> â ĳ ł</w> Ù £</w> äº Ķ</w>" },
  { "naïve café résumé",
      "na Ã¯ ve</w> cafÃ©</w> rÃ© sum Ã©</w>" },
  { "nai\314\210ve cafe\314\201",
      "na Ã¯ ve</w> cafÃ©</w>" },
  { "ÉCOLE ÇA VA ÑANDÚ",
      "Ã© cole</w> Ã§a</w> va</w> Ã± and Ãº</w>" },
  { "ΟΔΥΣΣΕΥΣ ΟΔΟΣ Σ",
      "Î ¿ Î ´ Ï ħ Ï ĥ Ï ĥ Î µ Ï ħ Ï Ĥ</w> Î ¿ Î ´ Î ¿ Ï Ĥ</w> Ï ĥ</w>",
      "Î ¿ Î ´ Ï ħ Ï ĥ Ï ĥ Î µ Ï ħ Ï ĥ</w> Î ¿ Î ´ Î ¿ Ï ĥ</w> Ï ĥ</w>" },
  { "Привет, мир!",
      "Ð¿ ÑĢ Ð¸Ð ² Ðµ Ñ Ĥ</w> ,</w> Ð¼ Ð¸ Ñ Ģ</w> !</w>" },
  { "ПРИВЕТ МИР",
      "Ð¿ ÑĢ Ð¸Ð ² Ðµ Ñ Ĥ</w> Ð¼ Ð¸ Ñ Ģ</w>" },
  { "\327\251\327\234\327\225\327\235 \327\242\327\225\327\234\327\235",
      "× © × ľ × ķ × Ŀ</w> × ¢ × ķ × ľ × Ŀ</w>" },
  { "\331\205\330\261\330\255\330\250\330\247"
    " \330\250\330\247\331\204\330\271\330\247\331\204\331\205",
      "Ùħ Ø± ØŃ Ø¨ Ø§</w> Ø¨ Ø§ÙĦ Ø¹ Ø§ÙĦ Ùħ</w>" },
  { "\340\244\250\340\244\256\340\244\270\340\245\215\340\244\244\340\245\207"
    " \340\244\246\340\245\201\340\244\250\340\244\277\340\244\257\340\244\276",
      "à¤ ¨ à¤® à¤¸</w> à¥į</w> à¤¤</w> à¥ĩ</w> à¤¦</w> à¥ģ</w> à¤¨</w>"
      " à¤¿</w> à¤¯</w> à¤¾</w>" },
  { "一只猫的照片",
      "ä¸ Ģ åı ª ç Į « ç ļ Ħ ç ħ § ç ī ĩ</w>" },
  { "猫が好きです",
      "ç Į « ãģ Į å¥ ½ ãģį ãģ § ãģ Ļ</w>" },
  { "カタカナ ｶﾀｶﾅ",
      "ãĤ« ãĤ¿ ãĤ« ãĥ Ĭ</w> ãĤ« ãĤ¿ ãĤ« ãĥ Ĭ</w>",
      "ãĤ« ãĤ¿ ãĤ« ãĥ Ĭ</w> ï ½ ¶ ï ¾ Ģ ï ½ ¶ ï ¾ ħ</w>" },
  { "안녕하세요 세계",
      "ìķ Ī ë ħ ķ íķĺ ìĦ ¸ ìļ Ķ</w> ìĦ ¸ ê³ Ħ</w>" },
  { "中文abc混合123",
      "ä¸ Ń æĸ ĩ abc æ · · åĲ Ī</w> 1</w> 2</w> 3</w>" },
  { "😀",
      "ðŁĺĢ</w>" },
  { "😀😃😄",
      "ðŁĺĢ ðŁĺĥ ðŁĺĦ</w>" },
  { "❤\357\270\217 ♥ ☃",
      "âĿ¤ï¸ı</w> âĻ¥</w> âĺ ĥ</w>" },
  { "a😀b",
      "a</w> ðŁĺĢ</w> b</w>" },
  { "C++ & C# <b>bold</b>",
      "c</w> ++</w> &</w> c</w> #</w> <</w> b</w> ></w> bold</w> </</w>"
      " b</w> ></w>" },
  { "a &amp; b",
      "a</w> &</w> b</w>",
      "a</w> &</w> amp</w> ;</w> b</w>" },
  { "a &amp;amp; b",
      "a</w> &</w> b</w>",
      "a</w> &</w> amp</w> ;</w> amp</w> ;</w> b</w>" },
  { "&lt;tag&gt; &quot;q&quot; &#39;x&#39; &#x1F600;",
      "<</w> tag</w> ></w> \"</w> q</w> \"</w> '</w> x</w> '</w> ðŁĺĢ</w>",
      "&</w> lt</w> ;</w> tag</w> &</w> gt</w> ;</w> &</w> quot</w> ;</w>"
      " q</w> &</w> quot</w> ;</w> & #</w> 3</w> 9</w> ;</w> x</w> & #</w>"
      " 3</w> 9</w> ;</w> & #</w> x</w> 1</w> f</w> 6</w> 0</w> 0</w> ;</w>" },
  { "&nbsp;&copy;&eacute;&hellip;",
      "Â©</w> Ã©</w> âĢ¦</w>",
      "&</w> nb sp</w> ; &</w> copy</w> ; &</w> e acute</w> ; &</w> hel"
      " lip</w> ;</w>" },
  { "<i>x &amp; y</i>",
      "<</w> i</w> ></w> x</w> &</w> y</w> </</w> i</w> ></w>",
      "<</w> i</w> ></w> x</w> &</w> amp</w> ;</w> y</w> </</w> i</w> ></w>" },
  { "ＦＵＬＬ\343\200\200ｗｉｄｔｈ\343\200\200\357\274\221\357\274\222\357\274\223",
      "full</w> width</w> 1</w> 2</w> 3</w>",
      "ï ½ Ĩ ï ½ ķ ï ½ Į ï ½ Į</w> ï ½ Ĺ ï ½ ī ï ½ Ħ ï ½ Ķ ï ½ Ī</w> ï ¼"
      " ĳ</w> ï ¼ Ĵ</w> ï ¼ ĵ</w>" },
  { "tab\tnew\nline\r\ncr\rend",
      "tab</w> new</w> line</w> cr</w> end</w>" },
  { "zero\342\200\213width\342\200\215join\357\273\277bom\302\255shy",
      "zero</w> âĢĭ</w> width</w> âĢ į</w> join bom</w> ÂŃ</w> shy</w>",
      "zero</w> âĢĭ</w> width</w> âĢ į</w> join</w> ï » ¿</w> bom</w>"
      " ÂŃ</w> shy</w>" },
  { "nbsp\302\240here\342\200\203em\343\200\200ideo\342\200\250ls\302\205nel",
      "nb sp</w> here</w> em</w> ide o</w> ls</w> âĢ¦</w> nel</w>",
      "nb sp</w> here</w> em</w> ide o</w> ls</w> nel</w>" },
  { "!!! ?\?\? ... ;;; --- ===",
      "!!!</w> ?\?\?</w> ...</w> ; ;;</w> ---</w> == =</w>" },
  { "schÃ¶n",
      "sch Ã £</w> Â ¶</w> n</w>" },
  { "donâ€™t",
      "don Ã ¢</w> âĤ¬ âĦ¢</w> t</w>" },
  { "\314\201combining first",
      "Ì ģ</w> combining</w> first</w>" },
  { "e\314\201\314\243 multi",
      "á º ¹</w> Ì ģ</w> multi</w>" },
  { "Ǆ ǅ ǆ \357\267\272",
      "d Å ¾</w> d Å ¾</w> d Å ¾</w> ï · º</w>",
      "Ç Ĩ</w> Ç Ĩ</w> Ç Ĩ</w> ï · º</w>" },
  { "𝒜𝓁𝑔𝑒𝒷𝓇𝒶 \360\235\237\231\360\235\237\232\360\235\237\233",
      "ðĿĴ ľ ðĿĵ ģ ðĿĳ Ķ ðĿĳ Ĵ ðĿĴ · ðĿĵ ĩ ðĿĴ ¶</w> ðĿ Ł Ļ</w> ðĿ Ł ļ</w>"
      " ðĿ Ł Ľ</w>" },
  { "\364\217\277\277 \356\200\200",
      "ô ı ¿ ¿</w> îĢ Ģ</w>" },
  { "a\314\200\314\201\314\202b",
      "Ãł</w> Ì ģ Ì Ĥ</w> b</w>" },
  { "¡Hola! ¿Qué tal?",
      "Â¡</w> hola</w> !</w> Â¿</w> qu Ã©</w> tal</w> ?</w>" },
  { "Ça coûte 5 €",
      "Ã§a</w> co Ã » te</w> 5</w> âĤ¬</w>" },
  { "100 m² 30 °C",
      "1</w> 0</w> 0</w> m</w> Â²</w> 3</w> 0</w> Â°</w> c</w>" },
  { "x² + y² = z²",
      "x</w> Â²</w> +</w> y</w> Â²</w> =</w> z</w> Â²</w>" },
  { "№ 5 ™ ® ©",
      "âĦ ĸ</w> 5</w> âĦ¢</w> Â®</w> Â©</w>" },
  { "tom & jerry's \"show\"",
      "tom</w> &</w> jerry</w> 's</w> \"</w> show</w> \"</w>" },
  { "a’s cat’s",
      "a</w> 's</w> cat</w> 's</w>",
      "a</w> âĢ Ļ</w> s</w> cat</w> âĢ Ļ</w> s</w>" },
  { "rock\312\274n",
      "rock</w> '</w> n</w>",
      "rock Ê ¼ n</w>" },
};
/* clang-format on */
