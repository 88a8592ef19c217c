/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the suites of gst/ share: pictures in any format, an element in a
 * harness with a bus, and a look at what buffers, events and messages carry. */
#pragma once

#include <gst/check/check.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

/* The same smooth, coloured picture in any format, size and @seed; a seed is a
 * picture of its own. Converted by GstVideoConverter from RGB.
 *
 * Returns: (transfer full): timestamped @seed times 40 ms */
GstBuffer *frames_new (const GstVideoInfo *info, guint seed);

/* The same picture as GstVideoConverter sees it in RGB, through 16 bits a
 * channel: its paths of 8 bits are several levels off.
 *
 * @chroma: of 8 bits it is rounded to them while it is interpolated, several
 *   levels off again, unless it is repeated (GST_VIDEO_CHROMA_MODE_NONE)
 *
 * Returns: (transfer full): @rgb describes it */
GstBuffer *frames_to_rgb (const GstVideoInfo *info, GstBuffer *buffer,
    GstVideoChromaMode chroma, GstVideoInfo *rgb);

/* @launch: properties as in gst-launch: "clipfilter threads=1 top-k=1"; one
 *   thread, because teams that wait for each other spin on busy machines
 * @caps: (nullable): raw video to announce
 *
 * Returns: (transfer full): playing, its bus with the harness' element */
GstHarness *frames_harness_new (const gchar *launch, const gchar *caps);
void frames_harness_free (GstHarness *harness);

/* The same beside others that use the same workers: waits for none. */
void frames_harness_close (GstHarness *harness);

/* Workers go by themselves, soon after their last user. LeakSanitizer cannot
 * look at a thread that is just ending, so a test ends after them. */
void frames_wait_for_workers (void);

/* The video caps of one format. (transfer full) */
gchar *frames_caps (const gchar *format, guint width, guint height);

/* Pushes picture @seed of the harness' caps. */
GstFlowReturn frames_push (GstHarness *harness, guint seed);

/* The same, and takes what comes out. (transfer full) */
GstBuffer *frames_pass (GstHarness *harness, guint seed);

/* Entry @index of the results that a buffer, event or message carries; NULL
 * where there is none. */
const GstStructure *frames_get_result (GstBuffer *buffer, guint index);
const GstStructure *frames_get_entry (
    const GstStructure *structure, guint index);

/* Prompt @index of an entry, best first; fails the test where it is absent. */
const GstStructure *frames_get_prompt (const GstStructure *entry, guint index);

guint64 frames_get_uint64 (const GstStructure *structure, const gchar *name);

/* The next message of a kind, or NULL after all there are. (transfer full)
 * @name: (nullable): of an element message */
GstMessage *frames_pop_message (
    GstElement *element, GstMessageType type, const gchar *name);

/* Of two embeddings of the same length. */
gdouble frames_get_cosine (GBytes *a, GBytes *b);
