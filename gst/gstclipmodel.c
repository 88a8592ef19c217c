/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipmodel.h"

#include "gstclipdebug.h"

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

static guint
clamp_threads (GstElement *element, guint threads)
{
  guint usable = clip_service_get_usable_cpus ();

  if (threads <= usable)
    return threads;
  GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
      ("threads=%u is more than the %u CPUs this process may use: using %u.",
          threads, usable, usable),
      (NULL));
  return usable;
}

/* The first opener's number holds for all who share the model. */
static void
check_threads (GstElement *element, const GstClipModel *model, guint threads)
{
  guint actual = clip_service_get_threads (model->service);

  if (threads == 0 || threads == actual)
    return;
  GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
      ("threads=%u is ignored: another element opened this model with %u.",
          threads, actual),
      ("%s", model->path));
}

gboolean
gst_clip_model_open (GstClipModel *model, GstElement *element,
    const gchar *path, guint threads, GError **error)
{
  GstClipModel opened = { .demo = path == NULL || *path == '\0' };
  ClipServiceOptions options = { .threads = clamp_threads (element, threads) };
  const ClipModelInfo *info;

  opened.path = opened.demo ? find_demo_model (element) : g_strdup (path);
  options.model = opened.path;
  opened.service = clip_service_acquire (&options, error);
  if (opened.service == NULL) {
    g_free (opened.path);
    return FALSE;
  }
  check_threads (element, &opened, options.threads);
  info = clip_service_get_info (opened.service);
  opened.preprocessor = clip_preprocessor_new (&info->preprocess);
  opened.picture =
      g_malloc0 ((gsize)info->preprocess.size * info->preprocess.size * 3);
  GST_INFO_OBJECT (element, "%s '%s': %s, %s, %s, %u threads, %s",
      opened.demo ? "no model was set, using the demonstration model" : "model",
      opened.path, info->id, info->family,
      clip_service_get_precision (opened.service),
      clip_service_get_threads (opened.service),
      clip_service_describe (opened.service));
  *model = opened;
  return TRUE;
}

void
gst_clip_model_close (GstClipModel *model)
{
  clip_service_release (model->service);
  g_clear_pointer (&model->preprocessor, clip_preprocessor_free);
  g_free (model->picture);
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
