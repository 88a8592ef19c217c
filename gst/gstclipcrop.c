/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipcrop.h"

/* Pixels from one place where all components begin to the next, as bits. */
static void
get_grid (const GstVideoFrame *frame, guint *x_bits, guint *y_bits)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;

  *x_bits = *y_bits = 0;
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo); c++) {
    *x_bits = MAX (*x_bits, GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c));
    *y_bits = MAX (*y_bits, GST_VIDEO_FORMAT_INFO_H_SUB (finfo, c));
  }
  /* Rows of two fields in turn. */
  *y_bits += GST_VIDEO_FRAME_IS_INTERLACED (frame);
}

static gboolean
is_inside (const GstVideoFrame *frame, const GstVideoInfo *caps,
    const GstVideoCropMeta *crop)
{
  return (guint64)crop->x + GST_VIDEO_INFO_WIDTH (caps) <=
             (guint64)GST_VIDEO_FRAME_WIDTH (frame) &&
         (guint64)crop->y + GST_VIDEO_INFO_HEIGHT (caps) <=
             (guint64)GST_VIDEO_FRAME_HEIGHT (frame);
}

/* @c: a component of plane @p */
static gboolean
move_plane (GstVideoFrame *frame, guint p, gint c, guint x, guint y)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  gsize pixel = GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c);
  gssize stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, p);

  if (pixel == 0)
    return FALSE;
  frame->data[p] =
      (guint8 *)frame->data[p] +
      (gssize)(y >> GST_VIDEO_FORMAT_INFO_H_SUB (finfo, c)) * stride +
      (x >> GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c)) * pixel;
  return TRUE;
}

gboolean
gst_clip_crop_apply (GstVideoFrame *frame, const GstVideoInfo *caps,
    const GstVideoCropMeta *crop)
{
  guint x, y, x_bits, y_bits;

  /* Without a GstVideoMeta nothing says how large the whole is. */
  if (crop == NULL || frame->meta == NULL || (crop->x == 0 && crop->y == 0))
    return TRUE;
  if (!is_inside (frame, caps, crop) ||
      GST_VIDEO_FORMAT_INFO_IS_TILED (frame->info.finfo))
    return FALSE;
  get_grid (frame, &x_bits, &y_bits);
  x = crop->x >> x_bits << x_bits;
  y = crop->y >> y_bits << y_bits;
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (frame); p++) {
    gint components[GST_VIDEO_MAX_COMPONENTS];

    /* A palette has none. */
    gst_video_format_info_component (frame->info.finfo, p, components);
    if (components[0] >= 0 && !move_plane (frame, p, components[0], x, y))
      return FALSE;
  }
  return TRUE;
}
