/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/**
 * SECTION:element-clippublish
 * @title: clippublish
 * @short_description: prints clipfilter's results to a file or to stdout
 *
 * Passes everything through untouched and prints each new result of the
 * #clipfilter elements upstream once: one JSON object a line, or one line for
 * a person. It reads the events "clipfilter-result", so it may stand anywhere
 * downstream, also behind encoders; a line is complete in the file when the
 * frame it belongs to goes on. Who reads from a pipe is waited for while the
 * element runs, and no longer: where it is stopped meanwhile, the line ends
 * where it is.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -q videotestsrc num-buffers=30 ! clipfilter ! clippublish
 * location=- ! fakesink
 * ]| One record a frame on standard output.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! clipfilter prompts="a person | an
 * empty room" ! clippublish location=tags.jsonl append=true ! autovideosink
 * ]| Keeps a record of a camera.
 */
#include "gstclippublish.h"

#include "gstclipdebug.h"
#include "gstclipproperties.h"
#include "gstcliprecord.h"
#include "gstclipresult.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GST_CAT_DEFAULT gst_clip_debug

#define FILE_MODE 0666 /* less the umask */

typedef enum {
  FORMAT_JSON,
  FORMAT_TEXT
} Format;

struct _GstClipPublish {
  GstBaseTransform parent;

  /* Under the object lock. */
  gchar *location;
  gint format;
  gboolean append;

  /* Between start() and stop(). */
  gint fd; /* -1: closed, or given up after an error */
  gboolean owns_fd;
  gsize piece;   /* bytes that can be written without blocking, if any can */
  GstPoll *poll; /* waits until they can; flushing on the way to READY */
};

static GType
get_format_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { FORMAT_JSON, "One JSON object a line", "json" },
    { FORMAT_TEXT, "One line for a person: time, prompts, probabilities",
        "text" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstClipPublishFormat", values));
  return type;
}

#define FIELD(name) G_STRUCT_OFFSET (GstClipPublish, name)
#define READY_FLAGS (G_PARAM_READWRITE | GST_PARAM_MUTABLE_READY)

static const GstClipProperty properties[] = {
  { "location", "Location",
      "Where results are written: a path, or '-' for standard output. Must be "
      "set. Default: not set. Changeable in NULL and READY",
      .kind = GST_CLIP_STRING, .offset = FIELD (location),
      .flags = READY_FLAGS },
  { "format", "Format",
      "How results are written, one a line. Default: json. Changeable at any "
      "time, from the next result on",
      .kind = GST_CLIP_ENUM, .get_type = get_format_type,
      .initial = FORMAT_JSON, .offset = FIELD (format),
      .flags = G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING },
  { "append", "Append",
      "Whether results are added to what the file holds, instead of beginning "
      "it anew. Default: false. Changeable in NULL and READY",
      .kind = GST_CLIP_BOOLEAN, .initial = FALSE, .offset = FIELD (append),
      .flags = READY_FLAGS },
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_TYPE (GstClipPublish, gst_clip_publish, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (
    clippublish, "clippublish", GST_RANK_NONE, GST_TYPE_CLIP_PUBLISH)

static void
close_output (GstClipPublish *self)
{
  if (self->owns_fd && self->fd >= 0)
    g_close (self->fd, NULL);
  self->fd = -1;
}

/* A pipe that nobody reads is not waited for. */
static gboolean
open_output (GstClipPublish *self, const gchar *location, gboolean append)
{
  GstPollFD poll_fd = GST_POLL_FD_INIT;
  struct stat status;

  self->owns_fd = strcmp (location, "-") != 0;
  self->fd = STDOUT_FILENO;
  if (self->owns_fd)
    self->fd = g_open (location,
        O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK |
            (append ? O_APPEND : O_TRUNC),
        FILE_MODE);
  self->poll = self->fd >= 0 ? gst_poll_new (TRUE) : NULL;
  if (self->poll == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
        ("Cannot open '%s' for writing: %s.", location,
            errno == ENXIO ? "nobody reads this pipe" : g_strerror (errno)),
        (NULL));
    close_output (self);
    return FALSE;
  }
  poll_fd.fd = self->fd;
  gst_poll_add_fd (self->poll, &poll_fd);
  gst_poll_fd_ctl_write (self->poll, &poll_fd, TRUE);
  self->piece = fstat (self->fd, &status) == 0 && S_ISREG (status.st_mode)
                    ? G_MAXSSIZE
                    : PIPE_BUF;
  return TRUE;
}

static gboolean
gst_clip_publish_start (GstBaseTransform *trans)
{
  GstClipPublish *self = GST_CLIP_PUBLISH (trans);
  g_autofree gchar *location = NULL;
  gboolean append;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->location);
  append = self->append;
  GST_OBJECT_UNLOCK (self);

  if (location == NULL || *location == '\0') {
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
        ("The property 'location' is not set: give a path, or '-' for "
         "standard output."),
        (NULL));
    return FALSE;
  }
  if (!open_output (self, location, append))
    return FALSE;
  GST_INFO_OBJECT (self, "writing results to '%s'", location);
  return TRUE;
}

