/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How a connection is left. */

#include "pipelines/cameras/feed.h"

#define PATIENCE 60 /* seconds */

/* An element that refuses to end, the first time. */
typedef struct {
  GstElement parent;
  gboolean refused;
} Stubborn;

typedef struct {
  GstElementClass parent;
} StubbornClass;

GType stubborn_get_type (void);
G_DEFINE_TYPE (Stubborn, stubborn, GST_TYPE_ELEMENT)

static GstStateChangeReturn
stubborn_change_state (GstElement *element, GstStateChange change)
{
  Stubborn *stubborn = (Stubborn *)element;

  if (change == GST_STATE_CHANGE_READY_TO_NULL && !stubborn->refused) {
    stubborn->refused = TRUE;
    return GST_STATE_CHANGE_FAILURE;
  }
  return GST_ELEMENT_CLASS (stubborn_parent_class)
      ->change_state (element, change);
}

static void
stubborn_class_init (StubbornClass *klass)
{
  GST_ELEMENT_CLASS (klass)->change_state = stubborn_change_state;
}

static void
stubborn_init (Stubborn *stubborn)
{
}

static GstElement *
add (GstElement *pipeline, const gchar *name)
{
  GstElement *element = g_object_new (stubborn_get_type (), "name", name, NULL);

  gst_bin_add (GST_BIN (pipeline), element);
  return element;
}

static void
a_pipeline_that_refuses_to_end_is_asked_again (void)
{
  GstElement *pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  g_autoptr (GstElement) whole = gst_object_ref (pipeline);
  g_autoptr (GstElement) pace = gst_object_ref (add (pipeline, "pace"));
  g_autoptr (GstElement) sink = gst_object_ref (add (pipeline, "sink"));
  g_autoptr (GstElement) filter = gst_object_ref (add (pipeline, "filter"));

  gst_element_set_locked_state (filter, TRUE);
  g_assert_cmpint (gst_element_set_state (pipeline, GST_STATE_READY), ==,
      GST_STATE_CHANGE_SUCCESS);
  camera_feed_leave (pipeline, filter);
  g_assert_true (camera_feed_wait_for_all (PATIENCE));
  g_assert_true (((Stubborn *)pace)->refused);
  g_assert_cmpint (GST_STATE (whole), ==, GST_STATE_NULL);
  g_assert_cmpint (GST_STATE (pace), ==, GST_STATE_NULL);
  g_assert_cmpint (GST_STATE (sink), ==, GST_STATE_NULL);
}

int
main (int argc, char *argv[])
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/cameras/feed/a_pipeline_that_refuses_to_end_is_asked_again",
      a_pipeline_that_refuses_to_end_is_asked_again);
  return g_test_run ();
}
