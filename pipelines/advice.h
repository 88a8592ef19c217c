/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* What to do about a failure, in one sentence. */
#pragma once

#include <gst/gst.h>

/* @message: an error message of the pipeline
 * @input: as the user wrote it
 * @missing: (nullable): what decoder was asked for and not found */
gchar *tag_advise (
    GstMessage *message, const gchar *input, const gchar *missing);

/* @element: the factory's name */
gchar *tag_advise_element (const gchar *element);

/* The stream ended before there was a result.
 *
 * @warned: whether a warning has said why */
gchar *tag_advise_no_result (const gchar *input, gboolean warned);
