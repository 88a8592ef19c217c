/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Letters: W width, T tokens. */

#include "twin.h"

#include "checkpoints.h"

#include "clip-error.h"
#include "load/load.h"
#include "load/safetensors.h"

#include <math.h>

#define SEED 4
#define WEIGHTS "model.safetensors"

#define N_OUTLIERS 4 /* of a norm */
#define LEAST_FACTOR 20
#define MOST_FACTOR 100

#define SPIKE 60
/* Of the position, before a norm: all else of the token is nothing beside it.
 */
#define SPIKE_POSITION 1000

const gchar *const twin_names[TWIN_N_KINDS] = {
  [TWIN_NONE] = "none",
  [TWIN_OUTLIERS] = "outliers",
  [TWIN_SPIKE] = "spike",
};

typedef struct {
  GPtrArray *tensors; /* TestTensor, with values */
  GRand *random;
} Twin;

static void
twin_clear (Twin *twin)
{
  g_ptr_array_unref (twin->tensors);
  g_rand_free (twin->random);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Twin, twin_clear)

static void
free_tensor (gpointer data)
{
  TestTensor *tensor = data;

  g_free (tensor->name);
  g_free (tensor->values);
  g_free (tensor);
}

/* --- changing --- */

static gfloat *
get_values (const Twin *twin, const ClipTensor *tensor)
{
  return test_tensors_find (twin->tensors, clip_tensor_get_name (tensor))
      ->values;
}

/* Divides what a layer multiplies one of its inputs by.
 *
 * @weights: [out, in, ...]; of a projection, which has the inputs first: of two
 *   dimensions that are said to be 1, in and out */
static void
divide (gfloat *weights, const guint64 dims[3], guint64 channel, gfloat factor)
{
  for (guint64 i = 0; i < dims[0]; i++) {
    gfloat *of_input = weights + (i * dims[1] + channel) * dims[2];

    for (guint64 j = 0; j < dims[2]; j++)
      of_input[j] /= factor;
  }
}

/* What a norm feeds. */
typedef struct {
  ClipAffineTensors norm;
  const ClipTensor *layers[2]; /* the second may be NULL */
  gboolean is_projection;
} Pair;

static void
add_outliers (const Twin *twin, const Pair *pair)
{
  gfloat *gamma = get_values (twin, pair->norm.weight);
  gfloat *beta = get_values (twin, pair->norm.bias);
  guint64 width = clip_tensor_get_dim (pair->norm.weight, 0);

  for (guint i = 0; i < N_OUTLIERS; i++) {
    guint64 channel = g_rand_int_range (twin->random, 0, width);
    gfloat factor =
        g_rand_double_range (twin->random, LEAST_FACTOR, MOST_FACTOR);

    gamma[channel] *= factor;
    beta[channel] *= factor;
    for (guint j = 0; j < 2 && pair->layers[j] != NULL; j++) {
      guint64 others = clip_tensor_get_n_elements (pair->layers[j]) / width;
      guint64 out = clip_tensor_get_dim (pair->layers[j], 0);
      const guint64 layer[3] = { out, width, others / out },
                    projection[3] = { 1, width, others };

      divide (get_values (twin, pair->layers[j]),
          pair->is_projection ? projection : layer, channel, factor);
    }
  }
}

static void
change_transformer (
    const Twin *twin, const ClipVisionTransformerTensors *tensors)
{
  const Pair last = { tensors->ln_post, { tensors->proj }, TRUE };

  for (guint i = 0; i < tensors->n_blocks; i++) {
    const ClipBlockTensors *block = &tensors->blocks[i];
    const Pair pairs[] = {
      { block->ln_1, { block->qkv.weight }, FALSE },
      { block->ln_2, { block->fc.weight }, FALSE },
    };

    for (guint j = 0; j < G_N_ELEMENTS (pairs); j++)
      add_outliers (twin, &pairs[j]);
  }
  if (tensors->ln_post.weight != NULL)
    add_outliers (twin, &last);
}

/* A ReLU lies between, which a factor passes. */
static void
change_convolution (const Twin *twin, const ClipConvTensors *conv,
    const ClipTensor *next, const ClipTensor *other)
{
  const Pair pair = { { conv->bn.weight, conv->bn.bias }, { next, other },
    FALSE };

  add_outliers (twin, &pair);
}

static void
change_resnet (const Twin *twin, const ClipModifiedResNetTensors *tensors)
{
  const ClipBottleneckTensors *first = &tensors->bottlenecks[0];

  change_convolution (twin, &tensors->stem[0], tensors->stem[1].conv, NULL);
  change_convolution (twin, &tensors->stem[1], tensors->stem[2].conv, NULL);
  change_convolution (
      twin, &tensors->stem[2], first->conv1.conv, first->downsample.conv);
  for (guint i = 0; i < tensors->n_bottlenecks; i++) {
    const ClipBottleneckTensors *block = &tensors->bottlenecks[i];

    change_convolution (twin, &block->conv1, block->conv2.conv, NULL);
    change_convolution (twin, &block->conv2, block->conv3.conv, NULL);
  }
}

