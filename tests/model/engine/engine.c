/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "engine/engine-private.h"

#include "clip-error.h"
#include "reference.h"

/* A block of a transformer, nearly: enough products that another team would
 * give other numbers. */
enum {
  ROWS = 50,
  WIDTH = 192,
  HEADS = 3
};

typedef struct {
  ClipEngine *engine;
  ClipLinear *qkv;
  ClipLinear *out;
  ClipAttention *attention;
  gfloat *src;
  gfloat *columns; /* [ROWS, 3 * WIDTH] */
  gfloat *heads;   /* [ROWS, WIDTH] */
  gfloat *dst;     /* [ROWS, WIDTH] */
} Block;

static void
block_init (Block *block, guint n_threads)
{
  static const guint rows = ROWS;
  const ClipLinearSpec qkv = { .name = "qkv",
    .in_features = WIDTH,
    .out_features = 3 * WIDTH,
    .rows = &rows,
    .n_rows = 1 };
  const ClipLinearSpec out = { .name = "out",
    .in_features = WIDTH,
    .out_features = WIDTH,
    .accumulate = TRUE,
    .activation = CLIP_ACTIVATION_QUICK_GELU,
    .rows = &rows,
    .n_rows = 1 };
  const ClipAttentionSpec attention = { .name = "attention",
    .heads = HEADS,
    .head_width = WIDTH / HEADS,
    .q_stride = 3 * WIDTH,
    .kv_stride = 3 * WIDTH,
    .tokens = &rows,
    .n_tokens = 1 };
  gfloat *weights = reference_values (3 * WIDTH * WIDTH, "weights");

  block->engine = clip_engine_new (n_threads, NULL);
  block->qkv = clip_linear_new (block->engine, &qkv, weights, NULL, NULL);
  block->out = clip_linear_new (block->engine, &out, weights, NULL, NULL);
  block->attention = clip_attention_new (block->engine, &attention, NULL);
  block->src = reference_values (ROWS * WIDTH, "src");
  block->columns = reference_zeros (ROWS * 3 * WIDTH);
  block->heads = reference_zeros (ROWS * WIDTH);
  block->dst = reference_zeros (ROWS * WIDTH);
  clip_engine_free_values (weights);
}

static void
block_clear (Block *block)
{
  clip_linear_free (block->qkv);
  clip_linear_free (block->out);
  clip_attention_free (block->attention);
  clip_engine_free (block->engine);
  clip_engine_free_values (block->src);
  clip_engine_free_values (block->columns);
  clip_engine_free_values (block->heads);
  clip_engine_free_values (block->dst);
}

static gboolean
block_run (Block *block, GError **error)
{
  gfloat *q = block->columns;

  return clip_linear_run (block->qkv, ROWS, block->src, q, error) &&
         reference_attend (block->attention, ROWS, ROWS,
             (gconstpointer[]){ q, q + WIDTH, q + 2 * WIDTH }, block->heads,
             error) &&
         clip_linear_run (block->out, ROWS, block->heads, block->dst, error);
}

/* Built, run and freed here. (transfer full) of clip_engine_free_values() */
static gpointer
encode (gpointer repeats)
{
  g_autoptr (GError) error = NULL;
  gfloat *dst = reference_zeros (ROWS * WIDTH);
  Block block;

  block_init (&block, REFERENCE_THREADS);
  for (guint i = 0; i < GPOINTER_TO_UINT (repeats); i++) {
    memset (block.dst, 0, ROWS * WIDTH * sizeof *dst);
    block_run (&block, &error);
    g_assert_no_error (error);
    if (i > 0)
      g_assert_cmpmem (dst, ROWS * WIDTH * sizeof *dst, block.dst,
          ROWS * WIDTH * sizeof *dst);
    memcpy (dst, block.dst, ROWS * WIDTH * sizeof *dst);
  }
  block_clear (&block);
  return dst;
}

