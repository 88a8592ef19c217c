/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "news.h"

static const gchar *const states[CAMERA_N_STATES] = {
  [CAMERA_WAITING] = "waiting",
  [CAMERA_STARTING] = "starting",
  [CAMERA_ON] = "on",
  [CAMERA_FROZEN] = "frozen",
  [CAMERA_BLANK] = "blank",
  [CAMERA_LOST] = "lost",
  [CAMERA_ENDED] = "ended",
};

static const struct {
  const gchar *name;
  gboolean trouble;
} skips[CAMERA_N_SKIPS] = {
  [CAMERA_SKIP_INTERVAL] = { "interval", FALSE },
  [CAMERA_SKIP_RATE] = { "rate", FALSE },
  [CAMERA_SKIP_GAP] = { "gap", FALSE },
  [CAMERA_SKIP_QOS] = { "qos", TRUE },
  [CAMERA_SKIP_BUSY] = { "busy", TRUE },
  [CAMERA_SKIP_UNCHANGED] = { "unchanged", FALSE },
  [CAMERA_SKIP_UNREADABLE] = { "unreadable", TRUE },
  [CAMERA_SKIP_FAILED] = { "failed", TRUE },
  [CAMERA_SKIP_CANCELLED] = { "cancelled", FALSE },
  [CAMERA_SKIP_KEYFRAMES] = { "keyframes", FALSE },
  [CAMERA_SKIP_LAG] = { "lag", TRUE },
};

const gchar *
camera_state_get_name (CameraState state)
{
  return states[state];
}

gboolean
camera_state_is_up (CameraState state)
{
  return state == CAMERA_ON || state == CAMERA_FROZEN || state == CAMERA_BLANK;
}

const gchar *
camera_skip_get_name (CameraSkip skip)
{
  return skips[skip].name;
}

gboolean
camera_skip_is_trouble (CameraSkip skip)
{
  return skips[skip].trouble;
}
