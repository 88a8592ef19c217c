/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Streams and models that come, go and run beside each other. */

#include "demo.h"

#include "published.h"
#include "support.h"

#define N_STREAMS 64
#define N_COMING 8

/* A picture through a stream of its own. */
static void
encode_one (ClipService *service, guint8 shade)
{
  const ClipStreamOptions options = { .alone = TRUE };
  g_autoptr (ClipStream) stream = clip_stream_new (service, &options);
  g_autofree guint8 *picture = demo_make_picture (service, shade);
  g_autoptr (ClipRequest) request =
      clip_stream_encode_picture (stream, picture);

  g_assert_true (clip_request_wait (request, NULL));
}

static void
another_instance_runs_when_the_first_is_busy (void)
{
  g_autoptr (ClipService) busy = demo_acquire ("busy");
  g_autoptr (ClipService) other = demo_acquire ("other");
  g_autoptr (ClipRequest) prompts = demo_submit_endless_prompts (busy);

  encode_one (other, 1);
  g_assert_false (clip_request_is_done (prompts));
  clip_request_cancel (prompts);
}

typedef struct {
  gchar *model;
  gint is_open; /* atomic */
} Opening;

static gpointer
open_large (gpointer data)
{
  Opening *opening = data;
  g_autoptr (GError) error = NULL;
  const ClipServiceOptions options = { .model = opening->model, .threads = 1 };
  ClipService *service = clip_service_acquire (&options, &error);

  g_assert_no_error (error);
  g_atomic_int_set (&opening->is_open, TRUE);
  return service;
}

/* A picture model of some 60 MB, as large as takes a moment to read. */
static void
opening_a_model_holds_up_no_other (void)
{
  static const TestModelSpec spec = { 512, { 224, 512, { 5 }, 32, 8, 2048 },
    { 0 } };
  const TestCheckpointSpec values = { .quick = TRUE, .dtype = CLIP_DTYPE_F32 };
  const TestPublished published = { "large", spec };
  gchar *folder = test_published_write (&published, TEST_FORM_BARE, &values);
  Opening opening = { g_build_filename (folder, "model.safetensors", NULL) };
  g_autoptr (ClipService) service = demo_acquire (NULL);
  guint n_meanwhile = 0;
  GThread *thread;

  thread = g_thread_new ("opening", open_large, &opening);
  while (TRUE) {
    ClipService *again = demo_acquire (NULL);

    g_assert_true (again == service);
    encode_one (again, (guint8)n_meanwhile);
    clip_service_release (again);
    if (g_atomic_int_get (&opening.is_open))
      break;
    n_meanwhile++;
  }
  g_test_message ("%u pictures meanwhile", n_meanwhile);
  g_assert_cmpuint (n_meanwhile, >, 0);
  clip_service_release (g_thread_join (thread));
  test_checkpoint_remove (folder);
  g_free (opening.model);
}

static gpointer
open_demo (gpointer is_open)
{
  ClipService *service = demo_acquire (NULL);

  g_atomic_int_set ((gint *)is_open, TRUE);
  return service;
}

/* Its threads are of the process's budget as well. Half a second is several
 * times what it takes when the budget is free. */
static void
opening_a_model_waits_for_its_turn (void)
{
  gint is_open = FALSE;
  GThread *thread;

  demo_hold_threads ();
  thread = g_thread_new ("opening", open_demo, &is_open);
  g_usleep (G_USEC_PER_SEC / 2);
  g_assert_false (g_atomic_int_get (&is_open));
  demo_let_threads_go ();
  clip_service_release (g_thread_join (thread));
}

typedef struct {
  ClipService *service;
  gint leaves; /* atomic */
} Crowd;

static gpointer
stream_in_crowd (gpointer data)
{
  Crowd *crowd = data;
  const ClipStreamOptions options = { 0 };
  g_autoptr (ClipStream) stream = clip_stream_new (crowd->service, &options);
  g_autofree guint8 *picture = demo_make_picture (crowd->service, 5);

  do {
    g_autoptr (ClipRequest) request =
        clip_stream_encode_picture (stream, picture);

    g_assert_true (clip_request_wait (request, NULL));
  } while (!g_atomic_int_get (&crowd->leaves));
  return NULL;
}

