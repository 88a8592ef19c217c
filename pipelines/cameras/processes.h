/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The cameras spread over processes: what kills one, such as a decoder's
 * crash, leaves the others alone, and it is started again. */
#pragma once

#include "news.h"
#include "options.h"

typedef struct _CameraProcesses CameraProcesses;

/* Starts options->processes of them. In the main loop's thread, as all of
 * these.
 *
 * @listener: copied; all of it is called in the main loop's thread
 * @gone: called for each camera of a process that ended: its counts begin at 0
 */
CameraProcesses *camera_processes_new (const CameraOptions *options,
    const CameraListener *listener,
    void (*gone) (const gchar *name, gpointer data));

/* What the file says now, which has been read without an error.
 *
 * @plans: (element-type CameraPlan) */
void camera_processes_set (
    CameraProcesses *processes, const gchar *text, const GPtrArray *plans);

/* CPU seconds of all that run and ran, as told last. */
gdouble camera_processes_get_cpu_seconds (const CameraProcesses *processes);

/* Ends all and takes their last news; those that do not end in some seconds
 * are killed. */
void camera_processes_free (CameraProcesses *processes);
