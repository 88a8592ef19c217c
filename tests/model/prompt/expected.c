/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "expected.h"

/* The longest of any model. */
#define MAX_CONTEXT 512

json_t *
expected_load (const gchar *path)
{
  json_error_t error;
  json_t *json = json_load_file (path, JSON_ALLOW_NUL, &error);

  if (json == NULL)
    g_error ("%s: %s", path, error.text);
  return json;
}

void
expected_assert_ids (
    const ClipTokenizer *tokenizer, const gchar *text, const json_t *expected)
{
  g_autoptr (GError) error = NULL;
  guint32 ids[MAX_CONTEXT];
  guint n_ids;

  clip_tokenizer_encode (tokenizer, text, ids, &n_ids, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("'%s'", text);
  g_assert_cmpuint (n_ids, ==, json_array_size (expected));
  for (guint i = 0; i < n_ids; i++)
    g_assert_cmpuint (
        ids[i], ==, json_integer_value (json_array_get (expected, i)));
}
