/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipdebug.h"

GstDebugCategory *gst_clip_debug;
GstDebugCategory *gst_clip_model_debug;
GstDebugCategory *gst_clip_perf_debug;

void
gst_clip_debug_init (void)
{
  GST_DEBUG_CATEGORY_INIT (
      gst_clip_debug, "clipfilter", 0, "clipfilter and clippublish");
  GST_DEBUG_CATEGORY_INIT (gst_clip_model_debug, "clipfilter-model", 0,
      "models and prompts that are opened and encoded");
  GST_DEBUG_CATEGORY_INIT (
      gst_clip_perf_debug, "clipfilter-perf", 0, "times of each encoded frame");
}
