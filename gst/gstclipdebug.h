/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The debug categories: clipfilter (what the elements do), clipfilter-model
 * (what is opened and encoded at start or on a change of prompts),
 * clipfilter-perf (times of each frame). LOG a frame, DEBUG a decision, INFO
 * once. */
#pragma once

#include <gst/gst.h>

extern GstDebugCategory *gst_clip_debug;
extern GstDebugCategory *gst_clip_model_debug;
extern GstDebugCategory *gst_clip_perf_debug;

void gst_clip_debug_init (void);
