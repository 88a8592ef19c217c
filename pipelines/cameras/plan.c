/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "plan.h"

#include "secrets.h"

#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#define DEFAULT_LATENCY 200 /* milliseconds */
#define DEFAULT_TIMEOUT 15  /* seconds */
#define DEFAULT_MAX_LAG 2   /* seconds */
#define DEFAULT_RATE "1/1"

#define MAX_LATENCY 60000
#define MAX_SECONDS 86400
#define MAX_DECODER_THREADS 64

#define RATE "max-inference-rate"

G_DEFINE_QUARK (camera - list - error - quark, camera_list_error)

/* --- plans --- */

static void
clear_plan (gpointer data)
{
  CameraPlan *plan = data;

  g_free (plan->name);
  g_free (plan->uri);
  g_free (plan->shown_uri);
  g_free (plan->stamp);
  g_hash_table_unref (plan->properties);
}

CameraPlan *
camera_plan_ref (CameraPlan *plan)
{
  return g_rc_box_acquire (plan);
}

void
camera_plan_unref (CameraPlan *plan)
{
  g_rc_box_release_full (plan, clear_plan);
}

static void
set_property (CameraPlan *plan, const gchar *name, const gchar *value)
{
  g_hash_table_replace (plan->properties, g_strdup (name), g_strdup (value));
}

static const gchar *
get_property (const CameraPlan *plan, const gchar *name)
{
  return g_hash_table_lookup (plan->properties, name);
}

CameraPlan *
camera_plan_new (const gchar *name, gboolean keyframes)
{
  CameraPlan *plan = g_rc_box_new0 (CameraPlan);

  plan->name = g_strdup (name);
  plan->keyframes = keyframes;
  plan->decoder_threads = 1;
  plan->latency = DEFAULT_LATENCY;
  plan->timeout = DEFAULT_TIMEOUT;
  plan->max_lag = DEFAULT_MAX_LAG;
  plan->properties =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  set_property (plan, RATE, DEFAULT_RATE);
  set_property (plan, "inference-mode", "latest");
  set_property (plan, "source-id", name);
  return plan;
}

gchar *
camera_plan_describe (const CameraPlan *plan)
{
  GString *lines = g_string_new (NULL);
  g_autoptr (GList) names = g_list_sort (
      g_hash_table_get_keys (plan->properties), (GCompareFunc)g_strcmp0);

  g_string_append_printf (lines, "[%s] %s\n", plan->name, plan->shown_uri);
  g_string_append_printf (lines, "  decode = %s\n  loop = %s\n",
      plan->keyframes ? "keyframes" : "all", plan->loop ? "true" : "false");
  for (const GList *name = names; name != NULL; name = name->next)
    g_string_append_printf (lines, "  %s = %s\n", (const gchar *)name->data,
        get_property (plan, name->data));
  return g_string_free (lines, FALSE);
}

void
camera_plan_share_cpus (CameraPlan *plan, guint n_processes)
{
  g_autofree gchar *share =
      g_strdup_printf ("%u", MAX (g_get_num_processors () / n_processes, 1));

  if (get_property (plan, "threads") == NULL)
    set_property (plan, "threads", share);
}

GstClockTime
camera_plan_get_period (const CameraPlan *plan)
{
  g_auto (GValue) rate = G_VALUE_INIT;

  g_value_init (&rate, GST_TYPE_FRACTION);
  if (!gst_value_deserialize (&rate, get_property (plan, RATE)) ||
      gst_value_get_fraction_numerator (&rate) == 0)
    return 0;
  return gst_util_uint64_scale_int (GST_SECOND,
      gst_value_get_fraction_denominator (&rate),
      gst_value_get_fraction_numerator (&rate));
}

/* --- clipfilter's properties --- */

static GObjectClass *
ref_filter_class (void)
{
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find ("clipfilter");
  g_autoptr (GstPluginFeature) loaded =
      factory != NULL ? gst_plugin_feature_load (GST_PLUGIN_FEATURE (factory))
                      : NULL;

  if (loaded == NULL)
    return NULL;
  return g_type_class_ref (
      gst_element_factory_get_element_type (GST_ELEMENT_FACTORY (loaded)));
}

/* Text is taken as it is: GStreamer's notation would want quotes. */
static gboolean
parse_value (const gchar *text, GParamSpec *pspec, GValue *value)
{
  g_value_init (value, G_PARAM_SPEC_VALUE_TYPE (pspec));
  if (G_VALUE_HOLDS_STRING (value)) {
    g_value_set_string (value, text);
    return TRUE;
  }
  return gst_value_deserialize (value, text) &&
         !g_param_value_validate (pspec, value);
}

static gchar *
describe_property (GParamSpec *pspec)
{
  return g_strdup_printf (
      "a value of clipfilter's property '%s', which gst-inspect-1.0 clipfilter "
      "explains: %s",
      pspec->name, g_param_spec_get_blurb (pspec));
}

