/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clip-lateness-bench: how late a live camera's frames reach the sink with
 * clipfilter in between, and without, and how late they are shown: the sink has
 * a deadline (GstBaseSink's processing-deadline, 20 ms) until which it waits
 * for all alike. The camera costs nothing: one picture, again and again. The
 * two take turns, so that what else the machine does falls on both. */

#include <gst/base/gstbasesink.h>
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>

static gint seconds = 5;
static gint n_rounds = 3;
static gchar *camera = NULL;
static gchar *properties = NULL;

static const GOptionEntry entries[] = {
  { "camera", 'c', 0, G_OPTION_ARG_STRING, &camera,
      "Caps of the camera (NV12, 1080p, 30 a second)", "CAPS" },
  { "properties", 'p', 0, G_OPTION_ARG_STRING, &properties,
      "Of clipfilter, as in gst-launch (none)", "TEXT" },
  { "seconds", 's', 0, G_OPTION_ARG_INT, &seconds, "Of each round (5)", "S" },
  { "rounds", 'r', 0, G_OPTION_ARG_INT, &n_rounds, "Of each kind (3)", "N" },
  { NULL },
};

/* One kind of pipeline, over all its rounds. */
typedef struct {
  const gchar *name;
  gboolean filtered;
  GstElement *pipeline; /* of this round */
  GArray *reached;      /* gint64, nanoseconds late */
  GArray *shown;        /* likewise */
  guint64 n_results;
} Kind;

/* Nanoseconds from the frame's running time to now. */
static gint64
get_lateness (const Kind *kind, GstBuffer *frame)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (kind->pipeline);

  return gst_clock_get_time (clock) -
         gst_element_get_base_time (kind->pipeline) - GST_BUFFER_PTS (frame);
}

static GstPadProbeReturn
note_reached (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Kind *kind = user_data;
  gint64 lateness = get_lateness (kind, GST_PAD_PROBE_INFO_BUFFER (info));

  g_array_append_val (kind->reached, lateness);
  return GST_PAD_PROBE_OK;
}

/* The sink calls this where another one would draw the frame. */
static void
note_shown (GstElement *sink, GstBuffer *frame, GstPad *pad, gpointer user_data)
{
  Kind *kind = user_data;
  gint64 lateness = get_lateness (kind, frame) -
                    (gint64)gst_base_sink_get_latency (GST_BASE_SINK (sink));

  g_array_append_val (kind->shown, lateness);
}

static GstElement *
parse (const Kind *kind)
{
  g_autofree gchar *launch = g_strdup_printf (
      "videotestsrc num-buffers=1 ! imagefreeze is-live=true ! %s ! %s %s ! "
      "fakesink name=sink sync=true signal-handoffs=true",
      camera != NULL
          ? camera
          : "video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1",
      kind->filtered ? "clipfilter name=f" : "identity",
      kind->filtered && properties != NULL ? properties : "");
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (launch, &error);

  if (error != NULL) {
    g_printerr ("%s\n", error->message);
    exit (1);
  }
  return pipeline;
}

/* What its stats say was encoded. */
static guint64
count_results (GstElement *pipeline)
{
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "f");
  GstStructure *stats = NULL;
  guint64 n = 0;

  if (filter == NULL)
    return 0;
  g_object_get (filter, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "encoded", &n);
  gst_structure_free (stats);
  return n;
}

static void
run_round (Kind *kind)
{
  GstElement *pipeline = kind->pipeline = parse (kind);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_reached, kind, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (note_shown), kind);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message =
      gst_bus_timed_pop_filtered (bus, seconds * GST_SECOND, GST_MESSAGE_ERROR);
  if (message != NULL) {
    g_autoptr (GError) error = NULL;

    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s\n", error->message);
    exit (1);
  }
  kind->n_results += count_results (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 difference = *(const gint64 *)a - *(const gint64 *)b;

  return (difference > 0) - (difference < 0);
}

static gdouble
get_quantile (const GArray *sorted, gdouble part)
{
  return g_array_index (sorted, gint64, (guint)(part * (sorted->len - 1))) /
         1e6;
}

static void
print_lateness (const gchar *what, GArray *lateness)
{
  g_array_sort (lateness, compare);
  printf (", %s late by p50 %.2f p99 %.2f max %.2f ms", what,
      get_quantile (lateness, .5), get_quantile (lateness, .99),
      get_quantile (lateness, 1));
}

static void
report (const Kind *kind)
{
  guint n = kind->reached->len;

  printf ("%-16s %u frames, %.1f a second", kind->name, n,
      n / (gdouble)(seconds * n_rounds));
  print_lateness ("at the sink", kind->reached);
  print_lateness ("shown", kind->shown);
  printf (", %.1f results a second\n",
      kind->n_results / (gdouble)(seconds * n_rounds));
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  Kind kinds[] = { { .name = "without" },
    { .name = "with clipfilter", .filtered = TRUE } };

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
    kinds[k].reached = g_array_new (FALSE, FALSE, sizeof (gint64));
    kinds[k].shown = g_array_new (FALSE, FALSE, sizeof (gint64));
  }
  for (gint i = 0; i < n_rounds; i++) {
    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
      run_round (&kinds[k]);
  }
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
    report (&kinds[k]);
    g_array_unref (kinds[k].reached);
    g_array_unref (kinds[k].shown);
  }
  return 0;
}
