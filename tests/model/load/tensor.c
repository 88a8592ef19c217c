/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Values on their way from a file to 32-bit floats: exact, wherever they lie,
 * and never read from a file that is no longer the one that was opened. */

#include "checkpoints.h"
#include "clip-error.h"
#include "load/load.h"
#include "support.h"

#include <glib/gstdio.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static guint32
bits_of (gfloat value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* IEEE 754 binary16 by its definition. */
static gfloat
half_by_definition (guint half)
{
  const gdouble sign = half & 0x8000 ? -1 : 1;
  const gint exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;

  if (exponent == 0)
    return (gfloat)(sign * ldexp (mantissa, -24));
  return (gfloat)(sign * ldexp (1024 + mantissa, exponent - 25));
}

static void
check_half (guint half, gfloat value)
{
  if ((half & 0x7fff) == 0x7c00)
    g_assert_cmpint (isinf (value), ==, half & 0x8000 ? -1 : 1);
  else if ((half & 0x7c00) == 0x7c00)
    g_assert_true (isnan (value));
  else
    g_assert_cmphex (bits_of (value), ==, bits_of (half_by_definition (half)));
}

/* Alone and among others, which takes the CPU's own conversion. */
static void
each_half_is_converted_exactly (void)
{
  g_autofree guint16 *halves = g_new (guint16, 0x10000);
  g_autofree gfloat *values = g_new (gfloat, 0x10000);

  for (guint half = 0; half <= 0xffff; half++) {
    halves[half] = (guint16)half;
    clip_dtype_to_f32 (CLIP_DTYPE_F16, &halves[half], &values[half], 1);
    check_half (half, values[half]);
  }
  clip_dtype_to_f32 (CLIP_DTYPE_F16, halves, values, 0x10000);
  for (guint half = 0; half <= 0xffff; half++)
    check_half (half, values[half]);
}

static void
each_bfloat_is_converted_exactly (void)
{
  for (guint half = 0; half <= 0xffff; half++) {
    const guint16 stored = (guint16)half;
    gfloat value;

    clip_dtype_to_f32 (CLIP_DTYPE_BF16, &stored, &value, 1);
    g_assert_cmphex (bits_of (value), ==, half << 16);
  }
}

/* The two of the specification's section 8.2, which tell the halves apart. */
static void
the_halves_are_not_confused (void)
{
  const guint16 stored[] = { 0x3c00, 0x0001 };
  gfloat values[2];

  clip_dtype_to_f32 (CLIP_DTYPE_F16, stored, values, 2);
  g_assert_cmpfloat (values[0], ==, 1.0f);
  g_assert_cmpfloat (values[1], ==, 5.9604645e-8f);
  clip_dtype_to_f32 (CLIP_DTYPE_BF16, stored, values, 1);
  g_assert_cmpfloat (values[0], ==, 0.0078125f);
}

static void
a_double_is_rounded_to_nearest (void)
{
  const gdouble stored[] = { 1 + 0x1p-24, 1 + 0x1.8p-24, 1 + 0x3p-24, -0x1p-149,
    0x1.ffffffp127, 1e39 };
  const guint32 expected[] = { 0x3f800000, 0x3f800001, 0x3f800002, 0x80000001,
    0x7f800000, 0x7f800000 };
  gfloat values[G_N_ELEMENTS (stored)];

  clip_dtype_to_f32 (CLIP_DTYPE_F64, stored, values, G_N_ELEMENTS (stored));
  for (guint i = 0; i < G_N_ELEMENTS (stored); i++)
    g_assert_cmphex (bits_of (values[i]), ==, expected[i]);
}

static void
any_alignment_will_do (void)
{
  static const ClipDtype dtypes[] = { CLIP_DTYPE_F32, CLIP_DTYPE_F16,
    CLIP_DTYPE_BF16, CLIP_DTYPE_F64 };

  for (guint i = 0; i < G_N_ELEMENTS (dtypes); i++) {
    const gsize size = clip_dtype_get_size (dtypes[i]);
    guint8 bytes[17 * 8 + 8];
    gfloat expected[17], values[17];

    for (guint j = 0; j < sizeof bytes; j++)
      bytes[j] = (guint8)(j * 37 % 64);
    clip_dtype_to_f32 (dtypes[i], bytes, expected, 17);
    for (guint shift = 1; shift < 8; shift++) {
      memmove (bytes + shift, bytes + shift - 1, 17 * size);
      clip_dtype_to_f32 (dtypes[i], bytes + shift, values, 17);
      g_assert_cmpmem (values, sizeof values, expected, sizeof expected);
    }
  }
}

static ClipCheckpoint *
open_checkpoint (const gchar *folder)
{
  g_autoptr (GError) error = NULL;
  ClipCheckpoint *checkpoint = clip_checkpoint_open (folder, &error);

  g_assert_no_error (error);
  return checkpoint;
}

static gfloat *
read_all (const ClipTensor *tensor)
{
  gfloat *values = g_new (gfloat, clip_tensor_get_n_elements (tensor));
  g_autoptr (GError) error = NULL;

  g_assert_true (clip_tensor_read_f32 (tensor, values, &error));
  g_assert_no_error (error);
  return values;
}

/* @name's values begin at @values. */
static void
assert_values (const gfloat *values, const gchar *name, guint n_dims, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_assert_cmphex (bits_of (values[i]), ==,
        bits_of (test_tensor_value (name, n_dims, (guint32)i)));
}

static void
values_arrive_as_they_were_written (void)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  g_autoptr (ClipCheckpoint) checkpoint = open_checkpoint (folder);
  const ClipModifiedResNetTensors *resnet =
      clip_checkpoint_get_modified_resnet (checkpoint);
  g_autofree gfloat *conv = read_all (resnet->bottlenecks[2].conv2.conv);
  g_autofree gfloat *variance =
      read_all (resnet->bottlenecks[0].downsample.bn.running_var);
  /* A megabyte, so several pieces. */
  g_autofree gfloat *pool = read_all (resnet->q_proj.weight);

  g_assert_cmpuint (
      clip_tensor_get_dim (resnet->bottlenecks[2].conv2.conv, 0), ==, 32);
  assert_values (conv, "visual.layer2.0.conv2.weight", 4, 32 * 32 * 9);
  assert_values (variance, "visual.layer1.0.downsample.1.running_var", 1, 64);
  assert_values (pool, "visual.attnpool.q_proj.weight", 2, 512 * 512);
  test_checkpoint_remove (folder);
}