/* What encode() gives, from the definitions. (transfer full) */
static gfloat *
expect (void)
{
  gfloat *src = reference_values (ROWS * WIDTH, "src");
  gfloat *weights = reference_values (3 * WIDTH * WIDTH, "weights");
  g_autofree gdouble *qkv = g_new0 (gdouble, ROWS * 3 * WIDTH);
  g_autofree gdouble *heads = g_new0 (gdouble, ROWS * WIDTH);
  gfloat *dst = reference_zeros (ROWS * WIDTH);

  for (gsize m = 0; m < ROWS; m++)
    for (gsize n = 0; n < 3 * WIDTH; n++)
      for (gsize k = 0; k < WIDTH; k++)
        qkv[m * 3 * WIDTH + n] +=
            (gdouble)src[m * WIDTH + k] * weights[n * WIDTH + k];
  for (gsize m = 0; m < ROWS; m++)
    for (gsize c = 0; c < WIDTH; c++) {
      gsize first = c / (WIDTH / HEADS) * (WIDTH / HEADS);
      gdouble sum = 0.0;

      for (gsize t = 0; t < ROWS; t++) {
        gdouble score = 0.0;

        for (gsize i = first; i < first + WIDTH / HEADS; i++)
          score += qkv[m * 3 * WIDTH + i] * qkv[t * 3 * WIDTH + WIDTH + i];
        score = exp (score / sqrt (WIDTH / HEADS));
        sum += score;
        heads[m * WIDTH + c] += score * qkv[t * 3 * WIDTH + 2 * WIDTH + c];
      }
      heads[m * WIDTH + c] /= sum;
    }
  for (gsize m = 0; m < ROWS; m++)
    for (gsize n = 0; n < WIDTH; n++) {
      gdouble sum = 0.0;

      for (gsize k = 0; k < WIDTH; k++)
        sum += heads[m * WIDTH + k] * weights[n * WIDTH + k];
      dst[m * WIDTH + n] = reference_activate (CLIP_ACTIVATION_QUICK_GELU, sum);
    }
  clip_engine_free_values (src);
  clip_engine_free_values (weights);
  return dst;
}

/* The scores have a deviation of 21 here, of which 1e-7 is an error of 2e-6 in
 * a weight of the attention. */
#define SHARP_TOLERANCE 5e-6

static void
right_in_any_thread (void)
{
  gfloat *expected = expect ();
  gfloat *here = encode (GUINT_TO_POINTER (1));
  gfloat *there =
      g_thread_join (g_thread_new ("other", encode, GUINT_TO_POINTER (1)));

  reference_assert_close (
      "main thread", here, expected, ROWS * WIDTH, SHARP_TOLERANCE);
  g_assert_cmpmem (
      here, ROWS * WIDTH * sizeof *here, there, ROWS * WIDTH * sizeof *there);
  clip_engine_free_values (expected);
  clip_engine_free_values (here);
  clip_engine_free_values (there);
}

static void
two_engines_at_once_give_equal_results (void)
{
  gfloat *alone = encode (GUINT_TO_POINTER (1));
  GThread *threads[2];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("worker", encode, GUINT_TO_POINTER (100));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    gfloat *dst = g_thread_join (threads[i]);

    g_assert_cmpmem (
        dst, ROWS * WIDTH * sizeof *dst, alone, ROWS * WIDTH * sizeof *alone);
    clip_engine_free_values (dst);
  }
  clip_engine_free_values (alone);
}

static gpointer
run_in_wrong_thread (gpointer data)
{
  Block *block = data;
  GError *error = NULL;

  g_assert_false (block_run (block, &error));
  return error;
}

static void
another_thread_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  Block block;

  block_init (&block, REFERENCE_THREADS);
  error = g_thread_join (g_thread_new ("wrong", run_in_wrong_thread, &block));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
  g_assert_nonnull (strstr (error->message, "a thread that did not make it"));
  block_clear (&block);
}

static void
team_is_within_what_there_is (void)
{
  static const guint asked[] = { 0, 1, 2, 1000, G_MAXUINT };

  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    g_autoptr (ClipEngine) engine = clip_engine_new (asked[i], NULL);
    guint n_threads = clip_engine_get_n_threads (engine);

    g_assert_cmpuint (n_threads, >=, 1);
    g_assert_cmpuint (n_threads, <=, MAX (asked[i], 1));
    g_assert_cmpuint (n_threads, <=, g_get_num_processors ());
    if (g_strcmp0 (g_getenv ("OMP_THREAD_LIMIT"), "1") == 0)
      g_assert_cmpuint (n_threads, ==, 1);
  }
}

