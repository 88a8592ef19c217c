/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What is told of cameras, in one process or from one to another. */
#pragma once

#include <gst/gst.h>

typedef enum {
  CAMERA_WAITING,  /* for its turn to start */
  CAMERA_STARTING, /* until the first frame */
  CAMERA_ON,
  CAMERA_FROZEN, /* on, and its picture does not change at all */
  CAMERA_BLANK,  /* on, and its picture is one plain colour */
  CAMERA_LOST,   /* tried again later */
  CAMERA_ENDED,  /* a file that does not loop */
  CAMERA_N_STATES
} CameraState;

/* "waiting", "starting" …; static. */
const gchar *camera_state_get_name (CameraState state);

/* Whether frames come. */
gboolean camera_state_is_up (CameraState state);

/* Why frames gave no result: clipfilter's reasons, and ours. */
typedef enum {
  CAMERA_SKIP_INTERVAL,
  CAMERA_SKIP_RATE,
  CAMERA_SKIP_GAP,
  CAMERA_SKIP_QOS,
  CAMERA_SKIP_BUSY,
  CAMERA_SKIP_UNCHANGED,
  CAMERA_SKIP_UNREADABLE,
  CAMERA_SKIP_FAILED,
  CAMERA_SKIP_CANCELLED,
  CAMERA_SKIP_KEYFRAMES, /* not decoded: decode=keyframes */
  CAMERA_SKIP_LAG,       /* not decoded: the machine was behind */
  CAMERA_N_SKIPS
} CameraSkip;

const gchar *camera_skip_get_name (CameraSkip skip);

/* Whether it was for want of speed or health, and not as asked for. */
gboolean camera_skip_is_trouble (CameraSkip skip);

/* Counts only grow. */
typedef struct {
  const gchar *name;
  CameraState state;
  guint64 frames; /* that were decoded */
  guint64 reconnects;
  guint64 skipped[CAMERA_N_SKIPS];
} CameraStatus;

typedef struct {
  const gchar *name;
  GstClockTime age;  /* of the frame, when its result came */
  const gchar *best; /* the most probable prompt, or NULL without prompts */
  gdouble probability;
  const gchar *record; /* README.md's JSON, without a newline */
} CameraResult;

/* Who is told; nothing is kept. */
typedef struct {
  /* Any thread, in the order of the camera's results. */
  void (*result) (const CameraResult *result, gpointer data);
  /* The main loop's thread. */
  void (*status) (const CameraStatus *status, gpointer data);
  void (*say) (const gchar *name, const gchar *sentence, gpointer data);
  gpointer data;
} CameraListener;
