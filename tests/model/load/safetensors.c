/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Every broken form is refused by its rule, and no rule refuses too much. */

#include "clip-error.h"
#include "load/safetensors.h"
#include "safetensors-cases.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What a file's bytes give. */
typedef struct {
  ClipFile *file;
  GPtrArray *tensors;
  GError *error;
} Outcome;

static void
clear_outcome (Outcome *outcome)
{
  g_clear_pointer (&outcome->tensors, g_ptr_array_unref);
  g_clear_pointer (&outcome->file, clip_file_free);
  g_clear_error (&outcome->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, clear_outcome)

static gchar *path;

static void
read_bytes (const guint8 *bytes, gsize size, Outcome *outcome)
{
  FILE *file;

  /* A new file each time: ext4 writes out one that is truncated. */
  g_unlink (path);
  file = g_fopen (path, "wb");
  g_assert_nonnull (file);
  g_assert_cmpuint (fwrite (bytes, 1, size, file), ==, size);
  g_assert_cmpint (fclose (file), ==, 0);
  outcome->file = clip_file_open (path, &outcome->error);
  if (outcome->file != NULL)
    outcome->tensors = clip_safetensors_read (outcome->file, &outcome->error);
  g_assert_true ((outcome->tensors == NULL) == (outcome->error != NULL));
}

/* (transfer full): the file's bytes, the data counted up from 0 */
static guint8 *
build (const SafetensorsCase *row, gsize *size)
{
  const gsize header_size = strlen (row->header);
  guint64 length = row->length != TRUE_LENGTH ? row->length : header_size;
  guint8 *bytes;

  *size = 8 + header_size + row->data_size;
  bytes = g_malloc0 (*size);
  length = GUINT64_TO_LE (length);
  memcpy (bytes, &length, sizeof length);
  memcpy (bytes + 8, row->header, header_size);
  for (gsize i = 0; i < row->data_size; i++)
    bytes[8 + header_size + i] = (guint8)i;
  return bytes;
}

static void
a_case (gconstpointer user_data)
{
  const SafetensorsCase *row = user_data;
  gsize size;
  g_autofree guint8 *bytes = build (row, &size);
  g_auto (Outcome) outcome = { NULL };

  read_bytes (bytes, size, &outcome);
  if (row->message == NULL) {
    g_assert_no_error (outcome.error);
    return;
  }
  g_assert_error (outcome.error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  g_assert_nonnull (strstr (outcome.error->message, path));
  if (strstr (outcome.error->message, row->message) == NULL)
    g_error ("got: %s; expected: %s", outcome.error->message, row->message);
}

/* Every tensor lies inside the file and can be read there. */
static void
assert_in_range (const Outcome *outcome)
{
  for (guint i = 0; i < outcome->tensors->len; i++) {
    const ClipStoredTensor *stored = g_ptr_array_index (outcome->tensors, i);
    const gsize size = stored->n_elements * clip_dtype_get_size (stored->dtype);
    g_autofree guint8 *bytes = g_malloc (size + 1);

    g_assert_cmpuint (size, <, 4096);
    g_assert_true (
        clip_file_read_at (outcome->file, stored->offset, bytes, size, NULL));
  }
}

/* One of each kind of thing a header can hold. */
static const SafetensorsCase whole = { "whole",
  "{" METADATA "," A "," S
  ",\"visual.conv1.weight\":{\"dtype\":\"BF16\",\"shape\":[2,3,1,1],"
  "\"data_offsets\":[8,20]},\"empty\":{\"dtype\":\"I64\",\"shape\":[0,7],"
  "\"data_offsets\":[20,20]},\"\\u00e9\":{\"dtype\":\"F64\",\"shape\":[3],"
  "\"data_offsets\":[20,44]},\"mask\":{\"dtype\":\"BOOL\",\"shape\":[5],"
  "\"data_offsets\":[44,49]}}   ",
  49 };

static void
a_file_that_ends_early_is_refused (void)
{
  gsize size;
  g_autofree guint8 *bytes = build (&whole, &size);

  for (gsize i = 0; i <= size; i++) {
    g_auto (Outcome) outcome = { NULL };
    read_bytes (bytes, i, &outcome);
    if (i == size)
      g_assert_no_error (outcome.error);
    else
      g_assert_error (outcome.error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  }
}

/* A flipped bit of a name or of a shape that still fits is another valid file;
 * whatever is accepted must be safe to read. */
static void
a_flipped_bit_is_refused_or_harmless (void)
{
  gsize size;
  g_autofree guint8 *bytes = build (&whole, &size);
  const gsize header_end = size - whole.data_size;
  guint n_refused = 0;

  for (gsize bit = 0; bit < 8 * header_end; bit++) {
    g_auto (Outcome) outcome = { NULL };

    bytes[bit / 8] ^= (guint8)(1 << bit % 8);
    read_bytes (bytes, size, &outcome);
    bytes[bit / 8] ^= (guint8)(1 << bit % 8);
    if (outcome.tensors != NULL)
      assert_in_range (&outcome);
    else
      n_refused++;
  }
  /* All of the length's bits but those that no file can survive. */
  g_assert_cmpuint (n_refused, >, 64);
}

/* Two random bytes of the header at once, from a fixed seed. */
static void
changed_bytes_are_refused_or_harmless (void)
{
  gsize size;
  g_autofree guint8 *bytes = build (&whole, &size);
  const gsize header_end = size - whole.data_size;
  g_autoptr (GRand) random = g_rand_new_with_seed (20240607);

  for (guint i = 0; i < 10000; i++) {
    g_autofree guint8 *changed = g_memdup2 (bytes, size);
    g_auto (Outcome) outcome = { NULL };

    for (guint j = 0; j < 2; j++) {
      gsize at = (gsize)g_rand_int_range (random, 8, (gint32)header_end);
      gsize from = (gsize)g_rand_int_range (random, 8, (gint32)header_end);
      changed[at] = bytes[from];
    }
    read_bytes (changed, size, &outcome);
    if (outcome.tensors != NULL)
      assert_in_range (&outcome);
  }
}

/* "{" @start, @n times @piece, @end */
static void
assert_bomb (const gchar *start, const gchar *piece, gsize n, const gchar *end,
    const gchar *message)
{
  g_autoptr (GString) header = g_string_new (start);
  g_auto (Outcome) outcome = { NULL };
  g_autofree guint8 *bytes = NULL;
  SafetensorsCase row = { "bomb" };
  gsize size;

  for (gsize i = 0; i < n; i++)
    g_string_append (header, piece);
  g_string_append (header, end);
  row.header = header->str;
  bytes = build (&row, &size);
  read_bytes (bytes, size, &outcome);
  if (message == NULL) {
    g_assert_no_error (outcome.error);
    return;
  }
  g_assert_error (outcome.error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  if (strstr (outcome.error->message, message) == NULL)
    g_error ("got: %.300s; expected: %s", outcome.error->message, message);
}

static void
a_json_bomb_is_refused (void)
{
  const gchar *open = "{\"__metadata__\":{\"";

  assert_bomb (open, "a", 4096, "\":\"\"}}", NULL);
  assert_bomb (open, "a", 4097, "\":\"\"}}", "a string is too long");
  assert_bomb ("{\"a\":", "[", 1000000, "", "nested too deep");
  assert_bomb ("{\"a\":", "{\"\":", 1000000, "", "nested too deep");
  assert_bomb ("{\"a\":[", "1,", 1000001, "1]}", "too many values");
  assert_bomb ("{\"a", "\\\"", 2049, "", "a string is too long");
  assert_bomb ("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,",
      "9", 100000, "]}}", "valid JSON");
}

/* Every size that a file of a few bytes can lie about, with room for the
 * honest ones only. */
static void
a_stated_size_allocates_nothing (void)
{
#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the address sanitizer needs the address space itself");
#else
  const rlim_t margin = 32 * 1024 * 1024;
  struct rlimit before, limit;
  gulong n_pages = 0;
  FILE *statm = g_fopen ("/proc/self/statm", "r");

  g_assert_nonnull (statm);
  g_assert_cmpint (fscanf (statm, "%lu", &n_pages), ==, 1);
  fclose (statm);
  getrlimit (RLIMIT_AS, &before);
  limit = before;
  limit.rlim_cur = n_pages * (rlim_t)sysconf (_SC_PAGESIZE) + margin;
  g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (safetensors_cases); i++)
    a_case (&safetensors_cases[i]);
  g_assert_cmpint (setrlimit (RLIMIT_AS, &before), ==, 0);
#endif
}

int
main (int argc, char *argv[])
{
  g_autofree gchar *folder = NULL;
  gint status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("clip-safetensors-XXXXXX", NULL);
  path = g_build_filename (folder, "model.safetensors", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (safetensors_cases); i++) {
    g_autofree gchar *name = g_strdup_printf ("/load/safetensors/%s/%s",
        safetensors_cases[i].message != NULL ? "refused" : "accepted",
        safetensors_cases[i].name);
    g_test_add_data_func (name, &safetensors_cases[i], a_case);
  }
  g_test_add_func ("/load/safetensors/a-file-that-ends-early-is-refused",
      a_file_that_ends_early_is_refused);
  g_test_add_func ("/load/safetensors/a-flipped-bit-is-refused-or-harmless",
      a_flipped_bit_is_refused_or_harmless);
  g_test_add_func ("/load/safetensors/changed-bytes-are-refused-or-harmless",
      changed_bytes_are_refused_or_harmless);
  g_test_add_func (
      "/load/safetensors/a-json-bomb-is-refused", a_json_bomb_is_refused);
  g_test_add_func ("/load/safetensors/a-stated-size-allocates-nothing",
      a_stated_size_allocates_nothing);
  status = g_test_run ();
  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
  return status;
}
