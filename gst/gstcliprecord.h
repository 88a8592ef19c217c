/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A result as text: one JSON object, or one line for a person. */
#pragma once

#include <gst/gst.h>

/* Fields become keys of the same names in the same order; the embedding
 * becomes an array of numbers. Numbers read back as the same float; text is
 * UTF-8.
 *
 * Returns: (transfer full): without a newline */
gchar *gst_clip_record_to_json (const GstStructure *entry);

/* "0:00:01.000 front-door: a red car 91.0%, an empty street 8.2%"
 *
 * Returns: (transfer full): without a newline */
gchar *gst_clip_record_to_text (const GstStructure *entry);