/* The file has them apart; rows of query, then key, then value. */
static void
query_key_and_value_are_stacked (void)
{
  static const gchar *const names[] = { "query", "key", "value" };
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  g_autoptr (ClipCheckpoint) checkpoint = open_checkpoint (folder);
  const ClipAffineTensors *qkv =
      &clip_checkpoint_get_bert (checkpoint)->blocks[1].qkv;
  g_autofree gfloat *weight = read_all (qkv->weight);
  g_autofree gfloat *bias = read_all (qkv->bias);
  g_autofree gfloat *raw = g_new (gfloat, 3 * 128 * 128);

  g_assert_cmpuint (clip_tensor_get_n_dims (qkv->weight), ==, 2);
  g_assert_cmpuint (clip_tensor_get_dim (qkv->weight, 0), ==, 384);
  g_assert_cmpuint (clip_tensor_get_dim (qkv->weight, 1), ==, 128);
  g_assert_cmpuint (clip_tensor_get_n_dims (qkv->bias), ==, 1);
  g_assert_cmpuint (clip_tensor_get_n_elements (qkv->bias), ==, 384);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *name = g_strdup_printf (
        "bert.encoder.layer.1.attention.self.%s.weight", names[i]);
    g_autofree gchar *bias_name = g_strdup_printf (
        "bert.encoder.layer.1.attention.self.%s.bias", names[i]);
    assert_values (weight + i * 128 * 128, name, 2, 128 * 128);
    assert_values (bias + i * 128, bias_name, 1, 128);
  }
  g_assert_true (clip_tensor_read_raw (qkv->weight, raw, NULL));
  g_assert_cmpmem (
      raw, 3 * 128 * 128 * sizeof *raw, weight, 3 * 128 * 128 * sizeof *weight);
  test_checkpoint_remove (folder);
}

static void
raw_values_keep_their_type (void)
{
  TestCheckpointSpec spec = test_checkpoint_a;
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  const ClipTensor *words;
  guint16 raw[64 * 128];
  gfloat converted[64 * 128];
  g_autofree gfloat *values = NULL;
  gchar *folder;

  spec.dtype = spec.rounded_to = CLIP_DTYPE_BF16;
  folder = test_checkpoint_new (&spec);
  checkpoint = open_checkpoint (folder);
  words = clip_checkpoint_get_bert (checkpoint)->word_embeddings;
  g_assert_cmpint (clip_tensor_get_dtype (words), ==, CLIP_DTYPE_BF16);
  g_assert_true (clip_tensor_read_raw (words, raw, NULL));
  values = read_all (words);
  clip_dtype_to_f32 (CLIP_DTYPE_BF16, raw, converted, 64 * 128);
  g_assert_cmpmem (values, sizeof converted, converted, sizeof converted);
  /* Half a unit in the last of eight bits. */
  for (guint i = 0; i < 64 * 128; i++)
    g_assert_cmpfloat_with_epsilon (values[i],
        test_tensor_value ("bert.embeddings.word_embeddings.weight", 2, i),
        0x1p-12);
  test_checkpoint_remove (folder);
}

/* Clears the error. */
static void
assert_refused (GError **error, const gchar *name)
{
  g_assert_error (*error, CLIP_ERROR, CLIP_ERROR_MODEL);
  g_assert_nonnull (strstr ((*error)->message, name));
  g_assert_nonnull (strstr ((*error)->message, "index 8191"));
  g_clear_error (error);
}

