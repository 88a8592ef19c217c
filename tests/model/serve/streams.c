/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Streams of one model: batches, credit, and prompts between pictures. */

#include "demo.h"

#include "clip-error.h"
#include "serve/service.h"
#include "support.h"

#include <math.h>
#include <string.h>

#define N_STREAMS 8

/* Whatever batch a picture comes in: model-spec's bound for f32. */
#define TOLERANCE 1e-5

typedef struct {
  ClipService *service;
  ClipStream *streams[N_STREAMS];
  guint8 *pictures[N_STREAMS];
  ClipRequest *requests[N_STREAMS];
} Room;

static void
room_open (Room *room, gboolean alone)
{
  const ClipStreamOptions options = { .alone = alone };

  *room = (Room){ demo_acquire (NULL) };
  for (guint i = 0; i < N_STREAMS; i++) {
    room->streams[i] = clip_stream_new (room->service, &options);
    room->pictures[i] = demo_make_picture (room->service, (guint8)(i * 29));
  }
}

static void
room_submit (Room *room)
{
  for (guint i = 0; i < N_STREAMS; i++) {
    clip_request_unref (room->requests[i]);
    room->requests[i] =
        clip_stream_encode_picture (room->streams[i], room->pictures[i]);
  }
}

static void
room_wait (Room *room)
{
  for (guint i = 0; i < N_STREAMS; i++) {
    g_autoptr (GError) error = NULL;

    clip_request_wait (room->requests[i], &error);
    g_assert_no_error (error);
  }
}

static void
room_clear (Room *room)
{
  for (guint i = 0; i < N_STREAMS; i++) {
    clip_request_unref (room->requests[i]);
    clip_stream_free (room->streams[i]);
    g_free (room->pictures[i]);
  }
  clip_service_release (room->service);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Room, room_clear)

static gsize
get_embedding_size (const Room *room)
{
  return clip_service_get_info (room->service)->embed_dim * sizeof (gfloat);
}

/* Of each picture when nothing else runs. (transfer full): [N_STREAMS] */
static gfloat *
encode_alone (void)
{
  g_auto (Room) room = { NULL };
  gfloat *embeddings;
  guint n;

  room_open (&room, TRUE);
  n = clip_service_get_info (room.service)->embed_dim;
  embeddings = g_new (gfloat, N_STREAMS * n);
  for (guint i = 0; i < N_STREAMS; i++) {
    g_autoptr (ClipRequest) request =
        clip_stream_encode_picture (room.streams[i], room.pictures[i]);

    g_assert_true (clip_request_wait (request, NULL));
    memcpy (embeddings + i * n, clip_request_get_embedding (request),
        get_embedding_size (&room));
  }
  return embeddings;
}

static void
pictures_that_wait_together_are_one_call (void)
{
  g_autofree gfloat *expected = encode_alone ();
  g_auto (Room) room = { NULL };
  guint max_batch, n;

  room_open (&room, FALSE);
  max_batch = clip_service_get_max_batch (room.service);
  n = clip_service_get_info (room.service)->embed_dim;
  g_assert_cmpuint (max_batch, >, 1);
  demo_hold_threads ();
  room_submit (&room);
  demo_let_threads_go ();
  room_wait (&room);
  for (guint i = 0; i < N_STREAMS; i++) {
    g_assert_cmpuint (clip_request_get_batch (room.requests[i]), ==, max_batch);
    g_assert_cmpfloat (
        test_relative_l2 (
            clip_request_get_embedding (room.requests[i]), expected + i * n, n),
        <=, TOLERANCE);
  }
}

/* Three are a batch of two and a picture alone. */
static void
batches_of_any_size_give_the_same_embeddings (void)
{
  g_autofree gfloat *expected = encode_alone ();
  g_auto (Room) room = { NULL };
  guint max_batch, n;

  room_open (&room, FALSE);
  max_batch = clip_service_get_max_batch (room.service);
  n = clip_service_get_info (room.service)->embed_dim;
  for (guint size = 1; size <= max_batch; size++) {
    ClipRequest *requests[N_STREAMS];

    demo_hold_threads ();
    for (guint i = 0; i < size; i++)
      requests[i] =
          clip_stream_encode_picture (room.streams[i], room.pictures[i]);
    demo_let_threads_go ();
    for (guint i = 0; i < size; i++) {
      g_assert_true (clip_request_wait (requests[i], NULL));
      g_assert_cmpuint (clip_request_get_batch (requests[i]), <=, size);
      g_assert_cmpfloat (
          test_relative_l2 (
              clip_request_get_embedding (requests[i]), expected + i * n, n),
          <=, TOLERANCE);
      clip_request_unref (requests[i]);
    }
  }
}