/* A norm makes of one value beside which the others are nothing sqrt (W - 1).
 */
static void
add_spike (const Twin *twin, const ClipVisionTransformerTensors *tensors)
{
  gfloat *positions = get_values (twin, tensors->positional_embedding);
  guint64 n_tokens = clip_tensor_get_dim (tensors->positional_embedding, 0);
  guint64 width = clip_tensor_get_dim (tensors->positional_embedding, 1);
  guint64 token = g_rand_int_range (twin->random, 1, n_tokens);
  guint64 channel = g_rand_int_range (twin->random, 0, width);

  if (tensors->ln_pre.weight == NULL) {
    positions[token * width + channel] = SPIKE;
    return;
  }
  positions[token * width + channel] = SPIKE_POSITION;
  get_values (twin, tensors->ln_pre.weight)[channel] = SPIKE / sqrt (width - 1);
}

/* --- reading and writing --- */

static gboolean
read_tensors (Twin *twin, const gchar *folder, GError **error)
{
  g_autofree gchar *path = g_build_filename (folder, WEIGHTS, NULL);
  g_autoptr (ClipFile) file = clip_file_open (path, error);
  g_autoptr (GPtrArray) stored = NULL;

  if (file == NULL)
    return FALSE;
  stored = clip_safetensors_read (file, error);
  if (stored == NULL)
    return FALSE;
  for (guint i = 0; i < stored->len; i++) {
    const ClipStoredTensor *from = g_ptr_array_index (stored, i);
    g_autofree guint8 *raw =
        g_malloc (from->n_elements * clip_dtype_get_size (from->dtype));
    TestTensor *tensor = g_new0 (TestTensor, 1);

    g_ptr_array_add (twin->tensors, tensor);
    tensor->name = g_strdup (from->name);
    tensor->changed = -1;
    tensor->n_dims = from->n_dims;
    for (guint d = 0; d < from->n_dims; d++)
      tensor->dims[d] = from->dims[d];
    tensor->values = g_new (gfloat, from->n_elements);
    if (!clip_file_read_at (file, from->offset, raw,
            from->n_elements * clip_dtype_get_size (from->dtype), error))
      return FALSE;
    clip_dtype_to_f32 (from->dtype, raw, tensor->values, from->n_elements);
  }
  return TRUE;
}

static gboolean
copy_others (const gchar *folder, const gchar *twin, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  const gchar *name;

  if (dir == NULL)
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree gchar *from = g_build_filename (folder, name, NULL);
    g_autofree gchar *to = g_build_filename (twin, name, NULL);
    g_autofree gchar *content = NULL;
    gsize size = 0;

    if (g_str_equal (name, WEIGHTS))
      continue;
    if (!g_file_get_contents (from, &content, &size, error) ||
        !g_file_set_contents (to, content, size, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
change (const Twin *twin, const ClipCheckpoint *checkpoint, TwinKind kind,
    GError **error)
{
  const ClipModifiedResNetTensors *resnet =
      clip_checkpoint_get_modified_resnet (checkpoint);
  const ClipVisionTransformerTensors *transformer =
      clip_checkpoint_get_vision_transformer (checkpoint);

  if (kind == TWIN_OUTLIERS && transformer != NULL) {
    change_transformer (twin, transformer);
  } else if (kind == TWIN_OUTLIERS) {
    change_resnet (twin, resnet);
  } else if (transformer != NULL) {
    add_spike (twin, transformer);
  } else {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_MODEL,
        "a ModifiedResNet has no tokens for the spike: use a transformer");
    return FALSE;
  }
  return TRUE;
}

gchar *
twin_write (const gchar *folder, TwinKind kind, GError **error)
{
  const TestCheckpointSpec values = { .dtype = CLIP_DTYPE_F32,
    .rounded_to = CLIP_DTYPE_F32 };
  g_autoptr (ClipCheckpoint) checkpoint = clip_checkpoint_open (folder, error);
  g_auto (Twin) twin = {
    .tensors = g_ptr_array_new_with_free_func (free_tensor),
    .random = g_rand_new_with_seed (SEED),
  };
  gchar *written = NULL;

  if (checkpoint == NULL || !read_tensors (&twin, folder, error) ||
      !change (&twin, checkpoint, kind, error))
    return NULL;
  written = g_dir_make_tmp ("clip-model-XXXXXX", error);
  if (written == NULL)
    return NULL;
  if (!copy_others (folder, written, error)) {
    test_checkpoint_remove (written);
    return NULL;
  }
  test_checkpoint_write_tensors (written, &values, twin.tensors);
  return written;
}
