/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "opening.h"

typedef struct {
  GstElement *pipeline;
  GstElement *clipfilter;
  CameraOpened opened;
  gpointer data;
} Opening;

static guint n_openings; /* the main loop's thread's */

static void
free_opening (gpointer data)
{
  Opening *opening = data;

  gst_object_unref (opening->pipeline);
  gst_object_unref (opening->clipfilter);
  g_free (opening);
}

static gboolean
on_opened (gpointer data)
{
  const Opening *opening = data;

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
  g_main_context_invoke_full (
      NULL, G_PRIORITY_DEFAULT, on_opened, data, free_opening);
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
  gst_element_call_async (pipeline, open_pipeline, opening, NULL);
}

guint
camera_opening_get_n (void)
{
  return n_openings;
}
