/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A camera that is gone and comes back, with frames of another size: the first
 * result is of the new frames, and nothing stays behind. Times are printed and
 * not asserted: the machine may have other work. */
#include "server.h"
#include "stream.h"
#include "trend.h"

#include "checkpoints.h"
#include "support.h"

#define PATIENCE (60 * (gint64)G_USEC_PER_SEC)
#define AGAIN 50000 /* microseconds until the next attempt */
#define LOOK 2000

/* What may stay behind of a connection, bytes: less than anything of ours that
 * could be forgotten, a frame (128 x 96 in I420), a picture (64 x 64 x 3), a
 * pad or an element. */
#define ALLOWED 256

/* Lives before memory is compared: caches fill, lazy things are made. */
#define WARM_UP(n) ((n) / 5)

static gchar *folder;

static const gint widths[] = { 128, 160, 96 };

/* Connects again and again until a result has come. */
static gboolean
await_result (Stream *stream, gboolean results)
{
  gint64 begin = g_get_monotonic_time ();

  while (g_get_monotonic_time () - begin < PATIENCE) {
    g_autofree gchar *end = NULL;
    StreamCounts counts;

    if (stream->pipeline == NULL)
      stream_start (stream);
    counts = stream_get_counts (stream);
    if (results ? counts.first_result != 0 : counts.last_frame != 0)
      return TRUE;
    end = stream_pop_end (stream, LOOK);
    if (end != NULL) {
      stream_stop (stream);
      g_usleep (AGAIN);
    }
  }
  return FALSE;
}

typedef struct {
  GArray *memory; /* element-type TrendPoint: over lives */
  GArray *heap;
} Growth;

static void
note (Growth *growth, guint number)
{
  TrendPoint memory = { number, trend_get_memory () };
  TrendPoint heap = { number, trend_get_heap () };

  g_array_append_val (growth->memory, memory);
  g_array_append_val (growth->heap, heap);
}

/* One life of the camera. */
static void
live (Server *server, Stream *stream, gint width, gboolean results)
{
  g_autofree gchar *end = NULL;
  StreamCounts counts;

  g_assert_true (server_start (server, width));
  g_assert_true (await_result (stream, results));
  counts = stream_get_counts (stream);
  if (results) {
    g_assert_cmpint (counts.width, ==, width);
    g_test_message ("frame %.0f ms after connecting, result %.1f ms later",
        (counts.first_frame - stream->started) / 1e3,
        (counts.first_result - counts.first_frame) / 1e3);
  }
  server_kill (server);
  end = stream_pop_end (stream, PATIENCE);
  g_assert_nonnull (end);
  stream_stop (stream);
  while (test_has_worker ())
    g_usleep (LOOK);
}

static void
live_often (Growth *growth, const gchar *element, gboolean results, guint n)
{
  g_auto (Server) server = { NULL };
  g_autoptr (Stream) stream = NULL;

  /* The port is known after a start. */
  g_assert_true (server_start (&server, widths[0]));
  server_kill (&server);
  stream = stream_new ("camera",
      g_strdup_printf ("rtspsrc location=%s protocols=tcp latency=100 ! "
                       "decodebin ! %s name=f ! fakesink name=sink",
          server.uri, element));
  for (guint i = 0; i < n; i++) {
    live (&server, stream, widths[i % G_N_ELEMENTS (widths)], results);
    if (i >= WARM_UP (n))
      note (growth, i);
  }
}

/* Returns: bytes in use that stay behind for each connection. */
static gdouble
measure (const gchar *element, gboolean results, guint n)
{
  g_autoptr (GArray) memory = g_array_new (FALSE, FALSE, sizeof (TrendPoint));
  g_autoptr (GArray) heap = g_array_new (FALSE, FALSE, sizeof (TrendPoint));
  Growth growth = { memory, heap };
  Trend resident, used;

  live_often (&growth, element, results, n);
  resident = trend_fit (memory);
  used = trend_fit (heap);
  g_test_message ("%u connections, %s: of each stay %.0f +- %.0f bytes in use, "
                  "%.0f +- %.0f in memory",
      n, results ? "with clipfilter" : "without", used.slope, used.error,
      resident.slope, resident.error);
  return used.slope - 3 * used.error;
}

static void
test_reconnect (void)
{
  gboolean is_long = g_getenv ("CLIPFILTER_TEST_LONG") != NULL;
  guint n = is_long ? 50 : 5;
  g_autofree gchar *filter = g_strdup_printf (
      "clipfilter threads=1 prompts=\"a | b\" model=%s", folder);
  gdouble without = is_long ? measure ("identity", FALSE, n) : 0;
  gdouble with = measure (filter, TRUE, n);

  if (is_long)
    g_assert_cmpfloat (with, <=, without + ALLOWED);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gint status;

  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  if (!gst_plugin_load_file (CLIP_PLUGIN, &error))
    g_error ("%s", error->message);
  folder = test_checkpoint_new (&test_checkpoint_c);
  g_test_add_func (
      "/live/first-result-is-of-the-new-connection", test_reconnect);
  status = g_test_run ();
  test_checkpoint_remove (folder);
  return status;
}