static void
description_names_version_and_instructions (void)
{
  g_autoptr (ClipEngine) engine = reference_engine ();

  g_assert_true (g_regex_match_simple ("^oneDNN [23]\\.[0-9]+\\.[0-9]+, [a-z]",
      clip_engine_describe (engine), 0, 0));
}

static void
memory_is_aligned_and_zeroed (void)
{
  static const gsize sizes[] = { 0, 1, 17, 1 << 18, (1 << 19) + 1 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GError) error = NULL;
    gfloat *floats = clip_engine_alloc (sizes[i], CLIP_F32, &error);
    gsize alignment = sizes[i] < (1 << 19) ? 64 : 2 << 20;

    g_assert_no_error (error);
    g_assert_cmpuint ((guintptr)floats % alignment, ==, 0);
    for (gsize j = 0; j < sizes[i]; j++)
      g_assert_cmpfloat (floats[j], ==, 0.0f);
    clip_engine_free_values (floats);
  }
}

static void
impossible_memory_is_an_error (void)
{
  static const gsize sizes[] = { G_MAXSIZE, G_MAXSIZE / 4, G_MAXSSIZE / 4,
    (gsize)1 << 45 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (clip_engine_alloc (sizes[i], CLIP_F32, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_NO_SPACE);
  }
}

typedef struct {
  guint n_dims;
  guint64 dims[5];
  gboolean good;
} Dims;

#define TWO(exponent) (G_GUINT64_CONSTANT (1) << (exponent))

/* clang-format off */
static const Dims dims_table[] = {
  { 1, { 1 }, TRUE },
  { 1, { TWO (24) }, TRUE },
  { 2, { TWO (24), 128 }, TRUE },
  { 4, { 8, 224, 224, 64 }, TRUE },
  { 1, { 0 } },
  { 2, { 4, 0 } },
  { 2, { 0, TWO (62) } },
  { 1, { TWO (24) + 1 } },
  { 2, { TWO (62), 4 } },
  { 2, { 4, TWO (62) } },
  { 2, { TWO (31), 3 } },
  { 2, { TWO (32), TWO (32) } },
  { 1, { G_MAXUINT64 } },
  { 2, { G_MAXUINT64, G_MAXUINT64 } },
  { 1, { (guint64)-1 } },
  { 2, { TWO (24), 129 } },
  { 3, { TWO (22), TWO (22), TWO (22) } },
  { 5, { TWO (24), TWO (24), TWO (24), TWO (24), TWO (24) } },
  { 5, { TWO (13), TWO (13), TWO (13), TWO (13), TWO (12) } },
};
/* clang-format on */

static void
dimensions_are_bounded (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (dims_table); i++) {
    const Dims *a = &dims_table[i];
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (
        clip_engine_check_dims ("the test", a->dims, a->n_dims, &error), ==,
        a->good);
    if (!a->good) {
      g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
      g_assert_nonnull (strstr (error->message, "the test"));
    }
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/engine/right-in-any-thread", right_in_any_thread);
  g_test_add_func ("/engine/engine/two-engines-at-once-give-equal-results",
      two_engines_at_once_give_equal_results);
  g_test_add_func (
      "/engine/engine/another-thread-is-refused", another_thread_is_refused);
  g_test_add_func ("/engine/engine/team-is-within-what-there-is",
      team_is_within_what_there_is);
  g_test_add_func ("/engine/engine/description-names-version-and-instructions",
      description_names_version_and_instructions);
  g_test_add_func ("/engine/engine/memory-is-aligned-and-zeroed",
      memory_is_aligned_and_zeroed);
  g_test_add_func ("/engine/engine/impossible-memory-is-an-error",
      impossible_memory_is_an_error);
  g_test_add_func (
      "/engine/engine/dimensions-are-bounded", dimensions_are_bounded);
  return g_test_run ();
}