static gboolean
set_filter_property (CameraPlan *plan, const gchar *key, const gchar *value,
    const gchar *folder, gchar **wanted)
{
  static const gchar *const ours[] = { "source-id", "post-messages", NULL };
  static const gchar *const paths[] = { "model", "prompts-file", NULL };
  g_autoptr (GTypeClass) klass = (GTypeClass *)ref_filter_class ();
  GParamSpec *pspec =
      klass != NULL ? g_object_class_find_property (G_OBJECT_CLASS (klass), key)
                    : NULL;
  g_auto (GValue) parsed = G_VALUE_INIT;

  if (pspec == NULL || pspec->owner_type != G_TYPE_FROM_CLASS (klass) ||
      !(pspec->flags & G_PARAM_WRITABLE) || g_strv_contains (ours, key)) {
    *wanted = NULL;
    return FALSE;
  }
  if (!parse_value (value, pspec, &parsed)) {
    *wanted = describe_property (pspec);
    return FALSE;
  }
  if (g_strv_contains (paths, key)) {
    g_autofree gchar *path = g_canonicalize_filename (value, folder);

    set_property (plan, key, path);
  } else {
    set_property (plan, key, value);
  }
  return TRUE;
}

static gboolean
is_mutable (const gchar *property)
{
  g_autoptr (GTypeClass) klass = (GTypeClass *)ref_filter_class ();
  const GParamSpec *pspec =
      g_object_class_find_property (G_OBJECT_CLASS (klass), property);

  return (pspec->flags & GST_PARAM_MUTABLE_PLAYING) != 0;
}

/* --- the other keys --- */

static gboolean
set_uri (CameraPlan *plan, const gchar *value, const gchar *folder)
{
  g_autofree gchar *path = NULL;

  g_clear_pointer (&plan->uri, g_free);
  if (g_str_has_prefix (value, "/dev/video"))
    plan->uri = g_strconcat ("v4l2://", value, NULL);
  else if (gst_uri_is_valid (value))
    plan->uri = g_strdup (value);
  else if (*value != '\0') {
    path = g_canonicalize_filename (value, folder);
    plan->uri = gst_filename_to_uri (path, NULL);
  }
  g_clear_pointer (&plan->shown_uri, g_free);
  if (plan->uri != NULL)
    plan->shown_uri = camera_secrets_hide (path != NULL ? path : plan->uri);
  return plan->uri != NULL;
}

static gboolean
set_rate (CameraPlan *plan, const gchar *value, const gchar *folder)
{
  g_autofree gchar *wanted = NULL;

  return set_filter_property (plan, RATE, value, folder, &wanted);
}

static gboolean
parse_number (const gchar *value, gdouble least, gdouble most, gdouble *number)
{
  gchar *end = NULL;
  gdouble parsed = g_ascii_strtod (value, &end);

  if (end == value || *end != '\0' || !isfinite (parsed) || parsed < least ||
      parsed > most)
    return FALSE;
  *number = parsed;
  return TRUE;
}

static gboolean
set_timeout (CameraPlan *plan, const gchar *value, const gchar *folder)
{
  return parse_number (value, 1, MAX_SECONDS, &plan->timeout);
}

static gboolean
set_max_lag (CameraPlan *plan, const gchar *value, const gchar *folder)
{
  return parse_number (value, 0, MAX_SECONDS, &plan->max_lag);
}

static gboolean
parse_count (const gchar *value, guint most, guint *count)
{
  guint64 parsed;

  if (!g_ascii_string_to_unsigned (value, 10, 0, most, &parsed, NULL))
    return FALSE;
  *count = (guint)parsed;
  return TRUE;
}

static gboolean
set_latency (CameraPlan *plan, const gchar *value, const gchar *folder)
{
  return parse_count (value, MAX_LATENCY, &plan->latency);
}

static gboolean
set_decoder_threads (CameraPlan *plan, const gchar *value, const gchar *folder)
{
  return parse_count (value, MAX_DECODER_THREADS, &plan->decoder_threads);
}

static gboolean
parse_choice (
    const gchar *value, const gchar *no, const gchar *yes, gboolean *choice)
{
  if (g_strcmp0 (value, yes) != 0 && g_strcmp0 (value, no) != 0)
    return FALSE;
  *choice = g_strcmp0 (value, yes) == 0;
  return TRUE;
}

static gboolean
set_loop (CameraPlan *plan, const gchar *value, const gchar *folder)
{
  return parse_choice (value, "false", "true", &plan->loop);
}

static gboolean
set_decode (CameraPlan *plan, const gchar *value, const gchar *folder)
{
  return parse_choice (value, "all", "keyframes", &plan->keyframes);
}

static gboolean
set_transport (CameraPlan *plan, const gchar *value, const gchar *folder)
{
  return parse_choice (value, "auto", "tcp", &plan->tcp);
}

