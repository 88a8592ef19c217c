/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The CRC-32 of zip archives, as fast as memory where the CPU multiplies
 * polynomials: zlib's own takes a third of a model's loading. */
#pragma once

#include <glib.h>

/* As crc32_z() of zlib.
 *
 * @crc: of what came before, 0 at first */
guint32 clip_checksum_update (guint32 crc, gconstpointer bytes, gsize size);
