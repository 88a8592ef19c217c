/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "encode/packing.h"

#define ROUND_UP(value, step) (((value) + (step)-1) / (step) * (step))

/* The least step: a vector register's worth of rows or a fraction of one. */
#define MIN_STEP 8

void
clip_packing_init (ClipPacking *packing, guint context_length)
{
  *packing = (ClipPacking){ 0 };
  packing->step = ROUND_UP ((context_length + CLIP_PACKING_MAX_SEQUENCES - 1) /
                                CLIP_PACKING_MAX_SEQUENCES,
      MIN_STEP);
  for (guint i = 0; i < CLIP_PACKING_N_BLOCKS; i++) {
    packing->counts[i] = 1u << i;
    packing->rows[i] = packing->step << i;
  }
  packing->n_tokens = ROUND_UP (context_length, packing->step) / packing->step;
  for (guint i = 0; i < packing->n_tokens; i++)
    packing->tokens[i] = packing->step * (i + 1);
}

void
clip_packing_clear (ClipPacking *packing)
{
  packing->n_sequences = packing->n_used = 0;
}

gboolean
clip_packing_add (ClipPacking *packing, guint n_tokens)
{
  guint n_rows = ROUND_UP (n_tokens, packing->step);

  if (packing->n_used + n_rows > packing->rows[CLIP_PACKING_N_BLOCKS - 1])
    return FALSE;
  packing->sequences[packing->n_sequences++] = (ClipSequence){
    .first_row = packing->n_used,
    .n_rows = n_rows,
    .n_tokens = n_tokens,
  };
  packing->n_used += n_rows;
  return TRUE;
}

/* The index of the first of the ascending @sizes that holds @size. */
static guint
find_size (const guint *sizes, guint size)
{
  guint i = 0;

  while (sizes[i] < size)
    i++;
  return i;
}

guint
clip_packing_get_block (const ClipPacking *packing)
{
  return find_size (packing->rows, packing->n_used);
}

guint
clip_packing_get_count (const ClipPacking *packing)
{
  return find_size (packing->counts, packing->n_sequences);
}
