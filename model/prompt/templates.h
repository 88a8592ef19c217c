/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A template is a text with one place for a prompt. */
#pragma once

#include <glib.h>

/* @template: of clip_templates_parse()
 *
 * Returns: (transfer full): @template with @prompt in its place. */
gchar *clip_template_apply (const gchar *template, const gchar *prompt);
