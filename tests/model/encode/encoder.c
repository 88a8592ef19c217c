/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "layers.h"

#include "checkpoints.h"
#include "clip-error.h"

#define EMBED 32
#define SIDE 64
#define N_BYTES (3 * SIDE * SIDE)

static const guint32 ids[] = { 2, 10, 20, 30, 40, 3 };
static const ClipTokens tokens = { ids, G_N_ELEMENTS (ids) };

/* Pictures of smooth colours and some noise. */
static void
make_picture (guint seed, guint8 *picture)
{
  for (guint i = 0; i < N_BYTES; i++) {
    gfloat u = test_uniform (i / 96 + seed, "picture") +
               test_uniform (i + seed, "grain") / 4;
    picture[i] = (guint8)CLAMP (128 + 100 * u, 0, 255);
  }
}

static void
encode_picture (ClipEncoder *encoder, guint seed, gfloat *embedding)
{
  g_autoptr (GError) error = NULL;
  guint8 picture[N_BYTES];
  const guint8 *const pictures[] = { picture };

  make_picture (seed, picture);
  clip_encoder_encode_pictures (encoder, 1, pictures, embedding, &error);
  g_assert_no_error (error);
}

static void
encode_text (ClipEncoder *encoder, gfloat *embedding)
{
  g_autoptr (GError) error = NULL;

  clip_encoder_encode_tokens (encoder, 1, &tokens, embedding, &error);
  g_assert_no_error (error);
}

static gdouble
measure_length (const gfloat *embedding)
{
  gdouble squares = 0;

  for (guint i = 0; i < EMBED; i++)
    squares += (gdouble)embedding[i] * embedding[i];
  return sqrt (squares);
}

/* A picture is its pixels normalised as the model's folder says. */
static void
pictures_equal_their_pixels (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  const ClipPreprocess *preprocess =
      &clip_model_get_info (clip_encoder_get_model (encoder))->preprocess;
  g_autoptr (GError) error = NULL;
  guint8 picture[N_BYTES];
  g_autofree gfloat *pixels = g_new (gfloat, N_BYTES);
  gfloat embedding[EMBED], raw[EMBED];
  gdouble length = 0;

  make_picture (7, picture);
  for (guint i = 0; i < N_BYTES; i++)
    pixels[i] = (gfloat)((picture[i] / 255.0 - preprocess->mean[i % 3]) /
                         preprocess->std[i % 3]);
  encode_picture (encoder, 7, embedding);
  clip_encoder_encode_pixels (encoder, 1, pixels, raw, &error);
  g_assert_no_error (error);
  length = measure_length (raw);
  for (guint i = 0; i < EMBED; i++)
    raw[i] = (gfloat)(raw[i] / length);
  g_assert_cmpfloat (
      test_relative_l2 (embedding, raw, EMBED), <=, EMBEDDING_TOLERANCE);
}

/* Each embedding is that of the picture at its place, in a full batch and in
 * one that is not. */
static void
pictures_keep_their_places (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 3);
  guint8 bytes[3][N_BYTES];
  const guint8 *const pictures[] = { bytes[0], bytes[1], bytes[2] };
  gfloat embeddings[3 * EMBED], alone[3 * EMBED];

  for (guint i = 0; i < 3; i++) {
    make_picture (i, bytes[i]);
    encode_picture (encoder, i, alone + i * EMBED);
  }
  for (guint n = 2; n <= 3; n++) {
    g_autoptr (GError) error = NULL;

    clip_encoder_encode_pictures (encoder, n, pictures, embeddings, &error);
    g_assert_no_error (error);
    for (guint i = 0; i < n; i++)
      g_assert_cmpfloat (
          test_relative_l2 (embeddings + i * EMBED, alone + i * EMBED, EMBED),
          <=, EMBEDDING_TOLERANCE);
  }
}

/* f32 rounding of a length of 1 over 32 values. */
static void
embeddings_have_length_1 (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  gfloat embedding[EMBED];

  encode_picture (encoder, 1, embedding);
  assert_near ("picture", EMBED, measure_length (embedding), 1, 1e-6);
  encode_text (encoder, embedding);
  assert_near ("text", EMBED, measure_length (embedding), 1, 1e-6);
}

static void
repeated_runs_give_the_same_bits (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 3);
  gfloat picture[EMBED], text[EMBED], again[EMBED];

  encode_picture (encoder, 1, picture);
  encode_text (encoder, text);
  for (guint i = 0; i < 5; i++) {
    encode_picture (encoder, 2 + i, again);
    g_assert_true (memcmp (again, picture, sizeof (again)) != 0);
    encode_picture (encoder, 1, again);
    g_assert_cmpmem (again, sizeof (again), picture, sizeof (picture));
    encode_text (encoder, again);
    g_assert_cmpmem (again, sizeof (again), text, sizeof (text));
  }
}

