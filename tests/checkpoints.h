/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Writes small generated models as folders a user could have: a ModifiedResNet
 * and a BERT with the names and the config of `chinese_clip_original`, their
 * values by test_tensor_value(). */
#pragma once

#include "load/tensor.h"

typedef struct {
  guint image_size;
  guint layers[4];
  guint width;
} TestVisionSpec;

typedef struct {
  guint n_layers;
  guint width;
  guint heads;
  guint mlp_width;
  guint vocab_size;
  guint n_positions;
  guint n_token_types;
} TestTextSpec;

typedef struct {
  guint embed_dim;
  TestVisionSpec vision;
  TestTextSpec text;
  ClipDtype dtype; /* F32, F16, BF16 or F64 in the file */
  ClipDtype
      rounded_to;  /* what the values are rounded to before, F32 for none */
  gboolean sparse; /* a hole instead of values: all are 0 */
  gboolean quick;  /* repeated values that cost nothing, of a size that keeps
                      the outputs of the deepest model finite */
} TestCheckpointSpec;

/* One tensor of the file. Tests that want a broken model change the list. */
typedef struct {
  gchar *name;
  guint n_dims;
  guint64 dims[4];
  gssize changed; /* flat index whose value is @value instead, or -1 */
  gfloat value;
  /* Where the values come from, if not from the tensor of this name: a part of
   * another tensor, from flat index @first on, or all of it transposed. */
  gchar *source;
  gsize first;
  gboolean is_transposed;
  gboolean is_half; /* stored as F16, whatever the file's type */
  gfloat *values;   /* NULL: made from the name; not freed with the rest */
} TestTensor;

/* The picture side of model-spec.md's model A with the text side of its model
 * B, in f32. */
extern const TestCheckpointSpec test_checkpoint_a;

/* The picture side of its model C (odd widths) and a narrow BERT. */
extern const TestCheckpointSpec test_checkpoint_c;

/* Writes a new folder below the temporary folder: config.json,
 * preprocessor_config.json, tokenizer_config.json, vocab.txt,
 * model.safetensors.
 *
 * Returns: (transfer full): the folder, for test_checkpoint_remove() */
gchar *test_checkpoint_new (const TestCheckpointSpec *spec);

/* The same whose words all mean the same, so that its texts fail the
 * self-test. */
gchar *test_checkpoint_new_wordless (const TestCheckpointSpec *spec);

/* Deletes the folder's files and the folder, and frees the name. */
void test_checkpoint_remove (gchar *folder);

/* Returns: (transfer full) (element-type TestTensor) */
GPtrArray *test_checkpoint_tensors (const TestCheckpointSpec *spec);

TestTensor *test_tensors_find (GPtrArray *tensors, const gchar *name);

/* The number of its values. */
gsize test_tensor_count (const TestTensor *tensor);

/* (Over)writes @folder/model.safetensors with @tensors as @spec stores them. */
void test_checkpoint_write_tensors (
    const gchar *folder, const TestCheckpointSpec *spec, GPtrArray *tensors);

/* As test_checkpoint_write_tensors(), to any file. */
void test_tensors_write (
    const gchar *path, const TestCheckpointSpec *spec, GPtrArray *tensors);

/* Overwrites a text file of the folder. */
void test_checkpoint_write (
    const gchar *folder, const gchar *name, const gchar *content);

/* Replaces the only occurrence of @from in a text file of the folder. */
void test_checkpoint_edit (
    const gchar *folder, const gchar *name, const gchar *from, const gchar *to);
