/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "demo.h"

#include "serve/threads.h"
#include "support.h"

/* Polls of a millisecond for something that happens soon: half a minute, for
 * sanitizer builds on busy machines. */
#define PATIENCE 30000

const gchar *
demo_get_model (void)
{
  static gchar *path = NULL;

  if (path == NULL)
    path = test_source ("../pipelines/demo-model");
  return path;
}

static ClipService *
acquire (const gchar *instance_id, guint64 batch_timeout)
{
  g_autoptr (GError) error = NULL;
  ClipServiceOptions options = { .model = demo_get_model (),
    .instance_id = instance_id,
    .precision = CLIP_PRECISION_F32,
    .threads = 1,
    .batch_timeout = batch_timeout };
  ClipService *service = clip_service_acquire (&options, &error);

  g_assert_no_error (error);
  g_assert_nonnull (service);
  return service;
}

ClipService *
demo_acquire (const gchar *instance_id)
{
  return acquire (instance_id, 0);
}

ClipService *
demo_acquire_batching (guint64 batch_timeout)
{
  return acquire (NULL, batch_timeout);
}

guint8 *
demo_make_picture (const ClipService *service, guint8 shade)
{
  guint side = clip_service_get_info (service)->image_size;
  guint8 *picture = g_malloc ((gsize)side * side * 3);

  for (gsize i = 0; i < (gsize)side * side * 3; i++)
    picture[i] = (guint8)(shade + i % 251);
  return picture;
}

void
demo_assert_workers_leave (guint left)
{
  for (guint i = 0; i < PATIENCE && clip_service_get_n_workers () > left; i++)
    g_usleep (1000);
  g_assert_cmpuint (clip_service_get_n_workers (), ==, left);
}

void
demo_hold_threads (void)
{
  clip_threads_take (clip_service_get_usable_cpus ());
}

void
demo_let_threads_go (void)
{
  clip_threads_give (clip_service_get_usable_cpus ());
}

/* (transfer full): NULL-terminated */
static GStrv
make_prompts (guint n_prompts)
{
  GStrv prompts = g_new0 (gchar *, n_prompts + 1);

  for (guint i = 0; i < n_prompts; i++)
    prompts[i] = g_strdup_printf ("a photo of %u dogs", i);
  return prompts;
}

ClipRequest *
demo_submit_prompts (ClipService *service, guint n_prompts)
{
  g_auto (GStrv) prompts = make_prompts (n_prompts);

  return clip_service_encode_prompts (
      service, (const gchar *const *)prompts, NULL);
}

ClipRequest *
demo_submit_endless_prompts (ClipService *service)
{
  static const gchar *const templates[] = { "{}", "a {}", "b {}", "c {}",
    "d {}", "e {}", "f {}", "g {}", "h {}", "i {}", NULL };
  g_auto (GStrv) prompts = make_prompts (CLIP_PROMPTS_MAX);

  return clip_service_encode_prompts (
      service, (const gchar *const *)prompts, templates);
}

static void
run_case (gconstpointer data)
{
  const DemoCase *test = data;

  demo_assert_workers_leave (0);
  test->function ();
}

void
demo_add_cases (const gchar *suite, const DemoCase *cases, guint n_cases)
{
  for (guint i = 0; i < n_cases; i++) {
    g_autofree gchar *path =
        g_strconcat ("/serve/", suite, "/", cases[i].name, NULL);
    g_test_add_data_func (path, &cases[i], run_case);
  }
}
