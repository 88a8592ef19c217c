/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Files of PyTorch before 1.6, and each of their rules broken alone. */

#include "clip-error.h"
#include "load/torchfile.h"
#include "memory-file.h"
#include "pickle-cases.h"

#include <string.h>

#define MAGIC "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define VERSION PROTO "M\xe9\3."
#define MACHINE PROTO "}(" TEXT ("\xd", "little_endian") TRUE_ "u."
#define HEAD MAGIC VERSION MACHINE
#define OLD_STORAGE(key, number, view)                                         \
  "(" TEXT ("\7", "storage") FLOATS ONE (key) TEXT ("\3", "cpu") INT1 (number) \
      view "tQ"
#define OLD_TENSOR(view)                                                       \
  DICT (ONE ("a")                                                              \
          TENSOR_OF (OLD_STORAGE ("0", "\2", view), "K\0", "K\2", "K\1"))
#define KEYS PROTO "](" ONE ("0") "e."
#define DATA                                                                   \
  "\2\0\0\0\0\0\0\0"                                                           \
  "\0\0\x80\x3f"                                                               \
  "\0\0\0\x40" /* 1, 2 */
#define WHOLE                                                                  \
  HEAD OLD_TENSOR (NONE)                                                       \
  KEYS DATA

#define INVALID "is not a valid file of PyTorch before 1.6: "

/* clang-format off */
static const PickleCase cases[] = {
  VALID ("whole", WHOLE, "a"),
  BROKEN ("another-version", MAGIC PROTO "M\xe8\3." MACHINE
    OLD_TENSOR (NONE) KEYS DATA, INVALID "its version is not 1001"),
  BROKEN ("a-version-that-is-no-number", MAGIC PROTO "}." MACHINE
    OLD_TENSOR (NONE) KEYS DATA, INVALID "its version is not 1001"),
  BROKEN ("big-endian", MAGIC VERSION PROTO "}(" TEXT ("\xd", "little_endian")
    FALSE_ "u." OLD_TENSOR (NONE) KEYS DATA, "not written on a little-endian"),
  BROKEN ("endian-of-no-kind", MAGIC VERSION PROTO "}." OLD_TENSOR (NONE) KEYS
    DATA, "not written on a little-endian"),
  BROKEN ("a-machine-that-is-no-dict", MAGIC VERSION PROTO "N."
    OLD_TENSOR (NONE) KEYS DATA, "not written on a little-endian"),
  BROKEN ("a-view", HEAD OLD_TENSOR ("(" ONE ("1") "K\0K\2t") KEYS DATA,
    "names a storage that is a view of another"),
  BROKEN ("an-id-of-today", HEAD OLD_TENSOR ("") KEYS DATA,
    "of the pickle of the tensors, opcode 0x51 (BINPERSID) names a persistent"),
  BROKEN ("a-global", HEAD PROTO GLOBAL ("os", "system") ")R." KEYS DATA,
    "names the global 'os system'"),
  BROKEN ("keys-that-are-no-list", HEAD OLD_TENSOR (NONE) PROTO "}." DATA,
    "the keys of its storages are not in a list"),
  BROKEN ("a-key-that-is-a-number", HEAD OLD_TENSOR (NONE) PROTO "](K\0e." DATA,
    "a key of its storages is none"),
  BROKEN ("a-key-of-no-storage", HEAD OLD_TENSOR (NONE) PROTO "](" ONE ("1")
    "e." DATA, "a key of its storages is none"),
  BROKEN ("a-key-twice", HEAD OLD_TENSOR (NONE) PROTO "](" ONE ("0") ONE ("0")
    "e." DATA DATA, "or is there twice"),
  BROKEN ("no-keys", HEAD OLD_TENSOR (NONE) PROTO "].",
    "it does not hold storage '0'"),
  BROKEN ("another-size", HEAD OLD_TENSOR (NONE) KEYS "\1\0\0\0\0\0\0\0"
    "\0\0\x80\x3f", "storage '0' has 1 elements, and is described as having 2"),
  BROKEN ("a-size-that-wraps", HEAD OLD_TENSOR (NONE) KEYS
    "\2\0\0\0\0\0\0\x40" "\0\0\x80\x3f", "and is described as having 2"),
  BROKEN ("no-size", HEAD OLD_TENSOR (NONE) KEYS "\2\0", "it ends before"),
  BROKEN ("no-data", HEAD OLD_TENSOR (NONE) KEYS "\2\0\0\0\0\0\0\0\1",
    "it ends inside storage '0'"),
  BROKEN ("bytes-behind", WHOLE "\0", "1 bytes follow the last storage"),
};
/* clang-format on */

static GPtrArray *
read_bytes (const gchar *bytes, gsize size, ClipFile **file, GError **error)
{
  *file = test_memory_file_new (bytes, size);
  return clip_torchfile_read_legacy (*file, error);
}

static void
a_case (gconstpointer user_data)
{
  const PickleCase *row = user_data;
  g_autoptr (ClipFile) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tensors =
      read_bytes (row->bytes, row->size, &file, &error);
  const ClipStoredTensor *stored;
  gfloat values[2];

  if (row->message != NULL) {
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
    if (strstr (error->message, row->message) == NULL)
      g_error ("got: %s; expected: %s", error->message, row->message);
    return;
  }
  g_assert_no_error (error);
  g_assert_cmpuint (tensors->len, ==, 1);
  stored = tensors->pdata[0];
  g_assert_cmpstr (stored->name, ==, row->tensors);
  g_assert_true (
      clip_file_read_at (file, stored->offset, values, sizeof values, NULL));
  g_assert_cmpfloat (values[0], ==, 1);
  g_assert_cmpfloat (values[1], ==, 2);
}

static void
a_file_that_ends_early_is_refused (void)
{
  for (gsize size = sizeof MAGIC - 1; size < cases[0].size; size++) {
    g_autoptr (ClipFile) file = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_null (read_bytes (cases[0].bytes, size, &file, &error));
    g_assert_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT);
  }
}

static void
a_flipped_bit_is_refused_or_harmless (void)
{
  g_autofree gchar *bytes = g_memdup2 (cases[0].bytes, cases[0].size);

  for (gsize bit = 0; bit < cases[0].size * 8; bit++) {
    g_autoptr (ClipFile) file = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) tensors = NULL;

    bytes[bit / 8] ^= (gchar)(1 << bit % 8);
    tensors = read_bytes (bytes, cases[0].size, &file, &error);
    g_assert_true ((tensors == NULL) == (error != NULL));
    for (guint i = 0; tensors != NULL && i < tensors->len; i++) {
      const ClipStoredTensor *stored = tensors->pdata[i];
      g_assert_cmpuint (stored->offset + stored->n_elements, <=, file->size);
    }
    bytes[bit / 8] ^= (gchar)(1 << bit % 8);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *name =
        g_strconcat ("/load/torchfile-legacy/", cases[i].name, NULL);
    g_test_add_data_func (name, &cases[i], a_case);
  }
  g_test_add_func ("/load/torchfile-legacy/a-file-that-ends-early-is-refused",
      a_file_that_ends_early_is_refused);
  g_test_add_func (
      "/load/torchfile-legacy/a-flipped-bit-is-refused-or-harmless",
      a_flipped_bit_is_refused_or_harmless);
  return g_test_run ();
}
