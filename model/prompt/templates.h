/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A template is a text with one place for a prompt. */
#pragma once

#include <glib.h>

/* Returns: FALSE with CLIP_ERROR_PROMPT where one has not exactly one "{}". */
gboolean clip_templates_check (const gchar *const *templates, GError **error);

/* @template: of a list that passed clip_templates_check()
 *
 * Returns: (transfer full): @template with @prompt in its place. */
gchar *clip_template_apply (const gchar *template, const gchar *prompt);
