/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the element itself takes of a frame's way, in each mode it has. */

#include "bench.h"

#include "footage.h"
#include "machine.h"

#include "clip-error.h"

#include <gst/check/gstharness.h>
#include <stdio.h>

#define FRAME_WIDTH 1920
#define FRAME_HEIGHT 1080
#define CAPS                                                                   \
  "video/x-raw,format=NV12,width=" G_STRINGIFY (                               \
      FRAME_WIDTH) ",height=" G_STRINGIFY (FRAME_HEIGHT) ",framerate=25/1"
#define INTERVAL 10   /* frames from one that is due to the next */
#define N_FRAMES 20   /* for each round: two are due */
#define PAUSE_US 2000 /* between frames: a worker goes on meanwhile */
#define PROMPTS "a cat|a dog|a car|a bus|a house|a tree|a person|an empty road"

typedef struct {
  GstHarness *harness;
  GstBuffer *frame; /* copies of it are pushed, which share its pixels */
  guint n_frames;
  GArray *due_us, *other_us; /* of gdouble */
} Passage;

static void
passage_clear (Passage *passage)
{
  gst_element_set_bus (passage->harness->element, NULL);
  gst_harness_teardown (passage->harness);
  gst_buffer_unref (passage->frame);
  g_array_unref (passage->due_us);
  g_array_unref (passage->other_us);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Passage, passage_clear)

/* What the element said on its bus. */
static gboolean
set_error (GstHarness *harness, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (harness->element);
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GError) reason = NULL;
  g_autofree gchar *detail = NULL;

  if (message != NULL)
    gst_message_parse_error (message, &reason, &detail);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE, "%s %s",
      reason != NULL ? reason->message : "the element took no frame",
      detail != NULL ? detail : "");
  return FALSE;
}

static gboolean
pass (Passage *passage, GError **error)
{
  guint i = passage->n_frames++;
  GstBuffer *buffer = gst_buffer_copy (passage->frame);
  GstFlowReturn flow;
  gint64 start;
  gdouble us;

  GST_BUFFER_PTS (buffer) = i * GST_BUFFER_DURATION (buffer);
  start = g_get_monotonic_time ();
  flow = gst_harness_push (passage->harness, buffer);
  us = g_get_monotonic_time () - start;
  if (flow != GST_FLOW_OK)
    return set_error (passage->harness, error);
  gst_buffer_unref (gst_harness_pull (passage->harness));
  /* With the first one the element opens its model. */
  if (i > 0)
    g_array_append_val (
        i % INTERVAL == 0 ? passage->due_us : passage->other_us, us);
  return TRUE;
}

static gboolean
has_mode (const gchar *nick)
{
  g_autoptr (GstElement) filter = gst_element_factory_make ("clipfilter", NULL);
  GParamSpec *spec = g_object_class_find_property (
      G_OBJECT_GET_CLASS (filter), "inference-mode");

  return g_enum_get_value_by_nick (
             G_PARAM_SPEC_ENUM (spec)->enum_class, nick) != NULL;
}

static void
report_passage (const Passage *passage, const gchar *mode, json_t *report)
{
  const struct {
    const gchar *name;
    GArray *us;
  } rows[] = { { "due", passage->due_us }, { "not_due", passage->other_us } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gdouble p50 = machine_quantile (rows[i].us, 0.5);
    gdouble p99 = machine_quantile (rows[i].us, 0.99);
    g_autofree gchar *key50 =
        g_strdup_printf ("%s_%s_p50_us", mode, rows[i].name);
    g_autofree gchar *key99 =
        g_strdup_printf ("%s_%s_p99_us", mode, rows[i].name);

    printf ("%-6s %-7s p50 %.0f us, p99 %.0f us of %u frames\n", mode,
        rows[i].name, p50, p99, rows[i].us->len);
    bench_set_number (report, key50, p50);
    bench_set_number (report, key99, p99);
  }
}

static gboolean
measure (const BenchOptions *options, const gchar *mode, json_t *report,
    GError **error)
{
  g_autofree gchar *launch =
      g_strdup_printf ("clipfilter model=\"%s\" threads=%u inference-mode=%s "
                       "inference-interval=%d prompts=\"%s\"",
          options->model, options->n_threads, mode, INTERVAL, PROMPTS);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_auto (Passage) passage = {
    .harness = gst_harness_new_parse (launch),
    .due_us = g_array_new (FALSE, FALSE, sizeof (gdouble)),
    .other_us = g_array_new (FALSE, FALSE, sizeof (gdouble)),
  };
  GstVideoInfo info;

  gst_element_set_bus (passage.harness->element, bus);
  gst_harness_set_src_caps_str (passage.harness, CAPS);
  gst_video_info_set_format (
      &info, GST_VIDEO_FORMAT_NV12, FRAME_WIDTH, FRAME_HEIGHT);
  passage.frame = footage_new (&info);
  GST_BUFFER_DURATION (passage.frame) = 40 * GST_MSECOND;
  for (guint i = 0; i < options->n_rounds * N_FRAMES; i++) {
    if (!pass (&passage, error))
      return FALSE;
    g_usleep (PAUSE_US);
  }
  report_passage (&passage, mode, report);
  return TRUE;
}

gboolean
bench_element (const BenchOptions *options, json_t *report, GError **error)
{
  static const gchar *const modes[] = { "wait", "latest" };
  g_autoptr (GstPlugin) plugin = gst_plugin_load_file (CLIP_PLUGIN, error);
  g_autoptr (ClipModel) model = NULL;

  if (plugin == NULL)
    return FALSE;
  /* A harness ends the process where its element does not start. */
  model = clip_model_open (options->model, error);
  if (model == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    if (has_mode (modes[i]) && !measure (options, modes[i], report, error))
      return FALSE;
  return TRUE;
}
