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

/* Under the object lock, in which it was decided that it is to be told. */
static void
note (GstClipFilter *self, GstClipTrouble trouble, const GstClipSpell *spell,
    GstClockTime time)
{
  const gchar *name = gst_clip_trouble_get_name (trouble);
  GstClockTime duration = time > spell->since ? time - spell->since : 0;
  GstStructure *structure;

  structure = gst_structure_new (GST_CLIP_TROUBLE_MESSAGE, /* */
      "trouble", G_TYPE_STRING, name,                      /* */
      "active", G_TYPE_BOOLEAN, spell->told,               /* */
      "duration", G_TYPE_UINT64, duration, NULL);
  gst_clip_structure_set_string (structure, "source", self->settings.source_id);
  g_queue_push_tail (&self->watch.untold, structure);
}

static void
post (GstClipFilter *self, GstStructure *structure)
{
  GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT, structure);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

/* Posts what was noted, in that order and under no lock: who hears of it may
 * stop the element, or take long, and frames do not wait for that. One thread
 * at a time; another leaves what it noted to that one. */
static void
tell (GstClipFilter *self)
{
  GstClipWatch *watch = &self->watch;
  GstStructure *structure;

  GST_OBJECT_LOCK (self);
  if (!watch->telling) {
    watch->telling = TRUE;
    while ((structure = g_queue_pop_head (&watch->untold)) != NULL) {
      GST_OBJECT_UNLOCK (self);
      post (self, structure);
      GST_OBJECT_LOCK (self);
    }
    watch->telling = FALSE;
  }
  GST_OBJECT_UNLOCK (self);
}

/* --- absence --- */

/* Files may take their time. In a thread of its own: a query may wait, the
 * clock's thread may not. */
static void
tell_absence (GstElement *element, gpointer user_data)
{
  GstClipFilter *self = GST_CLIP_FILTER (element);
  GstClockTime now = gst_util_get_timestamp ();
  GstClipSpell *absence = &self->watch.absence;
  gboolean live;

  if (!gst_clip_filter_ask_if_live (self, &live) || !live)
    return;
  GST_OBJECT_LOCK (self);
  absence->since = self->watch.last_frame;
  absence->lasts = TRUE;
  if (self->watch.timer != NULL && !self->watch.ended &&
      gst_clip_spell_note (absence, TRUE, now, self->settings.trouble_after))
    note (self, GST_CLIP_TROUBLE_ABSENT, absence, now);
  GST_OBJECT_UNLOCK (self);
  tell (self);
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

/* Under the object lock. */
static void
end_spell (GstClipFilter *self, GstClipTrouble trouble, GstClipSpell *spell,
    GstClockTime time)
{
  if (gst_clip_spell_note (spell, FALSE, time, 0))
    note (self, trouble, spell, time);
}

void
gst_clip_watch_frame (GstClipFilter *self)
{
  GstClipWatch *watch = &self->watch;
  GstClockTime now = gst_util_get_timestamp ();

  GST_OBJECT_LOCK (self);
  watch->ended = FALSE;
  watch->last_frame = now;
  end_spell (self, GST_CLIP_TROUBLE_ABSENT, &watch->absence, now);
  GST_OBJECT_UNLOCK (self);
  tell (self);
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
  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < G_N_ELEMENTS (changed); i++) {
    if (changed[i])
      note (self, i, &scene->spells[i], time);
  }
  GST_OBJECT_UNLOCK (self);
  tell (self);
}

void
gst_clip_watch_close (GstClipFilter *self)
{
  GstClipScene *scene = &self->watch.scene;
  GstClockTime time =
      GST_CLOCK_TIME_IS_VALID (self->last_time) ? self->last_time : 0;

  GST_OBJECT_LOCK (self);
  end_spell (self, GST_CLIP_TROUBLE_ABSENT, &self->watch.absence,
      gst_util_get_timestamp ());
  for (guint i = 0; i < G_N_ELEMENTS (scene->spells); i++)
    end_spell (self, i, &scene->spells[i], time);
  GST_OBJECT_UNLOCK (self);
  tell (self);
  *scene = (GstClipScene){ 0 };
}
