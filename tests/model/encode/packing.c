/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/packing.h"

/* For every context length a model may have, and lengths that come in any
 * order: what packing.h promises. */
static void
sequences_never_overlap (void)
{
  for (guint context = 1; context <= 512; context += 3) {
    ClipPacking packing;

    clip_packing_init (&packing, context);
    g_assert_cmpuint (packing.n_tokens, <=, CLIP_PACKING_MAX_SEQUENCES);
    g_assert_cmpuint (packing.tokens[packing.n_tokens - 1], >=, context);
    for (guint round = 0; round < 20; round++) {
      guint end = 0;

      clip_packing_clear (&packing);
      for (guint i = 0;; i++) {
        guint n_tokens = (round * 31 + i * 17 + i * i) % context + 1;
        const ClipSequence *last = NULL;

        if (!clip_packing_add (&packing, n_tokens))
          break;
        last = &packing.sequences[packing.n_sequences - 1];
        g_assert_cmpuint (packing.n_sequences, ==, i + 1);
        g_assert_cmpuint (last->first_row, ==, end);
        g_assert_cmpuint (last->n_tokens, ==, n_tokens);
        g_assert_cmpuint (last->n_rows, >=, n_tokens);
        g_assert_cmpuint (last->n_rows, <, n_tokens + packing.step);
        g_assert_cmpuint (last->n_rows % packing.step, ==, 0);
        end = last->first_row + last->n_rows;
        g_assert_cmpuint (
            packing.rows[clip_packing_get_block (&packing)], >=, end);
        g_assert_cmpuint (
            packing.counts[clip_packing_get_count (&packing)], >=, i + 1);
      }
      g_assert_cmpuint (packing.n_sequences, >=, 1);
      g_assert_cmpuint (packing.n_sequences, <=, CLIP_PACKING_MAX_SEQUENCES);
    }
  }
}

/* A short text alone costs one step, not a context. */
static void
blocks_are_as_small_as_they_can_be (void)
{
  ClipPacking packing;

  clip_packing_init (&packing, 52);
  g_assert_true (clip_packing_add (&packing, 8));
  g_assert_cmpuint (packing.rows[clip_packing_get_block (&packing)], ==, 8);
  g_assert_cmpuint (packing.counts[clip_packing_get_count (&packing)], ==, 1);
  g_assert_true (clip_packing_add (&packing, 9));
  g_assert_cmpuint (packing.rows[clip_packing_get_block (&packing)], ==, 32);
  g_assert_cmpuint (packing.counts[clip_packing_get_count (&packing)], ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/encode/packing/sequences-never-overlap", sequences_never_overlap);
  g_test_add_func ("/encode/packing/blocks-are-as-small-as-they-can-be",
      blocks_are_as_small_as_they_can_be);
  return g_test_run ();
}
