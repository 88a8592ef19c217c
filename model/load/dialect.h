/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A dialect is how one publisher writes a model down: the keys of its
 * configuration, the rules that go without saying, the names of its tensors
 * (names.c). The tensors' names and the configuration beside them tell which;
 * the models of two dialects need no configuration. */
#pragma once

#include "load/document.h"
#include "load/inventory.h"

typedef struct _ClipDialect ClipDialect;

struct _ClipDialect {
  const gchar *name;
  const gchar *model_type; /* in config.json, NULL for those without */
  ClipTextKind text;       /* where there is a text side */

  /* Fills embed_dim, vision and text, every number bounded. */
  gboolean (*read) (
      const ClipDocument *document, ClipConfig *config, GError **error);

  /* Changes config->preprocess, which has the dialect's rule, as the
   * configuration says. */
  gboolean (*read_preprocess) (const ClipDialect *dialect,
      const ClipDocument *document, ClipConfig *config, GError **error);

  ClipCropRounding crop_rounding;
  ClipResizeMode resize_mode;
  ClipResizeMode plain_size_mode; /* what a bare number means as "size" */
  ClipTokenizerDialect tokenizer_dialect;
};

extern const ClipDialect clip_dialect_openai;
extern const ClipDialect clip_dialect_open_clip;
extern const ClipDialect clip_dialect_chinese_clip_original;
extern const ClipDialect clip_dialect_hugging_face_clip;
extern const ClipDialect clip_dialect_hugging_face_chinese_clip;

/* The files of a model folder besides its weights and its vocabulary. */
#define CLIP_CONFIG_FILE "config.json"
#define CLIP_OPEN_CLIP_CONFIG_FILE "open_clip_config.json"
#define CLIP_PREPROCESSOR_FILE "preprocessor_config.json"
#define CLIP_TOKENIZER_FILE "tokenizer_config.json"

#define CLIP_MAX_SIDE 4096
#define CLIP_MAX_WIDTH 16384
#define CLIP_MAX_LAYERS 256
#define CLIP_MAX_HEADS 1024
#define CLIP_MAX_WORDS (1 << 20)
#define CLIP_MAX_POSITIONS 65536
#define CLIP_MAX_TYPES 16

/* ModifiedResNet: what the stem, the stages and the strides halve. */
#define CLIP_RESNET_REDUCTION 32

/* Chinese-CLIP's training and its published tokenizer, context_length */
#define CLIP_CHINESE_CONTEXT_LENGTH 52

#define CLIP_EPS 1e-5f /* torch.nn.LayerNorm */
/* OFA-Sys/Chinese-CLIP modeling_bert.py, BertConfig */
#define CLIP_BERT_EPS 1e-12f

/* Reads the configuration files of @folder, proves that they agree, and what
 * they leave open from @inventory.
 *
 * @config: (out caller-allocates): zeroed; for clip_config_clear() also on
 *   failure
 * @path: (out): of the file that describes the architecture, to be freed; NULL
 *   where the tensors alone do
 *
 * Returns: FALSE with CLIP_ERROR_NOT_FOUND, _OPEN, _READ, _FORMAT or _MODEL */
gboolean clip_config_read (const gchar *folder, const ClipInventory *inventory,
    ClipConfig *config, gchar **path, GError **error);
void clip_config_clear (ClipConfig *config);

/* Fills embed_dim, vision and text from the shapes of canonical tensors
 * (model-spec 1.6), every number bounded.
 *
 * Returns: FALSE with CLIP_ERROR_MODEL, the tensor named */
gboolean clip_shapes_read (
    const ClipInventory *inventory, ClipConfig *config, GError **error);

/* Changes config->preprocess as preprocessor_config.json beside @document says,
 * in the old style (plain numbers) or the new; nothing where there is none. */
gboolean clip_preprocessor_read (const ClipDialect *dialect,
    const ClipDocument *document, ClipConfig *config, GError **error);

/* Three numbers of @least to 10, one a channel, which must be there. */
gboolean clip_channels_read (const ClipDocument *document, const gchar *key,
    gdouble least, gfloat channels[3], GError **error);

/* Fills config->tokenizer with the vocabulary that lies in @folder.
 *
 * @has_config: whether tokenizer_config.json, where it is there, belongs to
 *   the model
 *
 * Returns: FALSE with CLIP_ERROR_NOT_FOUND, what was looked for named, or the
 *   errors of a configuration */
gboolean clip_tokenizer_files_locate (const gchar *folder,
    const ClipDialect *dialect, gboolean has_config, ClipConfig *config,
    GError **error);

/* The names of files that can be a vocabulary, NULL-terminated. */
const gchar *const *clip_tokenizer_files_get_names (void);

/* An activation by the word of a config file ("gelu", "quick_gelu" …);
 * @fallback where the key is absent.
 *
 * Returns: FALSE with CLIP_ERROR_MODEL, the word named */
gboolean clip_activation_read (const ClipDocument *document, const gchar *key,
    ClipActivation fallback, ClipActivation *activation, GError **error);

/* The epsilon of a norm; @fallback where the key is absent. */
gboolean clip_eps_read (const ClipDocument *document, const gchar *key,
    gfloat fallback, gfloat *eps, GError **error);

/* Whether @heads divide @width; @heads_key and @width_key for the message. */
gboolean clip_heads_prove (const ClipDocument *document,
    const gchar *const keys[2], guint heads, guint width, GError **error);

/* Pictures are cut into whole patches. */
gboolean clip_patches_prove (const ClipDocument *document,
    const ClipVisionConfig *vision, GError **error);
