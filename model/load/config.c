/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/config.h"

#include "clip-error.h"
#include "load/dialect.h"

static const ClipDialect *const dialects[] = {
  &clip_dialect_chinese_clip_original,
};

static const gchar *const activation_names[] = {
  [CLIP_ACTIVATION_NONE] = "none",
  [CLIP_ACTIVATION_RELU] = "relu",
  [CLIP_ACTIVATION_QUICK_GELU] = "quick-gelu",
  [CLIP_ACTIVATION_GELU_ERF] = "gelu",
  [CLIP_ACTIVATION_GELU_TANH] = "gelu-tanh",
};

/* The words of config files. */
static const struct {
  const gchar *word;
  ClipActivation activation;
} activation_words[] = {
  { "quick_gelu", CLIP_ACTIVATION_QUICK_GELU },
  { "gelu", CLIP_ACTIVATION_GELU_ERF },
  { "gelu_new", CLIP_ACTIVATION_GELU_TANH },
  { "gelu_pytorch_tanh", CLIP_ACTIVATION_GELU_TANH },
};

/* What a tokenizer must do, since ours does nothing else. */
static const gchar *const tokenizer_habits[] = {
  "do_lower_case",
  "tokenize_chinese_chars",
  "strip_accents",
};

const gchar *
clip_activation_get_name (ClipActivation activation)
{
  g_return_val_if_fail (activation < G_N_ELEMENTS (activation_names), NULL);

  return activation_names[activation];
}

gboolean
clip_activation_read (const ClipDocument *document, const gchar *key,
    ClipActivation fallback, ClipActivation *activation, GError **error)
{
  const json_t *value = clip_document_get (document, key);
  const gchar *word = json_string_value (value);

  if (value == NULL) {
    *activation = fallback;
    return TRUE;
  }
  if (word == NULL)
    return clip_document_refuse (document, key, error, "is not a string");
  for (guint i = 0; i < G_N_ELEMENTS (activation_words); i++)
    if (g_str_equal (word, activation_words[i].word)) {
      *activation = activation_words[i].activation;
      return TRUE;
    }
  return clip_document_refuse (document, key, error,
      "is '%.40s', an activation that is not supported", word);
}

static const ClipDialect *
find_dialect (const ClipDocument *document, GError **error)
{
  static const gchar key[] = "model_type";
  const gchar *model_type =
      json_string_value (clip_document_get (document, key));

  if (model_type == NULL) {
    clip_document_refuse (document, key, error, "is missing");
    return NULL;
  }
  for (guint i = 0; i < G_N_ELEMENTS (dialects); i++)
    if (g_str_equal (model_type, dialects[i]->model_type))
      return dialects[i];
  clip_document_refuse (document, key, error,
      "is '%.40s'; supported is '%s' (a Chinese-CLIP model under its original "
      "names)",
      model_type, dialects[0]->model_type);
  return NULL;
}

/* tokenizer_config.json may be absent: its defaults are what is supported. */
static gboolean
read_tokenizer (const gchar *folder, ClipTokenizerConfig *tokenizer,
    const ClipDialect *dialect, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, CLIP_TOKENIZER_FILE, NULL);
  g_autoptr (GError) problem = NULL;
  g_autoptr (ClipDocument) document = clip_document_open (path, &problem);

  tokenizer->kind = dialect->tokenizer_kind;
  tokenizer->dialect = dialect->tokenizer_dialect;
  tokenizer->vocab = g_build_filename (folder, CLIP_VOCABULARY_FILE, NULL);
  if (document == NULL) {
    if (g_error_matches (problem, CLIP_ERROR, CLIP_ERROR_NOT_FOUND))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (tokenizer_habits); i++) {
    gboolean habit;

    if (!clip_document_get_boolean (
            document, tokenizer_habits[i], TRUE, &habit, error))
      return FALSE;
    if (!habit)
      return clip_document_refuse (document, tokenizer_habits[i], error,
          "is false; only tokenizers that do so are supported");
  }
  return TRUE;
}

gboolean
clip_config_read (const gchar *folder, ClipConfig *config, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, CLIP_CONFIG_FILE, NULL);
  g_autoptr (ClipDocument) document = clip_document_open (path, error);
  const ClipDialect *dialect;

  if (document == NULL)
    return FALSE;
  dialect = find_dialect (document, error);
  if (dialect == NULL)
    return FALSE;
  config->dialect = dialect->name;
  config->preprocess.crop_rounding = dialect->crop_rounding;
  return dialect->read (document, config, error) &&
         clip_preprocessor_read (folder, config, error) &&
         read_tokenizer (folder, &config->tokenizer, dialect, error);
}

void
clip_config_clear (ClipConfig *config)
{
  g_clear_pointer (&config->tokenizer.vocab, g_free);
  g_clear_pointer (&config->tokenizer.merges, g_free);
}