static gboolean
gst_clip_publish_stop (GstBaseTransform *trans)
{
  GstClipPublish *self = GST_CLIP_PUBLISH (trans);

  close_output (self);
  g_clear_pointer (&self->poll, gst_poll_free);
  return TRUE;
}

static GstStateChangeReturn
gst_clip_publish_change_state (GstElement *element, GstStateChange transition)
{
  GstClipPublish *self = GST_CLIP_PUBLISH (element);

  /* Not in stop(), which comes when the streaming thread has let go. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY && self->poll != NULL)
    gst_poll_set_flushing (self->poll, TRUE);
  return GST_ELEMENT_CLASS (gst_clip_publish_parent_class)
      ->change_state (element, transition);
}

/* Returns: FALSE with errno: EBUSY where the element is being stopped. */
static gboolean
write_all (GstClipPublish *self, const gchar *bytes, gsize size)
{
  while (size > 0) {
    gssize n = gst_poll_wait (self->poll, GST_CLOCK_TIME_NONE);

    if (n > 0)
      n = write (self->fd, bytes, MIN (size, self->piece));
    if (n < 0 && errno != EINTR && errno != EAGAIN)
      return FALSE;
    if (n > 0) {
      bytes += n;
      size -= n;
    }
  }
  return TRUE;
}

static void
publish_entry (GstClipPublish *self, Format format, const GstStructure *entry)
{
  g_autofree gchar *record = format == FORMAT_JSON
                                 ? gst_clip_record_to_json (entry)
                                 : gst_clip_record_to_text (entry);
  g_autofree gchar *line = g_strconcat (record, "\n", NULL);

  if (self->fd < 0 || write_all (self, line, strlen (line)) || errno == EBUSY)
    return;
  GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
      ("Cannot write a result: %s.", g_strerror (errno)), (NULL));
  close_output (self);
}

static void
publish_results (GstClipPublish *self, const GstStructure *structure)
{
  const GValue *results = gst_structure_get_value (structure, "results");
  Format format;

  if (results == NULL || !GST_VALUE_HOLDS_ARRAY (results))
    return;
  GST_OBJECT_LOCK (self);
  format = self->format;
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < gst_value_array_get_size (results); i++) {
    const GValue *entry = gst_value_array_get_value (results, i);

    if (GST_VALUE_HOLDS_STRUCTURE (entry))
      publish_entry (self, format, gst_value_get_structure (entry));
  }
}

static gboolean
gst_clip_publish_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  if (gst_event_has_name (event, GST_CLIP_RESULT_EVENT))
    publish_results (GST_CLIP_PUBLISH (trans), gst_event_get_structure (event));
  return GST_BASE_TRANSFORM_CLASS (gst_clip_publish_parent_class)
      ->sink_event (trans, event);
}

static void
gst_clip_publish_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  gst_clip_properties_set (GST_ELEMENT (object), &properties[id - 1], value);
}

static void
gst_clip_publish_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  gst_clip_properties_get (GST_ELEMENT (object), &properties[id - 1], value);
}

static void
gst_clip_publish_finalize (GObject *object)
{
  gst_clip_properties_clear (
      GST_ELEMENT (object), properties, G_N_ELEMENTS (properties));
  G_OBJECT_CLASS (gst_clip_publish_parent_class)->finalize (object);
}

static void
gst_clip_publish_class_init (GstClipPublishClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);

  element_class->change_state = gst_clip_publish_change_state;
  object_class->set_property = gst_clip_publish_set_property;
  object_class->get_property = gst_clip_publish_get_property;
  object_class->finalize = gst_clip_publish_finalize;
  gst_clip_properties_install (
      object_class, properties, G_N_ELEMENTS (properties));
  gst_type_mark_as_plugin_api (get_format_type (), 0);

  gst_element_class_set_static_metadata (element_class, "CLIP result publisher",
      "Generic",
      "Prints clipfilter's results, one a line, to a file or to standard "
      "output, and passes everything through",
      "the clipfilter authors");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  transform_class->start = gst_clip_publish_start;
  transform_class->stop = gst_clip_publish_stop;
  transform_class->sink_event = gst_clip_publish_sink_event;
}

static void
gst_clip_publish_init (GstClipPublish *self)
{
  self->fd = -1;
  gst_clip_properties_init (
      GST_ELEMENT (self), properties, G_N_ELEMENTS (properties));
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
}
