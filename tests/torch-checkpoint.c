/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "torch-checkpoint.h"

#include "load/safetensors.h"
#include "torch-archive.h"

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
  const TestTorchForm *form;
  GByteArray *pickle;
  GPtrArray *storages; /* GByteArray */
  GArray *sizes;       /* gsize: of an element of each storage */
} Writer;

/* Where a tensor lies. */
typedef struct {
  guint storage;
  guint type;
  guint64 offset, strides[CLIP_STORED_MAX_DIMS];
} Place;

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

static Place
place (Writer *writer, const ClipStoredTensor *stored)
{
  const TestLayout layout = writer->form->layout;
  guint order[CLIP_STORED_MAX_DIMS];
  guint64 step = layout == TEST_LAYOUT_SPACED ? SPACING : 1;
  Place at = { 0 };

  while (!g_str_equal (types[at.type].type, stored->type))
    at.type++;
  order_dims (layout, stored->n_dims, order);
  for (guint i = 0; i < stored->n_dims; i++) {
    at.strides[order[i]] = step;
    step *= stored->dims[order[i]];
  }
  if (layout != TEST_LAYOUT_SHARED || writer->storages->len == 0) {
    g_ptr_array_add (writer->storages, g_byte_array_new ());
    g_array_append_val (writer->sizes, types[at.type].size);
  }
  at.storage = writer->storages->len - 1;
  at.offset = ((GByteArray *)writer->storages->pdata[at.storage])->len /
              types[at.type].size;
  at.offset += layout == TEST_LAYOUT_SPACED;
  return at;
}

static void
write_elements (Writer *writer, const ClipStoredTensor *stored, const Place *at)
{
  GByteArray *storage = writer->storages->pdata[at->storage];
  const gsize size = types[at->type].size;
  const gsize spacing =
      writer->form->layout == TEST_LAYOUT_SPACED ? SPACING : 1;
  const gsize n = stored->n_elements;
  g_autofree guint8 *bytes = g_malloc (n * size + 1);

  g_assert_true (
      clip_file_read_at (stored->file, stored->offset, bytes, n * size, NULL));
  g_byte_array_set_size (storage, (guint)(storage->len + n * spacing * size));
  for (gsize i = 0; i < n; i++) {
    gsize to = at->offset, rest = i;
    for (guint d = stored->n_dims; d-- > 0; rest /= stored->dims[d])
      to += rest % stored->dims[d] * at->strides[d];
    memcpy (storage->data + to * size, bytes + i * size, size);
  }
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
  const GByteArray *storage = writer->storages->pdata[at->storage];
  g_autofree gchar *name = g_strconcat (
      writer->form->is_parallel ? "module." : "", stored->name, NULL);

  put_text (writer->pickle, name);
  put (writer->pickle, "ctorch._utils\n_rebuild_tensor_v2\n(");
  put_storage (writer, at, storage->len / types[at->type].size);
  put_number (writer->pickle, at->offset);
  put_numbers (writer->pickle, stored->dims, stored->n_dims);
  put_numbers (writer->pickle, at->strides, stored->n_dims);
  put (writer->pickle, "\x89"
                       "ccollections\nOrderedDict\n)RtR");
}

static void
put_tensors (Writer *writer, const GPtrArray *tensors)
{
  g_autofree Place *places = g_new (Place, tensors->len);

  for (guint i = 0; i < tensors->len; i++) {
    places[i] = place (writer, tensors->pdata[i]);
    write_elements (writer, tensors->pdata[i], &places[i]);
  }
  put_proto (writer->pickle);
  if (writer->form->is_training) {
    put (writer->pickle, "}(");
    put_text (writer->pickle, "epoch");
    put_number (writer->pickle, 3);
    put_text (writer->pickle, "state_dict");
  }
  put (writer->pickle, "ccollections\nOrderedDict\n)R(");
  for (guint i = 0; i < tensors->len; i++)
    put_tensor (writer, tensors->pdata[i], &places[i]);
  put (writer->pickle, writer->form->is_training ? "uu." : "u.");
}

static GByteArray *
build_archive (const Writer *writer)
{
  const guint n = writer->storages->len;
  g_autofree TestMember *members = g_new (TestMember, n + 2);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  members[0] = (TestMember){ "archive/data.pkl", writer->pickle->data,
    writer->pickle->len };
  members[1] = (TestMember){ "archive/byteorder", "little", 6 };
  for (guint i = 0; i < n; i++) {
    const GByteArray *storage = writer->storages->pdata[i];
    g_ptr_array_add (names, g_strdup_printf ("archive/data/%u", i));
    members[i + 2] =
        (TestMember){ names->pdata[i], storage->data, storage->len };
  }
  return test_archive_new (members, n + 2);
}

static GByteArray *
build_legacy (const Writer *writer)
{
  static const guint8 magic[] = { 0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
    0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };
  GByteArray *file = g_byte_array_new ();

  g_byte_array_append (file, magic, sizeof magic);
  put_proto (file);
  put (file, "M\xe9\3.");
  put_proto (file);
  put (file, "}(");
  put_text (file, "protocol_version");
  put (file, "M\xe9\3");
  put_text (file, "little_endian");
  put (file, "\x88u.");
  g_byte_array_append (file, writer->pickle->data, writer->pickle->len);
  put_proto (file);
  put (file, "](");
  for (guint i = 0; i < writer->storages->len; i++) {
    g_autofree gchar *key = g_strdup_printf ("%u", i);
    put_text (file, key);
  }
  put (file, "e.");
  for (guint i = 0; i < writer->storages->len; i++) {
    const GByteArray *storage = writer->storages->pdata[i];
    test_append_number (
        file, storage->len / g_array_index (writer->sizes, gsize, i), 8);
    g_byte_array_append (file, storage->data, storage->len);
  }
  return file;
}

void
test_torch_convert (
    const gchar *safetensors, const gchar *path, const TestTorchForm *form)
{
  g_autoptr (ClipFile) file = clip_file_open (safetensors, NULL);
  g_autoptr (GPtrArray) tensors = clip_safetensors_read (file, NULL);
  g_autoptr (GByteArray) pickle = g_byte_array_new ();
  g_autoptr (GPtrArray) storages =
      g_ptr_array_new_with_free_func ((GDestroyNotify)g_byte_array_unref);
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autoptr (GByteArray) bytes = NULL;
  Writer writer = { form, pickle, storages, sizes };

  g_assert_nonnull (tensors);
  put_tensors (&writer, tensors);
  bytes = form->is_legacy ? build_legacy (&writer) : build_archive (&writer);
  g_assert_true (g_file_set_contents (
      path, (const gchar *)bytes->data, (gssize)bytes->len, NULL));
}
