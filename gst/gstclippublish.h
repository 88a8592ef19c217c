/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clippublish: prints the results that clipfilter sends downstream, to a file
 * or to standard output. */
#pragma once

#include <gst/base/gstbasetransform.h>

#define GST_TYPE_CLIP_PUBLISH (gst_clip_publish_get_type ())
G_DECLARE_FINAL_TYPE (
    GstClipPublish, gst_clip_publish, GST, CLIP_PUBLISH, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (clippublish)
