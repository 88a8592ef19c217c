/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Generated models for the suites of gst/: one that costs nothing, one that
 * takes its time; and how long a machine lets somebody wait. Folders are for
 * test_checkpoint_remove(). */
#pragma once

#include "checkpoints.h"
#include "frames.h"

/* Less than a millisecond a frame. (transfer full) */
gchar *filters_new_quick_model (void);
TestCheckpointSpec filters_quick_spec (void);

/* The quick one, from filters_set_up() to filters_tear_down(): a fixture that
 * ends when all workers have gone. */
extern gchar *filters_folder;
void filters_set_up (void);
void filters_tear_down (void);

/* Small frames of 40 ms for it. */
#define FILTERS_RGB "video/x-raw,format=RGB,width=40,height=30,framerate=25/1"

/* A vision transformer without a text side. (transfer full) */
gchar *filters_new_transformer (void);

/* The same, whose layers int8 holds one by one, and whose answers it does not.
 * (transfer full) */
gchar *filters_new_lopsided_transformer (void);

/* Some tenths of a second a frame, so that it can be interrupted. (transfer
 * full) */
gchar *filters_new_slow_model (void);

/* As frames_harness_new(), for one clipfilter named "f".
 *
 * @folder: its model
 * @properties: all others, as in gst-launch */
GstHarness *filters_harness_new (
    const gchar *folder, const gchar *properties, const gchar *caps);

/* The clipfilter of such a harness. (transfer full) */
GstElement *filters_get (GstHarness *harness);

/* Its property "stats". (transfer full) */
GstStructure *filters_get_stats (GstElement *filter);

/* A number of the stats of the harness' filter. */
guint64 filters_get_count (GstHarness *harness, const gchar *name);

/* How many frames the stats say were skipped for @reason. */
guint64 filters_get_skipped (GstElement *filter, const gchar *reason);

/* How often something is tried: @often with CLIPFILTER_TEST_LONG. */
guint filters_get_rounds (guint once, guint often);

/* --- interrupting a frame --- */

typedef struct {
  GstFlowReturn flow; /* what the push returned */
  gint64 time;        /* of the interruption, microseconds */
} FiltersInterruption;

/* Pushes a frame in a thread of its own, and calls @interrupt when the frame
 * has been with the encoder for a quarter of what the frame before took. */
FiltersInterruption filters_interrupt (
    GstHarness *harness, void (*interrupt) (GstHarness *harness));
