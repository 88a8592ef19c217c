/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Pictures for the tests of frame/: the patterns of model-spec.md section 6.3,
 * PNG and PPM files, and frames of packed RGB. */
#pragma once

#include <glib.h>

#include "frame/frame.h"

typedef struct {
  guint width, height;
  guint8 *rgb; /* [height, width, 3] */
} Picture;

void picture_clear (Picture *picture);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Picture, picture_clear)

/* @pattern: 1 or 2 */
void picture_fill (Picture *picture, guint pattern, guint width, guint height);

/* Aborts the test where the file is not an 8-bit picture. */
void picture_load (Picture *picture, const gchar *path);

/* A view of @picture, not a copy. */
ClipFrame picture_frame (const Picture *picture);

/* CRC-32 of zlib. */
guint32 picture_crc (const guint8 *rgb, gsize n_bytes);

/* Fails and names the first byte that differs. */
void picture_assert_equal (
    const gchar *name, const guint8 *got, const Picture *expected);
