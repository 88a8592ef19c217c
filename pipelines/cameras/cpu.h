/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the process has used of its CPUs. */
#pragma once

#include <glib.h>

gdouble camera_cpu_get_seconds (void);
