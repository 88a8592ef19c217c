/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What can be told of a scene without the model: that it still looks as the
 * frame that was encoded, that the picture is frozen, that there is nothing to
 * see. Times are those of GstClipDue. */
#pragma once

#include "frame/frame.h"

#include <gst/gst.h>

/* The frame that was encoded last. Frames are compared with it and not with
 * each other, so that what changes slowly is seen in the end. */
typedef struct {
  gboolean valid;
  ClipSignature signature;
  GstClockTime time;
} GstClipReference;

typedef struct {
  gdouble threshold;    /* of clip_signature_compare(); 0 = never unchanged */
  GstClockTime longest; /* from then on it is encoded anyway; 0 = never */
} GstClipGate;

/* Whether a frame of @time need not be encoded. */
gboolean gst_clip_gate_is_unchanged (const GstClipGate *gate,
    const GstClipReference *reference, const ClipSignature *signature,
    GstClockTime time);

typedef enum {
  GST_CLIP_TROUBLE_FROZEN, /* picture after picture is the same to the bit */
  GST_CLIP_TROUBLE_BLANK,  /* one plain colour: dark, covered, blinded */
  GST_CLIP_TROUBLE_ABSENT, /* no frames come */
  GST_CLIP_N_TROUBLES
} GstClipTrouble;

/* "frozen", "blank" …; static. */
const gchar *gst_clip_trouble_get_name (GstClipTrouble trouble);

/* How long something has been so. */
typedef struct {
  gboolean lasts;
  gboolean told;
  GstClockTime since;
} GstClipSpell;

/* @patience: how long it has to last until it is told; 0 = never
 *
 * Returns: TRUE when it is to be told: once that it lasts, once that it is
 *   over; spell->told says which */
gboolean gst_clip_spell_note (GstClipSpell *spell, gboolean lasts,
    GstClockTime time, GstClockTime patience);

typedef struct {
  gboolean has_last;
  ClipSignature last;
  GstClipSpell spells[GST_CLIP_TROUBLE_ABSENT]; /* of what is seen */
} GstClipScene;

/* Another picture of the camera.
 *
 * @changed: (out): for each, whether it is to be told */
void gst_clip_scene_note (GstClipScene *scene, const ClipSignature *signature,
    GstClockTime time, GstClockTime patience,
    gboolean changed[GST_CLIP_TROUBLE_ABSENT]);

/* Time begins anew: what was told holds until a picture says otherwise. */
void gst_clip_scene_restart (GstClipScene *scene);
