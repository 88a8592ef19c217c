/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The element says which model it found, what that model cannot do, and when it
 * does nothing at all. */
#include "filters.h"
#include "pipelines.h"

#include "engine/engine.h"
#include "gst/gstclipconstancy.h"

#include <glib/gstdio.h>
#include <string.h>

#define RGB "video/x-raw,format=RGB,width=160,height=120,framerate=25/1"

/* --- what was found --- */

/* What the demonstration model's config.json, preprocessor_config.json and card
 * say. */
static const struct {
  const gchar *field, *value;
} demo_facts[] = {
  { "family", "modified-resnet + bert" },
  { "dialect", "chinese-clip-original" },
  { "source-precision", "f16" },
  { "activation", "relu + gelu" },
  { "tokenizer", "wordpiece" },
  { "preprocessing", "shortest side to 96, bicubic, crop 96, mean 0.4815 "
                     "0.4578 0.4082, std 0.2686 0.2613 0.2758" },
  { "precision", "f32" },
};

GST_START_TEST (stats_say_which_model_it_is)
{
  GstHarness *harness =
      frames_harness_new ("clipfilter name=f threads=1 precision=f32", RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstStructure) stats = filters_get_stats (filter);
  guint image_size = 0;

  for (guint i = 0; i < G_N_ELEMENTS (demo_facts); i++)
    fail_unless_equals_string (
        gst_structure_get_string (stats, demo_facts[i].field),
        demo_facts[i].value);
  fail_unless (gst_structure_get_uint (stats, "image-size", &image_size));
  fail_unless_equals_int (image_size, 96);

  /* 6.92 and 2.49 million. */
  fail_unless_equals_uint64 (
      frames_get_uint64 (stats, "parameters") / 10000, 941);
  frames_harness_free (harness);
}
GST_END_TEST;

/* One warning that says @says, or with NULL none. */
static void
check_warning (GstHarness *harness, const gchar *says)
{
  g_autoptr (GstMessage) message =
      frames_pop_message (harness->element, GST_MESSAGE_WARNING, NULL);
  g_autoptr (GstMessage) more = NULL;
  g_autoptr (GError) warning = NULL;

  fail_unless_equals_int (message != NULL, says != NULL);
  if (says == NULL)
    return;
  gst_message_parse_warning (message, &warning, NULL);
  fail_if (strstr (warning->message, says) == NULL, "%s", warning->message);
  more = frames_pop_message (harness->element, GST_MESSAGE_WARNING, NULL);
  fail_unless (more == NULL);
}

static void
check_precision (GstHarness *harness, const gchar *precision)
{
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstStructure) stats = filters_get_stats (filter);

  fail_unless_equals_string (
      gst_structure_get_string (stats, "precision"), precision);
}

/* In a process whose CPU has neither bf16 nor VNNI. */
static void
check_fallback (const gchar *precision, const gchar *says)
{
  g_autofree gchar *line =
      g_strdup_printf ("clipfilter name=f threads=1 precision=%s", precision);
  GstHarness *harness = frames_harness_new (line, RGB);

  check_precision (harness, "f32");
  check_warning (harness, says);
  frames_harness_free (harness);
}

/* oneDNN reads the limit when it is first used, which is here: each test is a
 * process. */
GST_START_TEST (bf16_by_name_warns_where_the_cpu_has_none)
{
  g_setenv ("ONEDNN_MAX_CPU_ISA", "AVX2", TRUE);
  check_fallback ("bf16", "precision=bf16 cannot be had: this CPU");
  check_fallback ("auto", NULL);
  check_fallback ("f32", NULL);
}
GST_END_TEST;

/* The second has AVX-512 without VNNI, where a product of bytes overflows. */
static const gchar *const isas_without_vnni[] = { "AVX2", "AVX512_CORE" };

GST_START_TEST (int8_by_name_warns_where_the_cpu_has_no_vnni)
{
  gchar *folder = filters_new_transformer ();
  GstHarness *harness;

  g_setenv ("ONEDNN_MAX_CPU_ISA", isas_without_vnni[__i__], TRUE);
  harness = filters_harness_new (folder, "precision=int8", RGB);
  check_precision (harness, "f32");
  check_warning (harness, "precision=int8 cannot be had: this CPU");
  frames_harness_free (harness);
  test_checkpoint_remove (folder);
}
GST_END_TEST;

