/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "opening.h"

#define MAX_TURNS 4
#define LONGEST_TURN 5 /* seconds */

typedef struct {
  GstElement *pipeline;
  GstElement *clipfilter;
  CameraOpened opened;
  gpointer data;
  guint timer; /* 0: its turn is over */
} Opening;

static guint n_openings, n_turns; /* the main loop's thread's */

static void
free_opening (gpointer data)
{
  Opening *opening = data;

  gst_object_unref (opening->pipeline);
  gst_object_unref (opening->clipfilter);
  g_free (opening);
}

/* Some sources can wait forever for who is not there. */
static gboolean
on_turn_over (gpointer data)
{
  Opening *opening = data;

  opening->timer = 0;
  n_turns--;
  return G_SOURCE_REMOVE;
}

static gboolean
on_opened (gpointer data)
{
  Opening *opening = data;

  if (opening->timer != 0) {
    g_source_remove (opening->timer);
    on_turn_over (opening);
  }
  n_openings--;
  opening->opened (opening->pipeline, opening->data);
  return G_SOURCE_REMOVE;
}

static void
open_pipeline (GstElement *pipeline, gpointer data)
{
  const Opening *opening = data;

  if (gst_element_set_state (opening->clipfilter, GST_STATE_PAUSED) !=
      GST_STATE_CHANGE_FAILURE)
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
  /* Not g_main_context_invoke(), which would call it in this thread when the
   * main loop's happens to be between two iterations. */
  g_idle_add_full (G_PRIORITY_DEFAULT, on_opened, data, free_opening);
}

void
camera_opening_begin (GstElement *pipeline, GstElement *clipfilter,
    CameraOpened opened, gpointer data)
{
  Opening *opening = g_new (Opening, 1);

  opening->pipeline = gst_object_ref (pipeline);
  opening->clipfilter = gst_object_ref (clipfilter);
  opening->opened = opened;
  opening->data = data;
  n_openings++;
  n_turns++;
  opening->timer = g_timeout_add_seconds (LONGEST_TURN, on_turn_over, opening);
  gst_element_call_async (pipeline, open_pipeline, opening, NULL);
}

guint
camera_opening_get_n (void)
{
  return n_openings;
}

gboolean
camera_opening_has_turn (void)
{
  return n_turns < MAX_TURNS;
}
