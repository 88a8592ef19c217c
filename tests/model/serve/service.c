/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "demo.h"

#include "clip-error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Enough requests that the worker cannot have run them all by the next line. */
#define MANY 400

/* One picture at a time, as in wait mode. */
static ClipStream *
open_stream (ClipService *service)
{
  return clip_stream_new (service, &(ClipStreamOptions){ .alone = TRUE });
}

static gdouble
get_length (const gfloat *row, guint n)
{
  gdouble sum = 0;

  for (guint i = 0; i < n; i++)
    sum += (gdouble)row[i] * row[i];
  return sqrt (sum);
}

static void
same_files_are_one_model (void)
{
  g_autoptr (ClipService) first = demo_acquire (NULL);
  g_autoptr (ClipService) second = demo_acquire (NULL);

  g_assert_true (first == second);
  g_assert_cmpuint (clip_service_get_n_workers (), ==, 1);
}

static void
an_instance_id_separates (void)
{
  g_autoptr (ClipService) first = demo_acquire (NULL);
  g_autoptr (ClipService) second = demo_acquire ("second");

  g_assert_true (first != second);
  g_assert_cmpuint (clip_service_get_n_workers (), ==, 2);
  g_assert_cmpstr (clip_service_get_info (first)->id, ==,
      clip_service_get_info (second)->id);
}

static void
the_last_release_ends_the_worker (void)
{
  ClipService *first = demo_acquire (NULL);
  ClipService *second = demo_acquire (NULL);

  clip_service_release (first);
  g_assert_cmpuint (clip_service_get_n_workers (), ==, 1);
  clip_service_release (second);
  demo_assert_workers_leave (0);
}

static void
pictures_have_embeddings_of_length_1 (void)
{
  g_autoptr (ClipService) service = demo_acquire (NULL);
  g_autoptr (ClipStream) stream = open_stream (service);
  guint embed_dim = clip_service_get_info (service)->embed_dim;

  /* More than the pool keeps under way, so that memory is recycled. */
  for (guint i = 0; i < 20; i++) {
    g_autoptr (GError) error = NULL;
    g_autofree guint8 *picture = demo_make_picture (service, (guint8)i);
    g_autoptr (ClipRequest) request =
        clip_stream_encode_picture (stream, picture);

    g_assert_true (clip_request_wait (request, &error));
    g_assert_no_error (error);
    g_assert_null (clip_request_get_prompt_set (request));
    /* 256 rounded squares sum to 1 within some 1e-6. */
    g_assert_cmpfloat_with_epsilon (
        get_length (clip_request_get_embedding (request), embed_dim), 1, 1e-5);
  }
}

static void
same_picture_gives_the_same_bits (void)
{
  g_autoptr (ClipService) service = demo_acquire (NULL);
  g_autoptr (ClipStream) stream = open_stream (service);
  g_autofree guint8 *picture = demo_make_picture (service, 7);
  gsize bytes = clip_service_get_info (service)->embed_dim * sizeof (gfloat);
  g_autoptr (ClipRequest) first = clip_stream_encode_picture (stream, picture);
  g_autoptr (ClipRequest) second = clip_stream_encode_picture (stream, picture);

  g_assert_true (clip_request_wait (first, NULL));
  g_assert_true (clip_request_wait (second, NULL));
  g_assert_cmpmem (clip_request_get_embedding (first), bytes,
      clip_request_get_embedding (second), bytes);
}

static void
prompts_become_rows_of_length_1 (void)
{
  static const gchar *const prompts[] = { "a photo of a dog", "风景", NULL };
  static const gchar *const templates[] = { "{}", "a photo of {}", NULL };
  g_autoptr (ClipService) service = demo_acquire (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ClipRequest) request =
      clip_service_encode_prompts (service, prompts, templates);
  ClipPromptSet *set;

  g_assert_true (clip_request_wait (request, &error));
  g_assert_no_error (error);
  set = clip_request_get_prompt_set (request);
  g_assert_cmpuint (set->n_prompts, ==, 2);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpstr (set->texts[i], ==, prompts[i]);
    g_assert_cmpfloat_with_epsilon (
        get_length (
            set->embeddings + i * (gsize)set->embed_dim, set->embed_dim),
        1, 1e-5);
  }
}

