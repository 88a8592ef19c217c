/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Text that came from outside, in structures. */
#pragma once

#include <gst/gst.h>

/* Structures take UTF-8 only, and say so on the terminal: other bytes become
 * replacement characters.
 *
 * @value: (nullable): NULL sets nothing */
void gst_clip_structure_set_string (
    GstStructure *structure, const gchar *name, const gchar *value);
