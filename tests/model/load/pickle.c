/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* A pickle is a description of tensors or refused by the rule it breaks. */

#include "clip-error.h"
#include "load/pickle.h"
#include "load/state-dict.h"
#include "pickle-cases.h"

#include <string.h>

static const ClipFile file = { .path = (gchar *)"model.pt", .size = 28 };

/* The storages that the cases speak of. */
static ClipStorage *
locate (gpointer container, const ClipPickleStorage *wanted, GError **error)
{
  static const guint64 sizes[] = { 24, 4 };
  const guint index = (guint)wanted->key[0] - '0';
  ClipStorage *storage;

  if (index >= G_N_ELEMENTS (sizes) || wanted->key[1] != '\0') {
    g_set_error (
        error, CLIP_ERROR, CLIP_ERROR_FORMAT, "no storage '%s'", wanted->key);
    return NULL;
  }
  storage = clip_storage_new (&file, wanted->key);
  storage->offset = index * sizes[0];
  storage->size = sizes[index];
  return storage;
}

static const ClipStorages storages = { &file, NULL, locate };

/* Every element of every tensor lies inside the file. */
static void
assert_in_range (const GPtrArray *tensors)
{
  for (guint i = 0; i < tensors->len; i++) {
    const ClipStoredTensor *stored = g_ptr_array_index (tensors, i);
    const guint64 begin = stored->storage->offset;
    guint64 last = stored->offset;

    g_assert_cmpuint (begin, <=, stored->offset);
    if (stored->n_elements == 0)
      continue;
    for (guint j = 0; j < stored->n_dims; j++)
      last += (stored->dims[j] - 1) * stored->strides[j];
    g_assert_cmpuint (last, <, begin + stored->storage->size);
    g_assert_cmpuint (stored->n_elements, <=, stored->storage->size);
  }
}

/* Returns: (transfer full): the tensors' names, NULL with an error */
static gchar *
read_names (const guint8 *bytes, gsize size, gboolean is_script, GError **error)
{
  const ClipPickleSource source = { file.path, "data.pkl", is_script };
  g_autoptr (ClipPickle) pickle =
      clip_pickle_read (&source, bytes, size, error);
  g_autoptr (GPtrArray) tensors =
      pickle != NULL ? clip_state_dict_read (
                           &storages, clip_pickle_get_root (pickle), error)
                     : NULL;
  GString *names;

  if (tensors == NULL)
    return NULL;
  assert_in_range (tensors);
  names = g_string_new (NULL);
  for (guint i = 0; i < tensors->len; i++) {
    const ClipStoredTensor *stored = g_ptr_array_index (tensors, i);
    g_string_append_printf (names, "%s%s", i > 0 ? " " : "", stored->name);
  }
  return g_string_free (names, FALSE);
}

static void
assert_refused (
    const guint8 *bytes, gsize size, gboolean is_script, const gchar *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (read_names (bytes, size, is_script, &error));
  g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  if (strstr (error->message, message) == NULL)
    g_error ("got: %s; expected: %s", error->message, message);
}

