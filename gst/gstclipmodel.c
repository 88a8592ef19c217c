/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipmodel.h"

#include "gstclipdebug.h"
#include "gstclipstructure.h"

#include "config.h"

#define GST_CAT_DEFAULT gst_clip_model_debug

/* Beside the plugin in the build tree, so that it runs uninstalled. */
#define DEMO_MODEL_BUILT "../pipelines/demo-model"
#define DEMO_MODEL_INSTALLED CLIP_DATADIR "/demo-model"

static gchar *
find_demo_model (GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  g_autoptr (GstPlugin) plugin = NULL;

  if (factory != NULL)
    plugin = gst_plugin_feature_get_plugin (GST_PLUGIN_FEATURE (factory));
  if (plugin != NULL && gst_plugin_get_filename (plugin) != NULL) {
    g_autofree gchar *folder =
        g_path_get_dirname (gst_plugin_get_filename (plugin));
    g_autofree gchar *path = g_build_filename (folder, DEMO_MODEL_BUILT, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      return g_canonicalize_filename (path, NULL);
  }
  return g_strdup (DEMO_MODEL_INSTALLED);
}

/* The first opener's number holds for all who share the model. */
static void
check_shared (GstElement *element, const GstClipModel *model, const gchar *name,
    guint64 wanted, guint64 actual)
{
  if (wanted == 0 || wanted == actual)
    return;
  GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
      ("%s=%" G_GUINT64_FORMAT " is ignored: another element opened this model "
       "with %" G_GUINT64_FORMAT ".",
          name, wanted, actual),
      ("%s: set the same, or another model-instance-id", model->path));
}

static void
check_threads (GstElement *element, const GstClipModel *model, guint threads)
{
  guint usable = clip_service_get_usable_cpus ();
  guint actual = clip_service_get_threads (model->service);

  if (threads > usable && actual == usable)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("threads=%u is more than the %u CPUs this process may use: using %u.",
            threads, usable, usable),
        (NULL));
  else
    check_shared (element, model, "threads", threads, actual);
}

static void
check_precision (
    GstElement *element, const GstClipModel *model, ClipPrecision precision)
{
  g_autofree gchar *reason =
      clip_service_explain_precision (model->service, precision);

  if (reason == NULL)
    return;
  GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
      ("precision=%s cannot be had: %s. Encoding in %s.",
          clip_precision_get_name (precision), reason,
          clip_precision_get_name (
              clip_service_get_precision (model->service))),
      ("%s", model->path));
}

/* Of a layer with precision=int8. (transfer full) */
static GstStructure *
describe_layer (const ClipLayerChoice *layer)
{
  GstStructure *facts = gst_structure_new ("layer", "precision", G_TYPE_STRING,
      clip_precision_get_name (layer->precision), "error", G_TYPE_DOUBLE,
      (gdouble)layer->error, "smoothing", G_TYPE_DOUBLE,
      (gdouble)layer->smoothing, NULL);

  gst_clip_structure_set_string (facts, "name", layer->name);
  return facts;
}

/* Nothing where there is none. */
static void
set_layers (GstStructure *facts, const ClipService *service)
{
  const ClipLayerChoice *layers = NULL;
  guint n_layers = clip_service_get_layers (service, &layers);
  GValue list = G_VALUE_INIT;

  if (n_layers == 0)
    return;
  g_value_init (&list, GST_TYPE_ARRAY);
  for (guint i = 0; i < n_layers; i++) {
    GValue layer = G_VALUE_INIT;

    g_value_init (&layer, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&layer, describe_layer (&layers[i]));
    gst_value_array_append_and_take_value (&list, &layer);
  }
  gst_structure_take_value (facts, "layers", &list);
}

