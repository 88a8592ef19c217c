/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Models that work in part: what they fail for is nobody else's trouble, and is
 * told to everybody whom it concerns. */
#include "demo.h"

#include "checkpoints.h"
#include "clip-error.h"
#include "support.h"

#include <string.h>

/* As many as make one batch. */
#define N_STREAMS 4
#define BAD 2

/* model-spec's bound for batches in f32. */
#define TOLERANCE 1e-5

/* Nothing is added anywhere on the way of a picture. */
static gboolean
is_added (const TestTensor *tensor)
{
  return g_str_has_prefix (tensor->name, "visual.") &&
         (g_str_has_suffix (tensor->name, "bias") ||
             g_str_has_suffix (tensor->name, "running_mean") ||
             g_str_has_suffix (tensor->name, "positional_embedding"));
}

/* The stem is a mean of what it sees, so of a picture darker than the
 * training's average its ReLU leaves 0, of which all else makes 0. */
static gchar *
write_model (void)
{
  TestCheckpointSpec spec = test_checkpoint_c;
  g_autoptr (GPtrArray) tensors = NULL;
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);
  TestTensor *stem;
  gchar *folder;

  spec.vision.image_size = 64;
  folder = test_checkpoint_new (&spec);
  tensors = test_checkpoint_tensors (&spec);
  for (guint i = 0; i < tensors->len; i++) {
    TestTensor *tensor = g_ptr_array_index (tensors, i);

    if (!is_added (tensor))
      continue;
    tensor->values = g_new0 (gfloat, test_tensor_count (tensor));
    g_ptr_array_add (values, tensor->values);
  }
  stem = test_tensors_find (tensors, "visual.conv1.weight");
  stem->values = g_new (gfloat, test_tensor_count (stem));
  g_ptr_array_add (values, stem->values);
  for (gsize i = 0; i < test_tensor_count (stem); i++)
    stem->values[i] = (1 + i % 5) / 81.f;
  test_checkpoint_write_tensors (folder, &spec, tensors);
  return folder;
}

static ClipService *
open_model (const gchar *folder)
{
  g_autoptr (GError) error = NULL;
  const ClipServiceOptions options = {
    .model = folder, .precision = CLIP_PRECISION_F32, .threads = 1
  };
  ClipService *service = clip_service_acquire (&options, &error);

  g_assert_no_error (error);
  return service;
}

/* Of different patterns, and the one that is black. (transfer full) */
static guint8 *
make_picture (const ClipService *service, guint i)
{
  gsize side = clip_service_get_info (service)->image_size;
  guint8 *picture = g_malloc (side * side * 3);

  for (gsize k = 0; k < side * side * 3; k++)
    picture[k] = i == BAD ? 0 : (guint8)(60 + (k * (i + 3) / 50) % 100);
  return picture;
}

static void
check_bad (ClipRequest *request)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (clip_request_wait (request, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE);
  g_assert_nonnull (strstr (error->message, "zero or not finite"));
}

/* @found: how the picture was encoded among others */
static void
check_good (ClipService *service, const guint8 *picture, ClipRequest *found)
{
  guint n = clip_service_get_info (service)->embed_dim;
  g_autoptr (ClipStream) alone =
      clip_stream_new (service, &(ClipStreamOptions){ .alone = TRUE });
  g_autoptr (ClipRequest) request = clip_stream_encode_picture (alone, picture);
  g_autoptr (GError) error = NULL;

  clip_request_wait (found, &error);
  g_assert_no_error (error);
  g_assert_true (clip_request_wait (request, NULL));
  g_assert_cmpfloat (test_relative_l2 (clip_request_get_embedding (found),
                         clip_request_get_embedding (request), n),
      <=, TOLERANCE);
}

static void
a_picture_without_embedding_fails_alone (void)
{
  gchar *folder = write_model ();
  ClipService *service = open_model (folder);
  ClipStream *streams[N_STREAMS];
  ClipRequest *requests[N_STREAMS];

  g_assert_cmpuint (clip_service_get_max_batch (service), ==, N_STREAMS);
  demo_hold_threads ();
  for (guint i = 0; i < N_STREAMS; i++) {
    g_autofree guint8 *picture = make_picture (service, i);

    streams[i] = clip_stream_new (service, &(ClipStreamOptions){ FALSE });
    requests[i] = clip_stream_encode_picture (streams[i], picture);
  }
  demo_let_threads_go ();
  for (guint i = 0; i < N_STREAMS; i++) {
    g_autofree guint8 *picture = make_picture (service, i);

    if (i == BAD)
      check_bad (requests[i]);
    else
      check_good (service, picture, requests[i]);
    g_assert_cmpuint (clip_request_get_batch (requests[i]), ==, N_STREAMS);
    clip_request_unref (requests[i]);
    clip_stream_free (streams[i]);
  }
  clip_service_release (service);
  test_checkpoint_remove (folder);
}

/* --- words that all mean the same --- */

static void
who_asks_again_is_told_again_that_texts_do_not_work (void)
{
  gchar *folder = test_checkpoint_new_wordless (&test_checkpoint_c);
  ClipService *service = open_model (folder);

  for (guint i = 0; i < 3; i++) {
    g_autoptr (ClipRequest) request = demo_submit_prompts (service, 2);
    g_autoptr (GError) error = NULL;

    g_assert_false (clip_request_wait (request, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_MODEL);
    g_assert_nonnull (strstr (error->message, "two different texts"));
  }
  clip_service_release (service);
  test_checkpoint_remove (folder);
}

int
main (int argc, char **argv)
{
  static const DemoCase cases[] = {
    { "a-picture-without-embedding-fails-alone",
        a_picture_without_embedding_fails_alone },
    { "who-asks-again-is-told-again-that-texts-do-not-work",
        who_asks_again_is_told_again_that_texts_do_not_work },
  };

  g_test_init (&argc, &argv, NULL);
  demo_add_cases ("faults", cases, G_N_ELEMENTS (cases));
  return g_test_run ();
}
