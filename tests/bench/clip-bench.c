/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* How fast, against how fast the machine could be. */

#include "bench.h"

#include "machine.h"
#include "published.h"

#include "clip-error.h"

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

static const gchar summary[] =
    "Encodes pictures and runs, in turns, the bare products and convolutions\n"
    "of the same model in oneDNN: the floor. The figures of one run may be\n"
    "compared with each other, not with those of another run or machine.\n";

/* What is opened where the user gives no model. */
typedef enum {
  SOURCE_NONE,
  SOURCE_GENERATED, /* --arch */
  SOURCE_DEMO       /* it has words, which generated ones have not */
} Source;

static const struct {
  const gchar *option;
  const gchar *words;
  BenchFunc run;
  Source source;
} modes[] = {
  { "speed", "pictures against the floor (if no other mode is given)",
      bench_speed, SOURCE_GENERATED },
  { "text", "short prompts against prompts as long as the model reads",
      bench_text, SOURCE_GENERATED },
  { "frames", "preprocessing, beside GstVideoConverter", bench_frames,
      SOURCE_NONE },
  { "load", "opening a model and packing it, against reading its files",
      bench_loading, SOURCE_GENERATED },
  { "element", "the element's time for a frame", bench_element, SOURCE_DEMO },
};

typedef struct {
  gboolean modes[G_N_ELEMENTS (modes)];
  gchar *arch;
  gchar *model;
  gchar *precision;
  gint n_threads, batch, n_rounds;
  gboolean as_json;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  g_free (arguments->arch);
  g_free (arguments->model);
  g_free (arguments->precision);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

void
bench_set_number (json_t *report, const gchar *key, gdouble value)
{
  json_object_set_new (report, key, json_real (value));
}

static gboolean refuse (GError **error, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (G_OPTION_ERROR,
                                G_OPTION_ERROR_BAD_VALUE, format, args));
  va_end (args);
  return FALSE;
}

/* --- models --- */

static const TestPublished *
find_published (const gchar *arch, GError **error)
{
  const TestPublished *published = test_published_find (arch);
  GString *known;

  if (published != NULL)
    return published;
  known = g_string_new (NULL);
  for (guint i = 0; i < test_n_published; i++)
    g_string_append_printf (
        known, "%s%s", i > 0 ? ", " : "", test_published[i].name);
  refuse (error, "--arch=%s is not one of %s", arch, known->str);
  g_string_free (known, TRUE);
  return NULL;
}

/* In half precision as far as the form allows, since that is read sooner.
 * (transfer full): the folder, for test_checkpoint_remove() */
static gchar *
write_model (const TestPublished *published)
{
  static const struct {
    TestForm form;
    ClipDtype dtype;
  } forms[] = { { TEST_FORM_BARE, CLIP_DTYPE_F32 },
    { TEST_FORM_PARALLEL, CLIP_DTYPE_F32 },
    { TEST_FORM_OPEN_CLIP, CLIP_DTYPE_F16 } };
  TestCheckpointSpec values = { .quick = TRUE };
  guint i = 0;

  while ((published->forms & 1u << forms[i].form) == 0)
    i++;
  values.dtype = forms[i].dtype;
  return test_published_write (published, forms[i].form, &values);
}

/* --- options --- */

static gboolean
find_precision (const gchar *name, ClipPrecision *precision, GError **error)
{
  for (*precision = CLIP_PRECISION_AUTO; *precision <= CLIP_PRECISION_INT8;
       (*precision)++)
    if (g_str_equal (clip_precision_get_name (*precision), name))
      return TRUE;
  return refuse (
      error, "--precision=%s is not one of auto, f32, bf16, int8", name);
}

static gboolean
check_range (const gchar *option, gint value, gint most, GError **error)
{
  if (value >= 1 && value <= most)
    return TRUE;
  return refuse (error, "--%s=%d is not 1 to %d", option, value, most);
}

static gboolean
check (Arguments *arguments, GError **error)
{
  guint n_modes = 0;

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    n_modes += arguments->modes[i];
  if (n_modes > 1)
    return refuse (
        error, "--speed, --text, --frames, --load, --element: one at a time");
  if (n_modes == 0)
    arguments->modes[0] = TRUE;
  if (arguments->arch != NULL && arguments->model != NULL)
    return refuse (error, "--arch and --model: give one of them");
  return check_range ("threads", arguments->n_threads, 1024, error) &&
         check_range (
             "batch", arguments->batch, CLIP_ENCODER_MAX_BATCH, error) &&
         check_range ("rounds", arguments->n_rounds, 100000, error);
}

