/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Opens a model as the element does, says what it is, and compares what it
 * computes with what the original code computed. */

#include "serve/serve.h"

#include "model/frame/picture.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* goldens/README.md: five to ten times what the original differs from itself in
 * float64 or in another order of summation. */
#define COMPONENT_TOLERANCE 1e-5
#define COSINE_TOLERANCE 1e-5
#define PROBABILITY_TOLERANCE 5e-4

static const gchar help[] =
    "Usage: clip-check MODEL [EXPECTED]\n"
    "\n"
    "Opens MODEL, a folder or a weights file, tests that it tells two pictures\n"
    "and two texts apart, and prints as JSON what it is, how long that took\n"
    "and how much memory.\n"
    "\n"
    "EXPECTED is a file expected.json with what the original code makes of\n"
    "prompts and of the pictures in ../images and ../prepared beside it; the\n"
    "largest differences are printed too, and the exit status is 1 where one\n"
    "is too large. A model that cannot be opened is one sentence on stderr and\n"
    "status 2.\n";

typedef struct {
  ClipService *service;
  ClipStream *stream;
  const ClipModelInfo *info;
  ClipCheckpoint *checkpoint;
  ClipTokenizer *tokenizer; /* NULL without a text side */
  ClipPreprocessor *preprocessor;
  ClipPromptSet *prompts;
  gdouble load_seconds, peak_mib;

  json_t *expected; /* NULL: nothing to compare with */
  gchar *goldens;   /* the folder of pictures */

  guint n_texts, n_equal_texts;
  guint n_pictures, n_equal_pictures;
  gdouble embedding_error, cosine_error, probability_error;
  gdouble min_cosine; /* of an embedding and the expected one */
} Check;

static void
check_clear (Check *check)
{
  clip_prompt_set_unref (check->prompts);
  g_clear_pointer (&check->preprocessor, clip_preprocessor_free);
  g_clear_pointer (&check->tokenizer, clip_tokenizer_free);
  clip_checkpoint_free (check->checkpoint);
  clip_stream_free (check->stream);
  clip_service_release (check->service);
  json_decref (check->expected);
  g_free (check->goldens);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Check, check_clear)

static const json_t *
get_list (const Check *check, const gchar *name)
{
  return json_object_get (check->expected, name);
}

static const gchar *
get_string (const json_t *object, const gchar *key)
{
  const gchar *value = json_string_value (json_object_get (object, key));

  if (value == NULL)
    g_error ("expected.json has an entry without '%s'", key);
  return value;
}

/* --- opening --- */

/* The most memory this process ever had, of /proc/self/status. */
static gdouble
read_peak_mib (void)
{
  g_autofree gchar *status = NULL;
  const gchar *line = NULL;

  if (g_file_get_contents ("/proc/self/status", &status, NULL, NULL))
    line = strstr (status, "VmHWM:");
  return line != NULL ? g_ascii_strtod (line + strlen ("VmHWM:"), NULL) / 1024
                      : NAN;
}

static gboolean
open_model (Check *check, const gchar *path, GError **error)
{
  const ClipServiceOptions options = { .model = path,
    .precision = CLIP_PRECISION_F32 };
  const ClipConfig *config;
  gint64 start = g_get_monotonic_time ();

  check->service = clip_service_acquire (&options, error);
  if (check->service == NULL)
    return FALSE;
  check->load_seconds =
      (gdouble)(g_get_monotonic_time () - start) / G_TIME_SPAN_SECOND;
  check->stream =
      clip_stream_new (check->service, &(ClipStreamOptions){ .alone = TRUE });
  check->info = clip_service_get_info (check->service);
  check->preprocessor = clip_preprocessor_new (&check->info->preprocess);
  check->checkpoint = clip_checkpoint_open (path, error);
  if (check->checkpoint == NULL)
    return FALSE;
  config = clip_checkpoint_get_config (check->checkpoint);
  if (config->text.kind == CLIP_TEXT_NONE)
    return TRUE;
  check->tokenizer = clip_tokenizer_new (&config->tokenizer,
      config->text.vocab_size, config->text.context_length, error);
  return check->tokenizer != NULL;
}

static void
add_texts (GPtrArray *texts, const json_t *items)
{
  for (gsize i = 0; i < json_array_size (items); i++)
    g_ptr_array_add (
        texts, (gpointer)get_string (json_array_get (items, i), "text"));
}

