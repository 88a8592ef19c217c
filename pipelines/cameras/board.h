/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What is known of all cameras, for the table, the metrics and the summary. */
#pragma once

#include "news.h"

/* One camera, as it stands now. */
typedef struct {
  gchar *name;
  CameraState state;
  gdouble seconds; /* that the counts are of */
  guint64 frames, results, reconnects;
  guint64 skipped[CAMERA_N_SKIPS];
  gdouble frame_rate, result_rate; /* a second, of the last few */

  gboolean has_result; /* if not, nothing below holds */
  gdouble age;         /* seconds since the frame of the newest result */
  gchar *best;         /* NULL without prompts */
  gdouble probability;
  gdouble age_p50, age_p99; /* seconds, when results came; within 5 %; only in
                               views since the mark, 0 in others */
} CameraView;

typedef struct _CameraBoard CameraBoard;

CameraBoard *camera_board_new (void);
void camera_board_free (CameraBoard *board);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CameraBoard, camera_board_free)

/* Which cameras there are, and in which order; counts of those that stay are
 * kept.
 *
 * @plans: (element-type CameraPlan) */
void camera_board_set (CameraBoard *board, const GPtrArray *plans);

/* What a camera's counts begin with from now on: whoever counted has gone, and
 * another begins at 0. */
void camera_board_begin_anew (CameraBoard *board, const gchar *name);

/* Any thread. News of a camera that is not on the board changes nothing. */
void camera_board_add_result (CameraBoard *board, const CameraResult *result);
void camera_board_set_status (CameraBoard *board, const CameraStatus *status);

/* Counts in camera_board_get_views() begin at 0 from here on, if they are
 * asked for @since_mark. */
void camera_board_mark (CameraBoard *board);

/* Returns: (transfer full) (element-type CameraView): copies, in the order of
 *   the file */
GArray *camera_board_get_views (CameraBoard *board, gboolean since_mark);