static void
alone_means_the_same_bits_whatever_else_runs (void)
{
  g_autofree gfloat *expected = encode_alone ();
  g_auto (Room) room = { NULL };
  const ClipStreamOptions options = { .alone = TRUE };
  ClipRequest *requests[N_STREAMS];
  ClipStream *streams[N_STREAMS];

  room_open (&room, FALSE);
  demo_hold_threads ();
  for (guint i = 0; i < N_STREAMS; i++) {
    streams[i] = clip_stream_new (room.service, &options);
    requests[i] = clip_stream_encode_picture (streams[i], room.pictures[i]);
  }
  room_submit (&room);
  demo_let_threads_go ();
  for (guint i = 0; i < N_STREAMS; i++) {
    gsize size = get_embedding_size (&room);

    g_assert_true (clip_request_wait (requests[i], NULL));
    g_assert_cmpuint (clip_request_get_batch (requests[i]), ==, 1);
    g_assert_cmpmem (clip_request_get_embedding (requests[i]), size,
        (guint8 *)expected + i * size, size);
    clip_request_unref (requests[i]);
    clip_stream_free (streams[i]);
  }
  room_wait (&room);
}

/* The other stream has no picture, and the timeout is longer than the test may
 * take. */
static void
who_waits_for_a_picture_does_not_wait_for_other_streams (void)
{
  const ClipStreamOptions options = { .alone = FALSE };
  g_autoptr (ClipService) service =
      demo_acquire_batching (G_GUINT64_CONSTANT (3600) * 1000000000);
  g_autoptr (ClipStream) stream = clip_stream_new (service, &options);
  g_autoptr (ClipStream) other = clip_stream_new (service, &options);
  g_autofree guint8 *picture = demo_make_picture (service, 1);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (ClipRequest) request =
        clip_stream_encode_picture (stream, picture);

    /* Several times what it takes: with nobody who waits, it does. */
    g_usleep (100000);
    g_assert_false (clip_request_is_done (request));
    g_assert_true (clip_request_wait (request, NULL));
    g_assert_cmpuint (clip_request_get_batch (request), ==, 1);
  }
}

static void
a_stream_has_credit_for_one_picture (void)
{
  g_auto (Room) room = { NULL };

  room_open (&room, FALSE);
  g_assert_true (clip_stream_has_credit (room.streams[0]));
  demo_hold_threads ();
  room_submit (&room);
  for (guint i = 0; i < N_STREAMS; i++)
    g_assert_false (clip_stream_has_credit (room.streams[i]));
  /* Who gives up may hand in another at once. */
  clip_request_cancel (room.requests[0]);
  g_assert_true (clip_stream_has_credit (room.streams[0]));
  g_assert_false (clip_stream_has_credit (room.streams[1]));
  demo_let_threads_go ();
  for (guint i = 1; i < N_STREAMS; i++) {
    g_assert_true (clip_request_wait (room.requests[i], NULL));
    g_assert_true (clip_stream_has_credit (room.streams[i]));
  }
}

