/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A dialect is how one publisher writes a model down: the keys of its
 * configuration, the rules that go without saying, the names of its tensors
 * (names.c). `model_type` in config.json tells which. */
#pragma once

#include "load/config.h"
#include "load/document.h"

typedef struct {
  const gchar *model_type;
  const gchar *name;

  /* Fills embed_dim, vision and text, every number bounded. */
  gboolean (*read) (
      const ClipDocument *document, ClipConfig *config, GError **error);

  ClipCropRounding crop_rounding;
  ClipTokenizerKind tokenizer_kind;
  ClipTokenizerDialect tokenizer_dialect;
} ClipDialect;

extern const ClipDialect clip_dialect_chinese_clip_original;

/* The files of a model folder besides its weights. */
#define CLIP_CONFIG_FILE "config.json"
#define CLIP_PREPROCESSOR_FILE "preprocessor_config.json"
#define CLIP_TOKENIZER_FILE "tokenizer_config.json"
#define CLIP_VOCABULARY_FILE "vocab.txt"

/* Reads the configuration files of @folder and proves that they agree.
 *
 * @config: (out caller-allocates): zeroed; for clip_config_clear() also on
 *   failure
 *
 * Returns: FALSE with CLIP_ERROR_NOT_FOUND, _OPEN, _READ, _FORMAT or _MODEL */
gboolean clip_config_read (
    const gchar *folder, ClipConfig *config, GError **error);
void clip_config_clear (ClipConfig *config);

/* Fills config->preprocess from preprocessor_config.json, in the old style
 * (plain numbers) or the new. config->vision and crop_rounding are set. */
gboolean clip_preprocessor_read (
    const gchar *folder, ClipConfig *config, GError **error);

/* An activation by the word of a config file ("gelu", "quick_gelu" …);
 * @fallback where the key is absent.
 *
 * Returns: FALSE with CLIP_ERROR_MODEL, the word named */
gboolean clip_activation_read (const ClipDocument *document, const gchar *key,
    ClipActivation fallback, ClipActivation *activation, GError **error);
