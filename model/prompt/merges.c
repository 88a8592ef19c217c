/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The original looks through a whole word for its best merge, makes it
 * everywhere and looks again. Here each place where a merge applies waits in a
 * heap, the best and leftmost on top: the same order, but a word of 65536
 * letters costs no more than as many short ones. */
#include "prompt/merges.h"

#define NONE G_MAXUINT32

typedef struct {
  guint32 left, right; /* the key */
  guint32 rank;
  guint32 result;
} Merge;

struct _ClipMerges {
  Merge *merges; /* by rank */
  guint n_merges;
  guint max_merges;
  GHashTable *by_pair;
};

/* A token of the word; its place is where it was before any merge. */
typedef struct {
  guint32 id;
  guint32 rank; /* of the merge with the token behind it, or NONE */
  guint32 before, behind;
} Symbol;

typedef struct {
  const ClipMerges *merges;
  Symbol *symbols;
  GArray *heap; /* of guint64: rank, then place */
} Word;

static guint
hash_pair (gconstpointer key)
{
  const Merge *merge = key;

  return merge->left * 0x9e3779b1u + merge->right;
}

static gboolean
is_same_pair (gconstpointer a, gconstpointer b)
{
  const Merge *one = a, *other = b;

  return one->left == other->left && one->right == other->right;
}

ClipMerges *
clip_merges_new (guint max_merges)
{
  ClipMerges *merges = g_new0 (ClipMerges, 1);

  merges->merges = g_new (Merge, max_merges);
  merges->max_merges = max_merges;
  merges->by_pair = g_hash_table_new (hash_pair, is_same_pair);
  return merges;
}

void
clip_merges_free (ClipMerges *merges)
{
  if (merges == NULL)
    return;
  g_hash_table_unref (merges->by_pair);
  g_free (merges->merges);
  g_free (merges);
}

gboolean
clip_merges_add (
    ClipMerges *merges, guint32 left, guint32 right, guint32 result)
{
  Merge *merge = &merges->merges[merges->n_merges];

  g_return_val_if_fail (merges->n_merges < merges->max_merges, FALSE);
  *merge = (Merge){ left, right, merges->n_merges, result };
  if (g_hash_table_contains (merges->by_pair, merge))
    return FALSE;
  g_hash_table_add (merges->by_pair, merge);
  merges->n_merges++;
  return TRUE;
}

guint
clip_merges_get_number (const ClipMerges *merges)
{
  return merges->n_merges;
}

static void
push (GArray *heap, guint64 entry)
{
  gsize at = heap->len;
  guint64 *entries;

  g_array_set_size (heap, at + 1);
  entries = (guint64 *)heap->data;
  for (; at > 0 && entries[(at - 1) / 2] > entry; at = (at - 1) / 2)
    entries[at] = entries[(at - 1) / 2];
  entries[at] = entry;
}

static guint64
pop (GArray *heap)
{
  guint64 *entries = (guint64 *)heap->data;
  guint64 top = entries[0], last = entries[heap->len - 1];
  gsize n = heap->len - 1, at = 0, child;

  g_array_set_size (heap, n);
  while ((child = 2 * at + 1) < n) {
    if (child + 1 < n && entries[child + 1] < entries[child])
      child++;
    if (entries[child] >= last)
      break;
    entries[at] = entries[child];
    at = child;
  }
  if (n > 0)
    entries[at] = last;
  return top;
}

/* Finds the merge of a token with the one behind it and lets it wait. */
static void
update (Word *word, guint32 place)
{
  Symbol *symbol = &word->symbols[place];
  const Merge *merge = NULL;

  if (symbol->behind != NONE) {
    Merge pair = { symbol->id, word->symbols[symbol->behind].id };
    merge = g_hash_table_lookup (word->merges->by_pair, &pair);
  }
  symbol->rank = merge != NULL ? merge->rank : NONE;
  if (merge != NULL)
    push (word->heap, (guint64)merge->rank << 32 | place);
}

static void
merge_at (Word *word, guint32 place)
{
  Symbol *symbol = &word->symbols[place];
  Symbol *gone = &word->symbols[symbol->behind];

  symbol->id = word->merges->merges[symbol->rank].result;
  symbol->behind = gone->behind;
  gone->rank = NONE;
  if (symbol->behind != NONE)
    word->symbols[symbol->behind].before = place;
  update (word, place);
  if (symbol->before != NONE)
    update (word, symbol->before);
}

gsize
clip_merges_apply (const ClipMerges *merges, guint32 *ids, gsize n_ids)
{
  g_autofree Symbol *symbols = g_new (Symbol, n_ids);
  g_autoptr (GArray) heap = g_array_new (FALSE, FALSE, sizeof (guint64));
  Word word = { merges, symbols, heap };
  gsize n = 0;

  for (gsize i = 0; i < n_ids; i++)
    symbols[i] = (Symbol){ ids[i], NONE, i > 0 ? i - 1 : NONE,
      i + 1 < n_ids ? i + 1 : NONE };
  for (gsize i = 0; i < n_ids; i++)
    update (&word, i);
  while (heap->len > 0) {
    guint64 top = pop (heap);
    guint32 place = (guint32)top;

    /* What waits may be out of date: one of the two was merged otherwise. */
    if (symbols[place].rank == top >> 32)
      merge_at (&word, place);
  }
  for (guint32 at = n_ids > 0 ? 0 : NONE; at != NONE; at = symbols[at].behind)
    ids[n++] = symbols[at].id;
  return n;
}
