/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipscene.h"

/* Of the full range, two and a half of 255 levels: the light on a plain wall
 * varies by more, the noise of a covered lens by less once cells average it. */
#define BLANK_CONTRAST 0.01

gboolean
gst_clip_gate_is_unchanged (const GstClipGate *gate,
    const GstClipReference *reference, const ClipSignature *signature,
    GstClockTime time)
{
  if (gate->threshold <= 0 || !reference->valid || time < reference->time)
    return FALSE;
  if (gate->longest != 0 && time - reference->time >= gate->longest)
    return FALSE;
  return clip_signature_compare (&reference->signature, signature) <=
         gate->threshold;
}

static const gchar *const trouble_names[] = {
  [GST_CLIP_TROUBLE_FROZEN] = "frozen",
  [GST_CLIP_TROUBLE_BLANK] = "blank",
  [GST_CLIP_TROUBLE_ABSENT] = "no-frames",
};

const gchar *
gst_clip_trouble_get_name (GstClipTrouble trouble)
{
  return trouble_names[trouble];
}

gboolean
gst_clip_spell_note (GstClipSpell *spell, gboolean lasts, GstClockTime time,
    GstClockTime patience)
{
  if (!lasts) {
    gboolean told = spell->told;

    spell->lasts = spell->told = FALSE;
    return told;
  }
  if (!spell->lasts || time < spell->since)
    spell->since = time;
  spell->lasts = TRUE;
  if (spell->told || patience == 0 || time - spell->since < patience)
    return FALSE;
  spell->told = TRUE;
  return TRUE;
}

void
gst_clip_scene_note (GstClipScene *scene, const ClipSignature *signature,
    GstClockTime time, GstClockTime patience,
    gboolean changed[GST_CLIP_TROUBLE_ABSENT])
{
  gboolean blank = clip_signature_get_contrast (signature) < BLANK_CONTRAST;
  /* A picture that shows nothing is in one trouble, not in two. */
  gboolean frozen = !blank && scene->has_last &&
                    clip_signature_compare (&scene->last, signature) == 0;

  scene->has_last = TRUE;
  scene->last = *signature;
  changed[GST_CLIP_TROUBLE_FROZEN] = gst_clip_spell_note (
      &scene->spells[GST_CLIP_TROUBLE_FROZEN], frozen, time, patience);
  changed[GST_CLIP_TROUBLE_BLANK] = gst_clip_spell_note (
      &scene->spells[GST_CLIP_TROUBLE_BLANK], blank, time, patience);
}

void
gst_clip_scene_restart (GstClipScene *scene)
{
  scene->has_last = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (scene->spells); i++)
    scene->spells[i].lasts = FALSE;
}
