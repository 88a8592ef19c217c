/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipproperties.h"

#include "gstclipdebug.h"

#define GST_CAT_DEFAULT gst_clip_debug

/* How values of one kind are declared and copied. */
typedef struct {
  GParamSpec *(*make) (const GstClipProperty *row, GParamFlags flags);
  void (*set) (gpointer field, const GValue *value);
  void (*get) (gconstpointer field, GValue *value);
} Kind;

static GParamSpec *
make_string (const GstClipProperty *row, GParamFlags flags)
{
  return g_param_spec_string (row->name, row->nick, row->blurb, NULL, flags);
}

static void
set_string (gpointer field, const GValue *value)
{
  g_free (*(gchar **)field);
  *(gchar **)field = g_value_dup_string (value);
}

static void
get_string (gconstpointer field, GValue *value)
{
  g_value_set_string (value, *(gchar *const *)field);
}

static GParamSpec *
make_uint (const GstClipProperty *row, GParamFlags flags)
{
  return g_param_spec_uint (row->name, row->nick, row->blurb, row->minimum,
      row->maximum, row->initial, flags);
}

static void
set_uint (gpointer field, const GValue *value)
{
  *(guint *)field = g_value_get_uint (value);
}

static void
get_uint (gconstpointer field, GValue *value)
{
  g_value_set_uint (value, *(const guint *)field);
}

static GParamSpec *
make_time (const GstClipProperty *row, GParamFlags flags)
{
  return g_param_spec_uint64 (
      row->name, row->nick, row->blurb, 0, G_MAXUINT64, row->initial, flags);
}

static void
set_time (gpointer field, const GValue *value)
{
  *(guint64 *)field = g_value_get_uint64 (value);
}

static void
get_time (gconstpointer field, GValue *value)
{
  g_value_set_uint64 (value, *(const guint64 *)field);
}

static GParamSpec *
make_double (const GstClipProperty *row, GParamFlags flags)
{
  return g_param_spec_double (row->name, row->nick, row->blurb, row->minimum,
      row->maximum, row->initial, flags);
}

static void
set_double (gpointer field, const GValue *value)
{
  *(gdouble *)field = g_value_get_double (value);
}

static void
get_double (gconstpointer field, GValue *value)
{
  g_value_set_double (value, *(const gdouble *)field);
}

static GParamSpec *
make_fraction (const GstClipProperty *row, GParamFlags flags)
{
  return gst_param_spec_fraction (row->name, row->nick, row->blurb,
      row->minimum, 1, row->maximum, 1, row->initial, 1, flags);
}

static void
set_fraction (gpointer field, const GValue *value)
{
  GstClipFraction *fraction = field;

  fraction->n = gst_value_get_fraction_numerator (value);
  fraction->d = gst_value_get_fraction_denominator (value);
}

static void
get_fraction (gconstpointer field, GValue *value)
{
  const GstClipFraction *fraction = field;

  gst_value_set_fraction (value, fraction->n, fraction->d);
}

static GParamSpec *
make_boolean (const GstClipProperty *row, GParamFlags flags)
{
  return g_param_spec_boolean (
      row->name, row->nick, row->blurb, row->initial, flags);
}

static void
set_boolean (gpointer field, const GValue *value)
{
  *(gboolean *)field = g_value_get_boolean (value);
}

static void
get_boolean (gconstpointer field, GValue *value)
{
  g_value_set_boolean (value, *(const gboolean *)field);
}

static GParamSpec *
make_enum (const GstClipProperty *row, GParamFlags flags)
{
  return g_param_spec_enum (
      row->name, row->nick, row->blurb, row->get_type (), row->initial, flags);
}

static void
set_enum (gpointer field, const GValue *value)
{
  *(gint *)field = g_value_get_enum (value);
}

static void
get_enum (gconstpointer field, GValue *value)
{
  g_value_set_enum (value, *(const gint *)field);
}

static GParamSpec *
make_structure (const GstClipProperty *row, GParamFlags flags)
{
  return g_param_spec_boxed (
      row->name, row->nick, row->blurb, GST_TYPE_STRUCTURE, flags);
}

static const Kind kinds[] = {
  [GST_CLIP_STRING] = { make_string, set_string, get_string },
  [GST_CLIP_UINT] = { make_uint, set_uint, get_uint },
  [GST_CLIP_TIME] = { make_time, set_time, get_time },
  [GST_CLIP_DOUBLE] = { make_double, set_double, get_double },
  [GST_CLIP_FRACTION] = { make_fraction, set_fraction, get_fraction },
  [GST_CLIP_BOOLEAN] = { make_boolean, set_boolean, get_boolean },
  [GST_CLIP_ENUM] = { make_enum, set_enum, get_enum },
  [GST_CLIP_STRUCTURE] = { make_structure, NULL, NULL },
};

void
gst_clip_properties_install (
    GObjectClass *klass, const GstClipProperty *rows, guint n_rows)
{
  for (guint i = 0; i < n_rows; i++) {
    const GstClipProperty *row = &rows[i];

    g_object_class_install_property (klass, i + 1,
        kinds[row->kind].make (row, row->flags | G_PARAM_STATIC_STRINGS));
  }
}

void
gst_clip_properties_init (
    GstElement *element, const GstClipProperty *rows, guint n_rows)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (element);

  for (guint i = 0; i < n_rows; i++) {
    GParamSpec *pspec = g_object_class_find_property (klass, rows[i].name);

    if (kinds[rows[i].kind].set != NULL)
      kinds[rows[i].kind].set (G_STRUCT_MEMBER_P (element, rows[i].offset),
          g_param_spec_get_default_value (pspec));
  }
}

void
gst_clip_properties_clear (
    GstElement *element, const GstClipProperty *rows, guint n_rows)
{
  for (guint i = 0; i < n_rows; i++) {
    if (rows[i].kind == GST_CLIP_STRING)
      g_clear_pointer (
          &G_STRUCT_MEMBER (gchar *, element, rows[i].offset), g_free);
  }
}

void
gst_clip_properties_set (
    GstElement *element, const GstClipProperty *row, const GValue *value)
{
  GstState state;

  GST_OBJECT_LOCK (element);
  kinds[row->kind].set (G_STRUCT_MEMBER_P (element, row->offset), value);
  state = GST_STATE (element);
  GST_OBJECT_UNLOCK (element);

  if (state > GST_STATE_READY && !(row->flags & GST_PARAM_MUTABLE_PLAYING))
    GST_WARNING_OBJECT (element,
        "'%s' was set while running: it takes effect when the element is "
        "started again",
        row->name);
  if (row->changed != NULL)
    row->changed (element, row);
}

void
gst_clip_properties_get (
    GstElement *element, const GstClipProperty *row, GValue *value)
{
  GST_OBJECT_LOCK (element);
  kinds[row->kind].get (G_STRUCT_MEMBER_P (element, row->offset), value);
  GST_OBJECT_UNLOCK (element);
}

gchar **
gst_clip_properties_get_preset_names (const GstClipProperty *rows, guint n_rows)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; i < n_rows; i++) {
    if (rows[i].preset)
      g_strv_builder_add (names, rows[i].name);
  }
  return g_strv_builder_end (names);
}