static gboolean
has_int8 (void)
{
  if (clip_engine_choose_precision (CLIP_PRECISION_INT8) == CLIP_PRECISION_INT8)
    return TRUE;
  pipelines_skip ("this CPU has no VNNI");
  return FALSE;
}

GST_START_TEST (int8_of_a_resnet_warns_and_is_what_auto_is)
{
  GstHarness *harness;

  if (!has_int8 ())
    return;
  harness =
      frames_harness_new ("clipfilter name=f threads=1 precision=int8", RGB);
  check_precision (
      harness, clip_precision_get_name (
                   clip_engine_choose_precision (CLIP_PRECISION_AUTO)));
  check_warning (harness, "only vision transformers are encoded in int8");
  frames_harness_free (harness);
}
GST_END_TEST;

/* Of ten blocks: of each but the last queries, keys and values are one layer.
 */
static void
check_layers (GstHarness *harness)
{
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstStructure) stats = filters_get_stats (filter);
  const GValue *layers = gst_structure_get_value (stats, "layers");

  fail_unless_equals_int (gst_value_array_get_size (layers), 9 * 4 + 5);
  for (guint i = 0; i < gst_value_array_get_size (layers); i++) {
    const GstStructure *layer =
        gst_value_get_structure (gst_value_array_get_value (layers, i));
    gdouble error = 0, smoothing = -1;

    fail_if (strstr (gst_structure_get_string (layer, "name"),
                 "visual.transformer.resblocks.") == NULL);
    fail_unless_equals_string (
        gst_structure_get_string (layer, "precision"), "int8");
    fail_unless (gst_structure_get (layer, "error", G_TYPE_DOUBLE, &error,
        "smoothing", G_TYPE_DOUBLE, &smoothing, NULL));
    fail_unless (error > 0 && error < 0.05);
    fail_unless (smoothing >= 0 && smoothing <= 1);
  }
}

GST_START_TEST (int8_of_a_transformer_is_told_by_stats_and_results)
{
  gchar *folder;
  GstHarness *harness;
  g_autoptr (GstBuffer) out = NULL;

  if (!has_int8 ())
    return;
  folder = filters_new_transformer ();
  harness =
      filters_harness_new (folder, "precision=int8 attach-embedding=true", RGB);
  check_precision (harness, "int8");
  check_layers (harness);
  check_warning (harness, NULL);
  out = frames_pass (harness, 1);
  fail_unless_equals_string (
      gst_structure_get_string (frames_get_result (out, 0), "precision"),
      "int8");
  frames_harness_free (harness);
  test_checkpoint_remove (folder);
}
GST_END_TEST;

GST_START_TEST (int8_that_answers_otherwise_warns_and_is_what_auto_is)
{
  const gchar *actual = clip_precision_get_name (
      clip_engine_choose_precision (CLIP_PRECISION_AUTO));
  gchar *folder;
  GstHarness *harness;
  g_autoptr (GstElement) filter = NULL;
  g_autoptr (GstStructure) stats = NULL;
  g_autoptr (GstBuffer) out = NULL;

  if (!has_int8 ())
    return;
  folder = filters_new_lopsided_transformer ();
  harness =
      filters_harness_new (folder, "precision=int8 attach-embedding=true", RGB);
  filter = filters_get (harness);
  stats = filters_get_stats (filter);
  check_precision (harness, actual);
  fail_if (gst_structure_has_field (stats, "layers"));
  check_warning (harness,
      "precision=int8 cannot be had: score differences of the built-in "
      "pictures are off by ");
  out = frames_pass (harness, 1);
  fail_unless_equals_string (
      gst_structure_get_string (frames_get_result (out, 0), "precision"),
      actual);
  check_warning (harness, NULL);
  frames_harness_free (harness);
  test_checkpoint_remove (folder);
}
GST_END_TEST;

static void
keep_line (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message,
    gpointer lines)
{
  if (level == GST_LEVEL_INFO &&
      g_str_equal (
          gst_debug_category_get_name (category), "clipfilter-model") &&
      strstr (gst_debug_message_get (message), "dialect") != NULL)
    g_ptr_array_add (lines, g_strdup (gst_debug_message_get (message)));
}

