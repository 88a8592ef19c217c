/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Who comes next, without a model: time is a number here. */

#include "serve/queue.h"

#include "serve/stream.h"

#define MAX_BATCH 4
#define MAX_STREAMS 16

static ClipQueue queue;
static ClipStream streams[MAX_STREAMS];
static gint64 now;

/* @batch_timeout: microseconds */
static void
begin (guint max_batch, guint batch_timeout)
{
  clip_queue_init (&queue, max_batch, batch_timeout * 1000);
  now = 1000000;
}

static ClipStream *
enter (guint index, gboolean alone, guint priority)
{
  const ClipStreamOptions options = { alone, priority };

  clip_queue_enter (&queue, &streams[index].place, &options);
  return &streams[index];
}

/* @stream: NULL for prompts */
static ClipRequest *
add (ClipStream *stream)
{
  ClipRequest *request = clip_request_new (0, 0);

  request->stream = stream;
  clip_queue_add (&queue, request, now);
  return request;
}

static ClipWork
take (void)
{
  ClipWork work;
  gint64 deadline;
  gboolean ready = clip_queue_is_ready (&queue, now, &deadline);

  clip_queue_take (&queue, now, &work);
  g_assert_cmpint (work.n_requests > 0, ==, ready);
  return work;
}

/* Frees what was taken.
 *
 * Returns: the first one's stream, NULL for prompts. */
static ClipStream *
take_one (void)
{
  ClipWork work = take ();
  ClipStream *stream;

  g_assert_cmpuint (work.n_requests, >, 0);
  stream = work.requests[0]->stream;
  for (guint i = 0; i < work.n_requests; i++)
    clip_request_free (work.requests[i]);
  return stream;
}

static guint
count (const ClipWork *work)
{
  for (guint i = 0; i < work->n_requests; i++)
    clip_request_free (work->requests[i]);
  return work->n_requests;
}

static void
end (void)
{
  ClipRequest *request;
  gint64 deadline;

  while ((request = clip_queue_pop (&queue)) != NULL)
    clip_request_free (request);
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  g_assert_cmpint (deadline, ==, G_MAXINT64);
}

static void
streams_take_turns (void)
{
  guint n_taken[3] = { 0 };

  begin (MAX_BATCH, 0);
  for (guint i = 0; i < 3; i++)
    enter (i, TRUE, 0);
  /* The first has a hundred waiting, the others one at a time. */
  for (guint i = 0; i < 100; i++)
    add (&streams[0]);
  for (guint i = 1; i < 3; i++)
    add (&streams[i]);
  for (guint i = 0; i < 90; i++) {
    guint index = take_one () - streams;

    n_taken[index]++;
    if (index > 0)
      add (&streams[index]);
  }
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (n_taken[i], ==, 30);
  end ();
}

static void
a_stream_has_its_pictures_in_their_order (void)
{
  begin (MAX_BATCH, 0);
  enter (0, FALSE, 0);
  for (guint i = 0; i < 10; i++) {
    now++;
    add (&streams[0]);
  }
  for (gint64 arrival = now - 9; arrival <= now;) {
    ClipWork work = take ();

    for (guint i = 0; i < work.n_requests; i++)
      g_assert_cmpint (work.requests[i]->arrival, ==, arrival++);
    count (&work);
  }
  end ();
}

/* Each priority is served twice as often as the one below it. */
static void
priority_is_a_share_and_starves_nobody (void)
{
  guint n_taken[3] = { 0 };

  begin (MAX_BATCH, 0);
  enter (0, TRUE, 0);
  enter (1, TRUE, 1);
  enter (2, TRUE, CLIP_STREAM_MAX_PRIORITY);
  for (guint i = 0; i < 3; i++)
    add (&streams[i]);
  for (guint i = 0; i < 131 * 10; i++) {
    guint index = take_one () - streams;

    n_taken[index]++;
    add (&streams[index]);
  }
  /* 1 + 2 + 128 shares; a turn that is under way may be anybody's. */
  g_assert_cmpint (ABS ((gint)n_taken[0] - 10), <=, 1);
  g_assert_cmpint (ABS ((gint)n_taken[1] - 20), <=, 1);
  g_assert_cmpint (ABS ((gint)n_taken[2] - 1280), <=, 2);
  end ();
}

