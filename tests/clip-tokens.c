/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Shows what a model's tokenizer makes of texts. */

#include "load/load.h"
#include "prompt/prompt.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gchar help[] =
    "Usage: clip-tokens MODEL < TEXTS\n"
    "\n"
    "Reads one JSON string a line and prints the JSON array of its token ids\n"
    "a line: start and end token included, cut at the model's context.\n"
    "MODEL is a folder with config.json, weights and vocabulary, or the\n"
    "weights file inside it.\n"
    "\n"
    "A line that is no JSON string, or not UTF-8, prints {\"error\": \"...\"}\n"
    "instead, and the exit status is 1 at the end. The character U+0000 is\n"
    "dropped, as tokenizers do. A model that cannot be opened is one sentence\n"
    "on stderr and status 2.\n";

/* Returns: (transfer full): NULL with a sentence in @error. */
static gchar *
read_text (const gchar *line, gsize line_size, json_error_t *error)
{
  json_t *json =
      json_loadb (line, line_size, JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
  GString *text = g_string_new (NULL);
  gboolean ok = json_is_string (json);

  if (json != NULL && !ok)
    g_strlcpy (error->text, "not a JSON string", sizeof error->text);
  for (gsize i = 0; ok && i < json_string_length (json); i++)
    if (json_string_value (json)[i] != '\0')
      g_string_append_c (text, json_string_value (json)[i]);
  json_decref (json);
  return g_string_free (text, !ok);
}

static json_t *
make_error (const gchar *sentence)
{
  g_autofree gchar *valid = g_utf8_make_valid (sentence, -1);

  return json_pack ("{s:s}", "error", valid);
}

/* Returns: (transfer full): an array of ids, or an object with the error. */
static json_t *
answer (const ClipTokenizer *tokenizer, guint32 *ids, const gchar *line,
    gsize line_size)
{
  json_error_t json_error = { 0 };
  g_autofree gchar *text = read_text (line, line_size, &json_error);
  g_autoptr (GError) error = NULL;
  json_t *array;
  guint n_ids;

  if (text == NULL)
    return make_error (json_error.text);
  if (!clip_tokenizer_encode (tokenizer, text, ids, &n_ids, NULL, &error))
    return make_error (error->message);
  array = json_array ();
  for (guint i = 0; i < n_ids; i++)
    json_array_append_new (array, json_integer (ids[i]));
  return array;
}

/* Returns: whether every line was a text. */
static gboolean
answer_all (const ClipTokenizer *tokenizer, guint context_length)
{
  g_autofree guint32 *ids = g_new (guint32, context_length);
  gboolean ok = TRUE;
  char *line = NULL;
  size_t capacity = 0;
  ssize_t size;

  while ((size = getline (&line, &capacity, stdin)) > 0) {
    json_t *json = answer (tokenizer, ids, line, size);

    ok = ok && json_is_array (json);
    json_dumpf (json, stdout, 0);
    putchar ('\n');
    fflush (stdout);
    json_decref (json);
  }
  free (line);
  return ok;
}

static ClipTokenizer *
open_tokenizer (const ClipCheckpoint *checkpoint, GError **error)
{
  const ClipConfig *config = clip_checkpoint_get_config (checkpoint);

  return clip_tokenizer_new (&config->tokenizer, config->text.vocab_size,
      config->text.context_length, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  g_autoptr (ClipTokenizer) tokenizer = NULL;
  gboolean ok;

  if (argc != 2 || strcmp (argv[1], "--help") == 0) {
    fputs (help, argc == 2 ? stdout : stderr);
    return argc == 2 ? 0 : 2;
  }
  checkpoint = clip_checkpoint_open (argv[1], &error);
  if (checkpoint != NULL)
    tokenizer = open_tokenizer (checkpoint, &error);
  if (tokenizer == NULL) {
    fprintf (stderr, "clip-tokens: %s\n", error->message);
    return 2;
  }
  ok = answer_all (
      tokenizer, clip_checkpoint_get_config (checkpoint)->text.context_length);
  return ok ? 0 : 1;
}
