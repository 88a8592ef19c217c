/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* One change to a configuration file each, and the error that names it. The
 * folder is test_checkpoint_a without values. */
#pragma once

#include "clip-error.h"

typedef struct {
  const gchar *name;
  const gchar *file;
  const gchar *from; /* NULL: @to replaces the whole file */
  const gchar *to;   /* NULL: the file is deleted */
  ClipError code;
  const gchar *messages[2]; /* both are in the error, with the file's name */
} ConfigCase;

#define CONFIG "config.json"
#define PREPROCESSOR "preprocessor_config.json"
#define TOKENIZER "tokenizer_config.json"
#define VOCABULARY "vocab.txt"

/* clang-format off */
#define MISSING(key)                                                          \
  { key "-missing", CONFIG, "\"" key "\"", "\"other_" key "\"",               \
    CLIP_ERROR_MODEL, { "\"" key "\"", "is missing" } }
#define RANGE(key, number, to, message)                                       \
  { key "-" to, CONFIG, "\"" key "\": " number, "\"" key "\": " to,           \
    CLIP_ERROR_MODEL, { "\"" key "\"", message } }
#define ADDED(key, to, message)                                               \
  { key "-" to, CONFIG, "\"embed_dim\"",                                      \
    "\"" key "\": " to ", \"embed_dim\"",                                     \
    CLIP_ERROR_MODEL, { "\"" key "\"", message } }
#define RESIZE(name, from, to, key, message)                                  \
  { name, PREPROCESSOR, from, to, CLIP_ERROR_MODEL, { "\"" key "\"", message } }

