/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstcliprecord.h"

#include <math.h>
#include <string.h>

/* Nine significant digits name one float32 and no other. */
#define FLOAT_FORMAT "%.9g"

static void write_value (GString *json, const GValue *value);
static void write_structure (GString *json, const GstStructure *structure);

static void
write_string (GString *json, const gchar *string)
{
  static const gchar plain[] = "\"\\\b\f\n\r\t";
  static const gchar letters[] = "\"\\bfnrt";
  g_autofree gchar *valid =
      g_utf8_make_valid (string != NULL ? string : "", -1);

  g_string_append_c (json, '"');
  for (const gchar *c = valid; *c != '\0'; c++) {
    const gchar *special = strchr (plain, *c);

    if (special != NULL)
      g_string_append_printf (json, "\\%c", letters[special - plain]);
    else if ((guchar)*c < 0x20 || *c == 0x7f)
      g_string_append_printf (json, "\\u%04x", (guint)*c);
    else
      g_string_append_c (json, *c);
  }
  g_string_append_c (json, '"');
}

static void
write_number (GString *json, gdouble number)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  if (isfinite (number))
    g_string_append (
        json, g_ascii_formatd (text, sizeof text, FLOAT_FORMAT, number));
  else
    g_string_append (json, "null");
}

static void
write_array (GString *json, const GValue *array)
{
  g_string_append_c (json, '[');
  for (guint i = 0; i < gst_value_array_get_size (array); i++) {
    if (i > 0)
      g_string_append_c (json, ',');
    write_value (json, gst_value_array_get_value (array, i));
  }
  g_string_append_c (json, ']');
}

/* A buffer of little-endian float32. */
static void
write_floats (GString *json, GstBuffer *buffer)
{
  GstMapInfo map;

  g_string_append_c (json, '[');
  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    for (gsize at = 0; at + sizeof (gfloat) <= map.size;
         at += sizeof (gfloat)) {
      if (at > 0)
        g_string_append_c (json, ',');
      write_number (json, GST_READ_FLOAT_LE (map.data + at));
    }
    gst_buffer_unmap (buffer, &map);
  }
  g_string_append_c (json, ']');
}

static void
write_value (GString *json, const GValue *value)
{
  if (G_VALUE_HOLDS_STRING (value))
    write_string (json, g_value_get_string (value));
  else if (G_VALUE_HOLDS_UINT64 (value))
    g_string_append_printf (
        json, "%" G_GUINT64_FORMAT, g_value_get_uint64 (value));
  else if (G_VALUE_HOLDS_UINT (value))
    g_string_append_printf (json, "%u", g_value_get_uint (value));
  else if (G_VALUE_HOLDS_INT (value))
    g_string_append_printf (json, "%d", g_value_get_int (value));
  else if (G_VALUE_HOLDS_DOUBLE (value))
    write_number (json, g_value_get_double (value));
  else if (GST_VALUE_HOLDS_ARRAY (value))
    write_array (json, value);
  else if (GST_VALUE_HOLDS_STRUCTURE (value))
    write_structure (json, gst_value_get_structure (value));
  else if (GST_VALUE_HOLDS_BUFFER (value))
    write_floats (json, gst_value_get_buffer (value));
  else
    g_string_append (json, "null");
}

static void
write_structure (GString *json, const GstStructure *structure)
{
  g_string_append_c (json, '{');
  for (gint i = 0; i < gst_structure_n_fields (structure); i++) {
    const gchar *name = gst_structure_nth_field_name (structure, i);

    if (i > 0)
      g_string_append_c (json, ',');
    write_string (json, name);
    g_string_append_c (json, ':');
    write_value (json, gst_structure_get_value (structure, name));
  }
  g_string_append_c (json, '}');
}

gchar *
gst_clip_record_to_json (const GstStructure *entry)
{
  GString *json = g_string_new (NULL);

  write_structure (json, entry);
  return g_string_free (json, FALSE);
}

/* --- for a person --- */

static void
write_clean (GString *line, const gchar *text)
{
  g_autofree gchar *clean = g_strdup (text != NULL ? text : "");

  g_string_append (line, g_strdelimit (clean, "\n\r\t\v\f\x1b", ' '));
}

static void
write_prompts (GString *line, const GValue *prompts)
{
  for (guint i = 0; i < gst_value_array_get_size (prompts); i++) {
    const GstStructure *prompt =
        gst_value_get_structure (gst_value_array_get_value (prompts, i));
    gdouble probability = 0.0;
    gchar percent[G_ASCII_DTOSTR_BUF_SIZE];

    gst_structure_get_double (prompt, "probability", &probability);
    g_string_append (line, i > 0 ? ", " : " ");
    write_clean (line, gst_structure_get_string (prompt, "text"));
    g_string_append_printf (line, " %s%%",
        g_ascii_formatd (percent, sizeof percent, "%.1f", 100 * probability));
  }
}

gchar *
gst_clip_record_to_text (const GstStructure *entry)
{
  GString *line = g_string_new (NULL);
  const GValue *prompts = gst_structure_get_value (entry, "prompts");
  const gchar *source = gst_structure_get_string (entry, "source");
  GstClockTime time;

  if (gst_structure_get_uint64 (entry, "running-time", &time) ||
      gst_structure_get_uint64 (entry, "timestamp", &time))
    g_string_append_printf (line, "%u:%02u:%02u.%03u",
        (guint)(time / (GST_SECOND * 60 * 60)),
        (guint)(time / (GST_SECOND * 60) % 60), (guint)(time / GST_SECOND % 60),
        (guint)(time % GST_SECOND / GST_MSECOND));
  else
    g_string_append (line, "-:--:--.---");
  if (source != NULL) {
    g_string_append_c (line, ' ');
    write_clean (line, source);
    g_string_append_c (line, ':');
  }
  if (prompts != NULL && GST_VALUE_HOLDS_ARRAY (prompts))
    write_prompts (line, prompts);
  else
    g_string_append (line, " (no prompts)");
  return g_string_free (line, FALSE);
}