static void
a_cancelled_request_returns_before_the_queue_is_done (void)
{
  g_autoptr (ClipService) service = demo_acquire (NULL);
  g_autoptr (ClipStream) stream = open_stream (service);
  g_autofree guint8 *picture = demo_make_picture (service, 1);
  g_autoptr (GPtrArray) requests =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_request_unref);
  g_autoptr (GError) error = NULL;
  ClipRequest *last;

  for (guint i = 0; i < MANY; i++)
    g_ptr_array_add (requests, clip_stream_encode_picture (stream, picture));
  last = g_ptr_array_index (requests, MANY - 1);
  clip_request_cancel (last);
  g_assert_false (clip_request_wait (last, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_CANCELLED);
  g_assert_false (
      clip_request_is_done (g_ptr_array_index (requests, MANY - 2)));
  /* Giving up the rest must not leave anything behind either. */
  for (guint i = 0; i < MANY; i++)
    clip_request_cancel (g_ptr_array_index (requests, i));
}

static gpointer
wait_for_it (gpointer request)
{
  GError *error = NULL;

  clip_request_wait (request, &error);
  return error;
}

static void
a_release_while_busy_neither_blocks_nor_hangs_a_waiter (void)
{
  ClipService *service = demo_acquire (NULL);
  g_autoptr (ClipStream) stream = open_stream (service);
  g_autofree guint8 *picture = demo_make_picture (service, 1);
  g_autoptr (GPtrArray) requests =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_request_unref);
  g_autoptr (GError) error = NULL;
  GThread *waiter;

  for (guint i = 0; i < MANY; i++)
    g_ptr_array_add (requests, clip_stream_encode_picture (stream, picture));
  waiter = g_thread_new (
      "waiter", wait_for_it, g_ptr_array_index (requests, MANY - 1));
  clip_service_release (service);
  error = g_thread_join (waiter);
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_CANCELLED);
  demo_assert_workers_leave (0);
}

