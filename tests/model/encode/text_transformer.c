/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "layers.h"

#include "checkpoints.h"
#include "generated.h"

#define EMBED_A 32
#define EMBED_C 24
#define WIDTH_A 128

/* Of model-spec.md's first text of 16, the tokens that count. */
#define N_TOKENS 6

/* clang-format off */

/* The same text: whatever is behind the first of the largest ids is not
 * looked at. */
static const struct {
  const gchar *name;
  guint32 ids[16];
  guint n_ids;
} texts[] = {
  { "cut behind the end", { 62, 5, 17, 29, 41, 63 }, 6 },
  { "padded with 0", { 62, 5, 17, 29, 41, 63 }, 16 },
  { "padded with the end token", { 62, 5, 17, 29, 41, 63, 63, 63, 63, 63, 63,
      63, 63, 63, 63, 63 }, 16 },
  { "words behind the end", { 62, 5, 17, 29, 41, 63, 9, 33, 63 }, 9 },
};

/* model-spec.md section 9: the probes of [16, 128] that lie in its tokens, and
 * the row of the end token. */
static const gdouble block_probes[] = { -0.8074862, 0.5724974, 2.214724 };
static const gdouble block_end[] = { 0.2782673, -0.1751385, 1.898303, 0.1495011,
  -1.247472, -0.2301406, -1.103933, 0.2338456 };
static const gdouble block_size = 0.914; /* root mean square */
static const gdouble ln_final_end[] = { 0.9286474, 0.1908508, 1.216397,
  0.2819354, 0.4109394, -0.01722636, -0.3490505, 1.162647 };

static const gfloat embedding_a[] = { 1.249206f, 0.6808513f, 0.8874218f,
  0.3680164f, -0.4215866f, 0.2654181f, -1.711293f, 0.7310152f };
static const gdouble norm_a = 5.217347;

static const Mistake mistakes_a[] = {
  { "no causal mask", { 1.2335, 0.10941 } },
  { "GELU with erf for QuickGELU", { 1.2426, 0.66553 } },
  { "the last position for the end token", { -0.34188, -0.41358 } },
  { "ln_final missing", { 1.5481, 0.85475 } },
  { "in_proj split per head", { 2.0554, 0.076032 } },
  { "in_proj order k, q, v", { 0.60488, -0.23323 } },
  { "out_proj transposed", { 0.55487, 0.10566 } },
  { "one head for two", { 0.81358, 0.5525 } },
  { "norms behind", { 1.2812, -0.02144 } },
  { "LayerNorm's epsilon 1e-12", { 1.2491, 0.68117 } },
};

static const guint32 ids_c[] = { 62, 7, 7, 63, 0, 0, 0, 0, 0, 0 };
static const gfloat embedding_c[] = { -2.131226f, 0.5194926f, 0.1042788f,
  1.00193f, -0.9794927f, 0.4304082f, 0.9070901f, 0.4986403f };
static const gdouble norm_c = 4.188468;
/* clang-format on */

static void
layers_equal_the_original (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (layer_free);
  g_autoptr (GError) error = NULL;
  const ClipTokens tokens = { texts[1].ids, texts[1].n_ids };
  const Layer *layer = NULL;
  gfloat embedding[EMBED_A];

  clip_encoder_set_trace (encoder, layer_keep, layers);
  clip_encoder_encode_tokens_raw (encoder, 1, &tokens, embedding, &error);
  g_assert_no_error (error);

  layer = layer_find (layers, "transformer.resblocks.0");
  g_assert_cmpuint (layer->n_rows, ==, N_TOKENS);
  g_assert_cmpuint (layer->n_columns, ==, WIDTH_A);
  for (gsize j = 0; j < G_N_ELEMENTS (block_probes); j++) {
    gsize index = j * 16 * WIDTH_A / 8 + j;

    assert_near (layer->name, index, layer->values[index], block_probes[j],
        block_size * LAYER_TOLERANCE);
  }
  for (gsize j = 0; j < 8; j++)
    assert_near (layer->name, (N_TOKENS - 1) * WIDTH_A + j,
        layer->values[(N_TOKENS - 1) * WIDTH_A + j], block_end[j],
        block_size * LAYER_TOLERANCE);

  layer = layer_find (layers, "ln_final");
  g_assert_cmpuint (layer->n_rows, ==, 1);
  for (gsize j = 0; j < 8; j++)
    assert_near (
        layer->name, j, layer->values[j], ln_final_end[j], LAYER_TOLERANCE);
  assert_no_mistake (embedding, mistakes_a, G_N_ELEMENTS (mistakes_a));
}

