/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "layers.h"

#include "checkpoints.h"

#define EMBED 32
#define WIDTH 128

/* clang-format off */

/* The first two rows are model-spec.md's; all are what bert-reference.py, which
 * agrees with those two, prints for the ids in double precision. */
static const struct {
  const gchar *name;
  guint32 ids[24];
  guint n_ids;
  gfloat first[8];
  gdouble norm;
} texts[] = {
  { "six tokens", { 2, 10, 20, 30, 40, 3 }, 6,
    { 0.262204f, 0.5666683f, 0.9331491f, -1.70853f,
      -1.419974f, 2.21348f, 0.09642543f, -0.6868988f }, 5.122465 },
  { "padding behind", { 2, 10, 20, 30, 40, 3, 0, 0, 0, 0, 0, 0 }, 12,
    { 0.262204f, 0.5666683f, 0.9331491f, -1.70853f,
      -1.419974f, 2.21348f, 0.09642543f, -0.6868988f }, 5.122465 },
  { "padding inside", { 2, 10, 0, 30, 40, 3 }, 6,
    { 0.3380335f, 0.5976489f, 0.9043197f, -1.679568f,
      -1.29696f, 2.338947f, 0.1070621f, -0.7262183f }, 5.10181 },
  { "two tokens", { 2, 3 }, 2,
    { 0.7058339f, 0.2453464f, 1.143577f, -1.474158f,
      -1.431927f, 2.532494f, 0.3136102f, -0.7133741f }, 5.314199 },
  { "eight tokens", { 2, 11, 12, 13, 14, 15, 16, 3 }, 8,
    { 0.2877038f, 0.05679507f, 0.7466375f, -1.687189f,
      -1.077235f, 1.819402f, 0.2739279f, -0.5672626f }, 4.523616 },
  { "22 tokens", { 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
      20, 21, 22, 23, 3 }, 22,
    { 0.234492f, 0.01884181f, 0.9825459f, -1.699753f,
      -1.068966f, 1.783011f, 0.2422503f, -0.3884732f }, 4.597502 },
};

/* model-spec.md section 9, the first text: the probes of [12, 128] that lie in
 * its six tokens, and the first values of the last layer's only row. */
static const struct {
  const gchar *name;
  gdouble probes[4];
} layers_b[] = {
  { "bert.embeddings", { 1.751668, -0.6369622, 0.1061272, 0.7923614 } },
  { "bert.encoder.layer.0", { 1.55368, -0.5286032, -0.4217548, 1.11967 } },
};
static const gdouble cls_b[] = { 0.07024114, 0.7307954, -0.5062705, -1.237259,
  0.8029598, -1.614529, 0.9928093, -0.3809719 };
/* clang-format on */

static void
layers_equal_the_original (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (layer_free);
  g_autoptr (GError) error = NULL;
  const ClipTokens tokens = { texts[0].ids, texts[0].n_ids };
  const Layer *layer = NULL;
  gfloat embedding[EMBED];

  clip_encoder_set_trace (encoder, layer_keep, layers);
  clip_encoder_encode_tokens_raw (encoder, 1, &tokens, embedding, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (layers_b); i++) {
    layer = layer_find (layers, layers_b[i].name);
    g_assert_cmpuint (layer->n_rows, ==, 6);
    g_assert_cmpuint (layer->n_columns, ==, WIDTH);
    for (gsize j = 0; j < G_N_ELEMENTS (layers_b[i].probes); j++) {
      gsize index = j * 12 * WIDTH / 8 + j;

      assert_near (layer->name, index, layer->values[index],
          layers_b[i].probes[j], LAYER_TOLERANCE);
    }
  }
  layer = layer_find (layers, "bert.encoder.layer.1");
  g_assert_cmpuint (layer->n_rows, ==, 1);
  for (gsize j = 0; j < G_N_ELEMENTS (cls_b); j++)
    assert_near (layer->name, j, layer->values[j], cls_b[j], LAYER_TOLERANCE);
}

static void
texts_equal_the_original (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    const ClipTokens tokens = { texts[i].ids, texts[i].n_ids };
    g_autoptr (GError) error = NULL;
    gfloat embedding[EMBED];

    clip_encoder_encode_tokens_raw (encoder, 1, &tokens, embedding, &error);
    g_assert_no_error (error);
    assert_embedding (
        texts[i].name, embedding, EMBED, texts[i].first, texts[i].norm);
  }
}

/* More texts than one block of rows holds, of all lengths, in any order. */
static void
many_texts_at_once_equal_the_original (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GError) error = NULL;
  ClipTokens tokens[100];
  g_autofree gfloat *embeddings = g_new (gfloat, 100 * EMBED);

  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++) {
    guint text = (i + i / 7) % G_N_ELEMENTS (texts);
    tokens[i] = (ClipTokens){ texts[text].ids, texts[text].n_ids };
  }
  for (guint n = 1; n <= G_N_ELEMENTS (tokens); n += 11) {
    clip_encoder_encode_tokens_raw (encoder, n, tokens, embeddings, &error);
    g_assert_no_error (error);
    for (guint i = 0; i < n; i++) {
      guint text = (i + i / 7) % G_N_ELEMENTS (texts);
      assert_embedding (texts[text].name, embeddings + i * EMBED, EMBED,
          texts[text].first, texts[text].norm);
    }
  }
}

/* Whatever shares the block: same place, other neighbours, same bits. */
static void
neighbours_do_not_matter (gconstpointer folder)
{
  g_autoptr (ClipEncoder) encoder = encoder_open (folder, 2, 1);
  g_autoptr (GError) error = NULL;
  gfloat first[2 * EMBED], second[2 * EMBED], alone[EMBED];
  const ClipTokens a[] = { { texts[0].ids, texts[0].n_ids },
    { texts[4].ids, texts[4].n_ids } };
  const ClipTokens b[] = { { texts[3].ids, texts[3].n_ids },
    { texts[4].ids, texts[4].n_ids } };

  clip_encoder_encode_tokens (encoder, 2, a, first, &error);
  g_assert_no_error (error);
  clip_encoder_encode_tokens (encoder, 2, b, second, &error);
  g_assert_no_error (error);
  clip_encoder_encode_tokens (encoder, 1, &b[1], alone, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (first + EMBED, sizeof (gfloat) * EMBED, second + EMBED,
      sizeof (gfloat) * EMBED);

  /* Another row count may sum in another order. */
  g_assert_cmpfloat (test_relative_l2 (alone, first + EMBED, EMBED), <=, 1e-6);
}

int
main (int argc, char **argv)
{
  gchar *folder = test_checkpoint_new (&test_checkpoint_a);
  gint status = 0;

  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/encode/bert/layers-equal-the-original", folder,
      layers_equal_the_original);
  g_test_add_data_func ("/encode/bert/texts-equal-the-original", folder,
      texts_equal_the_original);
  g_test_add_data_func ("/encode/bert/many-texts-at-once-equal-the-original",
      folder, many_texts_at_once_equal_the_original);
  g_test_add_data_func ("/encode/bert/neighbours-do-not-matter", folder,
      neighbours_do_not_matter);
  status = g_test_run ();
  test_checkpoint_remove (folder);
  return status;
}
