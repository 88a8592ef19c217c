/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Models with the picture side of a published one and random weights, that can
 * be given prompts. */
#pragma once

#include "published.h"

/* As published, but for the text side: one of BERT's of the size that CLIP's
 * has, because there is a vocabulary for it, the demonstration model's.
 *
 * @name: such as "ViT-B/32"; one that is not published ends the program, with a
 *   list of those that are
 *
 * Returns: (transfer full): a folder, for test_checkpoint_remove() */
gchar *generated_write (const gchar *name);