static void
assert_not_finite_is_refused (gfloat value, ClipDtype dtype)
{
  static const gchar name[] = "bert.embeddings.word_embeddings.weight";
  TestCheckpointSpec spec = test_checkpoint_a;
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (&spec);
  TestTensor *changed = test_tensors_find (tensors, name);
  g_autoptr (ClipCheckpoint) checkpoint = NULL;
  g_autoptr (GError) error = NULL;
  gdouble dst[64 * 128];
  const ClipTensor *words;
  gchar *folder;

  spec.dtype = dtype;
  spec.sparse = TRUE;
  changed->changed = 64 * 128 - 1;
  changed->value = value;
  folder = test_checkpoint_new (&spec);
  test_checkpoint_write_tensors (folder, &spec, tensors);
  checkpoint = open_checkpoint (folder);
  words = clip_checkpoint_get_bert (checkpoint)->word_embeddings;
  g_assert_false (clip_tensor_read_f32 (words, (gfloat *)dst, &error));
  assert_refused (&error, name);
  g_assert_false (clip_tensor_read_raw (words, dst, &error));
  assert_refused (&error, name);
  g_assert_null (clip_checkpoint_identify (checkpoint, &error));
  assert_refused (&error, name);
  test_checkpoint_remove (folder);
}

static void
what_is_not_finite_is_refused (void)
{
  static const gfloat values[] = { NAN, INFINITY, -INFINITY };
  static const ClipDtype dtypes[] = { CLIP_DTYPE_F32, CLIP_DTYPE_F16,
    CLIP_DTYPE_BF16, CLIP_DTYPE_F64 };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    for (guint j = 0; j < G_N_ELEMENTS (dtypes); j++)
      assert_not_finite_is_refused (values[i], dtypes[j]);
}

static void
assert_changed (const ClipCheckpoint *checkpoint)
{
  const ClipTensor *words =
      clip_checkpoint_get_bert (checkpoint)->word_embeddings;
  g_autofree gfloat *values = g_new (gfloat, 64 * 128);
  g_autoptr (GError) error = NULL;

  g_assert_false (clip_tensor_read_f32 (words, values, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_READ);
  g_assert_nonnull (strstr (error->message, "model.safetensors"));
  g_assert_nonnull (strstr (error->message, "word_embeddings"));
}

static void
a_file_cut_while_open_is_an_error (void)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  g_autoptr (ClipCheckpoint) checkpoint = open_checkpoint (folder);
  g_autofree gchar *path = g_build_filename (folder, "model.safetensors", NULL);

  g_assert_cmpint (truncate (path, 4096), ==, 0);
  assert_changed (checkpoint);
  test_checkpoint_remove (folder);
}

static void
a_file_rewritten_while_open_is_an_error (void)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  g_autoptr (ClipCheckpoint) checkpoint = open_checkpoint (folder);
  g_autofree gchar *path = g_build_filename (folder, "model.safetensors", NULL);
  FILE *file = g_fopen (path, "r+b");
  struct timespec later[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };

  fputc (0, file);
  fclose (file);
  /* The clock of the file system may not have ticked since it was made. */
  g_assert_cmpint (utimensat (AT_FDCWD, path, later, 0), ==, 0);
  assert_changed (checkpoint);
  test_checkpoint_remove (folder);
}

static void
a_file_replaced_while_open_stays_readable (void)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  g_autoptr (ClipCheckpoint) checkpoint = open_checkpoint (folder);
  g_autofree gchar *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *other = g_build_filename (folder, "other", NULL);
  g_autofree gfloat *values = NULL;

  test_checkpoint_write (folder, "other", "not a model");
  g_assert_cmpint (g_rename (other, path), ==, 0);
  values = read_all (clip_checkpoint_get_bert (checkpoint)->word_embeddings);
  assert_values (values, "bert.embeddings.word_embeddings.weight", 2, 64 * 128);
  test_checkpoint_remove (folder);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/load/tensor/" name, function)
  ADD ("each-half-is-converted-exactly", each_half_is_converted_exactly);
  ADD ("each-bfloat-is-converted-exactly", each_bfloat_is_converted_exactly);
  ADD ("the-halves-are-not-confused", the_halves_are_not_confused);
  ADD ("a-double-is-rounded-to-nearest", a_double_is_rounded_to_nearest);
  ADD ("any-alignment-will-do", any_alignment_will_do);
  ADD (
      "values-arrive-as-they-were-written", values_arrive_as_they_were_written);
  ADD ("query-key-and-value-are-stacked", query_key_and_value_are_stacked);
  ADD ("raw-values-keep-their-type", raw_values_keep_their_type);
  ADD ("what-is-not-finite-is-refused", what_is_not_finite_is_refused);
  ADD ("a-file-cut-while-open-is-an-error", a_file_cut_while_open_is_an_error);
  ADD ("a-file-rewritten-while-open-is-an-error",
      a_file_rewritten_while_open_is_an_error);
  ADD ("a-file-replaced-while-open-stays-readable",
      a_file_replaced_while_open_stays_readable);
  return g_test_run ();
}