/* Whoever paused for a hundred turns is not owed a hundred pictures. */
static void
a_pause_is_not_saved_up (void)
{
  guint n_taken = 0;

  begin (MAX_BATCH, 0);
  enter (0, TRUE, 0);
  enter (1, TRUE, 0);
  for (guint i = 0; i < 100; i++) {
    add (&streams[0]);
    g_assert_true (take_one () == &streams[0]);
  }
  for (guint i = 0; i < 100; i++) {
    add (&streams[0]);
    add (&streams[1]);
  }
  for (guint i = 0; i < 20; i++)
    n_taken += take_one () == &streams[1];
  g_assert_cmpint (ABS ((gint)n_taken - 10), <=, 1);
  end ();
}

static void
pictures_that_wait_together_are_a_batch (void)
{
  ClipWork work;
  guint seen = 0;

  begin (MAX_BATCH, 0);
  for (guint i = 0; i < MAX_BATCH + 2; i++) {
    enter (i, FALSE, 0);
    add (&streams[i]);
  }
  work = take ();
  for (guint i = 0; i < work.n_requests; i++)
    seen |= 1u << (work.requests[i]->stream - streams);
  g_assert_cmpuint (seen, ==, (1u << MAX_BATCH) - 1);
  g_assert_cmpuint (count (&work), ==, MAX_BATCH);
  work = take ();
  g_assert_cmpuint (count (&work), ==, 2);
  /* Three are two and one: the encoder is built for powers of two. */
  for (guint i = 0; i < 3; i++)
    add (&streams[i]);
  work = take ();
  g_assert_cmpuint (count (&work), ==, 2);
  work = take ();
  g_assert_cmpuint (count (&work), ==, 1);
  end ();
}

static void
who_stays_alone_is_in_no_batch (void)
{
  begin (MAX_BATCH, 0);
  for (guint i = 0; i < 8; i++) {
    enter (i, i % 2 == 0, 0);
    add (&streams[i]);
  }
  for (guint n_left = 8; n_left > 0;) {
    ClipWork work = take ();

    for (guint i = 0; i < work.n_requests; i++) {
      gboolean alone = (work.requests[i]->stream - streams) % 2 == 0;

      g_assert_true (!alone || work.n_requests == 1);
    }
    n_left -= count (&work);
  }
  end ();
}

static void
a_batch_waits_for_company_until_its_timeout (void)
{
  gint64 deadline;

  begin (MAX_BATCH, 5000);
  for (guint i = 0; i < MAX_BATCH; i++)
    enter (i, FALSE, 0);
  add (&streams[0]);
  now += 1000;
  add (&streams[1]);
  /* From the first picture on; other streams' are missing. */
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  g_assert_cmpint (deadline, ==, 1000000 + 5000);
  now = deadline - 1;
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  now = deadline;
  g_assert_true (clip_queue_is_ready (&queue, now, &deadline));
  {
    ClipWork work = take ();
    g_assert_cmpuint (count (&work), ==, 2);
  }
  /* All that can come have come. */
  for (guint i = 0; i < MAX_BATCH; i++)
    add (&streams[i]);
  {
    ClipWork work = take ();
    g_assert_cmpuint (count (&work), ==, MAX_BATCH);
  }
  /* So have they when there are as many of one stream. */
  for (guint i = 0; i < MAX_BATCH; i++)
    add (&streams[0]);
  {
    ClipWork work = take ();
    g_assert_cmpuint (count (&work), ==, MAX_BATCH);
  }
  /* Who leaves is waited for no longer. */
  add (&streams[0]);
  add (&streams[1]);
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  clip_queue_leave (&queue, &streams[2].place);
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  clip_queue_leave (&queue, &streams[3].place);
  g_assert_true (clip_queue_is_ready (&queue, now, &deadline));
  end ();
}