GST_START_TEST (one_line_of_the_log_says_which_model_it_is)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  GstHarness *harness;

  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (keep_line, lines, NULL);
  gst_debug_set_threshold_for_name ("clipfilter-model", GST_LEVEL_INFO);
  harness = frames_harness_new ("clipfilter threads=1 precision=f32", RGB);
  gst_debug_remove_log_function (keep_line);
  fail_unless_equals_int (lines->len, 1);
  for (guint i = 0; i < G_N_ELEMENTS (demo_facts); i++)
    fail_unless (
        strstr (g_ptr_array_index (lines, 0), demo_facts[i].value) != NULL,
        "%s is not in: %s", demo_facts[i].field,
        (gchar *)g_ptr_array_index (lines, 0));
  frames_harness_free (harness);
}
GST_END_TEST;

/* --- no text side --- */

/* Weights alone, in the names of openai/CLIP: everything else is in them. */
static gchar *
new_image_side (void)
{
  static const gchar *const others[] = { "config.json", "vocab.txt",
    "preprocessor_config.json", "tokenizer_config.json" };
  TestCheckpointSpec spec = filters_quick_spec ();
  g_autoptr (GPtrArray) tensors = test_checkpoint_tensors (&spec);
  gchar *folder = filters_new_quick_model ();

  for (guint i = tensors->len; i > 0; i--) {
    const TestTensor *tensor = g_ptr_array_index (tensors, i - 1);

    if (!g_str_has_prefix (tensor->name, "visual."))
      g_ptr_array_remove_index (tensors, i - 1);
  }
  test_checkpoint_write_tensors (folder, &spec, tensors);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree gchar *path = g_build_filename (folder, others[i], NULL);

    fail_unless_equals_int (g_remove (path), 0);
  }
  return folder;
}

GST_START_TEST (an_image_side_alone_makes_embeddings)
{
  gchar *folder = new_image_side ();
  GstHarness *harness =
      filters_harness_new (folder, "attach-embedding=true", RGB);
  g_autoptr (GstElement) filter = filters_get (harness);
  g_autoptr (GstStructure) stats = filters_get_stats (filter);
  g_autoptr (GstBuffer) out = frames_pass (harness, 1);
  const GstStructure *result = frames_get_result (out, 0);
  GstBuffer *embedding = NULL;

  fail_if (result == NULL);
  fail_if (gst_structure_has_field (result, "prompts"));
  gst_structure_get (result, "embedding", GST_TYPE_BUFFER, &embedding, NULL);
  fail_unless_equals_uint64 (gst_buffer_get_size (embedding),
      sizeof (gfloat) * filters_quick_spec ().embed_dim);
  gst_buffer_unref (embedding);
  fail_unless_equals_string (
      gst_structure_get_string (stats, "family"), "modified-resnet");
  fail_unless_equals_string (
      gst_structure_get_string (stats, "tokenizer"), "none");
  fail_unless_equals_string (
      gst_structure_get_string (stats, "activation"), "relu");
  frames_harness_free (harness);
  test_checkpoint_remove (folder);
}
GST_END_TEST;

