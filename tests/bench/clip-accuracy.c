/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What a precision costs in answers, of any model. */

#include "accuracy.h"
#include "prompts.h"
#include "published.h"
#include "twin.h"

#include "clip-error.h"

#include <jansson.h>
#include <stdio.h>

static const gchar summary[] =
    "Encodes crops of real pictures in f32 and in another precision and prints\n"
    "how far apart the answers are. A generated model's prompts are random\n"
    "vectors, at right angles to each other but for chance, which is harder on\n"
    "it than prompts in words are, whose vectors lie closer together.\n";

/* A twin that is the same model is one down to f32's rounding. */
#define SAME_COSINE 0.99999
#define N_SAME_CROPS 32

typedef struct {
  gchar *model;
  gchar *arch;
  gchar *precision;
  gchar *twin;
  gchar *prompts;
  gint n_crops;
  gboolean as_json;
  gboolean shows_layers;

  ClipPrecision other;
  TwinKind kind;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  g_free (arguments->model);
  g_free (arguments->arch);
  g_free (arguments->precision);
  g_free (arguments->twin);
  g_free (arguments->prompts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

/* The folders of the model, and which of them are to be removed. */
typedef struct {
  gchar *base;
  gchar *twin; /* NULL: none */
  gboolean is_generated;
} Folders;

static void
folders_clear (Folders *folders)
{
  if (folders->is_generated)
    test_checkpoint_remove (folders->base);
  else
    g_free (folders->base);
  if (folders->twin != NULL)
    test_checkpoint_remove (folders->twin);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Folders, folders_clear)

static gboolean
refuse (GError **error, const gchar *option, const gchar *value,
    const gchar *allowed)
{
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--%s=%s is not %s", option, value, allowed);
  return FALSE;
}

static gboolean
check (Arguments *arguments, GError **error)
{
  if (arguments->n_crops < 2 || arguments->n_crops > 100000) {
    g_autofree gchar *n = g_strdup_printf ("%d", arguments->n_crops);
    return refuse (error, "crops", n, "2 to 100000");
  }
  for (arguments->other = CLIP_PRECISION_F32; !g_str_equal (
           clip_precision_get_name (arguments->other), arguments->precision);
       arguments->other++)
    if (arguments->other == CLIP_PRECISION_INT8)
      return refuse (
          error, "precision", arguments->precision, "f32, bf16 or int8");
  while (arguments->kind < TWIN_N_KINDS &&
         !g_str_equal (twin_names[arguments->kind], arguments->twin))
    arguments->kind++;
  if (arguments->kind == TWIN_N_KINDS)
    return refuse (error, "twin", arguments->twin, "none, outliers or spike");
  if (arguments->arch != NULL && test_published_find (arguments->arch) == NULL)
    return refuse (error, "arch", arguments->arch,
        "a published model, such as ViT-B/32 or RN50");
  return TRUE;
}

static gboolean
parse (Arguments *arguments, gint *argc, gchar ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &arguments->model,
        "a model's folder (pipelines/demo-model)", "PATH" },
    { "arch", 'a', 0, G_OPTION_ARG_STRING, &arguments->arch,
        "random weights of a published model's shapes instead", "NAME" },
    { "precision", 'p', 0, G_OPTION_ARG_STRING, &arguments->precision,
        "to compare with f32: f32, bf16 or int8 (bf16)", "NAME" },
    { "crops", 'n', 0, G_OPTION_ARG_INT, &arguments->n_crops, "how many (1000)",
        "N" },
    { "twin", 't', 0, G_OPTION_ARG_STRING, &arguments->twin,
        "none, outliers or spike (none)", "KIND" },
    { "prompts", 0, 0, G_OPTION_ARG_STRING, &arguments->prompts,
        "as the element takes them (a list of 50)", "TEXTS" },
    { "layers", 'l', 0, G_OPTION_ARG_NONE, &arguments->shows_layers,
        "instead, which layers an element has in bytes with int8, and why",
        NULL },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &arguments->as_json,
        "also print one JSON object, on the last line", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, summary);
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error) &&
         check (arguments, error);
}

/* --- models --- */

static gchar *
generate (const gchar *arch)
{
  static const TestForm forms[] = { TEST_FORM_OPEN_CLIP, TEST_FORM_BARE,
    TEST_FORM_PARALLEL };
  const TestCheckpointSpec values = { .quick = TRUE, .dtype = CLIP_DTYPE_F32 };
  const TestPublished *published = test_published_find (arch);
  guint i = 0;

  while ((published->forms & 1u << forms[i]) == 0)
    i++;
  return test_published_write (published, forms[i], &values);
}

static gboolean
find_folders (const Arguments *arguments, Folders *folders, GError **error)
{
  folders->is_generated = arguments->arch != NULL;
  folders->base = arguments->arch != NULL ? generate (arguments->arch)
                  : arguments->model != NULL
                      ? g_strdup (arguments->model)
                      : g_strdup ("pipelines/demo-model");
  if (arguments->kind == TWIN_NONE)
    return TRUE;
  folders->twin = twin_write (folders->base, arguments->kind, error);
  return folders->twin != NULL;
}

