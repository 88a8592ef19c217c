/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Frames whose pixels mean nothing: how long they take does not depend on what
 * is to be seen. (tests/gst/frames.h has pictures, but works in suites alone.)
 */
#pragma once

#include <gst/video/video.h>

/* Every byte any value. (transfer full) */
GstBuffer *footage_new (const GstVideoInfo *info);
