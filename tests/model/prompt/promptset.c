/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The set's bookkeeping over an encoder that stands in for the real one: a
 * text's embedding is told by its first word alone. */
#include "prompt/prompt.h"
#include "clip-error.h"

#include <math.h>
#include <string.h>
#include <glib/gstdio.h>

#define CONTEXT 8
#define EMBED_DIM 3

static const gchar vocab[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n"
                             "x\ny\nz\nminus\nword\n";

/* [id, EMBED_DIM], each of length 1. */
static const gfloat directions[][EMBED_DIM] = {
  [1] = { 0.6f, 0, 0.8f },
  [3] = { 0, -1, 0 }, /* no words: the end token comes first */
  [4] = { 1, 0, 0 },
  [5] = { 0, 1, 0 },
  [6] = { 0, 0, 1 },
  [7] = { -1, 0, 0 },
  [8] = { 0.8f, 0.6f, 0 },
};

/* Packed in one piece, and runs over what is laid in two. */
#define N_PIECES 2
#define MOST_LAID 6

static struct {
  gboolean packed;
  gfloat laid[MOST_LAID][EMBED_DIM];
  guint n_laid;
  guint n_pieces; /* of what is laid */
  guint n_calls;  /* texts were laid */
  guint n_texts;
  guint largest_call;
  guint n_runs;   /* of the work */
  guint fails_at; /* the call, from 1; 0 never */
} encoder;

ClipModel *
clip_encoder_get_model (const ClipEncoder *self)
{
  return NULL;
}

const ClipModelInfo *
clip_model_get_info (const ClipModel *model)
{
  static const ClipModelInfo info = { .embed_dim = EMBED_DIM,
    .context_length = CONTEXT };

  return &info;
}

gboolean
clip_encoder_pack_text (ClipEncoder *self, gboolean *done, GError **error)
{
  *done = encoder.packed;
  encoder.packed = TRUE;
  return TRUE;
}

guint
clip_encoder_lay_tokens (
    ClipEncoder *self, guint n, const ClipTokens *tokens, GError **error)
{
  g_assert_true (encoder.packed);
  g_assert_cmpuint (n, >, 0);
  encoder.largest_call = MAX (encoder.largest_call, n);
  n = MIN (n, MOST_LAID);
  if (++encoder.n_calls == encoder.fails_at) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE, "broken");
    return 0;
  }
  encoder.n_texts += n;
  encoder.n_laid = n;
  encoder.n_pieces = 0;
  for (guint i = 0; i < n; i++) {
    g_assert_cmpuint (tokens[i].n_ids, >=, 2);
    g_assert_cmpuint (tokens[i].n_ids, <=, CONTEXT);
    g_assert_cmpuint (tokens[i].ids[0], ==, 2);
    g_assert_cmpuint (tokens[i].ids[tokens[i].n_ids - 1], ==, 3);
    memcpy (
        encoder.laid[i], directions[tokens[i].ids[1]], sizeof directions[0]);
  }
  return n;
}

gboolean
clip_encoder_encode_laid (
    ClipEncoder *self, gfloat *embeddings, gboolean *done, GError **error)
{
  *done = ++encoder.n_pieces == N_PIECES;
  if (*done)
    memcpy (embeddings, encoder.laid, encoder.n_laid * sizeof encoder.laid[0]);
  return TRUE;
}

static ClipTokenizer *
open_tokenizer (void)
{
  g_autofree gchar *path = NULL;
  g_autoptr (GError) error = NULL;
  gint fd = g_file_open_tmp ("clip-vocab-XXXXXX", &path, NULL);
  ClipTokenizerConfig config = { CLIP_TOKENIZER_WORDPIECE,
    CLIP_TOKENIZER_ORIGINAL, path };
  ClipTokenizer *tokenizer;

  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, vocab, -1, NULL));
  tokenizer = clip_tokenizer_new (&config, 9, CONTEXT, &error);
  g_assert_no_error (error);
  g_remove (path);
  return tokenizer;
}

/* All pieces, one after the other. */
static ClipPromptSet *
encode_strings (
    const gchar *const *prompts, const gchar *const *templates, GError **error)
{
  g_autoptr (ClipTokenizer) tokenizer = open_tokenizer ();
  g_autoptr (ClipPromptWork) work =
      clip_prompt_work_new (tokenizer, NULL, prompts, templates, error);
  ClipPromptSet *set = NULL;

  while (work != NULL && set == NULL) {
    encoder.n_runs++;
    if (!clip_prompt_work_run (work, &set, error))
      return NULL;
  }
  return set;
}

