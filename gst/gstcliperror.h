/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Errors of model/ as messages on the bus. */
#pragma once

#include <gst/gst.h>

/* Posts exactly one message; must be called without the object lock.
 *
 * @type: GST_MESSAGE_ERROR or GST_MESSAGE_WARNING
 * @what: the sentence's beginning, for a person: "Cannot use the model"
 * @error: why; its code chooses domain and code of the message */
void gst_clip_error_post (GstElement *element, GstMessageType type,
    const gchar *what, const GError *error);
