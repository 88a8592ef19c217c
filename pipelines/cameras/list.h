/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The file of cameras: a group a camera, and a group "defaults" for all. */
#pragma once

#include "plan.h"

/* Returns: (transfer full): what @path holds; NULL with
 *   CAMERA_LIST_ERROR_READ. */
gchar *camera_list_read (const gchar *path, GError **error);

/* clipfilter has to be on GStreamer's path: its properties are keys.
 *
 * @text: what the file holds
 * @path: its name, for errors; paths in it are relative to its folder
 * @keyframes: how cameras are decoded that do not say
 *
 * Returns: (transfer full) (element-type CameraPlan): in the file's order; NULL
 *   with CAMERA_LIST_ERROR, whose message names file, group, key, value and
 *   what to do. */
GPtrArray *camera_list_parse (
    const gchar *text, const gchar *path, gboolean keyframes, GError **error);

/* Files that the cameras name and that people edit, once each.
 *
 * Returns: (transfer full) (element-type filename) */
GPtrArray *camera_list_get_files (const GPtrArray *plans);

/* NULL where there is none of that name. */
CameraPlan *camera_list_find (const GPtrArray *plans, const gchar *name);

/* Which of @n processes takes the camera; the same in every run. */
guint camera_list_get_share (const gchar *name, guint n);
