/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "torch-checkpoint.h"

#include "load/safetensors.h"
#include "torch-archive.h"

#include <glib/gstdio.h>
#include <string.h>

#define SPACING 3

static const struct {
  const gchar *type; /* of safetensors */
  const gchar *storage;
  gsize size;
} types[] = {
  { "F32", "FloatStorage", 4 },
  { "F16", "HalfStorage", 2 },
  { "BF16", "BFloat16Storage", 2 },
  { "F64", "DoubleStorage", 8 },
  { "I64", "LongStorage", 8 },
};

typedef struct {
  gsize size; /* bytes of an element */
  guint64 n;  /* elements */
} Storage;

/* Where a tensor lies. */
typedef struct {
  guint storage;
  guint type;
  guint64 offset, strides[CLIP_STORED_MAX_DIMS];
} Place;

typedef struct {
  const TestTorchForm *form;
  const GPtrArray *tensors; /* ClipStoredTensor */
  Place *places;            /* of each */
  GByteArray *pickle;
  GArray *storages; /* Storage */
} Writer;

static void
put (GByteArray *pickle, const gchar *opcodes)
{
  g_byte_array_append (
      pickle, (const guint8 *)opcodes, (guint)strlen (opcodes));
}

static void
put_text (GByteArray *pickle, const gchar *text)
{
  put (pickle, "X");
  test_append_number (pickle, strlen (text), 4);
  put (pickle, text);
}

static void
put_number (GByteArray *pickle, guint64 number)
{
  g_assert_cmpuint (number, <=, G_MAXINT32);
  put (pickle, "J");
  test_append_number (pickle, number, 4);
}

static void
put_numbers (GByteArray *pickle, const guint64 *numbers, guint n)
{
  put (pickle, "(");
  for (guint i = 0; i < n; i++)
    put_number (pickle, numbers[i]);
  put (pickle, "t");
}

static void
put_proto (GByteArray *pickle)
{
  put (pickle, "\x80\2");
}

/* Which dimension's elements lie nearest each other, which next, … */
static void
order_dims (TestLayout layout, guint n_dims, guint *order)
{
  for (guint i = 0; i < n_dims; i++)
    order[i] = layout == TEST_LAYOUT_REVERSED ? i : n_dims - 1 - i;
  if (layout == TEST_LAYOUT_LAST && n_dims > 2) {
    order[0] = 1;
    for (guint i = 1; i + 1 < n_dims; i++)
      order[i] = n_dims - i;
  }
}

static gsize
get_spacing (const Writer *writer)
{
  return writer->form->layout == TEST_LAYOUT_SPACED ? SPACING : 1;
}

static Storage *
get_storage (const Writer *writer, guint index)
{
  return &g_array_index (writer->storages, Storage, index);
}

/* In a storage that grows by it. */
static Place
place (Writer *writer, const ClipStoredTensor *stored)
{
  const TestLayout layout = writer->form->layout;
  guint order[CLIP_STORED_MAX_DIMS];
  guint64 step = get_spacing (writer);
  Place at = { 0 };
  Storage *storage;

  while (!g_str_equal (types[at.type].type, stored->type))
    at.type++;
  order_dims (layout, stored->n_dims, order);
  for (guint i = 0; i < stored->n_dims; i++) {
    at.strides[order[i]] = step;
    step *= stored->dims[order[i]];
  }
  if (layout != TEST_LAYOUT_SHARED || writer->storages->len == 0) {
    Storage empty = { types[at.type].size, 0 };
    g_array_append_val (writer->storages, empty);
  }
  at.storage = writer->storages->len - 1;
  storage = get_storage (writer, at.storage);
  at.offset = storage->n + (layout == TEST_LAYOUT_SPACED);
  storage->n += stored->n_elements * get_spacing (writer);
  return at;
}

static void
write_elements (const ClipStoredTensor *stored, const Place *at, guint8 *bytes)
{
  const gsize size = types[at->type].size;
  const gsize n = stored->n_elements;
  g_autofree guint8 *elements = g_malloc (n * size + 1);

  g_assert_true (clip_file_read_at (
      stored->file, stored->offset, elements, n * size, NULL));
  for (gsize i = 0; i < n; i++) {
    gsize to = at->offset, rest = i;
    for (guint d = stored->n_dims; d-- > 0; rest /= stored->dims[d])
      to += rest % stored->dims[d] * at->strides[d];
    memcpy (bytes + to * size, elements + i * size, size);
  }
}

/* Returns: (transfer full): a storage's bytes */
static guint8 *
make_storage (const Writer *writer, guint index)
{
  const TestLayout layout = writer->form->layout;
  const Storage *storage = get_storage (writer, index);
  guint8 *bytes = g_malloc0 (storage->n * storage->size + 1);

  for (guint i = 0; i < writer->tensors->len; i++) {
    const ClipStoredTensor *stored = writer->tensors->pdata[i];
    const Place *at = &writer->places[i];

    if (at->storage != index)
      continue;
    if (layout == TEST_LAYOUT_DENSE || layout == TEST_LAYOUT_SHARED)
      g_assert_true (clip_file_read_at (stored->file, stored->offset,
          bytes + at->offset * storage->size,
          stored->n_elements * storage->size, NULL));
    else
      write_elements (stored, at, bytes);
  }
  return bytes;
}

