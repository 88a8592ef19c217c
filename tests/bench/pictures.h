/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Crops of real pictures, as a model sees them: photographs and films of
 * Debian's opencv-doc and the clip that comes along, places, sizes and flips
 * drawn from a fixed seed. */
#pragma once

#include "frame/frame.h"

typedef struct {
  guint8 **crops; /* of S x S x 3 bytes, by the model's own preprocessor */
  guint n_crops;
  guint n_pictures; /* they were cut from, frames of films among them */
} Pictures;

/* Fewer where a file or its decoder is absent, the others the same as ever.
 * Where CLIPFILTER_TEST_PLUGINS names GStreamer's folder of plugins, the few
 * that are needed are loaded from there, those of AVI films only with
 * CLIPFILTER_TEST_LONG.
 *
 * @pictures: (out caller-allocates): for pictures_clear()
 *
 * Returns: FALSE with the errors of GStreamer where a file cannot be decoded,
 *   and with CLIP_ERROR_NOT_FOUND where there is no picture at all. */
gboolean pictures_load (Pictures *pictures, guint n_crops,
    const ClipPreprocess *preprocess, GError **error);
void pictures_clear (Pictures *pictures);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pictures, pictures_clear)
