/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a checkpoint is, as plain facts: architecture, preprocessing, tokenizer.
 * Read from the configuration files, and proven against the tensors' shapes, or
 * from the shapes where there is no configuration. */
#pragma once

#include <glib.h>

/* QuickGELU is x * sigmoid (1.702 x) (openai/CLIP model.py, QuickGELU). */
typedef enum {
  CLIP_ACTIVATION_NONE,
  CLIP_ACTIVATION_RELU,
  CLIP_ACTIVATION_QUICK_GELU,
  CLIP_ACTIVATION_GELU_ERF,
  CLIP_ACTIVATION_GELU_TANH
} ClipActivation;

typedef enum {
  CLIP_VISION_MODIFIED_RESNET,
  CLIP_VISION_TRANSFORMER
} ClipVisionKind;

typedef enum {
  CLIP_TEXT_NONE, /* image side alone */
  CLIP_TEXT_BERT,
  CLIP_TEXT_TRANSFORMER
} ClipTextKind;

typedef struct {
  ClipVisionKind kind;
  guint image_size; /* pixels, both sides */
  guint width;      /* ModifiedResNet: of layer1's planes */
  guint heads;      /* ModifiedResNet: of the attention pool */

  guint stage_layers[4]; /* ModifiedResNet: bottlenecks a stage */

  guint patch_size; /* transformer only, as all that follows */
  guint n_layers;
  guint mlp_width; /* of the widest block */
  ClipActivation activation;
  gfloat eps; /* of LayerNorm; BatchNorm's is 1e-5 everywhere */
} ClipVisionConfig;

typedef struct {
  ClipTextKind kind;
  guint width;
  guint heads;
  guint n_layers;
  guint mlp_width; /* of the widest block */
  guint vocab_size;
  guint context_length; /* ids at most, start and end included */
  guint n_positions;    /* rows of the position table, >= context_length */
  guint n_token_types;  /* BERT only */
  ClipActivation activation;
  gfloat eps; /* of LayerNorm: 1e-12 in BERT, 1e-5 in CLIP */
} ClipTextConfig;

typedef enum {
  CLIP_RESIZE_SHORTEST, /* short side to size, long side truncated, crop */
  CLIP_RESIZE_SQUASH,   /* both sides to size, aspect not kept, no crop */
  CLIP_RESIZE_LONGEST   /* long side to size, padded (open_clip) */
} ClipResizeMode;

typedef enum {
  CLIP_INTERPOLATION_BICUBIC, /* a = -0.5, as Pillow */
  CLIP_INTERPOLATION_BILINEAR
} ClipInterpolation;

/* Where the crop begins when side - size is odd (model-spec: they differ where
 * the difference is 3 modulo 4). */
typedef enum {
  CLIP_CROP_HALF_EVEN, /* torchvision: round half to even */
  CLIP_CROP_FLOOR      /* Hugging Face */
} ClipCropRounding;

typedef struct {
  ClipResizeMode mode;
  ClipInterpolation interpolation;
  ClipCropRounding crop_rounding;
  guint resize_size; /* of the short (long, both) side */
  guint crop_size;   /* the model's picture; equals vision.image_size */
  gfloat mean[3];    /* R, G, B, of values 0 … 1 */
  gfloat std[3];
} ClipPreprocessConfig;

typedef enum {
  CLIP_TOKENIZER_NONE, /* no text tower */
  CLIP_TOKENIZER_WORDPIECE,
  CLIP_TOKENIZER_BPE
} ClipTokenizerKind;

/* Whose cleaning and limits a tokenizer follows (model-spec 5.2.1, 5.3). */
typedef enum {
  CLIP_TOKENIZER_ORIGINAL,    /* openai/CLIP, OFA-Sys/Chinese-CLIP */
  CLIP_TOKENIZER_HUGGING_FACE /* its fast tokenizers */
} ClipTokenizerDialect;

typedef struct {
  ClipTokenizerKind kind;
  ClipTokenizerDialect dialect;
  gchar *vocab;  /* path of vocab.txt, vocab.json, tokenizer.json … or NULL */
  gchar *merges; /* path of merges.txt, or NULL */
  /* Byte pairs: "<|endoftext|>" in a text is the token, as in the originals;
   * FALSE: it is text, since it would end a prompt before its end. */
  gboolean reads_specials;
} ClipTokenizerConfig;

typedef struct {
  /* Whose names and configuration: "openai", "open-clip",
   * "chinese-clip-original", "hugging-face-clip", "hugging-face-chinese-clip"
   */
  const gchar *dialect;
  guint embed_dim;
  ClipVisionConfig vision;
  ClipTextConfig text;
  ClipPreprocessConfig preprocess;
  ClipTokenizerConfig tokenizer;
} ClipConfig;

/* "quick-gelu", "gelu", "gelu-tanh", "relu", "none"; static. */
const gchar *clip_activation_get_name (ClipActivation activation);