/* The first ones also test the text side. */
static gboolean
encode_prompts (Check *check, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  g_autoptr (ClipRequest) request = NULL;

  if (check->tokenizer == NULL)
    return TRUE;
  add_texts (texts, get_list (check, "prompts"));
  add_texts (texts, get_list (check, "truncated_prompts"));
  if (texts->len == 0)
    g_ptr_array_add (texts, (gpointer) "a photo");
  g_ptr_array_add (texts, NULL);
  request = clip_service_encode_prompts (
      check->service, (const gchar *const *)texts->pdata, NULL);
  if (!clip_request_wait (request, error))
    return FALSE;
  check->prompts = clip_prompt_set_ref (clip_request_get_prompt_set (request));
  return TRUE;
}

/* --- comparing --- */

static void
note (gdouble *largest, gdouble got, gdouble expected)
{
  gdouble error = fabs (got - expected);

  /* What is not a number is no small difference. */
  if (!(error <= *largest))
    *largest = isnan (error) ? INFINITY : error;
}

static gdouble
number_at (const json_t *array, gsize index)
{
  return json_number_value (json_array_get (array, index));
}

static void
compare_embedding (Check *check, const gfloat *got, const json_t *item)
{
  const json_t *expected = json_object_get (item, "embedding");
  gdouble cosine = 0, length = 0;

  if (json_array_size (expected) != check->info->embed_dim)
    g_error ("embeddings have %u numbers, the original's %zu",
        check->info->embed_dim, json_array_size (expected));
  for (gsize i = 0; i < check->info->embed_dim; i++) {
    note (&check->embedding_error, got[i], number_at (expected, i));
    cosine += got[i] * number_at (expected, i);
    length += number_at (expected, i) * number_at (expected, i);
  }
  check->min_cosine = MIN (check->min_cosine, cosine / sqrt (length));
}

static gboolean
has_ids (const Check *check, const json_t *item)
{
  const json_t *expected = json_object_get (item, "ids");
  g_autofree guint32 *ids = g_new (guint32, check->info->context_length);
  gboolean equal;
  guint n_ids = 0;

  equal = clip_tokenizer_encode (check->tokenizer, get_string (item, "text"),
              ids, &n_ids, NULL, NULL) &&
          n_ids == json_array_size (expected);
  for (guint i = 0; equal && i < n_ids; i++)
    equal = ids[i] == json_integer_value (json_array_get (expected, i));
  return equal;
}

static void
compare_texts (Check *check)
{
  static const gchar *const lists[] = { "prompts", "truncated_prompts",
    "tokenizer_cases" };
  guint row = 0;

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    const json_t *items = get_list (check, lists[i]);

    for (gsize j = 0; j < json_array_size (items); j++) {
      const json_t *item = json_array_get (items, j);

      check->n_texts++;
      check->n_equal_texts += has_ids (check, item);
      if (json_object_get (item, "embedding") != NULL)
        compare_embedding (check,
            check->prompts->embeddings + (gsize)row++ * check->info->embed_dim,
            item);
    }
  }
}

/* Whether frame/ makes of the picture what the original does, to the byte. */
static gboolean
prepares_alike (const Check *check, const json_t *item)
{
  g_autofree gchar *path = g_build_filename (
      check->goldens, "images", get_string (item, "file"), NULL);
  gsize side = check->info->image_size;
  g_autofree guint8 *rgb = g_malloc (side * side * 3);
  g_autofree gchar *sum = NULL;
  g_auto (Picture) picture = { 0 };
  ClipFrame frame;

  picture_load (&picture, path);
  frame = picture_frame (&picture);
  if (!clip_preprocessor_set_size (
          check->preprocessor, picture.width, picture.height, NULL))
    return FALSE;
  clip_preprocessor_run (check->preprocessor, &frame, rgb);
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, rgb, side * side * 3);
  return g_str_equal (
      sum, get_string (json_object_get (item, "preprocessed"), "rgb_sha256"));
}

static void
compare_scores (Check *check, gsize row, const gfloat *picture)
{
  const json_t *cosines = json_array_get (get_list (check, "cosine"), row);
  const json_t *softmax = json_array_get (get_list (check, "softmax"), row);
  gsize n = json_array_size (cosines), width = check->info->embed_dim;
  g_autofree gdouble *weights = g_new (gdouble, n);
  gdouble sum = 0;

  for (gsize i = 0; i < n; i++) {
    gdouble cosine = 0;

    for (gsize j = 0; j < width; j++)
      cosine += (gdouble)picture[j] * check->prompts->embeddings[i * width + j];
    note (&check->cosine_error, cosine, number_at (cosines, i));
    weights[i] = exp (check->info->logit_scale * cosine);
    sum += weights[i];
  }
  for (gsize i = 0; i < n; i++)
    note (&check->probability_error, weights[i] / sum, number_at (softmax, i));
}