static void
a_case (gconstpointer user_data)
{
  const PickleCase *row = user_data;
  /* Of its own size, so that a byte beyond is seen. */
  g_autofree guint8 *bytes = g_memdup2 (row->bytes, row->size);
  g_autofree gchar *names = NULL;
  g_autoptr (GError) error = NULL;

  if (row->message != NULL) {
    assert_refused (bytes, row->size, row->is_script, row->message);
    return;
  }
  names = read_names (bytes, row->size, row->is_script, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (names, ==, row->tensors);
}

/* The opcodes that model-spec 4.3 allows. */
static const guint8 allowed[] = { 0x80, 0x63, 0x71, 0x72, 0x68, 0x6a, 0x28,
  0x74, 0x85, 0x86, 0x87, 0x29, 0x5d, 0x7d, 0x61, 0x65, 0x73, 0x75, 0x58, 0x4a,
  0x4b, 0x4d, 0x8a, 0x47, 0x4e, 0x88, 0x89, 0x51, 0x52, 0x62, 0x81, 0x2e };

static void
every_other_opcode_is_refused_by_name (void)
{
  static const struct {
    guint8 opcode;
    const gchar *name;
  } named[] = {
    { 'i', "INST" },
    { 'o', "OBJ" },
    { 'P', "PERSID" },
    { '0', "POP" },
    { '2', "DUP" },
    { 'p', "PUT" },
    { 'g', "GET" },
    { 0x82, "EXT1" },
    { 0x83, "EXT2" },
    { 0x84, "EXT4" },
    { 0x92, "NEWOBJ_EX" },
    { 0x93, "STACK_GLOBAL" },
    { 0x94, "MEMOIZE" },
    { 0x95, "FRAME" },
    { 0x96, "BYTEARRAY8" },
    { 0x97, "NEXT_BUFFER" },
    { 0xff, "unknown" },
  };

  for (guint opcode = 0; opcode < 256; opcode++) {
    const guint8 bytes[] = { 0x80, 2, '}', (guint8)opcode, 'o', 's', '\n', 's',
      'y', 's', '\n', '.' };
    g_autofree gchar *message =
        g_strdup_printf ("at byte 3 of data.pkl, opcode 0x%02x (", opcode);

    if (memchr (allowed, (gint)opcode, sizeof allowed) == NULL)
      assert_refused (bytes, sizeof bytes, TRUE, message);
  }
  for (guint i = 0; i < G_N_ELEMENTS (named); i++) {
    const guint8 bytes[] = { 0x80, 2, named[i].opcode };
    g_autofree gchar *message = g_strdup_printf ("(%s) is not", named[i].name);
    assert_refused (bytes, sizeof bytes, FALSE, message);
  }
}

/* A piece of a pickle, again and again between others. */
typedef struct {
  const gchar *name;
  const gchar *pieces[3];
  gsize sizes[3];
  guint n;
  const gchar *message;
} Bomb;

#define PIECES(head, body, tail)                                               \
  { head, body, tail },                                                        \
  {                                                                            \
    sizeof head - 1, sizeof body - 1, sizeof tail - 1                          \
  }
#define ARGUMENTS "(" STORAGE "K\0(K\1t(K\1t" FALSE_ ORDERED "t"

/* clang-format off */
static const Bomb bombs[] = {
  { "tuples", PIECES (PROTO "N", "\x85", "."), 65, "more than 64 deep" },
  { "two-of-the-tuple-before", PIECES (PROTO "N", "q\0h\0\x86", "."), 65,
    "more than 64 deep" },
  { "a-list-in-itself", PIECES (PROTO "]q\0", "h\0a", "."), 65,
    "more than 64 deep" },
  { "objects-with-two-of-the-one-before",
    PIECES (PROTO OBJECT "}(" ONE ("x") OBJECT "}bq\0",
      ONE ("x") OBJECT "}(" ONE ("a") "h\0" ONE ("b") "h\0ubq\0", "ub."), 40,
    "is one of a tree of more than 1000000 values" },
  { "marks", PIECES (PROTO, "(", "."), 65, "nests more than 64 marks" },
  { "stack", PIECES (PROTO, "N", "."), 100001, "more than 100000 values" },
  { "opcodes", PIECES (PROTO "}", "q\0", "."), 1000000,
    "follows 1000000 others" },
  { "tensors", PIECES (PROTO REBUILD "q\0" ARGUMENTS "q\1", "h\0h\1R", "."),
    10001, "makes more than 10000 tensors" },
};
/* clang-format on */

static void
a_bomb (gconstpointer user_data)
{
  const Bomb *bomb = user_data;
  const guint times[] = { 1, bomb->n, 1 };
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    for (guint j = 0; j < times[i]; j++)
      g_byte_array_append (
          bytes, (const guint8 *)bomb->pieces[i], (guint)bomb->sizes[i]);
  assert_refused (bytes->data, bytes->len, TRUE, bomb->message);
}

static void
a_string_of_65537_bytes_is_refused (void)
{
  static const guint8 head[] = { 0x80, 2, '}', 'X', 1, 0, 1, 0 };
  g_autofree guint8 *bytes = g_malloc (sizeof head + 65537);

  memset (bytes, 'a', sizeof head + 65537);
  memcpy (bytes, head, sizeof head);
  assert_refused (bytes, sizeof head + 65537, FALSE,
      "has a string of 65537 bytes; at most 65536 are allowed");
}

static void
a_pickle_that_ends_early_is_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pickle_cases); i++) {
    const PickleCase *row = &pickle_cases[i];

    for (gsize n = 0; row->message == NULL && n < row->size; n++) {
      g_autofree guint8 *bytes = g_memdup2 (row->bytes, n);
      assert_refused (bytes, n, row->is_script, "");
    }
  }
}

static void
a_flipped_bit_is_refused_or_harmless (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pickle_cases); i++) {
    const PickleCase *row = &pickle_cases[i];

    for (gsize bit = 0; row->message == NULL && bit < row->size * 8; bit++) {
      g_autofree guint8 *bytes = g_memdup2 (row->bytes, row->size);
      g_autofree gchar *names = NULL;
      g_autoptr (GError) error = NULL;

      bytes[bit / 8] ^= (guint8)(1 << bit % 8);
      names = read_names (bytes, row->size, row->is_script, &error);
      g_assert_true ((names == NULL) == (error != NULL));
    }
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pickle_cases); i++) {
    g_autofree gchar *name =
        g_strconcat ("/load/pickle/", pickle_cases[i].name, NULL);
    g_test_add_data_func (name, &pickle_cases[i], a_case);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bombs); i++) {
    g_autofree gchar *name =
        g_strconcat ("/load/pickle/bomb-of-", bombs[i].name, NULL);
    g_test_add_data_func (name, &bombs[i], a_bomb);
  }
  g_test_add_func ("/load/pickle/every-other-opcode-is-refused-by-name",
      every_other_opcode_is_refused_by_name);
  g_test_add_func ("/load/pickle/a-string-of-65537-bytes-is-refused",
      a_string_of_65537_bytes_is_refused);
  g_test_add_func ("/load/pickle/a-pickle-that-ends-early-is-refused",
      a_pickle_that_ends_early_is_refused);
  g_test_add_func ("/load/pickle/a-flipped-bit-is-refused-or-harmless",
      a_flipped_bit_is_refused_or_harmless);
  return g_test_run ();
}
