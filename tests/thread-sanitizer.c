/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* GLib's locks for ThreadSanitizer, linked into test programs that are built
 * with it. GLib's own are futexes in a library that is not instrumented, so
 * that everything they protect would look like a race; these take their place
 * in the program and are pthread's, which ThreadSanitizer knows. */

#include <glib.h>

#include <pthread.h>
#include <time.h>

static pthread_mutex_t *
get_mutex (GMutex *mutex)
{
  pthread_mutex_t *made, *old = g_atomic_pointer_get (&mutex->p);

  if (old != NULL)
    return old;
  made = g_new0 (pthread_mutex_t, 1);
  pthread_mutex_init (made, NULL);
  if (g_atomic_pointer_compare_and_exchange (&mutex->p, NULL, made))
    return made;
  pthread_mutex_destroy (made);
  g_free (made);
  return g_atomic_pointer_get (&mutex->p);
}

static pthread_cond_t *
get_cond (GCond *cond)
{
  pthread_cond_t *made, *old = g_atomic_pointer_get (&cond->p);
  pthread_condattr_t attributes;

  if (old != NULL)
    return old;
  made = g_new0 (pthread_cond_t, 1);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (made, &attributes);
  pthread_condattr_destroy (&attributes);
  if (g_atomic_pointer_compare_and_exchange (&cond->p, NULL, made))
    return made;
  pthread_cond_destroy (made);
  g_free (made);
  return g_atomic_pointer_get (&cond->p);
}

void
g_mutex_init (GMutex *mutex)
{
  mutex->p = NULL;
}

void
g_mutex_clear (GMutex *mutex)
{
  pthread_mutex_t *made = g_steal_pointer (&mutex->p);

  if (made != NULL)
    pthread_mutex_destroy (made);
  g_free (made);
}

void
g_mutex_lock (GMutex *mutex)
{
  pthread_mutex_lock (get_mutex (mutex));
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  return pthread_mutex_trylock (get_mutex (mutex)) == 0;
}

void
g_mutex_unlock (GMutex *mutex)
{
  pthread_mutex_unlock (get_mutex (mutex));
}

void
g_cond_init (GCond *cond)
{
  cond->p = NULL;
}

void
g_cond_clear (GCond *cond)
{
  pthread_cond_t *made = g_steal_pointer (&cond->p);

  if (made != NULL)
    pthread_cond_destroy (made);
  g_free (made);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  pthread_cond_wait (get_cond (cond), get_mutex (mutex));
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  const struct timespec end = { .tv_sec = end_time / G_USEC_PER_SEC,
    .tv_nsec = end_time % G_USEC_PER_SEC * 1000 };

  return pthread_cond_timedwait (get_cond (cond), get_mutex (mutex), &end) == 0;
}

void
g_cond_signal (GCond *cond)
{
  pthread_cond_signal (get_cond (cond));
}

void
g_cond_broadcast (GCond *cond)
{
  pthread_cond_broadcast (get_cond (cond));
}
