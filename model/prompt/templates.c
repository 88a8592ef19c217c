/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/templates.h"

#include "prompt/prompts.h"
#include "clip-error.h"

#include <string.h>

static const gchar blank[] = "{}";

static gboolean
check_template (const gchar *template, guint number, GError **error)
{
  const gchar *first = strstr (template, blank);

  if (first != NULL && strstr (first + strlen (blank), blank) == NULL)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT,
      "template %u, '%.80s', has %s: write {} once, where the prompt goes",
      number, template, first == NULL ? "no {}" : "more than one {}");
  return FALSE;
}

gboolean
clip_templates_check (const gchar *const *templates, GError **error)
{
  for (guint i = 0; templates[i] != NULL; i++)
    if (!check_template (templates[i], i + 1, error))
      return FALSE;
  return TRUE;
}

GStrv
clip_templates_parse (const gchar *string, GError **error)
{
  g_auto (GStrv) templates =
      clip_items_parse (string, "template", CLIP_TEMPLATES_MAX, error);

  if (templates == NULL ||
      !clip_templates_check ((const gchar *const *)templates, error))
    return NULL;
  return g_steal_pointer (&templates);
}

gchar *
clip_template_apply (const gchar *template, const gchar *prompt)
{
  const gchar *place = strstr (template, blank);
  GString *text = g_string_new_len (template, place - template);

  g_string_append (text, prompt);
  g_string_append (text, place + strlen (blank));
  return g_string_free (text, FALSE);
}
