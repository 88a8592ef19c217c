/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clip-soak: streams of one process that share a model, most of them in
 * constant trouble, for minutes or days. Prints a line a minute and a verdict:
 * whether a stream that nobody troubled ever stood still, whether memory,
 * threads or files grow, and whether all streams still work. */

#include "soak.h"

#include "trend.h"

#include "checkpoints.h"
#include "support.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

/* What is promised. */
#define LONGEST_PAUSE (2 * G_USEC_PER_SEC)
#define MOST_GROWTH 1.0 /* bytes for each frame */

#define SECOND ((gint64)G_USEC_PER_SEC)
#define LOOK 10000   /* microseconds between two looks at everything */
#define AGAIN 100000 /* until a camera is asked again; microseconds */
#define SETTLE (10 * SECOND)
#define REPORT (60 * SECOND)
#define PATIENCE (60 * SECOND) /* until a stream works again */
#define FEWEST_POINTS 10
#define FEWEST_MINUTES 10
#define MOST_POINTS 100000 /* of a day: their own memory does not grow */
#define WATCHDOG 120       /* seconds: somebody hangs for ever */

static gdouble minutes = 3;
static gint seed = 1;
static gchar *model = NULL;
static gchar *only = NULL;
static gboolean control = FALSE;
static gint haste = 1;
static gint warm_up = 300;

static const GOptionEntry entries[] = {
  { "minutes", 0, 0, G_OPTION_ARG_DOUBLE, &minutes, "How long (3)", "N" },
  { "seed", 0, 0, G_OPTION_ARG_INT, &seed, "Of the troubles' order (1)", "N" },
  { "only", 0, 0, G_OPTION_ARG_STRING, &only,
      "The one stream that is troubled (all that can be)", "NAME" },
  { "warm-up", 0, 0, G_OPTION_ARG_INT, &warm_up,
      "Growth counts from then on; at most half of the time (300)", "S" },
  { "haste", 0, 0, G_OPTION_ARG_INT, &haste,
      "How many times as often there is trouble (1)", "N" },
  { "control", 0, 0, G_OPTION_ARG_NONE, &control,
      "With identity in clipfilter's place: what GStreamer itself does", NULL },
  { "model", 0, 0, G_OPTION_ARG_FILENAME, &model,
      "The model's folder (a small one, generated)", "FOLDER" },
  { NULL },
};

void
soak_fault (Soak *soak, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_print ("FAULT: %s\n", text);
  g_string_append_printf (soak->faults, "%s\n", text);
}

/* --- while it runs --- */

static guint64
count_frames (Soak *soak)
{
  guint64 n = 0;

  for (guint i = 0; i < soak->streams->len; i++)
    n += stream_get_counts (g_ptr_array_index (soak->streams, i)).frames;
  return n;
}

static void
start_server_when_due (Soak *soak, gint64 now)
{
  if (soak->server_due == 0 || now < soak->server_due)
    return;
  soak->server_due = 0;
  if (!server_start (&soak->server, 128))
    soak_fault (soak, "the server does not start");
}

/* A camera that is gone is asked again; nothing else may fail. */
static void
look_after (Soak *soak, const SoakPart *part, Stream *stream)
{
  g_autofree gchar *end = stream_pop_end (stream, 0);

  if (end == NULL)
    return;
  if (!part->ends)
    soak_fault (soak, "%s: %s", part->name, end);
  soak->n_reconnects++;
  stream_stop (stream);
  g_usleep (AGAIN);
  stream_start (stream);
}

static void
step (Soak *soak, gboolean troubles)
{
  gint64 now = g_get_monotonic_time ();

  alarm (WATCHDOG);
  start_server_when_due (soak, now);
  for (guint i = 0; i < SOAK_N_PARTS; i++) {
    Stream *stream = g_ptr_array_index (soak->streams, i);

    look_after (soak, &soak_parts[i], stream);
    if (!troubles || soak_parts[i].trouble == NULL || now < soak->due[i] ||
        (only != NULL && !g_str_equal (only, soak_parts[i].name)))
      continue;
    soak_parts[i].trouble (soak, stream);
    soak->n_troubles++;
    soak->due[i] = now + g_rand_int_range (
                             soak->random, 0, 2 * soak_parts[i].period / haste);
  }
  g_usleep (LOOK);
}

/* Gives all streams time to have frames and results again, and counts what
 * there is then. */
