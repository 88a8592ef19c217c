/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstcliporientation.h"

typedef struct {
  gboolean transpose, mirror_x, mirror_y;
} Turn;

/* 90R is clockwise, HORIZ changes left and right. */
/* clang-format off */
static const Turn turns[] = {
  [GST_VIDEO_ORIENTATION_IDENTITY] = { FALSE, FALSE, FALSE },
  [GST_VIDEO_ORIENTATION_90R]      = { TRUE,  TRUE,  FALSE },
  [GST_VIDEO_ORIENTATION_180]      = { FALSE, TRUE,  TRUE },
  [GST_VIDEO_ORIENTATION_90L]      = { TRUE,  FALSE, TRUE },
  [GST_VIDEO_ORIENTATION_HORIZ]    = { FALSE, TRUE,  FALSE },
  [GST_VIDEO_ORIENTATION_VERT]     = { FALSE, FALSE, TRUE },
  [GST_VIDEO_ORIENTATION_UL_LR]    = { TRUE,  FALSE, FALSE },
  [GST_VIDEO_ORIENTATION_UR_LL]    = { TRUE,  TRUE,  TRUE },
};
/* clang-format on */

gboolean
gst_clip_orientation_take (GstClipOrientation *orientation, GstEvent *event)
{
  GstVideoOrientationMethod method;
  GstTagList *tags;

  gst_event_parse_tag (event, &tags);
  if (!gst_video_orientation_from_tag (tags, &method) ||
      (guint)method >= G_N_ELEMENTS (turns))
    return FALSE;
  if (gst_tag_list_get_scope (tags) == GST_TAG_SCOPE_STREAM) {
    orientation->of_stream = method;
    orientation->has_own = TRUE;
  } else {
    orientation->of_all = method;
  }
  return TRUE;
}

ClipGeometry
gst_clip_orientation_describe (
    const GstClipOrientation *orientation, const GstVideoInfo *info)
{
  const Turn *turn = &turns[orientation->has_own ? orientation->of_stream
                                                 : orientation->of_all];
  ClipGeometry geometry = {
    .width = GST_VIDEO_INFO_WIDTH (info),
    .height = GST_VIDEO_INFO_HEIGHT (info),
    .pixel_width = MAX (1, GST_VIDEO_INFO_PAR_N (info)),
    .pixel_height = MAX (1, GST_VIDEO_INFO_PAR_D (info)),
    .transpose = turn->transpose,
    .mirror_x = turn->mirror_x,
    .mirror_y = turn->mirror_y,
  };

  return geometry;
}
