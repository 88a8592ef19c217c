/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Generated models of any tower, as each publisher writes them: canonical names
 * with or without open_clip's configuration, or Hugging Face's names and
 * configuration. Values are those of the canonical tensors, whichever way they
 * are stored. */
#pragma once

#include "checkpoints.h"

typedef struct {
  guint image_size;
  guint width;
  guint layers[4];  /* a transformer has the first alone */
  guint patch_size; /* 0: a ModifiedResNet */
  guint heads;
  guint mlp_width;
} TestPictureSpec;

typedef struct {
  guint width; /* 0: no text side */
  guint n_layers;
  guint heads;
  guint mlp_width;
  guint vocab_size;
  guint n_positions;
  gboolean is_bert;
} TestWordsSpec;

typedef struct {
  guint embed_dim;
  TestPictureSpec vision;
  TestWordsSpec text;
} TestModelSpec;

/* A small model of two transformers, and one with BERT. */
extern const TestModelSpec test_model_clip;
extern const TestModelSpec test_model_chinese;

/* (transfer full) (element-type TestTensor): under canonical names */
GPtrArray *test_model_tensors (const TestModelSpec *spec);

/* The same under the names of Hugging Face: query, key and value apart,
 * projections transposed. (transfer full) (element-type TestTensor) */
GPtrArray *test_model_tensors_hugging_face (const TestModelSpec *spec);

/* Marks what OpenAI publishes in half precision: all but norms, embeddings and
 * the scale. */
void test_tensors_halve (GPtrArray *tensors);

/* Puts @prefix before the name of each that @canonical_prefix begins. */
void test_tensors_prefix (
    GPtrArray *tensors, const gchar *canonical_prefix, const gchar *prefix);

/* A new folder below the temporary folder with vocabularies of every kind,
 * whose content no test of load/ asks for.
 *
 * Returns: (transfer full): for test_checkpoint_remove() */
gchar *test_model_folder (void);

/* Writes @folder/@name. @is_sparse: no values, all are 0 */
void test_model_write (const gchar *folder, const gchar *name,
    GPtrArray *tensors, gboolean is_sparse);

/* Writes open_clip_config.json. @extra: more of model_cfg: "\"key\": 1, " */
void test_model_write_open_clip (
    const gchar *folder, const TestModelSpec *spec, const gchar *extra);

/* Writes config.json of CLIPModel or ChineseCLIPModel. */
void test_model_write_hugging_face (
    const gchar *folder, const TestModelSpec *spec);