/* That the twin is, in f32, the model whose twin it is. */
static gboolean
compare_twin (const Folders *folders, const Pictures *pictures,
    const Vectors *twin, GError **error)
{
  Pictures some = *pictures;
  g_autoptr (ClipModel) model = clip_model_open (folders->base, error);
  g_auto (Vectors) base = { 0 };
  gdouble least;

  some.n_crops = MIN (some.n_crops, N_SAME_CROPS);
  if (model == NULL ||
      !accuracy_encode (model, CLIP_PRECISION_F32, &some, &base, error))
    return FALSE;
  least = accuracy_min_cosine (&base, twin);
  printf ("the twin is the same model: cosine at least %.9f in f32, of %u "
          "crops\n",
      least, some.n_crops);
  if (least >= SAME_COSINE)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_COMPUTE,
      "the twin is another model: a cosine of %.9f is below %g", least,
      SAME_COSINE);
  return FALSE;
}

/* --- telling --- */

static void
print (const Arguments *arguments, const Pictures *pictures,
    const AccuracyFigures *figures)
{
  const struct {
    const gchar *key, *words;
    gdouble value;
  } rows[] = {
    { "difference_rms", "error of a score difference, rms",
        figures->difference_rms },
    { "similarity_p999", "error of a similarity, p99.9",
        figures->similarity_p999 },
    { "agreement", "same best prompt", figures->agreement },
    { "clear_agreement", "same where f32's margin is clear",
        figures->clear_agreement },
    { "clear_part", "where that is so", figures->clear_part },
    { "min_cosine", "cosine, least", figures->min_cosine },
    { "mean_cosine", "cosine, mean", figures->mean_cosine },
    { "alarm_shift", "shift of the alarm rate at f32's 10 %",
        figures->alarm_shift },
    { "alarm_flips", "scores that change sides there", figures->alarm_flips },
    { "spread", "cosine of different crops in f32, mean", figures->spread },
  };
  json_t *report = json_pack ("{s:s, s:s, s:s, s:i, s:i, s:i}", "arch",
      arguments->arch != NULL ? arguments->arch : "model", "precision",
      arguments->precision, "twin", arguments->twin, "crops", figures->n_crops,
      "pictures", pictures->n_pictures, "prompts", figures->n_prompts);

  printf ("%s against f32, twin %s: %u crops of %u pictures, %u prompts\n",
      arguments->precision, arguments->twin, figures->n_crops,
      pictures->n_pictures, figures->n_prompts);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    printf ("%-40s %.6f\n", rows[i].words, rows[i].value);
    json_object_set_new (report, rows[i].key, json_real (rows[i].value));
  }
  if (arguments->as_json) {
    json_dumpf (report, stdout, JSON_COMPACT | JSON_REAL_PRECISION (8));
    putchar ('\n');
  }
  json_decref (report);
}

/* As Markdown. */
static gboolean
print_layers (ClipModel *model, GError **error)
{
  const ClipEncoderOptions options = { .n_threads = 2,
    .max_batch = clip_encoder_choose_batch (model),
    .precision = CLIP_PRECISION_INT8 };
  g_autoptr (ClipEncoder) encoder = clip_encoder_new (model, &options, error);
  const ClipLayerChoice *layers = NULL;
  guint n;

  if (encoder == NULL)
    return FALSE;
  if (clip_encoder_get_fallback (encoder) != NULL)
    printf ("no int8: %s\n", clip_encoder_get_fallback (encoder));
  n = clip_encoder_get_layers (encoder, &layers);
  printf ("| layer | in | error | smoothing |\n|---|---|---|---|\n");
  for (guint i = 0; i < n; i++)
    printf ("| %s | %s | %.4f | %.2f |\n", layers[i].name,
        clip_precision_get_name (layers[i].precision), layers[i].error,
        layers[i].smoothing);
  return TRUE;
}

static gboolean
run (const Arguments *arguments, GError **error)
{
  g_auto (Folders) folders = { 0 };
  g_auto (Pictures) pictures = { 0 };
  g_auto (Vectors) prompts = { 0 };
  g_auto (Vectors) reference = { 0 };
  g_auto (Vectors) other = { 0 };
  g_autoptr (ClipModel) model = NULL;
  const ClipModelInfo *info = NULL;
  AccuracyFigures figures;

  if (!find_folders (arguments, &folders, error))
    return FALSE;
  model = clip_model_open (
      folders.twin != NULL ? folders.twin : folders.base, error);
  if (model == NULL)
    return FALSE;
  if (arguments->shows_layers)
    return print_layers (model, error);
  info = clip_model_get_info (model);
  if (folders.is_generated)
    prompts_draw (info->embed_dim, &prompts);
  else if (!prompts_encode (model, arguments->prompts, &prompts, error))
    return FALSE;
  if (!pictures_load (
          &pictures, arguments->n_crops, &info->preprocess, error) ||
      !accuracy_encode (
          model, CLIP_PRECISION_F32, &pictures, &reference, error) ||
      (arguments->kind == TWIN_OUTLIERS &&
          !compare_twin (&folders, &pictures, &reference, error)) ||
      !accuracy_encode (model, arguments->other, &pictures, &other, error))
    return FALSE;
  accuracy_compare (&reference, &other, &prompts, &figures);
  print (arguments, &pictures, &figures);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_auto (Arguments) arguments = {
    .precision = g_strdup ("bf16"), .twin = g_strdup ("none"), .n_crops = 1000
  };
  g_autoptr (GError) error = NULL;

  if (parse (&arguments, &argc, &argv, &error) && run (&arguments, &error))
    return 0;
  fprintf (stderr, "clip-accuracy: %s\n", error->message);
  return 2;
}