static void
a_stream_that_outlives_its_service_hangs_nobody (void)
{
  ClipService *service = demo_acquire (NULL);
  g_autoptr (ClipStream) stream = open_stream (service);
  g_autofree guint8 *picture = demo_make_picture (service, 1);
  g_autoptr (ClipRequest) request = NULL;
  g_autoptr (GError) error = NULL;

  clip_service_release (service);
  demo_assert_workers_leave (0);
  request = clip_stream_encode_picture (stream, picture);
  g_assert_true (clip_request_is_done (request));
  g_assert_false (clip_request_wait (request, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_CANCELLED);
}

static gboolean is_child = FALSE;

static void
print_n_workers (void)
{
  g_print ("workers at the end%s: %u\n", is_child ? " of the child" : "",
      clip_service_get_n_workers ());
}

/* Handlers run in the reverse order of their registration, so this one comes
 * behind the worker's. */
static void
the_end_of_the_process_sends_workers_away (void)
{
  if (g_test_subprocess ()) {
    atexit (print_n_workers);
    demo_acquire (NULL);
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_stdout ("*workers at the end: 0*");
}

/* AddressSanitizer asks. What the parent's worker holds by its own stack and
 * thread-local memory is in the child as well, which has no such thread. */
gint __lsan_is_turned_off (void);

gint
__lsan_is_turned_off (void)
{
  return is_child;
}

/* A child that forgets to leave by _exit() ends as soon, though it has the
 * parent's handlers and none of its workers. */
static void
a_fork_ends_without_waiting_for_workers (void)
{
  g_autoptr (ClipService) service = demo_acquire (NULL);
  pid_t child = fork ();
  gint status;

  if (child == 0) {
    is_child = TRUE;
    alarm (5);
    exit (0);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

/* Nothing that the parent has is waited for: neither the worker of the same
 * model nor the threads. */
static void
use_model_in_child (void)
{
  ClipService *service = demo_acquire (NULL);
  g_autoptr (ClipRequest) request = demo_submit_prompts (service, 2);

  is_child = TRUE;
  g_assert_true (clip_request_wait (request, NULL));
}

static void
fork_and_use_model (void)
{
  g_autoptr (ClipService) service = demo_acquire (NULL);
  pid_t child;
  gint status;

  demo_hold_threads ();
  child = fork ();
  if (child == 0) {
    alarm (60);
    use_model_in_child ();
    exit (0);
  }
  demo_let_threads_go ();
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
a_fork_has_models_of_its_own (void)
{
#ifdef __SANITIZE_THREAD__
  g_test_skip ("ThreadSanitizer starts no threads in a fork");
#else
  if (g_test_subprocess ()) {
    atexit (print_n_workers);
    fork_and_use_model ();
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*workers at the end of the child: 0*");
#endif
}

static void
a_missing_model_is_named_and_can_be_retried (void)
{
  g_autoptr (GError) error = NULL;
  ClipServiceOptions options = { .model = "/nowhere/at/all" };
  g_autoptr (ClipService) service = NULL;

  g_assert_null (clip_service_acquire (&options, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "/nowhere/at/all"));
  demo_assert_workers_leave (0);
  service = demo_acquire (NULL);
}

static gpointer
acquire_and_release (gpointer unused)
{
  for (guint i = 0; i < 10; i++) {
    ClipService *service = demo_acquire (NULL);
    g_autoptr (ClipStream) stream = open_stream (service);
    g_autofree guint8 *picture = demo_make_picture (service, (guint8)i);
    g_autoptr (ClipRequest) request =
        clip_stream_encode_picture (stream, picture);

    if (i % 2 == 0)
      g_assert_true (clip_request_wait (request, NULL));
    clip_service_release (service);
  }
  return NULL;
}

static void
many_threads_come_and_go (void)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("user", acquire_and_release, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  demo_assert_workers_leave (0);
}

static void
threads_are_clamped_to_the_usable_cpus (void)
{
  ClipServiceOptions options = {
    .model = demo_get_model (), .instance_id = "greedy", .threads = 4096
  };
  g_autoptr (ClipService) service = clip_service_acquire (&options, NULL);

  g_assert_nonnull (service);
  g_assert_cmpuint (
      clip_service_get_threads (service), ==, clip_service_get_usable_cpus ());
}

static const DemoCase cases[] = {
  { "same-files-are-one-model", same_files_are_one_model },
  { "the-last-release-ends-the-worker", the_last_release_ends_the_worker },
  { "an-instance-id-separates", an_instance_id_separates },
  { "pictures-have-embeddings-of-length-1",
      pictures_have_embeddings_of_length_1 },
  { "same-picture-gives-the-same-bits", same_picture_gives_the_same_bits },
  { "prompts-become-rows-of-length-1", prompts_become_rows_of_length_1 },
  { "a-cancelled-request-returns-before-the-queue-is-done",
      a_cancelled_request_returns_before_the_queue_is_done },
  { "a-release-while-busy-neither-blocks-nor-hangs-a-waiter",
      a_release_while_busy_neither_blocks_nor_hangs_a_waiter },
  { "a-stream-that-outlives-its-service-hangs-nobody",
      a_stream_that_outlives_its_service_hangs_nobody },
  { "the-end-of-the-process-sends-workers-away",
      the_end_of_the_process_sends_workers_away },
  { "a-fork-ends-without-waiting-for-workers",
      a_fork_ends_without_waiting_for_workers },
  { "a-fork-has-models-of-its-own", a_fork_has_models_of_its_own },
  { "a-missing-model-is-named-and-can-be-retried",
      a_missing_model_is_named_and_can_be_retried },
  { "many-threads-come-and-go", many_threads_come_and_go },
  { "threads-are-clamped-to-the-usable-cpus",
      threads_are_clamped_to_the_usable_cpus },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  demo_add_cases ("service", cases, G_N_ELEMENTS (cases));
  return g_test_run ();
}
