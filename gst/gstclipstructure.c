/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipstructure.h"

void
gst_clip_structure_set_string (
    GstStructure *structure, const gchar *name, const gchar *value)
{
  g_autofree gchar *valid = NULL;

  if (value == NULL)
    return;
  if (!g_utf8_validate (value, -1, NULL))
    value = valid = g_utf8_make_valid (value, -1);
  gst_structure_set (structure, name, G_TYPE_STRING, value, NULL);
}
