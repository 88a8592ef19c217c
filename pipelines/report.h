/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What clip-tag prints: a line whenever the best tag changes, a line that
 * shows the progress, and a table at the end. */
#pragma once

#include <gst/gst.h>

typedef struct _TagReport TagReport;

/* @lines: whether stdout is for lines and the table; without, it is left alone
 * Progress is shown where stderr is a terminal. */
TagReport *tag_report_new (gboolean lines);
void tag_report_free (TagReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TagReport, tag_report_free)

/* Counts one entry of the element's `results`, and prints a line where its
 * best prompt differs from the last one's. */
void tag_report_add (TagReport *report, const GstStructure *result);

/* @position, @duration: nanoseconds, negative where unknown */
void tag_report_show_progress (
    TagReport *report, gint64 position, gint64 duration);

/* Takes the progress line away, so that something else can be written. */
void tag_report_hide_progress (TagReport *report);

/* Each prompt's share of the time in which it was the best. A result counts
 * until the next one, the last for its own duration; where there are no times,
 * as in a picture, each counts the same. */
void tag_report_summarize (TagReport *report);

guint tag_report_get_n_results (const TagReport *report);
