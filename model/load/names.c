/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The canonical names: OpenAI's for the picture side, Chinese-CLIP's for BERT
 * (model-spec 3). */

#include "load/names.h"

#include "load/towers.h"

#define ONE CLIP_EXTENT_ONE
#define THREE CLIP_EXTENT_THREE
#define WIDTH CLIP_EXTENT_WIDTH
#define QKV CLIP_EXTENT_QKV
#define MLP CLIP_EXTENT_MLP
#define EMBED CLIP_EXTENT_EMBED
#define WORDS CLIP_EXTENT_WORDS
#define POSITIONS CLIP_EXTENT_POSITIONS
#define TYPES CLIP_EXTENT_TYPES
#define IN CLIP_EXTENT_IN
#define PLANES CLIP_EXTENT_PLANES
#define OUT CLIP_EXTENT_OUT
#define HALF CLIP_EXTENT_HALF

/* clang-format off */
#define AFFINE(name, slot, out, ...)                                          \
  { name ".weight", SLOT (slot.weight), { out, ##__VA_ARGS__ } },             \
  { name ".bias", SLOT (slot.bias), { out } }

#define CONV(conv_name, bn_name, slot, out, ...)                              \
  { conv_name ".weight", SLOT (slot.conv), { out, __VA_ARGS__ } },            \
  { bn_name ".weight", SLOT (slot.bn.weight), { out } },                      \
  { bn_name ".bias", SLOT (slot.bn.bias), { out } },                          \
  { bn_name ".running_mean", SLOT (slot.bn.running_mean), { out }, TRUE },    \
  { bn_name ".running_var", SLOT (slot.bn.running_var), { out }, TRUE }

#define SLOT(field) G_STRUCT_OFFSET (ClipModifiedResNetTensors, field)

static const ClipTensorName stem_names[] = {
  CONV ("conv1", "bn1", stem[0], HALF, THREE, THREE, THREE),
  CONV ("conv2", "bn2", stem[1], HALF, HALF, THREE, THREE),
  CONV ("conv3", "bn3", stem[2], WIDTH, HALF, THREE, THREE),
  { NULL }
};

static const ClipTensorName pool_names[] = {
  { "positional_embedding", SLOT (positional_embedding), { POSITIONS, WIDTH } },
  AFFINE ("q_proj", q_proj, WIDTH, WIDTH),
  AFFINE ("k_proj", k_proj, WIDTH, WIDTH),
  AFFINE ("v_proj", v_proj, WIDTH, WIDTH),
  AFFINE ("c_proj", c_proj, EMBED, WIDTH),
  { NULL }
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipBottleneckTensors, field)

static const ClipTensorName bottleneck_names[] = {
  CONV ("conv1", "bn1", conv1, PLANES, IN, ONE, ONE),
  CONV ("conv2", "bn2", conv2, PLANES, PLANES, THREE, THREE),
  CONV ("conv3", "bn3", conv3, OUT, PLANES, ONE, ONE),
  { NULL }
};

static const ClipTensorName downsample_names[] = {
  CONV ("downsample.0", "downsample.1", downsample, OUT, IN, ONE, ONE),
  { NULL }
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipBertTensors, field)

static const ClipTensorName bert_names[] = {
  { "word_embeddings.weight", SLOT (word_embeddings), { WORDS, WIDTH } },
  { "position_embeddings.weight", SLOT (position_embeddings),
    { POSITIONS, WIDTH } },
  { "token_type_embeddings.weight", SLOT (token_type_embeddings),
    { TYPES, WIDTH } },
  AFFINE ("LayerNorm", ln, WIDTH),
  { NULL }
};

static const ClipTensorName bert_projection_names[] = {
  { "text_projection", SLOT (text_projection), { WIDTH, EMBED } },
  { NULL }
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipBlockTensors, field)

static const ClipTensorName bert_layer_names[] = {
  AFFINE ("attention.output.LayerNorm", ln_1, WIDTH),
  { "attention.self.query.weight", SLOT (qkv.weight), { QKV, WIDTH }, FALSE,
    { "attention.self.key.weight", "attention.self.value.weight" } },
  { "attention.self.query.bias", SLOT (qkv.bias), { QKV }, FALSE,
    { "attention.self.key.bias", "attention.self.value.bias" } },
  AFFINE ("attention.output.dense", out, WIDTH, WIDTH),
  AFFINE ("output.LayerNorm", ln_2, WIDTH),
  AFFINE ("intermediate.dense", fc, MLP, WIDTH),
  AFFINE ("output.dense", proj, WIDTH, MLP),
  { NULL }
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipTowers, field)

static const ClipTensorName scale_names[] = {
  { "logit_scale", SLOT (logit_scale), { CLIP_EXTENT_NONE } },
  { NULL }
};
/* clang-format on */

/* openai/CLIP model.py: a bottleneck's expansion; the pool's channels and the
 * picture's side as multiples of the width and of the last map. */
#define EXPANSION 4
#define REDUCTION 32

static void
bind_bottlenecks (ClipModifiedResNetTensors *tower,
    const ClipVisionConfig *vision, ClipBinder *binder)
{
  guint in = vision->width;
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (vision->stage_layers); i++)
    tower->n_bottlenecks += vision->stage_layers[i];
  tower->bottlenecks = g_new0 (ClipBottleneckTensors, tower->n_bottlenecks);
  for (guint i = 0; i < G_N_ELEMENTS (vision->stage_layers); i++) {
    const guint planes = vision->width << i;

    clip_binder_set_extent (binder, PLANES, planes);
    clip_binder_set_extent (binder, OUT, EXPANSION * planes);
    for (guint j = 0; j < vision->stage_layers[i]; j++) {
      ClipBottleneckTensors *bottleneck = &tower->bottlenecks[n++];
      g_autofree gchar *prefix =
          g_strdup_printf ("visual.layer%u.%u.", i + 1, j);

      clip_binder_set_extent (binder, IN, in);
      clip_binder_bind (binder, prefix, bottleneck_names, bottleneck);
      /* The first of a stage widens, so its shortcut needs a convolution. */
      if (j == 0)
        clip_binder_bind (binder, prefix, downsample_names, bottleneck);
      in = EXPANSION * planes;
    }
  }
}

static void
bind_modified_resnet (ClipModifiedResNetTensors *tower,
    const ClipVisionConfig *vision, ClipBinder *binder)
{
  const guint64 side = vision->image_size / REDUCTION;

  clip_binder_set_extent (binder, HALF, vision->width / 2);
  clip_binder_set_extent (binder, WIDTH, vision->width);
  clip_binder_bind (binder, "visual.", stem_names, tower);
  bind_bottlenecks (tower, vision, binder);
  clip_binder_set_extent (binder, POSITIONS, side * side + 1);
  clip_binder_set_extent (binder, WIDTH, REDUCTION * vision->width);
  clip_binder_bind (binder, "visual.attnpool.", pool_names, tower);
}

static void
bind_bert (
    ClipBertTensors *tower, const ClipTextConfig *text, ClipBinder *binder)
{
  clip_binder_set_extent (binder, WIDTH, text->width);
  clip_binder_set_extent (binder, QKV, 3 * (guint64)text->width);
  clip_binder_set_extent (binder, MLP, text->mlp_width);
  clip_binder_set_extent (binder, WORDS, text->vocab_size);
  clip_binder_set_extent (binder, POSITIONS, text->n_positions);
  clip_binder_set_extent (binder, TYPES, text->n_token_types);
  clip_binder_bind (binder, "bert.embeddings.", bert_names, tower);
  tower->n_blocks = text->n_layers;
  tower->blocks = g_new0 (ClipBlockTensors, tower->n_blocks);
  for (guint i = 0; i < tower->n_blocks; i++) {
    g_autofree gchar *prefix = g_strdup_printf ("bert.encoder.layer.%u.", i);
    clip_binder_bind (binder, prefix, bert_layer_names, &tower->blocks[i]);
  }
  clip_binder_bind (binder, "", bert_projection_names, tower);
}

void
clip_towers_bind (
    ClipTowers *towers, const ClipConfig *config, ClipBinder *binder)
{
  clip_binder_set_extent (binder, EMBED, config->embed_dim);
  bind_modified_resnet (&towers->modified_resnet, &config->vision, binder);
  bind_bert (&towers->bert, &config->text, binder);
  clip_binder_bind (binder, "", scale_names, towers);
}

void
clip_towers_clear (ClipTowers *towers)
{
  g_clear_pointer (&towers->modified_resnet.bottlenecks, g_free);
  g_clear_pointer (&towers->bert.blocks, g_free);
}
