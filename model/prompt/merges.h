/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The merges of a byte-pair encoding, the best first: two tokens side by side
 * become one. */
#pragma once

#include <glib.h>

typedef struct _ClipMerges ClipMerges;

/* @max_merges: as many clip_merges_add() takes */
ClipMerges *clip_merges_new (guint max_merges);
void clip_merges_free (ClipMerges *merges);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ClipMerges, clip_merges_free)

/* Adds the next best.
 *
 * Returns: FALSE where the two have a merge already. */
gboolean clip_merges_add (
    ClipMerges *merges, guint32 left, guint32 right, guint32 result);

guint clip_merges_get_number (const ClipMerges *merges);

/* Merges, as long as any merge applies, the best one that does, where it does
 * first.
 *
 * @ids: (inout): of a word
 *
 * Returns: how many are left, in order. */
gsize clip_merges_apply (const ClipMerges *merges, guint32 *ids, gsize n_ids);
