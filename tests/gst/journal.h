/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What leaves a harness in which order, as a line of words, for the suites of
 * gst/: "!2 e2 c2 u3 - GAP EOS " is the event of result 2, the frame that has
 * it first, one that carries it, one that is unchanged, one without results, a
 * gap, the end of the stream; "DONE" is that of a segment that was sought. */
#pragma once

#include "frames.h"

/* Begins to write. (transfer full) */
GString *journal_new (GstHarness *harness);

/* The journal is as expected; frees both. */
void journal_end (GstHarness *harness, GString *journal, const gchar *expected);

/* Flushes, and begins a segment. */
void journal_flush (GstHarness *harness);

/* A segment from 10 s on: running time 5 s, stream time 100 s. */
void journal_begin_segment (GstHarness *harness, gdouble rate);

/* Another stream, of the same caps. */
void journal_begin_stream (GstHarness *harness);

/* As frames_pass(), for who does not want the frame. */
void journal_pass (GstHarness *harness, guint seed);
