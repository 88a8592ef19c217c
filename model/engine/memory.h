/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Large memory: checked, aligned, zeroed, in huge pages. */
#pragma once

#include <glib.h>

/* 64-byte aligned, and 2 MiB aligned huge pages from 2 MiB on. Zeroed, so that
 * every page is there before the hot path touches it.
 *
 * Returns: (transfer full): NULL with CLIP_ERROR_NO_SPACE; free with
 *   clip_memory_free(). */
gpointer clip_memory_alloc (gsize size, GError **error);
void clip_memory_free (gpointer memory); /* NULL is allowed */

/* Bytes that are handed out in this process: packed weights, activations and
 * scratch of all engines. Any thread. */
gsize clip_memory_get_held (void);
