/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "journal.h"

static void
write_frame (GString *journal, GstBuffer *buffer)
{
  const GstStructure *entry = frames_get_result (buffer, 0);

  if (entry == NULL)
    g_string_append (journal, "- ");
  else
    g_string_append_printf (journal, "%c%" G_GUINT64_FORMAT " ",
        *gst_structure_get_string (entry, "reason"),
        frames_get_uint64 (entry, "result"));
}

static void
write_event (GString *journal, GstEvent *event)
{
  if (gst_event_has_name (event, "clipfilter-result"))
    g_string_append_printf (journal, "!%" G_GUINT64_FORMAT " ",
        frames_get_uint64 (
            frames_get_entry (gst_event_get_structure (event), 0), "result"));
  else if (GST_EVENT_TYPE (event) == GST_EVENT_GAP)
    g_string_append (journal, "GAP ");
  else if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT_DONE)
    g_string_append (journal, "DONE ");
  else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    g_string_append (journal, "EOS ");
}

static GstPadProbeReturn
note (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    write_frame (user_data, GST_PAD_PROBE_INFO_BUFFER (info));
  else
    write_event (user_data, GST_PAD_PROBE_INFO_EVENT (info));
  return GST_PAD_PROBE_OK;
}

GString *
journal_new (GstHarness *harness)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (harness->element, "src");
  GString *journal = g_string_new (NULL);

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note,
      journal, NULL);
  return journal;
}

void
journal_end (GstHarness *harness, GString *journal, const gchar *expected)
{
  fail_unless_equals_string (journal->str, expected);
  frames_harness_free (harness);
  g_string_free (journal, TRUE);
}

void
journal_flush (GstHarness *harness)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_harness_push_event (harness, gst_event_new_flush_start ()));
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE)));
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_segment (&segment)));
}

void
journal_begin_segment (GstHarness *harness, gdouble rate)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  segment.start = 10 * GST_SECOND;
  segment.time = 100 * GST_SECOND;
  segment.base = 5 * GST_SECOND;
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_segment (&segment)));
}

void
journal_begin_stream (GstHarness *harness)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_stream_start ("next")));
  fail_unless (
      gst_harness_push_event (harness, gst_event_new_segment (&segment)));
}

void
journal_pass (GstHarness *harness, guint seed)
{
  gst_buffer_unref (frames_pass (harness, seed));
}