GST_START_TEST (prompts_for_an_image_side_alone_are_one_clear_error)
{
  gchar *folder = new_image_side ();
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("clipfilter", NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GstMessage) more = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  g_object_set (
      element, "model", folder, "threads", 1, "prompts", "a | b", NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  more = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  fail_unless (message != NULL && more == NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE),
      "%s", error->message);
  fail_if (strstr (error->message, folder) == NULL, "%s", error->message);
  fail_if (
      strstr (error->message, "without prompts") == NULL, "%s", error->message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  test_checkpoint_remove (folder);
}
GST_END_TEST;

/* --- no output --- */

GST_START_TEST (constancy_is_a_full_run_and_told_once)
{
  GstClipConstancy constancy = { 0 };

  for (guint i = 1; i < GST_CLIP_CONSTANCY_RUN; i++)
    fail_if (gst_clip_constancy_note (&constancy, TRUE, FALSE));

  /* What does not change says nothing, whatever its number. */
  for (guint i = 0; i < 2 * GST_CLIP_CONSTANCY_RUN; i++)
    fail_if (gst_clip_constancy_note (&constancy, FALSE, FALSE));

  /* One that is seen, and the run begins anew. */
  fail_if (gst_clip_constancy_note (&constancy, TRUE, TRUE));
  for (guint i = 1; i < GST_CLIP_CONSTANCY_RUN; i++)
    fail_if (gst_clip_constancy_note (&constancy, TRUE, FALSE));
  fail_unless (gst_clip_constancy_note (&constancy, TRUE, FALSE));
  for (guint i = 0; i < 2 * GST_CLIP_CONSTANCY_RUN; i++)
    fail_if (gst_clip_constancy_note (&constancy, TRUE, FALSE));
}
GST_END_TEST;

/* The first convolution becomes a mean with no sign but the picture's own: what
 * is darker than the training's average is 0 behind its ReLU. */
static void
blind_for_darkness (const gchar *folder)
{
  const gfloat weight = 1 / 27.f;
  g_autofree gchar *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree gchar *bytes = NULL;
  guint64 header_size;
  gsize size, n = filters_quick_spec ().vision.width / 2 * 27;

  fail_unless (g_file_get_contents (path, &bytes, &size, NULL));
  memcpy (&header_size, bytes, sizeof header_size);
  header_size = GUINT64_FROM_LE (header_size);

  /* It is the file's first tensor. */
  for (gsize i = 0; i < n; i++)
    memcpy (bytes + sizeof header_size + header_size + i * sizeof weight,
        &weight, sizeof weight);
  fail_unless (g_file_set_contents (path, bytes, size, NULL));
}

static GstBuffer *
new_flat (const GstVideoInfo *info, guint8 level)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);

  gst_buffer_memset (buffer, 0, level, info->size);
  GST_BUFFER_PTS (buffer) = level * 40 * GST_MSECOND;
  return buffer;
}

GST_START_TEST (a_model_that_sees_nothing_is_one_warning)
{
  const guint n = GST_CLIP_CONSTANCY_RUN + 10;
  gchar *folder = filters_new_quick_model ();
  GstHarness *harness;
  GstVideoInfo info;
  GstMessage *message;

  blind_for_darkness (folder);
  harness = filters_harness_new (folder, "prompts=\"a | b\"", RGB);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 160, 120);
  for (guint i = 0; i < n; i++) {
    /* The first has no one before it, so the run is full one later. */
    message = frames_pop_message (harness->element, GST_MESSAGE_WARNING, NULL);
    fail_unless ((message != NULL) == (i == GST_CLIP_CONSTANCY_RUN + 1));
    g_clear_pointer (&message, gst_message_unref);
    gst_buffer_unref (gst_harness_push_and_pull (harness, new_flat (&info, i)));
  }
  frames_harness_free (harness);
  test_checkpoint_remove (folder);
}
GST_END_TEST;

static Suite *
facts_suite (void)
{
  Suite *suite = suite_create ("facts");
  TCase *tests = tcase_create ("model");

  suite_add_tcase (suite, tests);
  tcase_add_test (tests, stats_say_which_model_it_is);
  tcase_add_test (tests, bf16_by_name_warns_where_the_cpu_has_none);
  tcase_add_loop_test (tests, int8_by_name_warns_where_the_cpu_has_no_vnni, 0,
      G_N_ELEMENTS (isas_without_vnni));
  tcase_add_test (tests, int8_of_a_resnet_warns_and_is_what_auto_is);
  tcase_add_test (tests, int8_of_a_transformer_is_told_by_stats_and_results);
  tcase_add_test (tests, int8_that_answers_otherwise_warns_and_is_what_auto_is);
  tcase_add_test (tests, one_line_of_the_log_says_which_model_it_is);
  tcase_add_test (tests, an_image_side_alone_makes_embeddings);
  tcase_add_test (tests, prompts_for_an_image_side_alone_are_one_clear_error);
  tcase_add_test (tests, constancy_is_a_full_run_and_told_once);
  tcase_add_test (tests, a_model_that_sees_nothing_is_one_warning);
  return suite;
}

GST_CHECK_MAIN (facts);
