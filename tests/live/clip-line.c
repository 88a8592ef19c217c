/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clip-line: runs a line of gst-launch in which clipfilter is named "f" and a
 * sink "sink", and says what became of the frames, as a row of Markdown. */

#include "stream.h"

static gint seconds = 10;
static gint warm_up = 3;

static const GOptionEntry entries[] = {
  { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Measured (10)", "S" },
  { "warm-up", 0, 0, G_OPTION_ARG_INT, &warm_up,
      "From the first result on, not measured (3)", "S" },
  { NULL },
};

#define PATIENCE (30 * (gint64)G_USEC_PER_SEC) /* until the first result */
#define LOOK 10000                             /* microseconds */

/* Returns: FALSE when it ended meanwhile; it has said why */
static gboolean
play (Stream *stream, gint64 duration)
{
  g_autofree gchar *end = stream_pop_end (stream, duration);

  if (end == NULL)
    return TRUE;
  g_printerr ("clip-line: %s\n", end);
  return FALSE;
}

static gboolean
await_result (Stream *stream)
{
  gint64 begin = g_get_monotonic_time ();

  while (stream_get_counts (stream).results == 0) {
    if (g_get_monotonic_time () > begin + PATIENCE) {
      g_printerr (
          "clip-line: no result for %d s\n", (gint)(PATIENCE / G_USEC_PER_SEC));
      return FALSE;
    }
    if (!play (stream, LOOK))
      return FALSE;
  }
  return play (stream, warm_up * (gint64)G_USEC_PER_SEC);
}

/* Frames that were too late to be shown. */
static guint64
count_dropped (Stream *stream)
{
  g_autoptr (GstElement) sink = stream_get (stream, "sink");
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (sink, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "dropped", &n);
  return n;
}

/* Milliseconds that the pipeline declares; 0: it is not live. */
static gdouble
get_latency (Stream *stream)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime least = 0;
  gboolean live = FALSE;

  if (gst_element_query (stream->pipeline, query))
    gst_query_parse_latency (query, &live, &least, NULL);
  return live ? least / 1e6 : 0;
}

static gboolean
measure (Stream *stream, const gchar *name)
{
  StreamCounts before, after;
  guint64 dropped;

  if (!await_result (stream))
    return FALSE;
  before = stream_get_counts (stream);
  dropped = count_dropped (stream);
  if (!play (stream, seconds * (gint64)G_USEC_PER_SEC))
    return FALSE;
  after = stream_get_counts (stream);
  g_print ("| %s | %.1f | %.1f | %" G_GUINT64_FORMAT " | %.0f | %.1f |\n", name,
      (after.arrived - before.arrived) / (gdouble)seconds,
      (after.frames - before.frames) / (gdouble)seconds,
      count_dropped (stream) - dropped, get_latency (stream),
      (after.results - before.results) / (gdouble)seconds);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("NAME LINE - what becomes of a line's frames");
  g_autoptr (GError) error = NULL;
  g_autoptr (Stream) stream = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 3) {
    g_printerr ("clip-line: %s\n",
        error != NULL ? error->message : "a name and a line are wanted");
    return 1;
  }
  if (seconds < 1 || warm_up < 0) {
    g_printerr ("clip-line: --seconds is at least 1, --warm-up 0\n");
    return 1;
  }
  stream = stream_new (argv[1], g_strdup (argv[2]));
  stream_start (stream);
  return measure (stream, argv[1]) ? 0 : 1;
}
