/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "prompt/prompts.h"

#include "prompt/text.h"
#include "clip-error.h"

#include <string.h>

#define FILE_MAX_BYTES (16 * 1024 * 1024)

static const gchar bar = '|';
static const gchar escape = '\\';
static const gchar comment = '#';

typedef struct {
  GPtrArray *items;
  const gchar *noun; /* what an error calls an item */
  guint max_items;
} List;

static void
list_init (List *list, const gchar *noun, guint max_items)
{
  list->items = g_ptr_array_new_with_free_func (g_free);
  list->noun = noun;
  list->max_items = max_items;
}

/* Checks an item and adds it without the blanks around it, where anything is
 * left. @place: how an error begins: "prompt 3" */
static gboolean
add_item (List *list, const gchar *item, gsize item_size, const gchar *place,
    GError **error)
{
  const gchar *end, *fault;
  gsize size;

  if (!g_utf8_validate_len (item, item_size, &fault)) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT,
        "%s: byte %" G_GSIZE_FORMAT " (0x%02x) is not UTF-8", place,
        (gsize)(fault - item), (guint8)*fault);
    return FALSE;
  }
  end = clip_text_strip (&item, item + item_size);
  size = end - item;
  if (size > CLIP_PROMPT_MAX_BYTES) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT,
        "%s has %" G_GSIZE_FORMAT " bytes, at most %d are allowed: shorten it",
        place, size, CLIP_PROMPT_MAX_BYTES);
    return FALSE;
  }
  if (size > 0 && list->items->len == list->max_items) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_PROMPT,
        "%s is one more than the %u %ss allowed: leave some out", place,
        list->max_items, list->noun);
    return FALSE;
  }
  if (size > 0)
    g_ptr_array_add (list->items, g_strndup (item, size));
  return TRUE;
}

/* Returns: (transfer full): NULL where the list is no good. */
static GStrv
list_end (List *list, gboolean ok)
{
  if (!ok) {
    g_ptr_array_unref (list->items);
    return NULL;
  }
  g_ptr_array_add (list->items, NULL);
  return (GStrv)g_ptr_array_free (list->items, FALSE);
}

/* Takes the escapes out of what stands before the next bar.
 *
 * Returns: the bar, or the end of @string. */
static const gchar *
read_item (const gchar *string, GString *item)
{
  const gchar *p = string;

  g_string_truncate (item, 0);
  for (; *p != '\0' && *p != bar; p++) {
    if (*p == escape && (p[1] == bar || p[1] == escape))
      p++;
    g_string_append_c (item, *p);
  }
  return p;
}

GStrv
clip_items_parse (
    const gchar *string, const gchar *noun, guint max_items, GError **error)
{
  g_autoptr (GString) item = g_string_new (NULL);
  const gchar *p = string;
  List list;
  gboolean ok;

  list_init (&list, noun, max_items);
  do {
    g_autofree gchar *place =
        g_strdup_printf ("%s %u", noun, list.items->len + 1);

    p = read_item (p, item);
    ok = add_item (&list, item->str, item->len, place, error);
  } while (ok && *p++ == bar);
  return list_end (&list, ok);
}

GStrv
clip_prompts_parse (const gchar *string, GError **error)
{
  return clip_items_parse (string, "prompt", CLIP_PROMPTS_MAX, error);
}

gchar *
clip_prompts_join (const gchar *const *prompts)
{
  GString *string = g_string_new (NULL);

  for (gsize i = 0; prompts[i] != NULL; i++) {
    if (i > 0)
      g_string_append (string, " | ");
    for (const gchar *p = prompts[i]; *p != '\0'; p++) {
      if (*p == bar || *p == escape)
        g_string_append_c (string, escape);
      g_string_append_c (string, *p);
    }
  }
  return g_string_free (string, FALSE);
}

static gboolean
add_line (List *list, const gchar *line, const gchar *end, const gchar *place,
    GError **error)
{
  static const gchar escaped_mark[] = "\\#";

  end = clip_text_strip (&line, end);
  if (line < end && *line == comment)
    return TRUE;
  if (g_str_has_prefix (line, escaped_mark))
    line++;
  return add_item (list, line, end - line, place, error);
}

GStrv
clip_prompts_load (const gchar *path, GError **error)
{
  g_autofree gchar *text =
      clip_text_read (path, FILE_MAX_BYTES, CLIP_ERROR_PROMPT, error);
  const gchar *line = text;
  gboolean ok = TRUE;
  List list;

  if (text == NULL)
    return NULL;
  list_init (&list, "prompt", CLIP_PROMPTS_MAX);
  for (guint number = 1; ok && line != NULL; number++) {
    const gchar *end = line + strcspn (line, "\n");
    g_autofree gchar *place = g_strdup_printf ("'%s', line %u", path, number);

    ok = add_line (&list, line, end, place, error);
    line = *end == '\n' ? end + 1 : NULL;
  }
  return list_end (&list, ok);
}
