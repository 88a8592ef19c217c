/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* All cameras as a table. */
#pragma once

#include "board.h"

typedef struct {
  guint width;  /* columns at most */
  guint height; /* lines at most; 0 = as many as it takes */
  gboolean colour;
  gdouble cpus; /* that are busy with it; negative where unknown */
} CameraTableLook;

/* A line of headings, a line for each camera and one for all; where the height
 * does not allow that, cameras in trouble come first and a line counts the
 * rest.
 *
 * @views: (element-type CameraView)
 *
 * Returns: (transfer full): lines, each with a newline and, but for colours,
 *   no wider than the look says */
gchar *camera_table_draw (const GArray *views, const CameraTableLook *look);