/* @prompts, @templates: as clip_prompts_parse() reads them */
static ClipPromptSet *
encode (const gchar *prompts, const gchar *templates, GError **error)
{
  g_auto (GStrv) texts = clip_prompts_parse (prompts, NULL);
  g_auto (GStrv) forms =
      templates != NULL ? clip_templates_parse (templates, NULL) : NULL;
  guint fails_at = encoder.fails_at;

  memset (&encoder, 0, sizeof encoder);
  encoder.fails_at = fails_at;
  return encode_strings (
      (const gchar *const *)texts, (const gchar *const *)forms, error);
}

/* 1e-6: a sum of at most three rows and one division, in float. */
static void
assert_row (const ClipPromptSet *set, guint index, const gfloat *expected)
{
  for (guint j = 0; j < EMBED_DIM; j++)
    g_assert_cmpfloat_with_epsilon (
        set->embeddings[index * EMBED_DIM + j], expected[j], 1e-6);
}

static void
a_row_is_a_prompt (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipPromptSet) set =
      encode (" Z word | X, y|unknown | x ", NULL, &error);
  ClipPromptSet *again;

  g_assert_no_error (error);
  g_assert_cmpuint (set->n_prompts, ==, 4);
  g_assert_cmpuint (set->embed_dim, ==, EMBED_DIM);
  g_assert_cmpuint (g_strv_length (set->texts), ==, 4);
  g_assert_cmpstr (set->texts[0], ==, "Z word");
  g_assert_cmpstr (set->texts[1], ==, "X, y");
  assert_row (set, 0, directions[6]);
  assert_row (set, 1, directions[4]);
  assert_row (set, 2, directions[1]);
  assert_row (set, 3, directions[4]);
  g_assert_cmpuint (set->n_truncated, ==, 0);
  again = clip_prompt_set_ref (set);
  clip_prompt_set_unref (again);
  g_assert_cmpstr (set->texts[3], ==, "x");
}

/* Rows of length 1 are averaged and scaled again: of two, the bisector
 * (model-spec.md 7.1). */
static void
templates_are_averaged (void)
{
  static const gfloat x_and_y[] = { G_SQRT2 / 2, G_SQRT2 / 2, 0 };
  /* (1, 0, 0) twice and (0.8, 0.6, 0): 2.8 : 0.6 */
  const gfloat twice_x[] = { 2.8 / sqrt (8.2), 0.6 / sqrt (8.2), 0 };
  g_autoptr (ClipPromptSet) two = encode ("z | word", "x {} | y {}", NULL);
  g_autoptr (ClipPromptSet) one = encode ("z | word", "y {}", NULL);
  g_autoptr (ClipPromptSet) bare = encode ("z | word", "{}", NULL);
  g_autoptr (ClipPromptSet) none = encode ("z | word", "", NULL);
  g_autoptr (ClipPromptSet) mixed =
      encode ("z | word", "x {} | {} x | x {}", NULL);

  assert_row (two, 0, x_and_y);
  assert_row (two, 1, x_and_y);
  g_assert_cmpstr (two->texts[1], ==, "word");
  assert_row (one, 0, directions[5]);
  assert_row (bare, 1, directions[8]);
  assert_row (none, 1, directions[8]);
  assert_row (mixed, 1, twice_x);
}

