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
  for (guint i = 0; i < n_rows; i++) {
    if (rows[i].kind != GST_CLIP_STRING && rows[i].kind != GST_CLIP_STRUCTURE)
      G_STRUCT_MEMBER (gint, element, rows[i].offset) = rows[i].initial;
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
