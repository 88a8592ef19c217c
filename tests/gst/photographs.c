/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The demonstration model through whole pipelines, from picture files to
 * results, against what the original PyTorch program says of the same
 * photographs (expected.json). */
#include "pipelines.h"

#include <jansson.h>
#include <math.h>

/* The embeddings are given with six decimals, half a unit of the last is 5e-7;
 * the rest is the order of float32 sums. */
#define EMBEDDING_TOLERANCE 1e-5

/* Probabilities are given with five decimals, half a unit is 5e-6; a cosine's
 * rounding counts 41.5 times. */
#define PROBABILITY_TOLERANCE 5e-5

/* The reference was decoded by libjpeg, whose inverse transform rounds in
 * another way than libav's: a level here and there. (jpegdec would give a
 * quarter of this file's colours, and videoconvert rounds again: off by 0.008
 * and 0.004.) */
#define JPEG_EMBEDDING_TOLERANCE 2e-3
#define JPEG_PROBABILITY_TOLERANCE 2e-3

#define RGB "video/x-raw,format=RGB"

/* From file to frame; a whole file in one buffer needs no parser. */
#define PNG "filesrc location=\"%s\" ! pngdec"
#define JPEG                                                                   \
  "multifilesrc location=\"%s\" num-buffers=1 "                                \
  "caps=image/jpeg,framerate=1/1 ! avdec_mjpeg"

static json_t *
load_expected (void)
{
  g_autofree gchar *path =
      g_build_filename (g_getenv ("CLIPFILTER_TEST_SRCDIR"), "..", "pipelines",
          "demo-model", "expected.json", NULL);
  json_error_t error;
  json_t *expected = json_load_file (path, JSON_REJECT_DUPLICATES, &error);

  fail_if (expected == NULL, "%s: %s", path, error.text);
  return expected;
}

/* Its path, or NULL and a reason to skip. (transfer full) */
static gchar *
find_photograph (const gchar *name)
{
  const gchar *folder = g_getenv ("CLIPFILTER_TEST_PICTURES");
  g_autofree gchar *path =
      g_build_filename (folder != NULL ? folder : ".", name, NULL);

  if (folder != NULL && g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  pipelines_skip ("the photographs of Debian's python3-skimage are not here: "
                  "tests/pictures.sh fetches them, CLIPFILTER_TEST_PICTURES "
                  "names their folder");
  return NULL;
}

static void
keep_frame (GstBuffer *buffer, gpointer user_data)
{
  GstBuffer **kept = user_data;

  fail_if (*kept != NULL, "more than one frame");
  *kept = gst_buffer_ref (buffer);
}

/* The frame with its result. (transfer full)
 *
 * @between: elements between decoder and clipfilter */
static GstBuffer *
see (const gchar *path, const gchar *between, const gchar *prompts)
{
  g_autofree gchar *decoded =
      g_strdup_printf (g_str_has_suffix (path, "jpg") ? JPEG : PNG, path);
  g_autoptr (GstElement) pipeline = pipelines_parse (
      "%s ! %s clipfilter name=f threads=1 precision=f32 attach-embedding=true top-k=0 ! "
      "fakesink name=sink",
      decoded, between);
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "f");
  GstBuffer *buffer = NULL;

  g_object_set (filter, "prompts", prompts, NULL);
  pipelines_watch (pipeline, "sink", keep_frame, &buffer);
  pipelines_run (pipeline);
  fail_if (buffer == NULL, "%s: no frame", path);
  return buffer;
}

static gdouble
check_embedding (
    const GstStructure *entry, const json_t *photo, gdouble tolerance)
{
  json_t *first8 = json_object_get (photo, "image_embedding_first8");
  GstBuffer *buffer =
      gst_value_get_buffer (gst_structure_get_value (entry, "embedding"));
  gdouble length = 0, largest = 0;
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  for (gsize i = 0; i < map.size / sizeof (gfloat); i++) {
    gdouble value = GST_READ_FLOAT_LE (map.data + i * sizeof (gfloat));

    length += value * value;
    if (i < json_array_size (first8))
      largest = MAX (largest,
          fabs (value - json_number_value (json_array_get (first8, i))));
  }
  gst_buffer_unmap (buffer, &map);
  fail_unless (fabs (sqrt (length) - 1) < 1e-5, "length %g", sqrt (length));
  fail_unless (largest <= tolerance, "embedding off by %g", largest);
  return largest;
}

