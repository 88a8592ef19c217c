/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "footage.h"

#include "support.h"

GstBuffer *
footage_new (const GstVideoInfo *info)
{
  gsize size = GST_VIDEO_INFO_SIZE (info);
  guint8 *bytes = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8)(128 + 127 * test_uniform (i, "frame"));
  return gst_buffer_new_wrapped (bytes, size);
}
