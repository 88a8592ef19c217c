/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* clip-streams-bench: how many results a second streams get that share one
 * encoder, each with one picture ahead, when their pictures form batches and
 * when each is encoded alone; with --split also when several encoders of one
 * thread have a part of the streams each. All take turns, so that what else the
 * machine does falls on each. */

#include "generated.h"

#include "serve/serve.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD 2       /* one picture runs, one waits */
#define LOOK 1000     /* microseconds between two frames of a stream */
#define STAGGER 37000 /* microseconds between the first of two streams */
#define CHANGE 100000 /* microseconds between two changes of prompts */

typedef struct {
  ClipService *service;
  gboolean alone;
  gint64 end; /* monotonic, microseconds */
  guint seed;
  GArray *delays;  /* gint64, from handing in to done */
  guint n_batched; /* sum of the batches they came in */
} Camera;

static gint n_streams = 8;
static gint n_threads = 0;
static gint seconds = 5;
static gint n_rounds = 3;
static gint n_busy = 0;
static gint n_split = 0;
static gint n_prompts = 0;
static gdouble rate = 0;
static gchar *arch = NULL;

static const GOptionEntry entries[] = {
  { "streams", 0, 0, G_OPTION_ARG_INT, &n_streams, "Streams (8)", "N" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads,
      "The encoder's threads (the usable CPUs)", "N" },
  { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Of each round (5)", "S" },
  { "rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds, "Of each kind (3)", "N" },
  { "rate", 0, 0, G_OPTION_ARG_DOUBLE, &rate,
      "Pictures a second of each stream (as many as can be)", "R" },
  { "busy", 0, 0, G_OPTION_ARG_INT, &n_busy,
      "Threads that do nothing but take the CPU, at normal priority (0)", "N" },
  { "split", 0, 0, G_OPTION_ARG_INT, &n_split,
      "In turns with so many encoders of one thread each (0: no)", "N" },
  { "prompts", 0, 0, G_OPTION_ARG_INT, &n_prompts,
      "Somebody sets so many other prompts every 100 ms (0: nobody)", "N" },
  { "arch", 0, 0, G_OPTION_ARG_STRING, &arch,
      "A published model's shapes (ViT-B/32)", "NAME" },
  { NULL },
};

static guint8 *
make_picture (const ClipService *service, guint seed)
{
  gsize side = clip_service_get_info (service)->image_size;
  guint8 *picture = g_malloc (side * side * 3);

  for (gsize i = 0; i < side * side * 3; i++)
    picture[i] = (guint8)((i * (seed + 3)) >> 7);
  return picture;
}

/* A picture on its way. */
typedef struct {
  ClipRequest *request; /* NULL: none */
  gint64 begin;
} Picture;

static void
finish (Camera *camera, Picture *picture)
{
  g_autoptr (ClipRequest) request = g_steal_pointer (&picture->request);
  g_autoptr (GError) error = NULL;
  gint64 delay;

  if (!clip_request_wait (request, &error))
    g_error ("%s", error->message);
  delay = g_get_monotonic_time () - picture->begin;
  g_array_append_val (camera->delays, delay);
  camera->n_batched += clip_request_get_batch (request);
}

/* As a live stream does: looks at each frame what is done, and hands one in
 * when it may. */
static gpointer
run_camera (gpointer data)
{
  Camera *camera = data;
  const ClipStreamOptions options = { .alone = camera->alone };
  g_autoptr (ClipStream) stream = clip_stream_new (camera->service, &options);
  g_autofree guint8 *pixels = make_picture (camera->service, camera->seed);
  Picture pictures[AHEAD] = { { NULL } };
  gint64 now, due = g_get_monotonic_time () + camera->seed * STAGGER;

  while ((now = g_get_monotonic_time ()) < camera->end) {
    for (guint i = 0; i < AHEAD; i++) {
      Picture *picture = &pictures[i];

      if (picture->request != NULL && clip_request_is_done (picture->request))
        finish (camera, picture);
      if (picture->request != NULL || now < due ||
          !clip_stream_has_credit (stream))
        continue;
      picture->begin = now;
      picture->request = clip_stream_encode_picture (stream, pixels);
      due += rate > 0 ? (gint64)(G_USEC_PER_SEC / rate) : 0;
    }
    g_usleep (LOOK);
  }
  for (guint i = 0; i < AHEAD; i++)
    if (pictures[i].request != NULL)
      finish (camera, &pictures[i]);
  return NULL;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 difference = *(const gint64 *)a - *(const gint64 *)b;

  return (difference > 0) - (difference < 0);
}

static gdouble
get_quantile (const GArray *sorted, gdouble q)
{
  guint i = (guint)(q * (sorted->len - 1));

  return g_array_index (sorted, gint64, i) / 1000.;
}

/* @services: for the streams to be divided among
 *
 * Returns: results a second. */
static gdouble
run_round (GPtrArray *services, gboolean alone)
{
  g_autofree Camera *cameras = g_new0 (Camera, n_streams);
  g_autofree GThread **threads = g_new0 (GThread *, n_streams);
  g_autoptr (GArray) delays = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint n_least = G_MAXUINT, n_most = 0, n_batched = 0;
  gint64 begin = g_get_monotonic_time ();
  gdouble per_second;

  for (gint i = 0; i < n_streams; i++) {
    cameras[i] = (Camera){ g_ptr_array_index (services, i % services->len),
      alone, begin + seconds * G_USEC_PER_SEC, i,
      g_array_new (FALSE, FALSE, sizeof (gint64)) };
    threads[i] = g_thread_new ("camera", run_camera, &cameras[i]);
  }
  for (gint i = 0; i < n_streams; i++) {
    GArray *own = cameras[i].delays;

    g_thread_join (threads[i]);
    n_batched += cameras[i].n_batched;
    n_least = MIN (n_least, own->len);
    n_most = MAX (n_most, own->len);
    g_array_append_vals (delays, own->data, own->len);
    g_array_unref (own);
  }
  per_second = delays->len /
               ((g_get_monotonic_time () - begin) / (gdouble)G_USEC_PER_SEC);
  g_array_sort (delays, compare);
  g_print (
      "%u x %u threads, %-7s %7.1f results/s, batch %.2f, a stream has %u to "
      "%u, delay p50 %.1f p99 %.1f max %.1f ms\n",
      services->len, clip_service_get_threads (g_ptr_array_index (services, 0)),
      alone ? "alone" : "batched", per_second, n_batched / (gdouble)delays->len,
      n_least, n_most, get_quantile (delays, .5), get_quantile (delays, .99),
      get_quantile (delays, 1));
  return per_second;
}

/* What goes on beside the streams. */
typedef struct {
  ClipService *service;
  gint stop; /* atomic */
  guint n_sets;
} Trouble;

static gpointer
be_busy (gpointer data)
{
  Trouble *trouble = data;
  volatile guint64 n = 0;

  while (!g_atomic_int_get (&trouble->stop))
    n++;
  return NULL;
}

static gpointer
change_prompts (gpointer data)
{
  Trouble *trouble = data;
  g_autoptr (GPtrArray) prompts = g_ptr_array_new_with_free_func (g_free);
  gint64 due = g_get_monotonic_time ();

  for (gint i = 0; i < n_prompts; i++)
    g_ptr_array_add (prompts, g_strdup_printf ("a photo of %d dogs", i));
  g_ptr_array_add (prompts, NULL);
  while (!g_atomic_int_get (&trouble->stop)) {
    g_autoptr (ClipRequest) request = clip_service_encode_prompts (
        trouble->service, (const gchar *const *)prompts->pdata, NULL);

    if (!clip_request_wait (request, NULL))
      break;
    trouble->n_sets++;
    due += CHANGE;
    g_usleep (MAX (due - g_get_monotonic_time (), 0));
  }
  return NULL;
}

/* @split: encoders of one thread, or none */
static void
run (ClipService *service, GPtrArray *split)
{
  g_autoptr (GPtrArray) one = g_ptr_array_new ();
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  Trouble trouble = { service };
  gdouble results[2][2] = { { 0 } }; /* of one and split; batched and alone */

  g_print ("%s in %s, %s, %u threads, largest batch %u, %d streams, %d busy\n",
      clip_service_get_info (service)->id,
      clip_precision_get_name (clip_service_get_precision (service)),
      clip_service_describe (service), clip_service_get_threads (service),
      clip_service_get_max_batch (service), n_streams, n_busy);
  for (gint i = 0; i < n_busy; i++)
    g_ptr_array_add (threads, g_thread_new ("busy", be_busy, &trouble));
  if (n_prompts > 0)
    g_ptr_array_add (
        threads, g_thread_new ("prompts", change_prompts, &trouble));
  g_ptr_array_add (one, service);
  for (gint i = 0; i < 2 * n_rounds; i++) {
    results[0][i % 2] += run_round (one, i % 2);
    if (split->len > 0)
      results[1][i % 2] += run_round (split, i % 2);
  }
  g_atomic_int_set (&trouble.stop, TRUE);
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
  g_print ("batched / alone: %.3f; %u sets of %d prompts\n",
      results[0][0] / results[0][1], trouble.n_sets, n_prompts);
  if (split->len > 0)
    g_print ("split / one: batched %.3f, alone %.3f\n",
        results[1][0] / results[0][0], results[1][1] / results[0][1]);
}

static ClipService *
acquire (const ClipServiceOptions *options)
{
  g_autoptr (GError) error = NULL;
  ClipService *service = clip_service_acquire (options, &error);

  if (service == NULL)
    g_error ("%s", error->message);
  return service;
}

/* (transfer full) (element-type ClipService) */
static GPtrArray *
acquire_split (const gchar *model)
{
  GPtrArray *split =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_service_release);

  for (gint i = 0; i < n_split; i++) {
    g_autofree gchar *id = g_strdup_printf ("%d", i);
    const ClipServiceOptions options = { .model = model,
      .instance_id = id,
      .precision = CLIP_PRECISION_AUTO,
      .threads = 1 };

    g_ptr_array_add (split, acquire (&options));
  }
  return split;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context =
      g_option_context_new ("- streams that share an encoder");
  ClipServiceOptions options = { .precision = CLIP_PRECISION_AUTO };
  g_autoptr (ClipService) service = NULL;
  g_autoptr (GPtrArray) split = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *model = NULL;
  gchar *folder;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  folder = generated_write (arch != NULL ? arch : "ViT-B/32");
  model = g_build_filename (folder, "model.safetensors", NULL);
  options.model = model;
  options.threads = n_threads;
  service = acquire (&options);
  split = acquire_split (model);
  test_checkpoint_remove (folder);
  run (service, split);
  return 0;
}