static const ConfigCase config_cases[] = {
  MISSING ("model_type"),
  MISSING ("embed_dim"),
  MISSING ("image_resolution"),
  MISSING ("vision_layers"),
  MISSING ("vision_width"),
  MISSING ("vocab_size"),
  MISSING ("text_hidden_size"),
  MISSING ("text_intermediate_size"),
  MISSING ("text_max_position_embeddings"),
  MISSING ("text_num_attention_heads"),
  MISSING ("text_num_hidden_layers"),
  MISSING ("text_type_vocab_size"),
  RANGE ("embed_dim", "32", "0", "is 0; it must be 1 to 16384"),
  RANGE ("embed_dim", "32", "-32", "is -32; it must be 1 to 16384"),
  RANGE ("embed_dim", "32", "16385", "is 16385; it must be 1 to 16384"),
  RANGE ("embed_dim", "32", "4294967328", "is 4294967328; it must"),
  RANGE ("embed_dim", "32", "32.0", "is not a whole number"),
  RANGE ("embed_dim", "32", "\"32\"", "is not a whole number"),
  RANGE ("embed_dim", "32", "true", "is not a whole number"),
  RANGE ("embed_dim", "32", "[32]", "is not a whole number"),
  RANGE ("embed_dim", "32", "null", "is missing"),
  RANGE ("image_resolution", "64", "0", "is 0; it must be 1 to 4096"),
  RANGE ("image_resolution", "64", "4128", "is 4128; it must be 1 to 4096"),
  RANGE ("image_resolution", "64", "65", "a multiple of 32"),
  RANGE ("vision_width", "16", "1000000000", "it must be 1 to 16384"),
  RANGE ("vision_width", "16", "17", "an even one"),
  RANGE ("vision_layers", "[2, 1, 1, 1]", "[2, 1, 1]", "has 3 numbers"),
  RANGE ("vision_layers", "[2, 1, 1, 1]", "[2, 1, 1, 1, 1]", "has 5 numbers"),
  RANGE ("vision_layers", "[2, 1, 1, 1]", "[2, 1, 1, 0]", "is 0; it must be"),
  RANGE ("vision_layers", "[2, 1, 1, 1]", "[1000000000, 1, 1, 1]",
    "is 1000000000; it must be 1 to 256"),
  RANGE ("vision_layers", "[2, 1, 1, 1]", "[2, 1, 1, \"1\"]",
    "is not a whole number"),
  RANGE ("vision_layers", "[2, 1, 1, 1]", "12", "is not a list"),
  RANGE ("vision_layers", "[2, 1, 1, 1]", "{}", "is not a list"),
  RANGE ("text_num_hidden_layers", "2", "1000000000", "it must be 1 to 256"),
  RANGE ("text_num_attention_heads", "2", "0", "it must be 1 to 1024"),
  RANGE ("text_num_attention_heads", "2", "3",
    "is 3, which does not divide \"text_hidden_size\", 128"),
  RANGE ("text_hidden_size", "128", "16385", "it must be 1 to 16384"),
  RANGE ("vocab_size", "64", "1048577", "it must be 4 to 1048576"),
  RANGE ("text_max_position_embeddings", "32", "1", "it must be 2 to 65536"),
  RANGE ("text_hidden_act", "\"gelu\"", "\"swish\"", "is 'swish'"),
  RANGE ("text_hidden_act", "\"gelu\"", "7", "is not a string"),
  ADDED ("text_layer_norm_eps", "0",
    "is not a number above 0"),
  ADDED ("text_layer_norm_eps", "0.1",
    "is not a number above 0 and up to 0.01"),
  ADDED ("text_layer_norm_eps", "\"1e-12\"",
    "is not a number"),
  ADDED ("text_context_length", "33",
    "is 33; it must be 2 to 32"),
  ADDED ("text_pooling", "\"mean\"",
    "is 'mean'; only 'cls'"),
  RANGE ("model_type", "\"chinese_clip_original\"", "\"siglip\"",
    "is 'siglip'; supported are 'chinese_clip_original'"),
  RANGE ("model_type", "\"chinese_clip_original\"", "7", "is missing"),
  { "config-empty", CONFIG, NULL, "", CLIP_ERROR_FORMAT, { "is empty", "" } },
  { "config-not-json", CONFIG, NULL, "embed_dim: 32", CLIP_ERROR_FORMAT,
    { "does not hold valid JSON", "line 1" } },
  { "config-array", CONFIG, NULL, "[1]", CLIP_ERROR_FORMAT,
    { "is not an object", "" } },
  { "config-key-twice", CONFIG, "\"vision_width\": 16",
    "\"vision_width\": 16, \"vision_width\": 16", CLIP_ERROR_FORMAT,
    { "duplicate object key", "" } },
  { "config-too-deep", CONFIG, "\"vision_patch_size\": null",
    "\"x\": [[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]", CLIP_ERROR_FORMAT,
    { "nested too deep", "" } },
  { "config-number-too-large", CONFIG, "\"embed_dim\": 32",
    "\"embed_dim\": 1e999", CLIP_ERROR_FORMAT,
    { "does not hold valid JSON", "" } },

  RESIZE ("size-missing", "\"size\"", "\"other\"", "size", "is missing"),
  RESIZE ("size-other", "{ \"shortest_edge\": 64 }", "{ \"longest_edge\": 64 }",
    "size.height", "is missing"),
  RESIZE ("edge-string", "\"shortest_edge\": 64", "\"shortest_edge\": \"64\"",
    "size.shortest_edge", "is not a whole number"),
  RESIZE ("size-zero", "{ \"shortest_edge\": 64 }", "0", "size",
    "is 0; it must be 1 to 4096"),
  RESIZE ("size-huge", "{ \"shortest_edge\": 64 }", "1000000", "size",
    "is 1000000; it must be 1 to 4096"),
  RESIZE ("size-not-square", "{ \"shortest_edge\": 64 }",
    "{ \"height\": 64, \"width\": 96 }", "size", "is 64 high and 96 wide"),
  RESIZE ("size-without-width", "{ \"shortest_edge\": 64 }",
    "{ \"height\": 64 }", "size.width", "is missing"),
  RESIZE ("size-below-crop", "{ \"shortest_edge\": 64 }", "63", "crop_size",
    "is 64, which does not fit \"size\", 63"),
  RESIZE ("square-unlike-crop", "{ \"shortest_edge\": 64 }",
    "{ \"height\": 72, \"width\": 72 }", "crop_size",
    "is 64, which does not fit \"size\", 72"),
  RESIZE ("crop-missing", "\"crop_size\"", "\"other\"", "crop_size",
    "is missing"),
  RESIZE ("crop-unlike-the-model", "{ \"height\": 64, \"width\": 64 }", "32",
    "crop_size", "is 32, and config.json says"),
  RESIZE ("crop-not-done", "\"do_center_crop\": true",
    "\"do_center_crop\": false", "do_center_crop", "would not be square"),
  RESIZE ("resize-not-done", "\"do_resize\": true", "\"do_resize\": false",
    "do_resize", "is false"),
  RESIZE ("rescale-not-done", "\"do_rescale\": true", "\"do_rescale\": false",
    "do_rescale", "is false"),
  RESIZE ("normalize-not-done", "\"do_normalize\": true",
    "\"do_normalize\": false", "do_normalize", "is false"),
  RESIZE ("step-not-boolean", "\"do_resize\": true", "\"do_resize\": 1",
    "do_resize", "is neither true nor false"),
  RESIZE ("rescale-by-another-factor", "0.00392156862745098", "0.0078125",
    "rescale_factor", "is not 1/255"),
  RESIZE ("resample-nearest", "\"resample\": 3", "\"resample\": 0", "resample",
    "is 0 (nearest)"),
  RESIZE ("resample-unknown", "\"resample\": 3", "\"resample\": 6", "resample",
    "is 6; it must be 0 to 5"),
  RESIZE ("mean-missing", "\"image_mean\"", "\"other\"", "image_mean",
    "is missing"),
  RESIZE ("mean-of-two", "[0.48145466, 0.4578275, 0.40821073]", "[0.5, 0.5]",
    "image_mean", "is not a list of three numbers"),
  RESIZE ("mean-of-strings", "0.4578275", "\"0.4578275\"", "image_mean",
    "other than numbers"),
  RESIZE ("std-missing", "\"image_std\"", "\"other\"", "image_std",
    "is missing"),
  RESIZE ("std-zero", "0.26130258", "0", "image_std", "other than numbers"),
  RESIZE ("std-negative", "0.26130258", "-0.26130258", "image_std",
    "other than numbers"),
  { "preprocessor-damaged", PREPROCESSOR, NULL, "{\"size\":",
    CLIP_ERROR_FORMAT, { "does not hold valid JSON", "" } },

  { "tokenizer-keeps-case", TOKENIZER, "true", "false", CLIP_ERROR_MODEL,
    { "\"do_lower_case\"", "is false" } },
  { "tokenizer-keeps-words-whole", TOKENIZER, "true",
    "true, \"tokenize_chinese_chars\": false", CLIP_ERROR_MODEL,
    { "\"tokenize_chinese_chars\"", "is false" } },
  { "tokenizer-keeps-accents", TOKENIZER, "true",
    "true, \"strip_accents\": false", CLIP_ERROR_MODEL,
    { "\"strip_accents\"", "is false" } },
  { "tokenizer-not-boolean", TOKENIZER, "true", "\"yes\"", CLIP_ERROR_MODEL,
    { "\"do_lower_case\"", "is neither true nor false" } },
  { "tokenizer-damaged", TOKENIZER, NULL, "{", CLIP_ERROR_FORMAT,
    { "does not hold valid JSON", "" } },
  { "vocabulary-gone", VOCABULARY, NULL, NULL, CLIP_ERROR_NOT_FOUND,
    { "", "" } },
  { "vocabulary-empty", VOCABULARY, NULL, "", CLIP_ERROR_FORMAT,
    { "is empty", "" } },
};
/* clang-format on */
