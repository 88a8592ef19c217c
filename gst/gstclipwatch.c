/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstclipwatch.h"

#include "gstclipdebug.h"
#include "gstclipfilter.h"
#include "gstclipstructure.h"

#define GST_CAT_DEFAULT gst_clip_debug

/* How often absence is looked for in the time it has to last. */
#define LOOKS 4
#define MIN_PERIOD (50 * GST_MSECOND)
#define MAX_PERIOD GST_SECOND

static void
post (GstClipFilter *self, GstClipTrouble trouble, const GstClipSpell *spell,
    GstClockTime time)
{
  const gchar *name = gst_clip_trouble_get_name (trouble);
  GstClockTime duration = time > spell->since ? time - spell->since : 0;
  g_autofree gchar *source = NULL;
  GstStructure *structure;

  GST_OBJECT_LOCK (self);
  source = g_strdup (self->settings.source_id);
  GST_OBJECT_UNLOCK (self);
  structure = gst_structure_new (GST_CLIP_TROUBLE_MESSAGE, /* */
      "trouble", G_TYPE_STRING, name,                      /* */
      "active", G_TYPE_BOOLEAN, spell->told,               /* */
      "duration", G_TYPE_UINT64, duration, NULL);
  gst_clip_structure_set_string (structure, "source", source);
  GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT, structure);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

/* --- absence --- */

/* Files may take their time. In a thread of its own: a query may wait, the
 * clock's thread may not. */
static void
tell_absence (GstElement *element, gpointer user_data)
{
  GstClipFilter *self = GST_CLIP_FILTER (element);
  GstClockTime now = gst_util_get_timestamp ();
  GstClipSpell spell;
  gboolean live, tell;

  if (!gst_clip_filter_ask_if_live (self, &live) || !live)
    return;
  GST_OBJECT_LOCK (self);
  self->watch.absence.since = self->watch.last_frame;
  self->watch.absence.lasts = TRUE;
  tell = self->watch.timer != NULL && !self->watch.ended &&
         gst_clip_spell_note (
             &self->watch.absence, TRUE, now, self->settings.trouble_after);
  spell = self->watch.absence;
  GST_OBJECT_UNLOCK (self);
  if (tell)
    post (self, GST_CLIP_TROUBLE_ABSENT, &spell, now);
}

static gboolean
look (GstClock *clock, GstClockTime time, GstClockID id, gpointer user_data)
{
  GstClipFilter *self = user_data;
  const GstClipWatch *watch = &self->watch;
  gboolean overdue;

  GST_OBJECT_LOCK (self);
  overdue = !watch->ended && !watch->absence.told &&
            self->settings.trouble_after != 0 &&
            gst_util_get_timestamp () - watch->last_frame >=
                self->settings.trouble_after;
  GST_OBJECT_UNLOCK (self);
  if (overdue)
    gst_element_call_async (GST_ELEMENT (self), tell_absence, NULL, NULL);
  return TRUE;
}

void
gst_clip_watch_start (GstClipFilter *self)
{
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  GstClockTime period;
  GstClockID timer;

  GST_OBJECT_LOCK (self);
  period = self->settings.trouble_after / LOOKS;
  self->watch.last_frame = gst_util_get_timestamp ();
  GST_OBJECT_UNLOCK (self);
  if (period == 0)
    return;
  period = CLAMP (period, MIN_PERIOD, MAX_PERIOD);
  timer = gst_clock_new_periodic_id (
      clock, gst_clock_get_time (clock) + period, period);
  gst_clock_id_wait_async (
      timer, look, gst_object_ref (self), gst_object_unref);
  GST_OBJECT_LOCK (self);
  self->watch.timer = timer;
  GST_OBJECT_UNLOCK (self);
}

void
gst_clip_watch_stop (GstClipFilter *self)
{
  GstClockID timer;

  GST_OBJECT_LOCK (self);
  timer = g_steal_pointer (&self->watch.timer);
  GST_OBJECT_UNLOCK (self);
  if (timer == NULL)
    return;
  gst_clock_id_unschedule (timer);
  gst_clock_id_unref (timer);
}

static void
end_absence (GstClipFilter *self, GstClockTime now)
{
  GstClipSpell spell;
  gboolean tell;

  GST_OBJECT_LOCK (self);
  tell = gst_clip_spell_note (&self->watch.absence, FALSE, now, 0);
  spell = self->watch.absence;
  GST_OBJECT_UNLOCK (self);
  if (tell)
    post (self, GST_CLIP_TROUBLE_ABSENT, &spell, now);
}

void
gst_clip_watch_frame (GstClipFilter *self)
{
  GstClipWatch *watch = &self->watch;
  GstClockTime now = gst_util_get_timestamp ();

  GST_OBJECT_LOCK (self);
  watch->ended = FALSE;
  watch->last_frame = now;
  GST_OBJECT_UNLOCK (self);
  end_absence (self, now);
}

void
gst_clip_watch_begin (GstClipFilter *self)
{
  GST_OBJECT_LOCK (self);
  self->watch.ended = FALSE;
  self->watch.last_frame = gst_util_get_timestamp ();
  GST_OBJECT_UNLOCK (self);
}

void
gst_clip_watch_end (GstClipFilter *self)
{
  GST_OBJECT_LOCK (self);
  self->watch.ended = TRUE;
  GST_OBJECT_UNLOCK (self);
}

/* --- what is seen --- */

void
gst_clip_watch_picture (GstClipFilter *self, const ClipSignature *signature,
    GstClockTime time, GstClockTime patience)
{
  GstClipScene *scene = &self->watch.scene;
  gboolean changed[GST_CLIP_TROUBLE_ABSENT];

  gst_clip_scene_note (scene, signature, time, patience, changed);
  for (guint i = 0; i < G_N_ELEMENTS (changed); i++) {
    if (changed[i])
      post (self, i, &scene->spells[i], time);
  }
}

void
gst_clip_watch_close (GstClipFilter *self)
{
  GstClipScene *scene = &self->watch.scene;
  GstClockTime time =
      GST_CLOCK_TIME_IS_VALID (self->last_time) ? self->last_time : 0;

  end_absence (self, gst_util_get_timestamp ());
  for (guint i = 0; i < G_N_ELEMENTS (scene->spells); i++) {
    if (gst_clip_spell_note (&scene->spells[i], FALSE, time, 0))
      post (self, i, &scene->spells[i], time);
  }
  *scene = (GstClipScene){ 0 };
}