/* Another encoder of the same model, as after a restart. */
static void
another_encoder_gives_the_same_bits (gconstpointer folder)
{
  g_autoptr (ClipEncoder) one = encoder_open (folder, 2, 1);
  g_autoptr (ClipEncoder) two = encoder_open (folder, 2, 1);
  gfloat a[EMBED], b[EMBED];

  encode_picture (one, 1, a);
  encode_picture (two, 1, b);
  g_assert_cmpmem (a, sizeof (a), b, sizeof (b));
  encode_text (one, a);
  encode_text (two, b);
  g_assert_cmpmem (a, sizeof (a), b, sizeof (b));
}

static void
thread_counts_agree (gconstpointer folder)
{
  g_autoptr (ClipEncoder) one = encoder_open (folder, 1, 1);
  gfloat a[EMBED], b[EMBED], c[EMBED], d[EMBED];

  g_assert_cmpuint (clip_encoder_get_n_threads (one), ==, 1);
  encode_picture (one, 1, a);
  encode_text (one, b);
  g_clear_pointer (&one, clip_encoder_free);
  one = encoder_open (folder, 2, 1);
  encode_picture (one, 1, c);
  encode_text (one, d);
  g_assert_cmpfloat (test_relative_l2 (a, c, EMBED), <=, EMBEDDING_TOLERANCE);
  g_assert_cmpfloat (test_relative_l2 (b, d, EMBED), <=, EMBEDDING_TOLERANCE);
}

/* Packed when first needed, freed when asked, packed again. */
static void
text_tower_comes_and_goes (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  gsize picture_size = clip_encoder_get_packed_size (encoder);
  gfloat first[EMBED], again[EMBED];

  clip_encoder_release_text (encoder);
  encode_text (encoder, first);
  g_assert_cmpuint (clip_encoder_get_packed_size (encoder), >, picture_size);
  clip_encoder_release_text (encoder);
  g_assert_cmpuint (clip_encoder_get_packed_size (encoder), ==, picture_size);
  encode_text (encoder, again);
  g_assert_cmpmem (first, sizeof (first), again, sizeof (again));
}

/* Packs all of the text tower.
 *
 * Returns: in how many pieces */
static guint
pack_text (ClipEncoder *encoder)
{
  guint n_pieces = 0;
  gboolean done = FALSE;

  while (!done) {
    g_autoptr (GError) error = NULL;

    clip_encoder_pack_text (encoder, &done, &error);
    g_assert_no_error (error);
    n_pieces++;
  }
  return n_pieces;
}

/* Pictures between all pieces, of packing and of running, and texts that are
 * given up for others, change no bit. */
static void
texts_go_in_pieces_between_pictures (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  static const guint32 other_ids[] = { 2, 11, 3 };
  const ClipTokens other = { other_ids, G_N_ELEMENTS (other_ids) };
  gfloat picture[EMBED], text[EMBED], found[EMBED], ignored[EMBED];
  guint n_packed = 0, n_run = 0;
  gboolean done = FALSE;

  encode_picture (encoder, 1, picture);
  encode_text (encoder, text);
  clip_encoder_release_text (encoder);
  while (!done) {
    g_assert_true (clip_encoder_pack_text (encoder, &done, NULL));
    encode_picture (encoder, 1, found);
    g_assert_cmpmem (picture, sizeof picture, found, sizeof found);
    n_packed++;
  }
  g_assert_cmpuint (pack_text (encoder), ==, 1);
  g_assert_cmpuint (clip_encoder_lay_tokens (encoder, 1, &other, NULL), ==, 1);
  g_assert_true (clip_encoder_encode_laid (encoder, ignored, &done, NULL));
  g_assert_false (done);
  g_assert_cmpuint (clip_encoder_lay_tokens (encoder, 1, &tokens, NULL), ==, 1);
  while (!done) {
    g_assert_true (clip_encoder_encode_laid (encoder, found, &done, NULL));
    encode_picture (encoder, 2, ignored);
    n_run++;
  }
  g_assert_cmpmem (text, sizeof text, found, sizeof found);
  /* A layer is one piece of either. */
  g_assert_cmpuint (n_run, ==, test_checkpoint_a.text.n_layers);
  g_assert_cmpuint (n_packed, >, test_checkpoint_a.text.n_layers);
}

/* One packed copy: a second batch size costs activations, not weights. */
static void
batch_sizes_share_packed_weights (gconstpointer folder)
{
  g_autoptr (ClipEncoder) one = encoder_open (folder, 2, 1);
  g_autoptr (ClipEncoder) both = encoder_open (folder, 2, 4);

  g_assert_cmpuint (clip_encoder_get_packed_size (both), <,
      clip_encoder_get_packed_size (one) * 3 / 2);
}