static void
a_freed_stream_cancels_its_own_pictures_alone (void)
{
  g_auto (Room) room = { NULL };
  g_autoptr (GError) error = NULL;

  room_open (&room, FALSE);
  demo_hold_threads ();
  room_submit (&room);
  clip_stream_free (g_steal_pointer (&room.streams[0]));
  demo_let_threads_go ();
  g_assert_false (clip_request_wait (room.requests[0], &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_CANCELLED);
  for (guint i = 1; i < N_STREAMS; i++)
    g_assert_true (clip_request_wait (room.requests[i], NULL));
}

/* --- prompts --- */

static void
pictures_come_between_the_slices_of_a_set (void)
{
  g_auto (Room) room = { NULL };
  g_autoptr (ClipRequest) prompts = NULL;

  room_open (&room, FALSE);
  demo_hold_threads ();
  prompts = demo_submit_prompts (room.service, CLIP_PROMPTS_MAX);
  room_submit (&room);
  demo_let_threads_go ();
  /* One batch after the other, each behind one slice of some sixty. */
  for (guint i = 0; i < 5; i++) {
    room_wait (&room);
    g_assert_false (clip_request_is_done (prompts));
    room_submit (&room);
  }
  g_assert_true (clip_request_wait (prompts, NULL));
  g_assert_cmpuint (
      clip_request_get_prompt_set (prompts)->n_prompts, ==, CLIP_PROMPTS_MAX);
}

static void
a_small_set_is_not_behind_a_large_one (void)
{
  g_autoptr (ClipService) service = demo_acquire (NULL);
  g_autoptr (ClipRequest) large = NULL;
  g_autoptr (ClipRequest) small = NULL;

  demo_hold_threads ();
  large = demo_submit_endless_prompts (service);
  small = demo_submit_prompts (service, 3);
  demo_let_threads_go ();
  g_assert_true (clip_request_wait (small, NULL));
  g_assert_false (clip_request_is_done (large));
  clip_request_cancel (large);
}

static void
a_set_has_the_same_bits_whatever_comes_between (void)
{
  g_auto (Room) room = { NULL };
  g_autoptr (ClipRequest) expected = NULL;
  g_autoptr (ClipRequest) request = NULL;
  g_autoptr (ClipRequest) other = NULL;
  gsize size;

  room_open (&room, FALSE);
  size = 100 * get_embedding_size (&room);
  expected = demo_submit_prompts (room.service, 100);
  g_assert_true (clip_request_wait (expected, NULL));
  demo_hold_threads ();
  other = demo_submit_prompts (room.service, 37);
  request = demo_submit_prompts (room.service, 100);
  room_submit (&room);
  demo_let_threads_go ();
  g_assert_true (clip_request_wait (request, NULL));
  g_assert_cmpmem (clip_request_get_prompt_set (request)->embeddings, size,
      clip_request_get_prompt_set (expected)->embeddings, size);
  room_wait (&room);
}

/* Its text tower is what it has more. */
static gsize
get_packed_size (ClipService *service)
{
  gsize size;

  demo_hold_threads ();
  size = clip_encoder_get_packed_size (service->encoder);
  demo_let_threads_go ();
  return size;
}

/* Frees the text tower when nobody asks for texts, not while a set waits, and
 * packs it again. */
static void
the_text_tower_is_there_while_it_is_needed (void)
{
  g_autoptr (ClipService) service = demo_acquire (NULL);
  gsize without = get_packed_size (service);
  g_autoptr (ClipRequest) first = demo_submit_prompts (service, 20);
  g_autoptr (ClipRequest) second = NULL;
  gsize size =
      20 * clip_service_get_info (service)->embed_dim * sizeof (gfloat);

  g_assert_true (clip_request_wait (first, NULL));
  g_assert_cmpuint (get_packed_size (service), >, without);
  /* None: after each piece there is nobody else to ask. */
  demo_hold_threads ();
  service->text_patience = 0;
  second = demo_submit_prompts (service, 20);
  demo_let_threads_go ();
  g_assert_true (clip_request_wait (second, NULL));
  g_assert_cmpmem (clip_request_get_prompt_set (first)->embeddings, size,
      clip_request_get_prompt_set (second)->embeddings, size);
  for (guint i = 0; i < 30000 && get_packed_size (service) > without; i++)
    g_usleep (1000);
  g_assert_cmpuint (get_packed_size (service), ==, without);
  clip_request_unref (second);
  second = demo_submit_prompts (service, 20);
  g_assert_true (clip_request_wait (second, NULL));
  g_assert_cmpmem (clip_request_get_prompt_set (first)->embeddings, size,
      clip_request_get_prompt_set (second)->embeddings, size);
}

int
main (int argc, char **argv)
{
  static const DemoCase cases[] = {
    { "pictures-that-wait-together-are-one-call",
        pictures_that_wait_together_are_one_call },
    { "batches-of-any-size-give-the-same-embeddings",
        batches_of_any_size_give_the_same_embeddings },
    { "alone-means-the-same-bits-whatever-else-runs",
        alone_means_the_same_bits_whatever_else_runs },
    { "who-waits-for-a-picture-does-not-wait-for-other-streams",
        who_waits_for_a_picture_does_not_wait_for_other_streams },
    { "a-stream-has-credit-for-one-picture",
        a_stream_has_credit_for_one_picture },
    { "a-freed-stream-cancels-its-own-pictures-alone",
        a_freed_stream_cancels_its_own_pictures_alone },
    { "pictures-come-between-the-slices-of-a-set",
        pictures_come_between_the_slices_of_a_set },
    { "a-small-set-is-not-behind-a-large-one",
        a_small_set_is_not_behind_a_large_one },
    { "a-set-has-the-same-bits-whatever-comes-between",
        a_set_has_the_same_bits_whatever_comes_between },
    { "the-text-tower-is-there-while-it-is-needed",
        the_text_tower_is_there_while_it_is_needed },
  };

  g_test_init (&argc, &argv, NULL);
  demo_add_cases ("streams", cases, G_N_ELEMENTS (cases));
  return g_test_run ();
}