static void
put_storage (Writer *writer, const Place *at, guint64 n)
{
  g_autofree gchar *key = g_strdup_printf ("%u", at->storage);

  put (writer->pickle, "(");
  put_text (writer->pickle, "storage");
  put (writer->pickle, "ctorch\n");
  put (writer->pickle, types[at->type].storage);
  put (writer->pickle, "\n");
  put_text (writer->pickle, key);
  put_text (writer->pickle, "cuda:0");
  put_number (writer->pickle, n);
  put (writer->pickle, writer->form->is_legacy ? "NtQ" : "tQ");
}

/* All places must be known, since a storage says how large it is. */
static void
put_tensor (Writer *writer, const ClipStoredTensor *stored, const Place *at)
{
  g_autofree gchar *name = g_strconcat (
      writer->form->is_parallel ? "module." : "", stored->name, NULL);

  put_text (writer->pickle, name);
  put (writer->pickle, "ctorch._utils\n_rebuild_tensor_v2\n(");
  put_storage (writer, at, get_storage (writer, at->storage)->n);
  put_number (writer->pickle, at->offset);
  put_numbers (writer->pickle, stored->dims, stored->n_dims);
  put_numbers (writer->pickle, at->strides, stored->n_dims);
  put (writer->pickle, "\x89"
                       "ccollections\nOrderedDict\n)RtR");
}

static void
put_tensors (Writer *writer)
{
  const GPtrArray *tensors = writer->tensors;

  for (guint i = 0; i < tensors->len; i++)
    writer->places[i] = place (writer, tensors->pdata[i]);
  put_proto (writer->pickle);
  if (writer->form->is_training) {
    put (writer->pickle, "}(");
    put_text (writer->pickle, "epoch");
    put_number (writer->pickle, 3);
    put_text (writer->pickle, "state_dict");
  }
  put (writer->pickle, "ccollections\nOrderedDict\n)R(");
  for (guint i = 0; i < tensors->len; i++)
    put_tensor (writer, tensors->pdata[i], &writer->places[i]);
  put (writer->pickle, writer->form->is_training ? "uu." : "u.");
}

static void
write_archive (const Writer *writer, FILE *file)
{
  const TestMember pickle = { "archive/data.pkl", writer->pickle->data,
    writer->pickle->len };
  const TestMember order = { "archive/byteorder", "little", 6 };
  TestArchive archive;

  test_archive_begin (&archive, file);
  test_archive_add (&archive, &pickle);
  test_archive_add (&archive, &order);
  for (guint i = 0; i < writer->storages->len; i++) {
    const Storage *storage = get_storage (writer, i);
    g_autofree guint8 *bytes = make_storage (writer, i);
    g_autofree gchar *name = g_strdup_printf ("archive/data/%u", i);
    const TestMember member = { name, bytes, storage->n * storage->size };

    test_archive_add (&archive, &member);
  }
  test_archive_end (&archive);
}

static void
write_bytes (FILE *file, gconstpointer bytes, gsize size)
{
  g_assert_cmpuint (fwrite (bytes, 1, size, file), ==, size);
}

static void
write_legacy (const Writer *writer, FILE *file)
{
  static const guint8 magic[] = { 0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
    0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };
  g_autoptr (GByteArray) head = g_byte_array_new ();

  g_byte_array_append (head, magic, sizeof magic);
  put_proto (head);
  put (head, "M\xe9\3.");
  put_proto (head);
  put (head, "}(");
  put_text (head, "protocol_version");
  put (head, "M\xe9\3");
  put_text (head, "little_endian");
  put (head, "\x88u.");
  g_byte_array_append (head, writer->pickle->data, writer->pickle->len);
  put_proto (head);
  put (head, "](");
  for (guint i = 0; i < writer->storages->len; i++) {
    g_autofree gchar *key = g_strdup_printf ("%u", i);
    put_text (head, key);
  }
  put (head, "e.");
  write_bytes (file, head->data, head->len);
  for (guint i = 0; i < writer->storages->len; i++) {
    const Storage *storage = get_storage (writer, i);
    const guint64 n = GUINT64_TO_LE (storage->n);
    g_autofree guint8 *bytes = make_storage (writer, i);

    write_bytes (file, &n, sizeof n);
    write_bytes (file, bytes, storage->n * storage->size);
  }
}

void
test_torch_convert (
    const gchar *safetensors, const gchar *path, const TestTorchForm *form)
{
  g_autoptr (ClipFile) file = clip_file_open (safetensors, NULL);
  g_autoptr (GPtrArray) tensors = clip_safetensors_read (file, NULL);
  g_autoptr (GByteArray) pickle = g_byte_array_new ();
  g_autoptr (GArray) storages = g_array_new (FALSE, FALSE, sizeof (Storage));
  g_autofree Place *places = NULL;
  Writer writer = { form, tensors, NULL, pickle, storages };
  FILE *written = NULL;

  g_assert_nonnull (tensors);
  writer.places = places = g_new (Place, tensors->len);
  put_tensors (&writer);
  written = g_fopen (path, "wb");
  g_assert_nonnull (written);
  (form->is_legacy ? write_legacy : write_archive) (&writer, written);
  g_assert_cmpint (fclose (written), ==, 0);
}