static void
settle (Soak *soak)
{
  guint n = SOAK_N_PARTS;
  g_autofree StreamCounts *before = g_new (StreamCounts, n);
  gint64 begin = g_get_monotonic_time ();
  guint n_threads, n_files, working = 0;

  for (guint i = 0; i < n; i++)
    before[i] = stream_get_counts (g_ptr_array_index (soak->streams, i));
  while (working < n) {
    StreamCounts counts;

    step (soak, FALSE);
    counts = stream_get_counts (g_ptr_array_index (soak->streams, working));
    if (counts.frames > before[working].frames)
      working++;
    else if (g_get_monotonic_time () - begin > PATIENCE)
      soak_fault (soak, "%s: no frame for %d s", soak_parts[working++].name,
          (gint)(PATIENCE / SECOND));
  }
  n_threads = test_count_entries ("/proc/self/task");
  n_files = test_count_entries ("/proc/self/fd");
  g_array_append_val (soak->threads, n_threads);
  g_array_append_val (soak->files, n_files);
}

/* --- what is told --- */

/* Connections have threads for a moment: what grows has more at its least in
 * the second half of the time than at its most in the first. */
static void
check_counts (Soak *soak, const gchar *what, const GArray *counts)
{
  guint most = 0, least = G_MAXUINT;

  for (guint i = 0; i < counts->len; i++) {
    guint n = g_array_index (counts, guint, i);

    if (i < counts->len / 2)
      most = MAX (most, n);
    else
      least = MIN (least, n);
  }
  if (counts->len < 2) {
    g_print ("%s: looked at once, which is not judged\n", what);
    return;
  }
  g_print ("%s: at most %u in the first half, at least %u in the second\n",
      what, most, least);
  if (least > most)
    soak_fault (soak, "%s grow", what);
}

static void
check_growth (Soak *soak)
{
  Trend memory = { 0 }, heap = { 0 };

  if (soak->memory->len >= FEWEST_POINTS) {
    memory = trend_fit (soak->memory);
    heap = trend_fit (soak->heap);
  }
  g_print ("memory: %.3f +- %.3f bytes a frame (at most %.0f); allocated: "
           "%.3f +- %.3f\n",
      memory.slope, memory.error, MOST_GROWTH, heap.slope, heap.error);
  if (minutes < FEWEST_MINUTES)
    g_print ("memory is not judged: caches fill for minutes\n");
  else if (memory.slope - 3 * memory.error > MOST_GROWTH)
    soak_fault (soak, "memory grows by %.3f bytes a frame", memory.slope);
}

static void
check_pauses (Soak *soak)
{
  for (guint i = 0; i < SOAK_N_PARTS; i++) {
    Stream *stream = g_ptr_array_index (soak->streams, i);
    StreamCounts counts = stream_get_counts (stream);

    if (!soak_parts[i].stands_still && counts.longest > LONGEST_PAUSE)
      soak_fault (soak, "%s: stood still for %.1f s", soak_parts[i].name,
          counts.longest / 1e6);
  }
}

static void
report (Soak *soak)
{
  g_print ("%6.1f min, %" G_GUINT64_FORMAT " frames, %u troubles, "
           "%u reconnects, %.1f MiB, %u threads, %u files; longest pause:",
      (g_get_monotonic_time () - soak->begin) / 60e6, count_frames (soak),
      soak->n_troubles, soak->n_reconnects, trend_get_memory () / 1048576,
      g_array_index (soak->threads, guint, soak->threads->len - 1),
      g_array_index (soak->files, guint, soak->files->len - 1));
  check_pauses (soak);
  for (guint i = 0; i < SOAK_N_PARTS; i++) {
    Stream *stream = g_ptr_array_index (soak->streams, i);

    g_print (" %s %.2f s", soak_parts[i].name,
        stream_get_counts (stream).longest / 1e6);
    stream_forget (stream);
  }
  g_print ("\n");
}

/* --- from begin to end --- */

static gchar *
describe_element (const Soak *soak, const SoakPart *part, const gchar *folder)
{
  if (soak->control)
    return g_strdup ("identity name=f");
  return g_strdup_printf ("clipfilter name=f model=\"%s\" prompts=\"a | b\" %s",
      folder, part->properties);
}