/* clang-format off */
static const struct {
  const gchar *key;
  gboolean (*set) (
      CameraPlan *plan, const gchar *value, const gchar *folder);
  const gchar *wanted;
} keys[] = {
  { "uri", set_uri,
    "an address (rtsp://…, http://…, file://…), a file or /dev/video0" },
  { "rate", set_rate,
    "results a second as a fraction: 2/1, or 1/5 for one in five seconds; 0/1 "
    "for every frame" },
  { "loop", set_loop, "true or false" },
  { "decode", set_decode, "all or keyframes" },
  { "transport", set_transport, "auto or tcp" },
  { "latency", set_latency, "0 to 60000 milliseconds" },
  { "timeout", set_timeout, "1 to 86400 seconds" },
  { "max-lag", set_max_lag, "0 to 86400 seconds, 0 for any" },
  { "decoder-threads", set_decoder_threads, "0 to 64, 0 for as many as the "
                                            "decoder likes" },
};
/* clang-format on */

static void
stamp_prompts (CameraPlan *plan)
{
  const gchar *path = get_property (plan, "prompts-file");
  GStatBuf status;

  g_clear_pointer (&plan->stamp, g_free);
  if (path != NULL && g_stat (path, &status) == 0)
    plan->stamp = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                                   " %ld.%09ld %" G_GINT64_FORMAT,
        (guint64)status.st_ino, (gint64)status.st_size,
        (glong)status.st_mtim.tv_sec, (glong)status.st_mtim.tv_nsec,
        (gint64)status.st_dev);
}

gboolean
camera_plan_set (CameraPlan *plan, const gchar *key, const gchar *value,
    const gchar *folder, gchar **wanted)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    if (g_strcmp0 (key, keys[i].key) != 0)
      continue;
    if (keys[i].set (plan, value, folder))
      return TRUE;
    *wanted = g_strdup (keys[i].wanted);
    return FALSE;
  }
  /* What the camera itself says replaces the defaults' other form. */
  if (g_strcmp0 (key, "prompts") == 0)
    g_hash_table_remove (plan->properties, "prompts-file");
  if (g_strcmp0 (key, "prompts-file") == 0)
    g_hash_table_remove (plan->properties, "prompts");
  if (!set_filter_property (plan, key, value, folder, wanted)) {
    if (*wanted == NULL) {
      g_autoptr (GString) list = g_string_new (NULL);

      for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
        g_string_append_printf (list, "%s, ", keys[i].key);
      *wanted = g_strdup_printf ("one of the keys %sor a property of "
                                 "clipfilter such as prompts, prompts-file, "
                                 "model, precision",
          list->str);
    }
    return FALSE;
  }
  if (g_str_has_prefix (key, "prompts"))
    stamp_prompts (plan);
  return TRUE;
}

/* --- changes --- */

static void
apply_property (GObject *clipfilter, const gchar *name, const gchar *text)
{
  GParamSpec *pspec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (clipfilter), name);
  g_auto (GValue) value = G_VALUE_INIT;

  if (text == NULL) {
    g_object_set_property (
        clipfilter, name, g_param_spec_get_default_value (pspec));
    return;
  }
  parse_value (text, pspec, &value);
  g_object_set_property (clipfilter, name, &value);
}

/* New values first: of prompts and prompts-file the one set last would count
 * if it were not for its being unset. */
void
camera_plan_apply (
    const CameraPlan *plan, const CameraPlan *before, GObject *clipfilter)
{
  gboolean rewritten = before != NULL && plan->stamp != NULL &&
                       g_strcmp0 (plan->stamp, before->stamp) != 0;
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, plan->properties);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    if (before == NULL || g_strcmp0 (get_property (before, name), value) != 0 ||
        (rewritten && g_strcmp0 (name, "prompts-file") == 0))
      apply_property (clipfilter, name, value);
  }
  if (before == NULL)
    return;
  g_hash_table_iter_init (&iter, before->properties);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    if (get_property (plan, name) == NULL)
      apply_property (clipfilter, name, NULL);
  }
}

/* Of the properties in @one that have another value, or none, in @other. */
static CameraChange
compare_properties (const CameraPlan *one, const CameraPlan *other)
{
  CameraChange change = CAMERA_CHANGE_NONE;
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, one->properties);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    if (g_strcmp0 (get_property (other, name), value) == 0)
      continue;
    if (!is_mutable (name))
      return CAMERA_CHANGE_FILTER;
    change = CAMERA_CHANGE_PROPERTIES;
  }
  return change;
}

CameraChange
camera_plan_compare (const CameraPlan *before, const CameraPlan *after)
{
  CameraChange change = MAX (
      compare_properties (before, after), compare_properties (after, before));

  if (g_strcmp0 (before->uri, after->uri) != 0 || before->loop != after->loop ||
      before->keyframes != after->keyframes || before->tcp != after->tcp ||
      before->latency != after->latency ||
      before->decoder_threads != after->decoder_threads ||
      before->max_lag != after->max_lag)
    return MAX (change, CAMERA_CHANGE_SOURCE);
  if (before->timeout != after->timeout ||
      g_strcmp0 (before->stamp, after->stamp) != 0)
    return MAX (change, CAMERA_CHANGE_PROPERTIES);
  return change;
}