/* The network sees the original's own picture, so that a resampler that differs
 * is not taken for it. */
static gboolean
compare_pictures (Check *check, GError **error)
{
  const json_t *items = get_list (check, "images");

  for (gsize i = 0; i < json_array_size (items); i++) {
    const json_t *item = json_array_get (items, i);
    g_autofree gchar *path = g_build_filename (
        check->goldens, "prepared", get_string (item, "prepared"), NULL);
    g_auto (Picture) picture = { 0 };
    g_autoptr (ClipRequest) request = NULL;

    picture_load (&picture, path);
    if (picture.width != check->info->image_size)
      g_error ("'%s' is %u wide, the model's picture %u", path, picture.width,
          check->info->image_size);
    request = clip_stream_encode_picture (check->stream, picture.rgb);
    if (!clip_request_wait (request, error))
      return FALSE;
    check->n_pictures++;
    check->n_equal_pictures += prepares_alike (check, item);
    compare_embedding (check, clip_request_get_embedding (request), item);
    if (check->prompts != NULL)
      compare_scores (check, i, clip_request_get_embedding (request));
  }
  return TRUE;
}

static gboolean
is_near (const Check *check)
{
  return check->n_equal_texts == check->n_texts &&
         check->n_equal_pictures == check->n_pictures &&
         check->embedding_error <= COMPONENT_TOLERANCE &&
         check->cosine_error <= COSINE_TOLERANCE &&
         check->probability_error <= PROBABILITY_TOLERANCE;
}

/* --- telling --- */

static json_t *
describe_model (const Check *check)
{
  const ClipModelInfo *info = check->info;

  return json_pack ("{s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:s, s:s, s:s, s:s, "
                    "s:f, s:s, s:s, s:f, s:f}",
      "model", info->id, "family", info->family, "dialect", info->dialect,
      "image-size", info->image_size, "embedding", info->embed_dim, "context",
      info->context_length, "parameters", (json_int_t)info->n_parameters,
      "source-precision", info->source_precision, "activation",
      info->activation, "tokenizer", info->tokenizer, "preprocessing",
      info->preprocessing, "logit-scale", (gdouble)info->logit_scale,
      "self-test", "passed", "engine", clip_service_describe (check->service),
      "load-seconds", check->load_seconds, "peak-mib", check->peak_mib);
}

static json_t *
describe_comparison (const Check *check)
{
  return json_pack ("{s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:b}", "texts",
      check->n_texts, "equal-texts", check->n_equal_texts, "pictures",
      check->n_pictures, "equal-pictures", check->n_equal_pictures,
      "embedding-error", MIN (check->embedding_error, G_MAXDOUBLE),
      "min-cosine", check->min_cosine, "cosine-error",
      MIN (check->cosine_error, G_MAXDOUBLE), "probability-error",
      MIN (check->probability_error, G_MAXDOUBLE), "ok", is_near (check));
}

static gboolean
run (Check *check, const gchar *model, const gchar *expected, GError **error)
{
  if (expected != NULL) {
    g_autofree gchar *folder = g_path_get_dirname (expected);

    check->expected = json_load_file (expected, 0, NULL);
    if (check->expected == NULL)
      g_error ("'%s' is not JSON, or not there", expected);
    check->goldens = g_path_get_dirname (folder);
  }
  check->min_cosine = 1;
  if (!open_model (check, model, error) || !encode_prompts (check, error))
    return FALSE;
  check->peak_mib = read_peak_mib ();
  if (check->prompts != NULL)
    compare_texts (check);
  return compare_pictures (check, error);
}

int
main (int argc, char **argv)
{
  g_auto (Check) check = { 0 };
  g_autoptr (GError) error = NULL;
  json_t *answer;

  if (argc < 2 || argc > 3 || strcmp (argv[1], "--help") == 0) {
    fputs (help, argc == 2 ? stdout : stderr);
    return argc == 2 ? 0 : 2;
  }
  if (!run (&check, argv[1], argc == 3 ? argv[2] : NULL, &error)) {
    fprintf (stderr, "clip-check: %s\n", error->message);
    return 2;
  }
  answer = describe_model (&check);
  if (check.expected != NULL)
    json_object_update_new (answer, describe_comparison (&check));
  json_dumpf (answer, stdout, JSON_INDENT (2) | JSON_REAL_PRECISION (4));
  putchar ('\n');
  json_decref (answer);
  return is_near (&check) ? 0 : 1;
}
