/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "advice.h"

#include <string.h>

#define DECODERS                                                               \
  "install gstreamer1.0-plugins-bad, gstreamer1.0-plugins-ugly or "            \
  "gstreamer1.0-libav"

typedef struct {
  const gchar *element; /* the prefix of a factory's name */
  const gchar *advice;
} ElementAdvice;

static const ElementAdvice elements[] = {
  { "clip",
      "run it through its script in pipelines/, or set GST_PLUGIN_PATH to the "
      "folder of libgstclip.so" },
  { "v4l2src", "install gstreamer1.0-plugins-good" },
  { "video", "install gstreamer1.0-plugins-base and -good" },
  { "", "install gstreamer1.0-plugins-base" },
};

gchar *
tag_advise_element (const gchar *element)
{
  guint i = 0;

  while (!g_str_has_prefix (element, elements[i].element))
    i++;
  return g_strdup_printf (
      "GStreamer has no element '%s': %s.", element, elements[i].advice);
}

typedef enum {
  INPUT_FILE,
  INPUT_URI,
  INPUT_CAMERA
} InputKind;

/* clang-format off */
static const gchar *const resource_advice[] = {
  [INPUT_FILE] = "check that it is a file that you may read",
  [INPUT_URI] = "check the address, the network and, for a camera, its user "
                "name and password",
  [INPUT_CAMERA] = "connect a camera that Video4Linux knows, close programs "
                   "that use it, and see that you may read its /dev/video "
                   "(group video)",
};
/* clang-format on */

static InputKind
get_kind (const GstObject *source, const gchar *input)
{
  if (g_str_has_prefix (GST_OBJECT_NAME (source), "camera"))
    return INPUT_CAMERA;
  return gst_uri_is_valid (input) ? INPUT_URI : INPUT_FILE;
}

/* An element's own words end with a stop; inside our sentence they do not. */
static gchar *
dup_reason (const gchar *text)
{
  gchar *reason = g_strdup (text);
  gsize length = strlen (reason);

  if (length > 0 && reason[length - 1] == '.')
    reason[length - 1] = '\0';
  return reason;
}

/* Our elements say themselves what was wrong with which file or prompt. */
static gchar *
advise_on_clip (const GError *error)
{
  g_autofree gchar *reason = dup_reason (error->message);

  if (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS))
    return g_strdup_printf ("%s.", reason);
  return g_strdup_printf (
      "%s: the model (--model, or a camera's key) has to be one that README.md "
      "says can be opened.",
      reason);
}

gchar *
tag_advise_no_result (const gchar *input, gboolean warned)
{
  if (warned)
    return g_strdup_printf (
        "Nothing in '%s' gave a result, for the reason above: try another "
        "input or model.",
        input);
  return g_strdup_printf (
      "No picture came out of '%s': give a file or stream that has video.",
      input);
}

gchar *
tag_advise (GstMessage *message, const gchar *input, const gchar *missing)
{
  const GstObject *source = GST_MESSAGE_SRC (message);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *reason = NULL;

  gst_message_parse_error (message, &error, NULL);
  if (g_str_has_prefix (GST_OBJECT_NAME (source), "clip"))
    return advise_on_clip (error);
  if (missing != NULL)
    return g_strdup_printf (
        "'%s' needs what is not installed (%s): " DECODERS ".", input, missing);

  /* Nothing was missing but what we did not want: sound, subtitles. */
  if (g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN))
    return tag_advise_no_result (input, FALSE);

  reason = dup_reason (error->message);
  if (error->domain == GST_RESOURCE_ERROR)
    return g_strdup_printf ("Cannot read '%s' (%s): %s.", input, reason,
        resource_advice[get_kind (source, input)]);
  if (g_error_matches (
          error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND))
    return g_strdup_printf (
        "'%s' cannot be decoded (%s): " DECODERS ".", input, reason);
  if (g_error_matches (
          error, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND) ||
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE))
    return g_strdup_printf ("'%s' is not a video or a picture (%s): give a "
                            "media file, for instance MP4, WebM, AVI, JPEG or "
                            "PNG.",
        input, reason);
  return g_strdup_printf ("'%s' stopped with an error (%s): it may be damaged; "
                          "try whether another player plays it.",
      input, reason);
}
