/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What the file of cameras says of one of them. */
#pragma once

#include <gst/gst.h>

#define CAMERA_LIST_ERROR (camera_list_error_quark ())

typedef enum {
  CAMERA_LIST_ERROR_READ,
  CAMERA_LIST_ERROR_SYNTAX, /* no key file, or a group twice */
  CAMERA_LIST_ERROR_VALUE   /* a key or a value that is not understood */
} CameraListError;

GQuark camera_list_error_quark (void);

/* Defaults applied; immutable once read, refcounted. */
typedef struct {
  gchar *name;            /* the group */
  gchar *uri;             /* what is played */
  gchar *shown_uri;       /* without its password */
  gboolean loop;          /* a file begins anew at its end */
  gboolean keyframes;     /* nothing else is decoded */
  gboolean tcp;           /* RTSP over TCP alone */
  guint decoder_threads;  /* 0 = as the decoder likes */
  guint latency;          /* of the jitter buffer, milliseconds */
  gdouble timeout;        /* seconds without frames: the camera is lost */
  gdouble max_lag;        /* seconds behind: decoding pauses until caught up */
  GHashTable *properties; /* clipfilter's: name to value, as text */
  gchar *stamp;           /* of the prompts file: differs when it does; NULL */
} CameraPlan;

CameraPlan *camera_plan_ref (CameraPlan *plan);
void camera_plan_unref (CameraPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CameraPlan, camera_plan_unref)

/* A plan as it is when nothing is said.
 *
 * @keyframes: how cameras are decoded that do not say */
CameraPlan *camera_plan_new (const gchar *name, gboolean keyframes);

/* Takes over one line of the file.
 *
 * @folder: what paths are relative to
 * @wanted: (out) (transfer full): on failure, what @key would have to be
 *
 * Returns: FALSE when the value is not understood, or no such key exists. */
gboolean camera_plan_set (CameraPlan *plan, const gchar *key,
    const gchar *value, const gchar *folder, gchar **wanted);

/* Returns: (transfer full): what will be done, for a person; lines */
gchar *camera_plan_describe (const CameraPlan *plan);

/* The model's threads, unless the file says: the part of the CPUs that one of
 * @n_processes has. Before the plan is used. */
void camera_plan_share_cpus (CameraPlan *plan, guint n_processes);

/* Nanoseconds from one result to the next that @plan asks for; 0 = none. */
GstClockTime camera_plan_get_period (const CameraPlan *plan);

/* Sets what differs from @before (NULL: from the defaults) at a clipfilter. */
void camera_plan_apply (
    const CameraPlan *plan, const CameraPlan *before, GObject *clipfilter);

typedef enum {
  CAMERA_CHANGE_NONE,
  CAMERA_CHANGE_PROPERTIES, /* that clipfilter takes while it runs */
  CAMERA_CHANGE_SOURCE,     /* the camera is connected anew */
  CAMERA_CHANGE_FILTER      /* clipfilter, too, is begun anew */
} CameraChange;

/* What it takes to get from @before to @after, of the same name. */
CameraChange camera_plan_compare (
    const CameraPlan *before, const CameraPlan *after);
