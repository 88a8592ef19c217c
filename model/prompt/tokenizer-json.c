/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/tokenizer-json.h"

#include "clip-error.h"

#include <string.h>

/* The published table has 49408 tokens and 48894 merges of two. */
static const ClipJsonLimits limits = {
  .max_depth = 16,
  .max_string = 4096,
  .max_values = 1 << 18,
};

/* What a setting must be: as JSON, and whether it may be absent or null. */
typedef struct {
  const gchar *key;
  const gchar *value;
  gboolean is_optional;
} Setting;

/* clang-format off */
static const Setting bpe_model[] = {
  { "end_of_word_suffix",        "\"</w>\"" },
  { "continuing_subword_prefix", "\"\"",    TRUE },
  { "byte_fallback",             "false",   TRUE },
  { "ignore_merges",             "false",   TRUE },
  { "dropout",                   "0",       TRUE },
  { NULL }
};

static const Setting wordpiece_model[] = {
  { "continuing_subword_prefix", "\"##\"" },
  { "unk_token",                 "\"[UNK]\"" },
  { "max_input_chars_per_word",  "100",     TRUE },
  { NULL }
};

static const Setting nfc[] = { { "type", "\"NFC\"" }, { NULL } };
static const Setting blanks[] = {
  { "type",    "\"Replace\"" },
  { "pattern", "{\"Regex\": \"\\\\s+\"}" },
  { "content", "\" \"" },
  { NULL }
};
static const Setting lower_case[] = { { "type", "\"Lowercase\"" }, { NULL } };

static const Setting bert_normalizer[] = {
  { "type",                 "\"BertNormalizer\"" },
  { "clean_text",           "true" },
  { "handle_chinese_chars", "true" },
  { "strip_accents",        "true",         TRUE },
  { "lowercase",            "true" },
  { NULL }
};
/* clang-format on */

static const struct {
  const gchar *type;
  const Setting *model;
  const Setting *normalizers[4]; /* one after the other */
} kinds[] = {
  { "BPE", bpe_model, { nfc, blanks, lower_case } },
  { "WordPiece", wordpiece_model, { bert_normalizer } },
};

gboolean
clip_tokenizer_json_is_json (const gchar *text)
{
  return text[strspn (text, " \t\r\n")] == '{';
}

json_t *
clip_tokenizer_json_parse (const gchar *path, const gchar *text, GError **error)
{
  return clip_json_parse (path, text, strlen (text), &limits, error);
}

gboolean
clip_tokenizer_json_is_whole (const json_t *root)
{
  return json_is_object (json_object_get (root, "model"));
}

static gboolean
check_setting (const ClipDocument *document, const gchar *place,
    const json_t *object, const Setting *setting, GError **error)
{
  json_t *found = json_object_get (object, setting->key);
  json_t *wanted = json_loads (setting->value, JSON_DECODE_ANY, NULL);
  gboolean is_none = found == NULL || json_is_null (found);
  gboolean is_zero = json_is_real (found) && json_real_value (found) == 0 &&
                     json_integer_value (wanted) == 0;
  gboolean ok =
      is_none ? setting->is_optional : is_zero || json_equal (found, wanted);

  json_decref (wanted);
  if (!ok) {
    g_autofree gchar *key = g_strdup_printf ("%s.%s", place, setting->key);
    char *value = json_dumps (found, JSON_ENCODE_ANY);

    clip_document_refuse (document, key, error,
        "is %.80s; only tokenizers with %s are supported",
        value != NULL ? value : "missing", setting->value);
    free (value);
  }
  return ok;
}

static gboolean
check_settings (const ClipDocument *document, const gchar *place,
    const json_t *object, const Setting *settings, GError **error)
{
  for (; settings->key != NULL; settings++)
    if (!check_setting (document, place, object, settings, error))
      return FALSE;
  return TRUE;
}

/* One normalizer stands alone, several in a sequence. */
static gboolean
check_normalizer (
    const ClipDocument *document, const Setting *const *wanted, GError **error)
{
  static const gchar key[] = "normalizer";
  json_t *normalizer = clip_document_get (document, key);
  json_t *list = json_object_get (normalizer, "normalizers");
  gsize n_wanted = 0, n_found = list != NULL ? json_array_size (list) : 1;

  while (wanted[n_wanted] != NULL)
    n_wanted++;
  if (normalizer == NULL)
    return clip_document_refuse (document, key, error, "is missing");
  if (n_found != n_wanted)
    return clip_document_refuse (document, key, error,
        "has %" G_GSIZE_FORMAT
        " steps; only tokenizers with the %" G_GSIZE_FORMAT
        " of the original are supported",
        n_found, n_wanted);
  for (gsize i = 0; i < n_wanted; i++)
    if (!check_settings (document, key,
            list != NULL ? json_array_get (list, i) : normalizer, wanted[i],
            error))
      return FALSE;
  return TRUE;
}

static gboolean
add_added (
    const ClipDocument *document, ClipVocabulary *vocabulary, GError **error)
{
  static const gchar key[] = "added_tokens";
  json_t *added = clip_document_get (document, key);
  const json_t *token;
  gsize i;

  json_array_foreach (added, i, token)
  {
    const gchar *content =
        json_string_value (json_object_get (token, "content"));

    if (content == NULL)
      return clip_document_refuse (document, key, error,
          "has no string \"content\" in entry %" G_GSIZE_FORMAT, i);
    if (!clip_vocabulary_add (
            vocabulary, content, json_object_get (token, "id"), error))
      return FALSE;
  }
  return TRUE;
}

gboolean
clip_tokenizer_json_read (const ClipDocument *document, const gchar *type,
    ClipVocabulary *vocabulary, GError **error)
{
  const json_t *model = clip_document_get (document, "model");
  const gchar *found = json_string_value (json_object_get (model, "type"));
  json_t *tokens = json_object_get (model, "vocab");
  gsize kind = 0;

  while (!g_str_equal (kinds[kind].type, type))
    kind++;
  if (found == NULL)
    return clip_document_refuse (document, "model.type", error, "is missing");
  if (!g_str_equal (found, type))
    return clip_document_refuse (document, "model.type", error,
        "is '%.40s'; this model needs '%s'", found, type);
  if (!check_settings (document, "model", model, kinds[kind].model, error) ||
      !check_normalizer (document, kinds[kind].normalizers, error))
    return FALSE;
  if (!json_is_object (tokens))
    return clip_document_refuse (
        document, "model.vocab", error, "is no object of tokens and ids");
  return clip_vocabulary_add_object (vocabulary, tokens, error) &&
         add_added (document, vocabulary, error);
}