static void
begin (Soak *soak, const gchar *folder)
{
  if (!server_start (&soak->server, 128))
    exit (1);
  for (guint i = 0; i < SOAK_N_PARTS; i++) {
    g_auto (GStrv) source = g_strsplit (soak_parts[i].source, "%s", 2);
    g_autofree gchar *text = g_strjoinv (soak->server.uri, source);
    g_autofree gchar *element = describe_element (soak, &soak_parts[i], folder);
    Stream *stream = stream_new (soak_parts[i].name,
        g_strdup_printf (
            "%s ! %s ! fakesink name=sink sync=true", text, element));

    g_ptr_array_add (soak->streams, stream);
    stream_start (stream);
  }
}

static void
note_memory (Soak *soak)
{
  TrendPoint memory, heap;

  /* What is free and kept for later is no growth. */
  malloc_trim (0);
  memory.x = heap.x = count_frames (soak);
  memory.y = trend_get_memory ();
  heap.y = trend_get_heap ();
  g_array_append_val (soak->memory, memory);
  g_array_append_val (soak->heap, heap);
}

static void
run (Soak *soak)
{
  gint64 now, length = (gint64)(minutes * 60 * SECOND);
  gint64 warm = MIN (length / 2, warm_up * SECOND);
  gint64 noted = 0, settled = 0, reported = 0;

  soak->begin = g_get_monotonic_time ();
  while ((now = g_get_monotonic_time () - soak->begin) < length) {
    step (soak, TRUE);
    if (now >= settled + SETTLE) {
      settle (soak);
      settled = now;
    }
    if (now >= MAX (noted, warm) + SECOND) {
      note_memory (soak);
      noted = now;
    }
    if (now >= reported + REPORT) {
      report (soak);
      reported = now;
    }
  }
  settle (soak);
  report (soak);
}

static void
finish (Soak *soak)
{
  check_growth (soak);
  check_counts (soak, "threads", soak->threads);
  check_counts (soak, "files", soak->files);
  g_ptr_array_unref (soak->streams);
  server_clear (&soak->server);
  g_array_unref (soak->memory);
  g_array_unref (soak->heap);
  g_array_unref (soak->threads);
  g_array_unref (soak->files);
  g_rand_free (soak->random);
}

/* Options with which nothing would be tried must not end with "passed". */
static gboolean
check (GError **error)
{
  gboolean found = only == NULL;

  for (guint i = 0; i < SOAK_N_PARTS; i++)
    if (soak_parts[i].trouble != NULL &&
        g_strcmp0 (only, soak_parts[i].name) == 0)
      found = TRUE;
  if (found && minutes > 0 && haste >= 1 && warm_up >= 0)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      found ? "--minutes is more than 0, --haste at least 1, --warm-up 0"
            : "--only: no stream of that name is troubled");
  return FALSE;
}

static gboolean
parse (int *argc, char ***argv)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- streams in trouble, and a verdict");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (g_option_context_parse (context, argc, argv, &error) && check (&error) &&
      gst_plugin_load_file (CLIP_PLUGIN, &error) != NULL)
    return TRUE;
  g_printerr ("clip-soak: %s\n", error->message);
  return FALSE;
}

int
main (int argc, char **argv)
{
  Soak soak = { 0 };
  gchar *folder = NULL;

  /* Threads come and go. Each may open an arena of its own, which is not given
   * back and no leak; and GLib keeps some for later. */
  mallopt (M_ARENA_MAX, 1);
  g_thread_pool_set_max_unused_threads (0);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  if (!parse (&argc, &argv))
    return 1;
  soak.control = control;
  soak.random = g_rand_new_with_seed (seed);
  soak.streams = g_ptr_array_new_with_free_func ((GDestroyNotify)stream_free);
  soak.memory =
      g_array_sized_new (FALSE, FALSE, sizeof (TrendPoint), MOST_POINTS);
  soak.heap =
      g_array_sized_new (FALSE, FALSE, sizeof (TrendPoint), MOST_POINTS);
  soak.threads = g_array_new (FALSE, FALSE, sizeof (guint));
  soak.files = g_array_new (FALSE, FALSE, sizeof (guint));
  soak.faults = g_string_new (NULL);
  folder = model == NULL ? test_checkpoint_new (&test_checkpoint_c) : NULL;
  g_print (
      "%u streams for %.1f minutes, seed %d\n", SOAK_N_PARTS, minutes, seed);
  begin (&soak, model != NULL ? model : folder);
  run (&soak);
  finish (&soak);
  if (folder != NULL)
    test_checkpoint_remove (folder);
  g_print (
      "%s%s\n", soak.faults->str, soak.faults->len == 0 ? "passed" : "FAILED");
  return soak.faults->len > 0;
}
