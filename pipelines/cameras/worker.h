/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A process that watches a share of the cameras for another one: it is told
 * the file on stdin, whose end ends it, and tells its news on stdout. */
#pragma once

#include "options.h"

/* Returns: what the process ends with. */
int camera_worker_run (const CameraOptions *options);