static void
who_is_waited_for_waits_for_no_company (void)
{
  ClipRequest *first, *other;
  gint64 deadline;

  begin (MAX_BATCH, 5000);
  for (guint i = 0; i < MAX_BATCH; i++)
    enter (i, FALSE, 0);
  enter (MAX_BATCH, TRUE, 0);
  first = add (&streams[0]);
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  g_assert_true (clip_queue_hurry (&queue, first));
  g_assert_false (clip_queue_hurry (&queue, first));
  g_assert_true (take_one () == &streams[0]);
  /* Until its turn comes, which is behind the others' here. */
  first = add (&streams[0]);
  add (&streams[1]);
  add (&streams[2]);
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  g_assert_true (clip_queue_hurry (&queue, first));
  for (guint n = 2; n > 0; n--) {
    ClipWork work = take ();
    g_assert_cmpuint (count (&work), ==, n);
  }
  /* The next ones wait again, and so do those of whom one was given up. */
  add (&streams[0]);
  other = add (&streams[1]);
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  g_assert_true (clip_queue_hurry (&queue, other));
  g_assert_true (clip_queue_remove (&queue, other));
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  /* What is not in the line, prompts, and who is alone wait for no company. */
  g_assert_false (clip_queue_hurry (&queue, other));
  clip_request_free (other);
  g_assert_false (clip_queue_hurry (&queue, add (NULL)));
  g_assert_false (clip_queue_hurry (&queue, add (&streams[MAX_BATCH])));
  g_assert_true (take_one () == &streams[MAX_BATCH]);
  g_assert_null (take_one ());
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  end ();
}

static void
waiting_for_company_delays_nobody_else (void)
{
  gint64 deadline;

  begin (MAX_BATCH, 5000);
  enter (0, FALSE, 0);
  enter (1, FALSE, 0);
  enter (2, TRUE, 0);
  add (&streams[0]);
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  add (&streams[2]);
  g_assert_true (take_one () == &streams[2]);
  add (NULL);
  g_assert_null (take_one ());
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  end ();
}

/* Takes one and pretends that it took @time.
 *
 * Returns: whether it was a set, which is added again. */
static gboolean
spend (guint64 picture_time, guint64 prompts_time)
{
  ClipWork work = take ();
  gboolean is_prompts = work.requests[0]->stream == NULL;

  clip_queue_charge (&queue, &work, is_prompts ? prompts_time : picture_time);
  if (is_prompts)
    clip_queue_add (&queue, work.requests[0], now);
  else
    count (&work);
  return is_prompts;
}

/* However many sets there are, and however long a piece takes. */
static void
prompts_have_a_quarter_of_the_time_that_pictures_want (void)
{
  static const guint64 prompts_times[] = { 100, 4000, 30000 };
  const guint64 picture_time = 3000;

  for (guint i = 0; i < G_N_ELEMENTS (prompts_times); i++) {
    guint64 time[2] = { 0 };

    begin (MAX_BATCH, 0);
    enter (0, TRUE, 0);
    for (guint k = 0; k < 5; k++)
      add (NULL);
    for (guint k = 0; k < 1000; k++)
      add (&streams[0]);
    for (guint k = 0; k < 900; k++) {
      gboolean is_prompts = spend (picture_time, prompts_times[i]);

      /* Pictures are first, always. */
      g_assert_false (k == 0 && is_prompts);
      time[is_prompts] += is_prompts ? prompts_times[i] : picture_time;
    }
    g_test_message ("%.3f", time[1] / (gdouble)(time[0] + time[1]));
    /* But for the piece or the picture that was the last. */
    g_assert_cmpuint (time[1], <=, time[0] / 3 + prompts_times[i]);
    g_assert_cmpuint (time[1], >=, (time[0] - picture_time) / 3);
    end ();
  }
}