static gboolean
parse (Arguments *arguments, gint *argc, gchar ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "arch", 'a', 0, G_OPTION_ARG_STRING, &arguments->arch,
        "random weights of a published model's shapes (ViT-B/32)", "NAME" },
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &arguments->model,
        "a model's own weights instead", "PATH" },
    { "precision", 'p', 0, G_OPTION_ARG_STRING, &arguments->precision,
        "f32, bf16, int8 or auto (auto)", "NAME" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &arguments->n_threads,
        "team of the encoder and of the floor (2)", "N" },
    { "batch", 'b', 0, G_OPTION_ARG_INT, &arguments->batch,
        "pictures at a time (1)", "N" },
    { "rounds", 'r', 0, G_OPTION_ARG_INT, &arguments->n_rounds,
        "how often each is run (20)", "N" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &arguments->as_json,
        "also print one JSON object, on the last line", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  GOptionEntry mode_entries[G_N_ELEMENTS (modes) + 1] = { { NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    mode_entries[i] = (GOptionEntry){ modes[i].option, 0, 0, G_OPTION_ARG_NONE,
      &arguments->modes[i], modes[i].words, NULL };
  g_option_context_set_summary (context, summary);
  g_option_context_add_main_entries (context, mode_entries, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1)
    return refuse (error, "'%s' is not an option", (*argv)[1]);
  return check (arguments, error);
}

static void
print_machine (json_t *report, const MachineTicks *start)
{
  g_autofree gchar *cpu = machine_cpu_model ();
  gdouble stolen = machine_stolen_since (start);

  printf ("%s, %u CPUs, %.1f %% of the time stolen by others\n", cpu,
      g_get_num_processors (), stolen);
  json_object_set_new (report, "cpu", json_string (cpu));
  bench_set_number (report, "stolen_percent", stolen);
}

/* @folder: (out) (transfer full): where a generated model lies, or NULL */
static gboolean
find_model (const Arguments *arguments, Source source, BenchOptions *options,
    gchar **folder, GError **error)
{
  const TestPublished *published;

  options->name = options->model = arguments->model;
  if (arguments->model != NULL || source == SOURCE_NONE)
    return TRUE;
  if (source == SOURCE_DEMO) {
    options->name = options->model = CLIP_DEMO_MODEL;
    return arguments->arch == NULL ||
           refuse (error, "--arch has no words: give --model, or neither");
  }
  options->name = arguments->arch != NULL ? arguments->arch : "ViT-B/32";
  published = find_published (options->name, error);
  if (published == NULL)
    return FALSE;
  options->model = *folder = write_model (published);
  return TRUE;
}

static void
print_report (const json_t *report)
{
  json_dumpf (report, stdout, JSON_COMPACT | JSON_REAL_PRECISION (6));
  putchar ('\n');
}

static gboolean
run (const Arguments *arguments, GError **error)
{
  BenchOptions options = { .n_threads = arguments->n_threads,
    .batch = arguments->batch,
    .n_rounds = arguments->n_rounds };
  MachineTicks start = machine_ticks ();
  gchar *folder = NULL;
  json_t *report;
  gboolean succeeded;
  guint mode = 0;

  while (!arguments->modes[mode])
    mode++;
  if ((arguments->precision != NULL &&
          !find_precision (arguments->precision, &options.precision, error)) ||
      !find_model (arguments, modes[mode].source, &options, &folder, error))
    return FALSE;
  report = json_pack ("{s:s, s:s*, s:i, s:i}", "mode", modes[mode].option,
      "arch", options.name, "threads", (gint)options.n_threads, "batch",
      (gint)options.batch);
  succeeded = modes[mode].run (&options, report, error);
  if (folder != NULL)
    test_checkpoint_remove (folder);
  if (succeeded) {
    print_machine (report, &start);
    if (arguments->as_json)
      print_report (report);
  }
  json_decref (report);
  return succeeded;
}

int
main (int argc, char **argv)
{
  g_auto (Arguments) arguments = { .n_threads = 2, .batch = 1, .n_rounds = 20 };
  g_autoptr (GError) error = NULL;

  gst_init (NULL, NULL);
  if (parse (&arguments, &argc, &argv, &error) && run (&arguments, &error))
    return 0;
  fprintf (stderr, "clip-bench: %s\n", error->message);
  return 2;
}
