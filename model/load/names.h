/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The tensors of each tower by the role they play. A dialect is a table of
 * name, slot and shape (names.c); one loop binds it, so a struct handed out
 * has every slot filled with a tensor of the right shape.
 *
 * Letters: W width, M MLP width, E embedding, P patch, T positions, V words,
 * C channels. Everything belongs to the checkpoint. */
#pragma once

#include "load/tensor.h"

/* A norm, or a linear layer as PyTorch has it: weight [out, in], bias [out]. */
typedef struct {
  const ClipTensor *weight;
  const ClipTensor *bias;
} ClipAffineTensors;

/* One transformer block. @qkv stacks query, key and value rows whether the file
 * does or not. In CLIP the norms come before attention and MLP, in BERT after;
 * ln_1 is always the attention's and ln_2 the MLP's. M can differ from block to
 * block: it is the first dimension of fc's weight. */
typedef struct {
  ClipAffineTensors ln_1; /* [W] */
  ClipAffineTensors qkv;  /* [3W, W], [3W] */
  ClipAffineTensors out;  /* [W, W], [W] */
  ClipAffineTensors ln_2; /* [W] */
  ClipAffineTensors fc;   /* [M, W], [M] */
  ClipAffineTensors proj; /* [W, M], [W] */
} ClipBlockTensors;

typedef struct {
  const ClipTensor *weight; /* [C] each */
  const ClipTensor *bias;
  const ClipTensor *running_mean;
  const ClipTensor *running_var;
} ClipBatchNormTensors;

/* A bias-free convolution, OIHW, and the BatchNorm that follows it. */
typedef struct {
  const ClipTensor *conv;
  ClipBatchNormTensors bn;
} ClipConvTensors;

typedef struct {
  ClipConvTensors conv1;      /* [p, in, 1, 1] */
  ClipConvTensors conv2;      /* [p, p, 3, 3] */
  ClipConvTensors conv3;      /* [4p, p, 1, 1] */
  ClipConvTensors downsample; /* [4p, in, 1, 1]; .conv NULL where absent */
} ClipBottleneckTensors;

typedef struct {
  ClipConvTensors stem[3];
  ClipBottleneckTensors *bottlenecks; /* all stages, in order */
  guint n_bottlenecks;
  const ClipTensor *positional_embedding; /* [g*g + 1, 32W], mean token first */
  ClipAffineTensors q_proj;               /* [32W, 32W] */
  ClipAffineTensors k_proj;
  ClipAffineTensors v_proj;
  ClipAffineTensors c_proj; /* [E, 32W] */
} ClipModifiedResNetTensors;

typedef struct {
  const ClipTensor *conv1;                /* [W, 3, P, P] */
  const ClipTensor *class_embedding;      /* [W] */
  const ClipTensor *positional_embedding; /* [T, W], class token first */
  ClipAffineTensors ln_pre;
  ClipBlockTensors *blocks;
  guint n_blocks;
  ClipAffineTensors ln_post;
  const ClipTensor *proj; /* [W, E]: multiplied from the right */
} ClipVisionTransformerTensors;

typedef struct {
  const ClipTensor *token_embedding;      /* [V, W] */
  const ClipTensor *positional_embedding; /* [T, W] */
  ClipBlockTensors *blocks;
  guint n_blocks;
  ClipAffineTensors ln_final;
  const ClipTensor *text_projection; /* [W, E]: multiplied from the right */
} ClipTextTransformerTensors;

typedef struct {
  const ClipTensor *word_embeddings;       /* [V, W] */
  const ClipTensor *position_embeddings;   /* [T, W] */
  const ClipTensor *token_type_embeddings; /* [types, W] */
  ClipAffineTensors ln;                    /* of the embeddings */
  ClipBlockTensors *blocks;
  guint n_blocks;
  const ClipTensor *text_projection; /* [W, E]: multiplied from the right */
} ClipBertTensors;