static void
wrong_tokens_are_refused_with_their_number (gconstpointer folder)
{
  static const guint32 unknown[] = { 2, 10, 64, 3 };
  guint32 many[33];
  const struct {
    ClipTokens tokens;
    const gchar *message;
  } cases[] = {
    { { unknown, 4 }, "prompt 2 of 2: token 3 has the id 64" },
    { { many, 33 }, "prompt 2 of 2 has 33 tokens, the model reads 1 to 32" },
    { { many, 0 }, "prompt 2 of 2 has 0 tokens" },
  };
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  gfloat embeddings[2 * EMBED];

  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    many[i] = 2;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const ClipTokens pair[] = { tokens, cases[i].tokens };
    g_autoptr (GError) error = NULL;

    g_assert_false (
        clip_encoder_encode_tokens (encoder, 2, pair, embeddings, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT);
    g_assert_nonnull (strstr (error->message, cases[i].message));
  }
  encode_text (encoder, embeddings);
}

static void
weights_that_are_not_numbers_are_refused_at_open (void)
{
  static const gchar *const names[] = { "visual.layer3.0.conv2.weight",
    "bert.encoder.layer.1.output.dense.bias" };
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GPtrArray) tensors =
        test_checkpoint_tensors (&test_checkpoint_a);
    g_autoptr (GError) error = NULL;
    TestTensor *tensor = test_tensors_find (tensors, names[i]);

    tensor->changed = 5;
    tensor->value = i == 0 ? NAN : INFINITY;
    test_checkpoint_write_tensors (folder, &test_checkpoint_a, tensors);
    g_assert_null (clip_model_open (folder, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MODEL);
    g_assert_nonnull (strstr (error->message, names[i]));
  }
  test_checkpoint_remove (folder);
}

/* Finite weights whose sums are not, and weights that are all zero. */
static void
embeddings_without_length_are_errors (void)
{
  TestCheckpointSpec zero = test_checkpoint_a;
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (&test_checkpoint_a);
  TestTensor *value =
      test_tensors_find (tensors, "visual.attnpool.v_proj.bias");
  TestTensor *scale =
      test_tensors_find (tensors, "visual.attnpool.c_proj.weight");
  guint8 picture[N_BYTES];
  const guint8 *const pictures[] = { picture };

  make_picture (1, picture);
  zero.sparse = TRUE;
  value->changed = scale->changed = 0;
  value->value = 3e38f;
  scale->value = 100;
  for (guint i = 0; i < 2; i++) {
    g_autoptr (ClipEncoder) encoder = NULL;
    g_autoptr (GError) error = NULL;
    gfloat embedding[EMBED];

    test_checkpoint_write_tensors (
        folder, i == 0 ? &test_checkpoint_a : &zero, tensors);
    encoder = encoder_open (folder, 1, 1);
    g_assert_false (
        clip_encoder_encode_pictures (encoder, 1, pictures, embedding, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
    g_assert_nonnull (strstr (error->message, "picture 1 of 1"));
  }
  test_checkpoint_remove (folder);
}

int
main (int argc, char **argv)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  gint status = 0;

  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/encode/encoder/pictures-equal-their-pixels", folder,
      pictures_equal_their_pixels);
  g_test_add_data_func ("/encode/encoder/pictures-keep-their-places", folder,
      pictures_keep_their_places);
  g_test_add_data_func ("/encode/encoder/embeddings-have-length-1", folder,
      embeddings_have_length_1);
  g_test_add_data_func ("/encode/encoder/repeated-runs-give-the-same-bits",
      folder, repeated_runs_give_the_same_bits);
  g_test_add_data_func ("/encode/encoder/another-encoder-gives-the-same-bits",
      folder, another_encoder_gives_the_same_bits);
  g_test_add_data_func (
      "/encode/encoder/thread-counts-agree", folder, thread_counts_agree);
  g_test_add_data_func ("/encode/encoder/text-tower-comes-and-goes", folder,
      text_tower_comes_and_goes);
  g_test_add_data_func ("/encode/encoder/texts-go-in-pieces-between-pictures",
      folder, texts_go_in_pieces_between_pictures);
  g_test_add_data_func ("/encode/encoder/batch-sizes-share-packed-weights",
      folder, batch_sizes_share_packed_weights);
  g_test_add_data_func (
      "/encode/encoder/wrong-tokens-are-refused-with-their-number", folder,
      wrong_tokens_are_refused_with_their_number);
  g_test_add_func (
      "/encode/encoder/weights-that-are-not-numbers-are-refused-at-open",
      weights_that_are_not_numbers_are_refused_at_open);
  g_test_add_func ("/encode/encoder/embeddings-without-length-are-errors",
      embeddings_without_length_are_errors);
  status = g_test_run ();
  test_checkpoint_remove (folder);
  return status;
}
