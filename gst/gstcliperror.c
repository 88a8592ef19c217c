/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "gstcliperror.h"

#include "clip-error.h"

typedef struct {
  GQuark (*domain) (void);
  gint error;   /* code while nothing can run yet */
  gint warning; /* code while frames go on */
} BusCode;

/* clang-format off */
static const BusCode codes[] = {
  [CLIP_ERROR_NOT_FOUND] = { gst_resource_error_quark,
      GST_RESOURCE_ERROR_NOT_FOUND, GST_RESOURCE_ERROR_NOT_FOUND },
  [CLIP_ERROR_OPEN] = { gst_resource_error_quark,
      GST_RESOURCE_ERROR_OPEN_READ, GST_RESOURCE_ERROR_OPEN_READ },
  [CLIP_ERROR_READ] = { gst_resource_error_quark,
      GST_RESOURCE_ERROR_READ, GST_RESOURCE_ERROR_READ },
  [CLIP_ERROR_FORMAT] = { gst_stream_error_quark,
      GST_STREAM_ERROR_FORMAT, GST_STREAM_ERROR_FORMAT },
  [CLIP_ERROR_MODEL] = { gst_stream_error_quark,
      GST_STREAM_ERROR_WRONG_TYPE, GST_STREAM_ERROR_WRONG_TYPE },
  [CLIP_ERROR_NO_SPACE] = { gst_resource_error_quark,
      GST_RESOURCE_ERROR_NO_SPACE_LEFT, GST_RESOURCE_ERROR_NO_SPACE_LEFT },
  [CLIP_ERROR_COMPUTE] = { gst_library_error_quark,
      GST_LIBRARY_ERROR_INIT, GST_LIBRARY_ERROR_FAILED },
  /* Prompts are settings of the element, not of a library. */
  [CLIP_ERROR_PROMPT] = { gst_resource_error_quark,
      GST_RESOURCE_ERROR_SETTINGS, GST_RESOURCE_ERROR_SETTINGS },
  [CLIP_ERROR_CANCELLED] = { gst_resource_error_quark,
      GST_RESOURCE_ERROR_FAILED, GST_RESOURCE_ERROR_FAILED },
};
/* clang-format on */

static const BusCode other = { gst_resource_error_quark,
  GST_RESOURCE_ERROR_FAILED, GST_RESOURCE_ERROR_FAILED };

void
gst_clip_error_post (GstElement *element, GstMessageType type,
    const gchar *what, const GError *error)
{
  const BusCode *code = &other;

  if (error->domain == CLIP_ERROR && error->code >= 0 &&
      error->code < (gint)G_N_ELEMENTS (codes))
    code = &codes[error->code];
  gst_element_message_full (element, type, code->domain (),
      type == GST_MESSAGE_ERROR ? code->error : code->warning,
      g_strdup_printf ("%s: %s", what, error->message),
      g_strdup_printf (
          "%s, %d", g_quark_to_string (error->domain), error->code),
      __FILE__, G_STRFUNC, __LINE__);
}