GstStructure *
gst_clip_model_describe (const GstClipModel *model)
{
  const ClipService *service = model->service;
  const ClipModelInfo *info = clip_service_get_info (service);
  GstStructure *facts;

  /* clang-format off */
  facts = gst_structure_new ("clipfilter-model",
      "model", G_TYPE_STRING, info->id,
      "family", G_TYPE_STRING, info->family,
      "dialect", G_TYPE_STRING, info->dialect,
      "image-size", G_TYPE_UINT, info->image_size,
      "parameters", G_TYPE_UINT64, info->n_parameters,
      "source-precision", G_TYPE_STRING, info->source_precision,
      "activation", G_TYPE_STRING, info->activation,
      "tokenizer", G_TYPE_STRING, info->tokenizer,
      "preprocessing", G_TYPE_STRING, info->preprocessing,
      "demo", G_TYPE_BOOLEAN, model->demo,
      "threads", G_TYPE_UINT, clip_service_get_threads (service),
      "batch-timeout", G_TYPE_UINT64, clip_service_get_batch_timeout (service),
      "precision", G_TYPE_STRING,
      clip_precision_get_name (clip_service_get_precision (service)),
      "engine", G_TYPE_STRING, clip_service_describe (service), NULL);
  /* clang-format on */
  gst_clip_structure_set_string (facts, "model-path", model->path);
  set_layers (facts, service);
  return facts;
}

static void
log_layers (GstElement *element, const ClipService *service)
{
  const ClipLayerChoice *layers = NULL;
  guint n_layers = clip_service_get_layers (service, &layers);

  for (guint i = 0; i < n_layers; i++) {
    g_autoptr (GstStructure) layer = describe_layer (&layers[i]);

    GST_INFO_OBJECT (element, "%" GST_PTR_FORMAT, layer);
  }
}

static void
log_facts (GstElement *element, const GstClipModel *model)
{
  const ClipService *service = model->service;
  const ClipModelInfo *info = clip_service_get_info (service);

  GST_INFO_OBJECT (element,
      "%s '%s': %s, %s, dialect %s, %u pixels, %" G_GUINT64_FORMAT
      " parameters in %s, activation %s, tokenizer %s, preprocessing %s; "
      "running in %s, %u threads, %s",
      model->demo ? "no model was set, using the demonstration model" : "model",
      model->path, info->id, info->family, info->dialect, info->image_size,
      info->n_parameters, info->source_precision, info->activation,
      info->tokenizer, info->preprocessing,
      clip_precision_get_name (clip_service_get_precision (service)),
      clip_service_get_threads (service), clip_service_describe (service));
  log_layers (element, service);
}

gsize
gst_clip_model_get_picture_size (const GstClipModel *model)
{
  gsize side = clip_service_get_info (model->service)->image_size;

  return side * side * 3;
}

gboolean
gst_clip_model_open (GstClipModel *model, GstElement *element,
    const GstClipModelOptions *options, GError **error)
{
  const gchar *path = options->path;
  GstClipModel opened = { .demo = path == NULL || *path == '\0' };
  ClipServiceOptions asked = { .precision = options->precision,
    .instance_id = options->instance_id,
    .batch_timeout = options->batch_timeout,
    .threads = options->threads };
  const ClipModelInfo *info;
  gsize picture_size;

  opened.path = opened.demo ? find_demo_model (element) : g_strdup (path);
  asked.model = opened.path;
  opened.service = clip_service_acquire (&asked, error);
  if (opened.service == NULL) {
    g_free (opened.path);
    return FALSE;
  }
  check_threads (element, &opened, asked.threads);
  check_shared (element, &opened, "batch-timeout", asked.batch_timeout,
      clip_service_get_batch_timeout (opened.service));
  check_precision (element, &opened, options->precision);
  info = clip_service_get_info (opened.service);
  opened.preprocessor = clip_preprocessor_new (&info->preprocess);
  picture_size = gst_clip_model_get_picture_size (&opened);
  opened.picture = g_malloc0 (picture_size);
  opened.previous = g_malloc0 (picture_size);
  log_facts (element, &opened);
  *model = opened;
  return TRUE;
}

void
gst_clip_model_open_stream (
    GstClipModel *model, const ClipStreamOptions *options)
{
  if (model->stream != NULL && model->stream_options.alone == options->alone &&
      model->stream_options.priority == options->priority)
    return;
  clip_stream_free (model->stream);
  model->stream = clip_stream_new (model->service, options);
  model->stream_options = *options;
}

void
gst_clip_model_close (GstClipModel *model)
{
  clip_stream_free (model->stream);
  clip_service_release (model->service);
  g_clear_pointer (&model->preprocessor, clip_preprocessor_free);
  g_free (model->picture);
  g_free (model->previous);
  g_free (model->path);
  *model = (GstClipModel){ 0 };
}

gchar *
gst_clip_model_get_prompts_file (const GstClipModel *model)
{
  if (!model->demo)
    return NULL;
  return g_build_filename (model->path, "prompts.txt", NULL);
}
