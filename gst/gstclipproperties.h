/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Properties as tables: what an object offers, where it is kept, and one
 * generic set and get that only store. */
#pragma once

#include <gst/gst.h>

typedef struct {
  gint n, d;
} GstClipFraction;

typedef struct _GstClipProperty GstClipProperty;

struct _GstClipProperty {
  const gchar *name;
  const gchar *nick;
  const gchar *blurb;
  GType (*get_type) (void); /* NULL: by @kind */
  enum {
    GST_CLIP_STRING,
    GST_CLIP_UINT,
    GST_CLIP_TIME, /* guint64, nanoseconds */
    GST_CLIP_DOUBLE,
    GST_CLIP_FRACTION, /* GstClipFraction */
    GST_CLIP_BOOLEAN,
    GST_CLIP_ENUM,
    GST_CLIP_STRUCTURE /* read-only; the object answers it */
  } kind;
  guint minimum, maximum; /* of a UINT, DOUBLE or FRACTION: whole numbers */
  gint64 initial;         /* of all but strings, which begin as NULL */
  gsize offset;           /* in the instance */
  GParamFlags flags;
  gboolean preset; /* saved by GstPreset */
  /* (nullable): after the value was stored; no lock is held */
  void (*changed) (GstElement *element, const GstClipProperty *property);
};

/* Property ids are the rows' numbers, from 1. */
void gst_clip_properties_install (
    GObjectClass *klass, const GstClipProperty *rows, guint n_rows);

/* Stores the initial values of a new instance. */
void gst_clip_properties_init (
    GstElement *element, const GstClipProperty *rows, guint n_rows);

/* Names of the rows that GstPreset saves. (transfer full) */
gchar **gst_clip_properties_get_preset_names (
    const GstClipProperty *rows, guint n_rows);

/* Both take the object lock for the copy alone. */
void gst_clip_properties_set (
    GstElement *element, const GstClipProperty *row, const GValue *value);
void gst_clip_properties_get (
    GstElement *element, const GstClipProperty *row, GValue *value);

/* Frees the strings of an instance. */
void gst_clip_properties_clear (
    GstElement *element, const GstClipProperty *rows, guint n_rows);
