/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The services of the process by what they serve: the same files, precision
 * and instance id are one model, however many elements ask. */
#include "serve/service.h"

/* Prompts change when somebody works on them: several times in some minutes,
 * then not for days. */
#define TEXT_PATIENCE (60 * G_TIME_SPAN_SECOND)

static GMutex registry_lock;
static GHashTable *registry; /* key -> ClipService, not referenced */

static ClipService *
service_new (const ClipServiceOptions *options, const gchar *key)
{
  ClipService *service = g_new0 (ClipService, 1);
  guint cpus = clip_service_get_usable_cpus ();

  service->ref_count = 1;
  service->key = g_strdup (key);
  service->precision = clip_encoder_choose_precision (options->precision);
  service->path = g_strdup (options->model);
  service->threads =
      options->threads == 0 ? cpus : MIN (options->threads, cpus);
  g_mutex_init (&service->lock);
  g_cond_init (&service->changed);
  service->batch_timeout = options->batch_timeout;
  service->text_patience = TEXT_PATIENCE;
  service->text_deadline = G_MAXINT64;
  g_queue_init (&service->pool);
  return service;
}

static void
service_free (ClipService *service)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&service->pool)) != NULL)
    clip_request_free (link->data);
  g_clear_pointer (&service->tokenizer, clip_tokenizer_free);
  g_clear_pointer (&service->model, clip_model_unref);
  g_clear_error (&service->open_error);
  g_mutex_clear (&service->lock);
  g_cond_clear (&service->changed);
  g_free (service->key);
  g_free (service->path);
  g_free (service->description);
  g_free (service->fallback);
  g_clear_pointer (&service->layers, g_array_unref);
  g_free (service->embeddings);
  g_free (service);
}

ClipService *
clip_service_ref (ClipService *service)
{
  g_atomic_int_inc (&service->ref_count);
  return service;
}

void
clip_service_unref (ClipService *service)
{
  if (g_atomic_int_dec_and_test (&service->ref_count))
    service_free (service);
}

static gchar *
make_key (const ClipServiceOptions *options, GError **error)
{
  /* What would run: who asks for auto shares with who asks for the same by
   * name. */
  ClipPrecision precision = clip_encoder_choose_precision (options->precision);
  g_autofree gchar *files = clip_model_get_key (options->model, error);

  if (files == NULL)
    return NULL;
  return g_strjoin ("\n", files, clip_precision_get_name (precision),
      options->instance_id != NULL ? options->instance_id : "", NULL);
}

/* Joins or creates; the caller is counted as a user. Under the lock, so that
 * two elements that start at once get one model. */
static ClipService *
find_or_start (
    const ClipServiceOptions *options, const gchar *key, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&registry_lock);
  ClipService *service;

  if (registry == NULL)
    registry = g_hash_table_new (g_str_hash, g_str_equal);
  service = g_hash_table_lookup (registry, key);
  if (service != NULL && !clip_batcher_has_failed (service)) {
    service->n_users++;
    return clip_service_ref (service);
  }
  service = service_new (options, key);
  if (!clip_batcher_start (service, error)) {
    clip_service_unref (service);
    return NULL;
  }
  service->n_users = 1;
  g_hash_table_replace (registry, service->key, service);
  return service;
}

ClipService *
clip_service_acquire (const ClipServiceOptions *options, GError **error)
{
  g_autofree gchar *key = make_key (options, error);
  g_autoptr (ClipService) service = NULL;

  if (key == NULL)
    return NULL;
  service = find_or_start (options, key, error);
  if (service == NULL || !clip_batcher_wait_open (service, error))
    return NULL;
  return g_steal_pointer (&service);
}

static void
forget (ClipService *service)
{
  /* One that failed may have been replaced. */
  if (registry != NULL &&
      g_hash_table_lookup (registry, service->key) == service)
    g_hash_table_remove (registry, service->key);
  if (registry != NULL && g_hash_table_size (registry) == 0)
    g_clear_pointer (&registry, g_hash_table_unref);
}

void
clip_service_release (ClipService *service)
{
  if (service == NULL)
    return;
  g_mutex_lock (&registry_lock);
  if (--service->n_users == 0) {
    forget (service);
    clip_batcher_quit (service);
  }
  g_mutex_unlock (&registry_lock);
  clip_service_unref (service);
}

void
clip_services_quit (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&registry_lock);
  GHashTableIter iter;
  gpointer service;

  if (registry == NULL)
    return;
  g_hash_table_iter_init (&iter, registry);
  while (g_hash_table_iter_next (&iter, NULL, &service))
    clip_batcher_quit (service);
}

void
clip_services_forget (void)
{
  g_mutex_init (&registry_lock);
  registry = NULL;
}

const ClipModelInfo *
clip_service_get_info (const ClipService *service)
{
  return clip_model_get_info (service->model);
}

guint
clip_service_get_threads (const ClipService *service)
{
  return service->threads;
}

guint64
clip_service_get_batch_timeout (const ClipService *service)
{
  return service->batch_timeout;
}

guint
clip_service_get_max_batch (const ClipService *service)
{
  return service->queue.max_batch;
}

ClipPrecision
clip_service_get_precision (const ClipService *service)
{
  return service->precision;
}

gchar *
clip_service_explain_precision (const ClipService *service, ClipPrecision asked)
{
  if (asked == CLIP_PRECISION_AUTO || asked == service->precision)
    return NULL;
  if (clip_encoder_choose_precision (asked) == asked)
    return g_strdup (service->fallback);
  return g_strdup_printf (
      "this CPU does not multiply it (%s)", service->description);
}

guint
clip_service_get_layers (
    const ClipService *service, const ClipLayerChoice **layers)
{
  *layers = (const ClipLayerChoice *)service->layers->data;
  return service->layers->len;
}

const gchar *
clip_service_describe (const ClipService *service)
{
  return service->description;
}

guint64
clip_service_get_encode_time (const ClipService *service)
{
  return service->encode_time;
}
