/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "filters.h"

#include "published.h"
#include "support.h"

#include <glib/gstdio.h>

static TestCheckpointSpec
make_spec (guint image_size, guint width)
{
  TestCheckpointSpec spec = test_checkpoint_c;

  spec.vision.image_size = image_size;
  spec.vision.width = width;
  return spec;
}

TestCheckpointSpec
filters_quick_spec (void)
{
  return make_spec (64, 8);
}

gchar *
filters_new_quick_model (void)
{
  TestCheckpointSpec spec = filters_quick_spec ();

  return test_checkpoint_new (&spec);
}

gchar *filters_folder;

void
filters_set_up (void)
{
  filters_folder = filters_new_quick_model ();
}

void
filters_tear_down (void)
{
  frames_wait_for_workers ();
  test_checkpoint_remove (filters_folder);
}

/* The vision side. (transfer full) (element-type TestTensor) */
static GPtrArray *
make_transformer (void)
{
  TestModelSpec spec = test_published_find ("TinyCLIP-8M-16")->spec;

  spec.text = (TestWordsSpec){ 0 };
  return test_model_tensors (&spec);
}

static gchar *
write_transformer (GPtrArray *tensors)
{
  static const gchar *const words[] = { "vocab.json", "merges.txt",
    "vocab.txt" };
  gchar *folder = test_model_folder ();

  test_tensors_halve (tensors);
  test_model_write (folder, "model.safetensors", tensors, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    g_autofree gchar *path = g_build_filename (folder, words[i], NULL);

    fail_unless_equals_int (g_remove (path), 0);
  }
  return folder;
}

gchar *
filters_new_transformer (void)
{
  g_autoptr (GPtrArray) tensors = make_transformer ();

  return write_transformer (tensors);
}

/* What a block adds gives all channels about the same, which the norms take
 * away: what is left is less than what bytes round off. */
gchar *
filters_new_lopsided_transformer (void)
{
  static const gfloat same_to_all = 30;
  g_autoptr (GPtrArray) tensors = make_transformer ();
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < tensors->len; i++) {
    TestTensor *tensor = g_ptr_array_index (tensors, i);
    gsize n = tensor->dims[0] * tensor->dims[1];

    if (!g_str_has_suffix (tensor->name, "_proj.weight"))
      continue;
    tensor->values = g_new (gfloat, n);
    for (gsize k = 0; k < n; k++)
      tensor->values[k] =
          same_to_all + test_tensor_value (tensor->name, tensor->n_dims, k);
    g_ptr_array_add (values, tensor->values);
  }
  return write_transformer (tensors);
}

gchar *
filters_new_slow_model (void)
{
  TestCheckpointSpec spec = make_spec (1024, 16);

  return test_checkpoint_new (&spec);
}

GstHarness *
filters_harness_new (
    const gchar *folder, const gchar *properties, const gchar *caps)
{
  /* One thread: teams that wait for each other spin on busy machines. */
  g_autofree gchar *launch = g_strdup_printf (
      "clipfilter name=f threads=1 model=\"%s\" %s", folder, properties);

  return frames_harness_new (launch, caps);
}

GstElement *
filters_get (GstHarness *harness)
{
  return gst_bin_get_by_name (GST_BIN (harness->element), "f");
}

GstStructure *
filters_get_stats (GstElement *filter)
{
  GstStructure *stats = NULL;

  g_object_get (filter, "stats", &stats, NULL);
  fail_if (stats == NULL);
  return stats;
}

guint64
filters_get_skipped (GstElement *filter, const gchar *reason)
{
  g_autoptr (GstStructure) stats = filters_get_stats (filter);

  return frames_get_uint64 (
      gst_value_get_structure (gst_structure_get_value (stats, "skipped")),
      reason);
}

guint
filters_get_rounds (guint once, guint often)
{
  return g_getenv ("CLIPFILTER_TEST_LONG") != NULL ? often : once;
}

guint64
filters_get_count (GstHarness *harness, const gchar *name)
{
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstStructure) stats = filters_get_stats (filter);

  return frames_get_uint64 (stats, name);
}

typedef struct {
  GstHarness *harness;
  GstFlowReturn flow;
} Push;

static gpointer
push (gpointer user_data)
{
  Push *push = user_data;

  push->flow = frames_push (push->harness, 1);
  return NULL;
}

FiltersInterruption
filters_interrupt (GstHarness *harness, void (*interrupt) (GstHarness *harness))
{
  FiltersInterruption found;
  Push job = { .harness = harness };
  GThread *thread;
  gint64 start;

  thread = g_thread_new ("push", push, &job);
  g_usleep (filters_get_count (harness, "last-encode-time") / GST_USECOND / 4);
  start = g_get_monotonic_time ();
  interrupt (harness);
  found.time = g_get_monotonic_time () - start;
  g_thread_join (thread);
  found.flow = job.flow;
  return found;
}