static void
templates_that_cancel_out_are_an_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (encode ("z | y", "x {} | minus {}", &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
  g_assert_nonnull (strstr (error->message, "prompt 1, 'z'"));
}

/* Eight ids are [CLS], six words and [SEP]. */
static void
truncated_prompts_are_counted (void)
{
  g_autoptr (ClipPromptSet) set =
      encode ("x x x x x x | y y y y y y y | z | x x x x x x x x", NULL, NULL);
  g_autoptr (ClipPromptSet) longer =
      encode ("z | x x x x x | x x x x x x", "y {} | z {} | {}", NULL);

  g_assert_cmpuint (set->n_truncated, ==, 2);
  g_assert_cmpuint (set->first_truncated, ==, 1);
  assert_row (set, 1, directions[5]);
  g_assert_cmpuint (longer->n_truncated, ==, 1);
  g_assert_cmpuint (longer->first_truncated, ==, 2);
}

static void
many_prompts_go_in_slices (void)
{
  g_autoptr (GString) prompts = g_string_new (NULL);
  g_autoptr (ClipPromptSet) set = NULL;
  g_autoptr (ClipPromptSet) forms = NULL;

  for (guint i = 0; i < CLIP_PROMPTS_MAX; i++)
    g_string_append_printf (prompts, "%s|", i % 3 == 0 ? "x y z" : "y");
  set = encode (prompts->str, NULL, NULL);
  g_assert_cmpuint (encoder.n_texts, ==, 1000);
  g_assert_cmpuint (encoder.largest_call, >, 1);
  /* The first packs, and each run is one piece, for which a frame may wait. */
  g_assert_cmpuint (encoder.n_runs, ==, 1 + N_PIECES * encoder.n_calls);
  g_assert_cmpuint (encoder.largest_call, <=, 16);
  forms = encode (prompts->str, "{} x | {} y z", NULL);
  g_assert_cmpuint (encoder.n_texts, ==, 2000);
  for (guint i = 0; i < CLIP_PROMPTS_MAX; i++) {
    assert_row (set, i, directions[i % 3 == 0 ? 4 : 5]);
    assert_row (forms, i, directions[i % 3 == 0 ? 4 : 5]);
  }
}

static void
giving_up_leaves_nothing_behind (void)
{
  const gchar *prompts[CLIP_PROMPTS_MAX + 1] = { NULL };
  g_autoptr (ClipTokenizer) tokenizer = open_tokenizer ();
  g_autoptr (ClipPromptWork) work = NULL;
  ClipPromptSet *set = NULL;

  for (guint i = 0; i < CLIP_PROMPTS_MAX; i++)
    prompts[i] = "x";
  memset (&encoder, 0, sizeof encoder);
  work = clip_prompt_work_new (tokenizer, NULL, prompts, NULL, NULL);
  g_assert_nonnull (work);
  /* The first packs. */
  for (guint i = 0; i < 10; i++) {
    g_assert_cmpuint (encoder.n_calls, ==, i / N_PIECES);
    g_assert_true (clip_prompt_work_run (work, &set, NULL));
    g_assert_null (set);
  }
  g_assert_true (clip_prompt_work_is_in_slice (work));
}

static void
the_encoders_error_is_handed_up (void)
{
  g_autoptr (GError) error = NULL;

  encoder.packed = TRUE;
  encoder.fails_at = 1;
  g_assert_null (encode ("x", NULL, &error));
  encoder.fails_at = 0;
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
  g_assert_cmpstr (error->message, ==, "broken");
}

static void
assert_refused (const gchar *const *prompts, const gchar *const *templates,
    const gchar *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (encode_strings (prompts, templates, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, part));
}

static void
a_bad_set_is_refused (void)
{
  static const gchar *const none[] = { NULL };
  static const gchar *const bad[] = { "x", "y", "a\xff", NULL };
  static const gchar *const good[] = { "x", NULL };
  static const gchar *const no_place[] = { "{}", "a photo", NULL };
  const gchar *many[CLIP_PROMPTS_MAX + 2] = { NULL };

  for (guint i = 0; i < CLIP_PROMPTS_MAX + 1; i++)
    many[i] = "x";
  assert_refused (none, NULL, "0 prompts");
  assert_refused (many, NULL, "1001 prompts");
  assert_refused (bad, NULL, "prompt 3: byte 1 (0xff)");
  assert_refused (good, no_place, "template 2");
}

gint
main (gint argc, gchar **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prompt/promptset/a-row-is-a-prompt", a_row_is_a_prompt);
  g_test_add_func (
      "/prompt/promptset/templates-are-averaged", templates_are_averaged);
  g_test_add_func ("/prompt/promptset/templates-that-cancel-out-are-an-error",
      templates_that_cancel_out_are_an_error);
  g_test_add_func ("/prompt/promptset/truncated-prompts-are-counted",
      truncated_prompts_are_counted);
  g_test_add_func (
      "/prompt/promptset/many-prompts-go-in-slices", many_prompts_go_in_slices);
  g_test_add_func ("/prompt/promptset/giving-up-leaves-nothing-behind",
      giving_up_leaves_nothing_behind);
  g_test_add_func ("/prompt/promptset/the-encoders-error-is-handed-up",
      the_encoders_error_is_handed_up);
  g_test_add_func (
      "/prompt/promptset/a-bad-set-is-refused", a_bad_set_is_refused);
  return g_test_run ();
}
