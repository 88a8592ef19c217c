/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The canonical names, OpenAI's and for BERT Chinese-CLIP's, and those of
 * Hugging Face (model-spec 3). */

#include "load/names.h"

#include "load/dialect.h"
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
#define PATCH CLIP_EXTENT_PATCH

/* clang-format off */
#define BOTH(name) { { { name } }, { { name } } }
#define SPELT(name, hf_name) { { { name } }, { { hf_name } } }
#define TURNED(name, hf_name) { { { name } }, { { hf_name }, TRUE } }
#define STACKED(name, q, k, v) { { { name } }, { { q, k, v } } }
#define STACKED_BOTH(q, k, v) { { { q, k, v } }, { { q, k, v } } }
#define END { { { { NULL } } } }

#define AFFINE(name, hf_name, slot, out, ...)                                 \
  { SPELT (name ".weight", hf_name ".weight"), SLOT (slot.weight),            \
    { out, ##__VA_ARGS__ } },                                                 \
  { SPELT (name ".bias", hf_name ".bias"), SLOT (slot.bias), { out } }

#define CONV(conv_name, bn_name, slot, out, ...)                              \
  { BOTH (conv_name ".weight"), SLOT (slot.conv), { out, __VA_ARGS__ } },     \
  { BOTH (bn_name ".weight"), SLOT (slot.bn.weight), { out } },               \
  { BOTH (bn_name ".bias"), SLOT (slot.bn.bias), { out } },                   \
  { BOTH (bn_name ".running_mean"), SLOT (slot.bn.running_mean), { out },     \
    TRUE },                                                                   \
  { BOTH (bn_name ".running_var"), SLOT (slot.bn.running_var), { out }, TRUE }

#define SLOT(field) G_STRUCT_OFFSET (ClipModifiedResNetTensors, field)

static const ClipTensorName stem_names[] = {
  CONV ("conv1", "bn1", stem[0], HALF, THREE, THREE, THREE),
  CONV ("conv2", "bn2", stem[1], HALF, HALF, THREE, THREE),
  CONV ("conv3", "bn3", stem[2], WIDTH, HALF, THREE, THREE),
  END
};

static const ClipTensorName pool_names[] = {
  { BOTH ("positional_embedding"), SLOT (positional_embedding),
    { POSITIONS, WIDTH } },
  AFFINE ("q_proj", "q_proj", q_proj, WIDTH, WIDTH),
  AFFINE ("k_proj", "k_proj", k_proj, WIDTH, WIDTH),
  AFFINE ("v_proj", "v_proj", v_proj, WIDTH, WIDTH),
  AFFINE ("c_proj", "c_proj", c_proj, EMBED, WIDTH),
  END
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipBottleneckTensors, field)

static const ClipTensorName bottleneck_names[] = {
  CONV ("conv1", "bn1", conv1, PLANES, IN, ONE, ONE),
  CONV ("conv2", "bn2", conv2, PLANES, PLANES, THREE, THREE),
  CONV ("conv3", "bn3", conv3, OUT, PLANES, ONE, ONE),
  END
};

static const ClipTensorName downsample_names[] = {
  CONV ("downsample.0", "downsample.1", downsample, OUT, IN, ONE, ONE),
  END
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipVisionTransformerTensors, field)

static const ClipTensorName vision_input_names[] = {
  { SPELT ("visual.conv1.weight",
      "vision_model.embeddings.patch_embedding.weight"),
    SLOT (conv1), { WIDTH, THREE, PATCH, PATCH } },
  { SPELT ("visual.class_embedding", "vision_model.embeddings.class_embedding"),
    SLOT (class_embedding), { WIDTH } },
  { SPELT ("visual.positional_embedding",
      "vision_model.embeddings.position_embedding.weight"),
    SLOT (positional_embedding), { POSITIONS, WIDTH } },
  /* As the published models have it: the second "e" is missing. */
  AFFINE ("visual.ln_pre", "vision_model.pre_layrnorm", ln_pre, WIDTH),
  END
};

static const ClipTensorName vision_output_names[] = {
  AFFINE ("visual.ln_post", "vision_model.post_layernorm", ln_post, WIDTH),
  { TURNED ("visual.proj", "visual_projection.weight"), SLOT (proj),
    { WIDTH, EMBED } },
  END
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipTextTransformerTensors, field)

static const ClipTensorName text_input_names[] = {
  { SPELT ("token_embedding.weight",
      "text_model.embeddings.token_embedding.weight"),
    SLOT (token_embedding), { WORDS, WIDTH } },
  { SPELT ("positional_embedding",
      "text_model.embeddings.position_embedding.weight"),
    SLOT (positional_embedding), { POSITIONS, WIDTH } },
  END
};

static const ClipTensorName text_output_names[] = {
  AFFINE ("ln_final", "text_model.final_layer_norm", ln_final, WIDTH),
  { TURNED ("text_projection", "text_projection.weight"),
    SLOT (text_projection), { WIDTH, EMBED } },
  END
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipBertTensors, field)

static const ClipTensorName bert_names[] = {
  { BOTH ("word_embeddings.weight"), SLOT (word_embeddings), { WORDS, WIDTH } },
  { BOTH ("position_embeddings.weight"), SLOT (position_embeddings),
    { POSITIONS, WIDTH } },
  { BOTH ("token_type_embeddings.weight"), SLOT (token_type_embeddings),
    { TYPES, WIDTH } },
  AFFINE ("LayerNorm", "LayerNorm", ln, WIDTH),
  END
};

static const ClipTensorName bert_projection_names[] = {
  { TURNED ("text_projection", "text_projection.weight"),
    SLOT (text_projection), { WIDTH, EMBED } },
  END
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipBlockTensors, field)

static const ClipTensorName block_names[] = {
  AFFINE ("ln_1", "layer_norm1", ln_1, WIDTH),
  { STACKED ("attn.in_proj_weight", "self_attn.q_proj.weight",
      "self_attn.k_proj.weight", "self_attn.v_proj.weight"),
    SLOT (qkv.weight), { QKV, WIDTH } },
  { STACKED ("attn.in_proj_bias", "self_attn.q_proj.bias",
      "self_attn.k_proj.bias", "self_attn.v_proj.bias"),
    SLOT (qkv.bias), { QKV } },
  AFFINE ("attn.out_proj", "self_attn.out_proj", out, WIDTH, WIDTH),
  AFFINE ("ln_2", "layer_norm2", ln_2, WIDTH),
  AFFINE ("mlp.c_fc", "mlp.fc1", fc, MLP, WIDTH),
  AFFINE ("mlp.c_proj", "mlp.fc2", proj, WIDTH, MLP),
  END
};

static const ClipTensorName bert_layer_names[] = {
  AFFINE ("attention.output.LayerNorm", "attention.output.LayerNorm", ln_1,
    WIDTH),
  { STACKED_BOTH ("attention.self.query.weight", "attention.self.key.weight",
      "attention.self.value.weight"),
    SLOT (qkv.weight), { QKV, WIDTH } },
  { STACKED_BOTH ("attention.self.query.bias", "attention.self.key.bias",
      "attention.self.value.bias"),
    SLOT (qkv.bias), { QKV } },
  AFFINE ("attention.output.dense", "attention.output.dense", out, WIDTH,
    WIDTH),
  AFFINE ("output.LayerNorm", "output.LayerNorm", ln_2, WIDTH),
  AFFINE ("intermediate.dense", "intermediate.dense", fc, MLP, WIDTH),
  AFFINE ("output.dense", "output.dense", proj, WIDTH, MLP),
  END
};

#undef SLOT
#define SLOT(field) G_STRUCT_OFFSET (ClipTowers, field)

static const ClipTensorName scale_names[] = {
  { BOTH ("logit_scale"), SLOT (logit_scale), { CLIP_EXTENT_NONE } },
  END
};
/* clang-format on */

/* How the blocks of a tower are called. */
typedef struct {
  const gchar *prefixes[CLIP_N_NAMINGS]; /* before a block's number */
  const ClipTensorName *names;
  const gchar *fc; /* canonical, of the tensor that tells the MLP's width */
} BlockNaming;

static const BlockNaming vision_blocks = {
  { "visual.transformer.resblocks.", "vision_model.encoder.layers." },
  block_names,
  "mlp.c_fc.weight",
};

static const BlockNaming text_blocks = {
  { "transformer.resblocks.", "text_model.encoder.layers." },
  block_names,
  "mlp.c_fc.weight",
};

static const BlockNaming bert_layers = {
  { "bert.encoder.layer.", "text_model.encoder.layer." },
  bert_layer_names,
  "intermediate.dense.weight",
};

static const gchar *const bert_embeddings[CLIP_N_NAMINGS] = {
  "bert.embeddings.",
  "text_model.embeddings.",
};

/* openai/CLIP model.py: a bottleneck's expansion; the pool's channels and the
 * picture's side as multiples of the width and of the last map. */
#define EXPANSION 4
#define REDUCTION CLIP_RESNET_REDUCTION

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

/* @mlp_width: 0: each block's own tensors tell
 *
 * Returns: (transfer full): @n_blocks of them */
static ClipBlockTensors *
bind_blocks (ClipBinder *binder, const BlockNaming *naming, guint n_blocks,
    guint mlp_width)
{
  const ClipInventory *inventory = clip_binder_get_inventory (binder);
  ClipBlockTensors *blocks = g_new0 (ClipBlockTensors, n_blocks);

  clip_binder_set_extent (binder, MLP, mlp_width);
  for (guint i = 0; i < n_blocks; i++) {
    g_autofree gchar *prefix =
        g_strdup_printf ("%s%u.", naming->prefixes[inventory->naming], i);
    g_autofree gchar *fc_key = g_strconcat (prefix, naming->fc, NULL);
    const ClipStoredTensor *fc = clip_inventory_find (inventory, fc_key);

    if (mlp_width == 0 && fc != NULL && fc->n_dims > 0)
      clip_binder_set_extent (binder, MLP, fc->dims[0]);
    clip_binder_bind (binder, prefix, naming->names, &blocks[i]);
  }
  return blocks;
}

static void
set_width (ClipBinder *binder, guint width)
{
  clip_binder_set_extent (binder, WIDTH, width);
  clip_binder_set_extent (binder, QKV, 3 * (guint64)width);
}

static void
bind_vision_transformer (ClipVisionTransformerTensors *tower,
    const ClipVisionConfig *vision, guint mlp_width, ClipBinder *binder)
{
  const guint64 side = vision->image_size / vision->patch_size;

  set_width (binder, vision->width);
  clip_binder_set_extent (binder, PATCH, vision->patch_size);
  clip_binder_set_extent (binder, POSITIONS, side * side + 1);
  clip_binder_bind (binder, "", vision_input_names, tower);
  tower->n_blocks = vision->n_layers;
  tower->blocks =
      bind_blocks (binder, &vision_blocks, tower->n_blocks, mlp_width);
  clip_binder_bind (binder, "", vision_output_names, tower);
}

static void
bind_text_transformer (ClipTextTransformerTensors *tower,
    const ClipTextConfig *text, guint mlp_width, ClipBinder *binder)
{
  set_width (binder, text->width);
  clip_binder_set_extent (binder, WORDS, text->vocab_size);
  clip_binder_set_extent (binder, POSITIONS, text->n_positions);
  clip_binder_bind (binder, "", text_input_names, tower);
  tower->n_blocks = text->n_layers;
  tower->blocks =
      bind_blocks (binder, &text_blocks, tower->n_blocks, mlp_width);
  clip_binder_bind (binder, "", text_output_names, tower);
}

static void
bind_bert (ClipBertTensors *tower, const ClipTextConfig *text, guint mlp_width,
    ClipBinder *binder)
{
  const ClipNaming naming = clip_binder_get_inventory (binder)->naming;

  set_width (binder, text->width);
  clip_binder_set_extent (binder, WORDS, text->vocab_size);
  clip_binder_set_extent (binder, POSITIONS, text->n_positions);
  clip_binder_set_extent (binder, TYPES, text->n_token_types);
  clip_binder_bind (binder, bert_embeddings[naming], bert_names, tower);
  tower->n_blocks = text->n_layers;
  tower->blocks =
      bind_blocks (binder, &bert_layers, tower->n_blocks, mlp_width);
  clip_binder_bind (binder, "", bert_projection_names, tower);
}

void
clip_towers_bind (ClipTowers *towers, const ClipConfig *config,
    gboolean follows_tensors, ClipBinder *binder)
{
  const guint vision_mlp = follows_tensors ? 0 : config->vision.mlp_width;
  const guint text_mlp = follows_tensors ? 0 : config->text.mlp_width;

  clip_binder_set_extent (binder, EMBED, config->embed_dim);
  if (config->vision.kind == CLIP_VISION_TRANSFORMER)
    bind_vision_transformer (
        &towers->vision_transformer, &config->vision, vision_mlp, binder);
  else
    bind_modified_resnet (&towers->modified_resnet, &config->vision, binder);
  if (config->text.kind == CLIP_TEXT_TRANSFORMER)
    bind_text_transformer (
        &towers->text_transformer, &config->text, text_mlp, binder);
  else if (config->text.kind == CLIP_TEXT_BERT)
    bind_bert (&towers->bert, &config->text, text_mlp, binder);
  /* Pictures alone have nothing to be scaled against. */
  if (config->text.kind != CLIP_TEXT_NONE ||
      clip_inventory_find (clip_binder_get_inventory (binder), "logit_scale"))
    clip_binder_bind (binder, "", scale_names, towers);
}

void
clip_towers_clear (ClipTowers *towers)
{
  g_clear_pointer (&towers->modified_resnet.bottlenecks, g_free);
  g_clear_pointer (&towers->vision_transformer.blocks, g_free);
  g_clear_pointer (&towers->text_transformer.blocks, g_free);
  g_clear_pointer (&towers->bert.blocks, g_free);
}