/* All in one call, and each alone: 1e-6 is what model-spec.md asks. */
static void
texts_end_at_their_first_end_token (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GError) error = NULL;
  ClipTokens tokens[G_N_ELEMENTS (texts)];
  gfloat together[G_N_ELEMENTS (texts) * EMBED_A], cut[EMBED_A];

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    tokens[i] = (ClipTokens){ texts[i].ids, texts[i].n_ids };
  clip_encoder_encode_tokens_raw (
      encoder, G_N_ELEMENTS (texts), tokens, together, &error);
  g_assert_no_error (error);
  clip_encoder_encode_tokens_raw (encoder, 1, &tokens[0], cut, &error);
  g_assert_no_error (error);
  assert_embedding (texts[0].name, cut, EMBED_A, embedding_a, norm_a);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    gfloat alone[EMBED_A];

    clip_encoder_encode_tokens_raw (encoder, 1, &tokens[i], alone, &error);
    g_assert_no_error (error);
    g_test_message ("%s", texts[i].name);
    g_assert_cmpfloat (test_relative_l2 (alone, cut, EMBED_A), <=, 1e-6);
    g_assert_cmpfloat (
        test_relative_l2 (together + i * EMBED_A, cut, EMBED_A), <=, 1e-6);
  }
}

static void
odd_widths_equal_the_original (void)
{
  gchar *folder = generated_new (&generated_c);
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GError) error = NULL;
  const ClipTokens tokens = { ids_c, G_N_ELEMENTS (ids_c) };
  gfloat embedding[EMBED_C];

  clip_encoder_encode_tokens_raw (encoder, 1, &tokens, embedding, &error);
  g_assert_no_error (error);
  assert_embedding ("embedding", embedding, EMBED_C, embedding_c, norm_c);
  test_checkpoint_remove (folder);
}

/* More texts than one block of rows holds, of all lengths in turn, and the
 * known one among them. */
static void
many_texts_at_once_equal_single_texts (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GError) error = NULL;
  guint32 ids[40][16];
  ClipTokens tokens[40];
  g_autofree gfloat *together = g_new (gfloat, 40 * EMBED_A);

  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++) {
    tokens[i] = (ClipTokens){ ids[i], i % 15 + 2 };
    for (guint t = 0; t < tokens[i].n_ids; t++)
      ids[i][t] = (7 * i + 11 * t) % 61;
    ids[i][0] = 62;
    ids[i][tokens[i].n_ids - 1] = 63;
  }
  tokens[23] = (ClipTokens){ texts[0].ids, texts[0].n_ids };
  clip_encoder_encode_tokens_raw (
      encoder, G_N_ELEMENTS (tokens), tokens, together, &error);
  g_assert_no_error (error);
  assert_embedding (
      "the known text", together + 23 * EMBED_A, EMBED_A, embedding_a, norm_a);
  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++) {
    gfloat alone[EMBED_A];

    clip_encoder_encode_tokens_raw (encoder, 1, &tokens[i], alone, &error);
    g_assert_no_error (error);
    g_assert_cmpfloat (
        test_relative_l2 (together + i * EMBED_A, alone, EMBED_A), <=, 1e-6);
  }
}

int
main (int argc, char **argv)
{
  gchar *folder = generated_new (&generated_ab);
  gint status = 0;

  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/encode/text-transformer/layers-equal-the-original",
      folder, layers_equal_the_original);
  g_test_add_data_func (
      "/encode/text-transformer/texts-end-at-their-first-end-token", folder,
      texts_end_at_their_first_end_token);
  g_test_add_func ("/encode/text-transformer/odd-widths-equal-the-original",
      odd_widths_equal_the_original);
  g_test_add_data_func (
      "/encode/text-transformer/many-texts-at-once-equal-single-texts", folder,
      many_texts_at_once_equal_single_texts);
  status = g_test_run ();
  test_checkpoint_remove (folder);
  return status;
}