static void
many_streams_need_few_threads (void)
{
  ClipServiceOptions options = { .model = demo_get_model () };
  g_autoptr (ClipService) service = clip_service_acquire (&options, NULL);
  GThread *threads[N_STREAMS];
  Crowd crowd = { service };
  guint n_threads;

  g_assert_nonnull (service);
  for (guint i = 0; i < N_STREAMS; i++)
    threads[i] = g_thread_new ("stream", stream_in_crowd, &crowd);
  n_threads = test_count_entries ("/proc/self/task");
  g_atomic_int_set (&crowd.leaves, TRUE);
  for (guint i = 0; i < N_STREAMS; i++)
    g_thread_join (threads[i]);
  g_test_message ("%u threads with %d streams", n_threads, N_STREAMS);
  g_assert_cmpuint (
      n_threads, <=, N_STREAMS + clip_service_get_usable_cpus () + 4);
}

/* @seed: 1 … */
static gpointer
come_and_go (gpointer seed)
{
  GRand *random = g_rand_new_with_seed (GPOINTER_TO_UINT (seed));

  for (guint i = 0; i < 25; i++) {
    const ClipStreamOptions options = { g_rand_boolean (random),
      g_rand_int_range (random, 0, CLIP_STREAM_MAX_PRIORITY + 1) };
    g_autoptr (ClipService) service = demo_acquire (NULL);
    ClipStream *stream = clip_stream_new (service, &options);
    g_autofree guint8 *picture = demo_make_picture (service, (guint8)i);
    g_autoptr (ClipRequest) first =
        clip_stream_encode_picture (stream, picture);
    g_autoptr (ClipRequest) second =
        clip_stream_encode_picture (stream, picture);
    g_autoptr (ClipRequest) prompts = demo_submit_prompts (service, 2);

    if (g_rand_boolean (random))
      clip_request_cancel (first);
    if (g_rand_boolean (random))
      clip_request_cancel (prompts);
    if (g_rand_boolean (random))
      g_assert_true (clip_request_wait (second, NULL));
    clip_stream_free (stream);
    clip_request_wait (second, NULL);
  }
  g_rand_free (random);
  return NULL;
}

static void
streams_come_and_go_while_others_run (void)
{
  g_autoptr (ClipService) service = demo_acquire (NULL);
  Crowd crowd = { service };
  GThread *staying = g_thread_new ("stream", stream_in_crowd, &crowd);
  GThread *coming[N_COMING];

  for (guint i = 0; i < N_COMING; i++)
    coming[i] = g_thread_new ("coming", come_and_go, GUINT_TO_POINTER (i + 1));
  for (guint i = 0; i < N_COMING; i++)
    g_thread_join (coming[i]);
  g_atomic_int_set (&crowd.leaves, TRUE);
  g_thread_join (staying);
}

/* Nobody else keeps the model meanwhile. */
static void
models_come_and_go_with_their_streams (void)
{
  GThread *coming[N_COMING];

  for (guint i = 0; i < N_COMING; i++)
    coming[i] = g_thread_new ("coming", come_and_go, GUINT_TO_POINTER (i + 1));
  for (guint i = 0; i < N_COMING; i++)
    g_thread_join (coming[i]);
  demo_assert_workers_leave (0);
}

int
main (int argc, char **argv)
{
  static const DemoCase cases[] = {
    { "another-instance-runs-when-the-first-is-busy",
        another_instance_runs_when_the_first_is_busy },
    { "opening-a-model-holds-up-no-other", opening_a_model_holds_up_no_other },
    { "opening-a-model-waits-for-its-turn",
        opening_a_model_waits_for_its_turn },
    { "many-streams-need-few-threads", many_streams_need_few_threads },
    { "streams-come-and-go-while-others-run",
        streams_come_and_go_while_others_run },
    { "models-come-and-go-with-their-streams",
        models_come_and_go_with_their_streams },
  };

  g_test_init (&argc, &argv, NULL);
  demo_add_cases ("crowd", cases, G_N_ELEMENTS (cases));
  return g_test_run ();
}