/* What nobody else wants is not paid for later, nor saved up. */
static void
prompts_have_all_the_time_that_pictures_do_not_want (void)
{
  begin (MAX_BATCH, 0);
  enter (0, TRUE, 0);
  add (NULL);
  for (guint i = 0; i < 10; i++)
    g_assert_true (spend (3000, 9000));
  for (guint i = 0; i < 4; i++)
    add (&streams[0]);
  g_assert_false (spend (3000, 900));
  g_assert_true (spend (3000, 900));
  end ();

  begin (MAX_BATCH, 0);
  for (guint i = 0; i < 9; i++)
    add (&streams[0]);
  for (guint i = 0; i < 4; i++)
    g_assert_false (spend (3000, 900));
  add (NULL);
  g_assert_false (spend (3000, 900));
  g_assert_true (spend (3000, 1000));
  g_assert_false (spend (3000, 900));
  end ();
}

static void
sets_of_prompts_take_turns (void)
{
  ClipRequest *large, *small;
  ClipWork work;

  begin (MAX_BATCH, 0);
  large = add (NULL);
  small = add (NULL);
  for (guint i = 0; i < 4; i++) {
    work = take ();
    g_assert_cmpuint (work.n_requests, ==, 1);
    g_assert_true (work.requests[0] == (i % 2 == 0 ? large : small));
    clip_queue_add (&queue, work.requests[0], now);
  }
  end ();
}

static void
what_is_removed_is_not_taken (void)
{
  ClipRequest *picture, *prompts;
  gint64 deadline;

  begin (MAX_BATCH, 0);
  enter (0, FALSE, 0);
  enter (1, FALSE, 0);
  picture = add (&streams[0]);
  add (&streams[1]);
  prompts = add (NULL);
  g_assert_true (clip_queue_remove (&queue, picture));
  g_assert_false (clip_queue_remove (&queue, picture));
  g_assert_true (clip_queue_remove (&queue, prompts));
  clip_request_free (picture);
  clip_request_free (prompts);
  g_assert_true (take_one () == &streams[1]);
  g_assert_false (clip_queue_is_ready (&queue, now, &deadline));
  end ();
}

int
main (int argc, char **argv)
{
  static const struct {
    const gchar *name;
    void (*function) (void);
  } cases[] = {
    { "streams-take-turns", streams_take_turns },
    { "a-stream-has-its-pictures-in-their-order",
        a_stream_has_its_pictures_in_their_order },
    { "priority-is-a-share-and-starves-nobody",
        priority_is_a_share_and_starves_nobody },
    { "a-pause-is-not-saved-up", a_pause_is_not_saved_up },
    { "pictures-that-wait-together-are-a-batch",
        pictures_that_wait_together_are_a_batch },
    { "who-stays-alone-is-in-no-batch", who_stays_alone_is_in_no_batch },
    { "a-batch-waits-for-company-until-its-timeout",
        a_batch_waits_for_company_until_its_timeout },
    { "who-is-waited-for-waits-for-no-company",
        who_is_waited_for_waits_for_no_company },
    { "waiting-for-company-delays-nobody-else",
        waiting_for_company_delays_nobody_else },
    { "prompts-have-a-quarter-of-the-time-that-pictures-want",
        prompts_have_a_quarter_of_the_time_that_pictures_want },
    { "prompts-have-all-the-time-that-pictures-do-not-want",
        prompts_have_all_the_time_that_pictures_do_not_want },
    { "sets-of-prompts-take-turns", sets_of_prompts_take_turns },
    { "what-is-removed-is-not-taken", what_is_removed_is_not_taken },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *path = g_strconcat ("/serve/queue/", cases[i].name, NULL);
    g_test_add_func (path, cases[i].function);
  }
  return g_test_run ();
}
