/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "lines.h"

#include <jansson.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_t, json_decref)

/* --- writing --- */

/* (transfer full) @object */
static gchar *
finish (json_t *object)
{
  char *text = json_dumps (object, JSON_COMPACT);
  gchar *line = g_strconcat (text, "\n", NULL);

  free (text);
  json_decref (object);
  return line;
}

static json_t *
begin (const gchar *news, const gchar *camera)
{
  json_t *object = json_object ();

  json_object_set_new (object, "news", json_string (news));
  if (camera != NULL)
    json_object_set_new (object, "camera", json_string (camera));
  return object;
}

static void
set_count (json_t *object, const gchar *key, guint64 count)
{
  json_object_set_new (object, key, json_integer ((json_int_t)count));
}

gchar *
camera_lines_write_result (const CameraResult *result)
{
  json_t *object = begin ("result", result->name);
  g_autofree gchar *line = NULL;

  set_count (object, "age", result->age);
  if (result->best != NULL)
    json_object_set_new (object, "best", json_string (result->best));
  json_object_set_new (object, "probability", json_real (result->probability));
  line = finish (object);
  return g_strconcat (line, result->record, "\n", NULL);
}

gchar *
camera_lines_write_status (const CameraStatus *status)
{
  json_t *object = begin ("status", status->name);
  json_t *skipped = json_array ();

  set_count (object, "state", status->state);
  set_count (object, "frames", status->frames);
  set_count (object, "reconnects", status->reconnects);
  for (guint i = 0; i < CAMERA_N_SKIPS; i++)
    json_array_append_new (
        skipped, json_integer ((json_int_t)status->skipped[i]));
  json_object_set_new (object, "skipped", skipped);
  return finish (object);
}

gchar *
camera_lines_write_sentence (const gchar *name, const gchar *sentence)
{
  json_t *object = begin ("sentence", name);
  g_autofree gchar *valid = g_utf8_make_valid (sentence, -1);

  json_object_set_new (object, "sentence", json_string (valid));
  return finish (object);
}

gchar *
camera_lines_write_cpu (gdouble seconds)
{
  json_t *object = begin ("cpu", NULL);

  json_object_set_new (object, "seconds", json_real (seconds));
  return finish (object);
}

gchar *
camera_lines_write_file (const gchar *text)
{
  json_t *object = json_object ();

  json_object_set_new (object, "text", json_string (text));
  return finish (object);
}

/* --- reading --- */

static const gchar *
get_string (const json_t *object, const gchar *key)
{
  return json_string_value (json_object_get (object, key));
}

static guint64
get_count (const json_t *object, const gchar *key)
{
  return (guint64)json_integer_value (json_object_get (object, key));
}

static void
read_status (CameraLineReader *reader, const json_t *object)
{
  CameraStatus status = {
    .name = get_string (object, "camera"),
    .state = MIN (get_count (object, "state"), CAMERA_N_STATES - 1),
    .frames = get_count (object, "frames"),
    .reconnects = get_count (object, "reconnects"),
  };
  const json_t *skipped = json_object_get (object, "skipped");

  for (guint i = 0; i < CAMERA_N_SKIPS; i++)
    status.skipped[i] =
        (guint64)json_integer_value (json_array_get (skipped, i));
  if (status.name != NULL)
    reader->listener->status (&status, reader->listener->data);
}

static void
read_sentence (CameraLineReader *reader, const json_t *object)
{
  const gchar *sentence = get_string (object, "sentence");

  if (sentence != NULL)
    reader->listener->say (
        get_string (object, "camera"), sentence, reader->listener->data);
}

static void
read_cpu (CameraLineReader *reader, const json_t *object)
{
  reader->cpu (
      json_number_value (json_object_get (object, "seconds")), reader->data);
}

static gboolean
read_record (CameraLineReader *reader, const gchar *record)
{
  g_autoptr (json_t) object = g_steal_pointer (&reader->result);
  CameraResult result = { .record = record };

  result.name = get_string (object, "camera");
  result.age = get_count (object, "age");
  result.best = get_string (object, "best");
  result.probability =
      json_number_value (json_object_get (object, "probability"));
  if (result.name != NULL)
    reader->listener->result (&result, reader->listener->data);
  return result.name != NULL;
}

static const struct {
  const gchar *news;
  void (*read) (CameraLineReader *reader, const json_t *object);
} kinds[] = {
  { "status", read_status },
  { "sentence", read_sentence },
  { "cpu", read_cpu },
};

void
camera_lines_clear (CameraLineReader *reader)
{
  g_clear_pointer (&reader->result, json_decref);
}

gboolean
camera_lines_read (CameraLineReader *reader, const gchar *line)
{
  g_autoptr (json_t) object = NULL;
  const gchar *news;

  if (reader->result != NULL)
    return read_record (reader, line);
  object = json_loads (line, 0, NULL);
  news = get_string (object, "news");
  if (g_strcmp0 (news, "result") == 0) {
    reader->result = g_steal_pointer (&object);
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (g_strcmp0 (news, kinds[i].news) != 0)
      continue;
    kinds[i].read (reader, object);
    return TRUE;
  }
  return FALSE;
}

gchar *
camera_lines_read_file (const gchar *line)
{
  g_autoptr (json_t) object = json_loads (line, 0, NULL);

  return g_strdup (get_string (object, "text"));
}
