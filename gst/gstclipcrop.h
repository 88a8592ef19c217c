/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A frame that is part of a larger picture: videocrop, and decoders of padded
 * pictures, leave the cut to a sink that offered to make it. */
#pragma once

#include <gst/video/video.h>

/* Moves the planes of a mapped frame to where the crop begins: the frame is
 * then read as one of its caps' size. Where chroma is coarser than luma, that
 * is the last whole chroma sample before it.
 *
 * @caps: as announced: the size of the crop
 * @crop: (nullable): NULL is the whole picture
 *
 * Returns: FALSE where there is no such region, or none that begins at a byte
 */
gboolean gst_clip_crop_apply (GstVideoFrame *frame, const GstVideoInfo *caps,
    const GstVideoCropMeta *crop);