static gdouble
check_probabilities (
    const GstStructure *entry, const json_t *expected, gdouble tolerance)
{
  gdouble sum = 0, largest = 0, before = 1;

  for (guint i = 0; i < json_array_size (expected); i++) {
    const GstStructure *prompt = frames_get_prompt (entry, i);
    gdouble probability = -1, off;
    guint index = 0;

    fail_unless (gst_structure_get (prompt, "index", G_TYPE_UINT, &index,
        "probability", G_TYPE_DOUBLE, &probability, NULL));
    off = fabs (
        probability - json_number_value (json_array_get (expected, index)));
    fail_unless (
        off <= tolerance, "prompt %u: probability off by %g", index, off);
    fail_unless (probability <= before, "not the most probable first");
    before = probability;
    largest = MAX (largest, off);
    sum += probability;
  }
  fail_unless (fabs (sum - 1) < 1e-5, "probabilities sum to %g", sum);
  return largest;
}

static gchar *
join_prompts (const json_t *prompts)
{
  GString *joined = g_string_new (NULL);

  for (guint i = 0; i < json_array_size (prompts); i++)
    g_string_append_printf (joined, "%s%s", i > 0 ? " | " : "",
        json_string_value (json_array_get (prompts, i)));
  return g_string_free (joined, FALSE);
}

/* @between: as of see() */
static void
check_photograph (const json_t *expected, const gchar *name, const gchar *path,
    const gchar *between)
{
  static const gchar *const languages[] = { "en", "zh" };
  gboolean jpeg = g_str_has_suffix (name, "jpg");
  json_t *photo = NULL;
  guint i;

  json_array_foreach (json_object_get (expected, "photos"), i, photo)
  {
    if (g_str_equal (json_string_value (json_object_get (photo, "file")), name))
      break;
  }
  fail_if (photo == NULL, "expected.json does not know %s", name);
  for (i = 0; i < G_N_ELEMENTS (languages); i++) {
    g_autofree gchar *prompts = join_prompts (
        json_object_get (json_object_get (expected, "prompts"), languages[i]));
    g_autoptr (GstBuffer) buffer = see (path, between, prompts);
    const GstStructure *entry = frames_get_result (buffer, 0);
    gdouble embedding, probability;

    fail_if (entry == NULL, "%s has no result", name);
    embedding = check_embedding (
        entry, photo, jpeg ? JPEG_EMBEDDING_TOLERANCE : EMBEDDING_TOLERANCE);
    probability = check_probabilities (entry,
        json_object_get (
            json_object_get (photo, "probabilities"), languages[i]),
        jpeg ? JPEG_PROBABILITY_TOLERANCE : PROBABILITY_TOLERANCE);
    g_print ("# %-16s %s: embedding off by at most %.2g, probability %.2g\n",
        name, languages[i], embedding, probability);
  }
}

static const gchar *const photographs[] = { "chelsea.png", "coffee.png",
  "astronaut.png", "rocket.jpg", "camera.png", "clock_motion.png" };

GST_START_TEST (photographs_are_seen_as_by_the_original)
{
  const gchar *name = photographs[__i__];
  g_autofree gchar *path = find_photograph (name);
  json_t *expected;

  if (path == NULL ||
      !pipelines_load (g_str_has_suffix (name, "jpg")
                           ? "coreelements multifile libav"
                           : "coreelements png videoconvertscale"))
    return;
  expected = load_expected ();
  check_photograph (expected, name, path,
      g_str_has_suffix (name, "jpg") ? "" : "videoconvert ! " RGB " !");
  json_decref (expected);
}
GST_END_TEST;

/* The PNG decoder's own formats, RGB and GRAY8. */
GST_START_TEST (no_conversion_is_needed)
{
  static const gchar *const names[] = { "chelsea.png", "camera.png" };
  const gchar *name = names[__i__];
  g_autofree gchar *path = find_photograph (name);
  json_t *expected;

  if (path == NULL || !pipelines_load ("coreelements png"))
    return;
  expected = load_expected ();
  check_photograph (expected, name, path, "");
  json_decref (expected);
}
GST_END_TEST;

static Suite *
photographs_suite (void)
{
  Suite *suite = suite_create ("photographs");
  TCase *tests = tcase_create ("demo-model");

  suite_add_tcase (suite, tests);
  tcase_add_loop_test (tests, photographs_are_seen_as_by_the_original, 0,
      G_N_ELEMENTS (photographs));
  tcase_add_loop_test (tests, no_conversion_is_needed, 0, 2);
  return suite;
}

GST_CHECK_MAIN (photographs);
