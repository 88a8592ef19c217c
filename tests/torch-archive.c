/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "torch-archive.h"

#include <string.h>
#include <zlib.h>

#define ALIGNMENT 64
#define LOCAL_SIZE 30
#define ONES 0xffffffff
#define FLAGS 0x0808 /* sizes behind the data, names in UTF-8 */

void
test_append_number (GByteArray *bytes, guint64 number, guint n_bytes)
{
  const guint64 little = GUINT64_TO_LE (number);

  g_byte_array_append (bytes, (const guint8 *)&little, n_bytes);
}

static void
append_text (GByteArray *bytes, const gchar *text)
{
  g_byte_array_append (bytes, (const guint8 *)text, (guint)strlen (text));
}

static guint32
crc_of (const TestMember *member)
{
  return (guint32)crc32 (0, member->bytes, (uInt)member->size);
}

/* What a local header and a directory's entry have in common. */
static void
append_version (GByteArray *archive, const gchar *record)
{
  append_text (archive, record);
  if (g_str_equal (record, TEST_CENTRAL))
    test_append_number (archive, 0, 2);
  test_append_number (archive, 0, 2);
  test_append_number (archive, FLAGS, 2);
  test_append_number (archive, 0, 2); /* stored */
  test_append_number (archive, 0, 4); /* time and date */
}

static void
append_local (GByteArray *archive, const TestMember *member)
{
  const gsize name_size = strlen (member->name);
  const gsize start = archive->len + LOCAL_SIZE + name_size + 4;
  const gsize padding = -start % ALIGNMENT;

  append_version (archive, TEST_LOCAL);
  test_append_number (archive, 0, 4); /* checksum */
  test_append_number (archive, 0, 8); /* sizes */
  test_append_number (archive, name_size, 2);
  test_append_number (archive, 4 + padding, 2);
  append_text (archive, member->name);
  append_text (archive, "FB");
  test_append_number (archive, padding, 2);
  for (gsize i = 0; i < padding; i++)
    append_text (archive, "Z");
  g_byte_array_append (archive, member->bytes, (guint)member->size);
  append_text (archive, TEST_DESCRIPTOR);
  test_append_number (archive, crc_of (member), 4);
  test_append_number (archive, member->size, member->is_large ? 8 : 4);
  test_append_number (archive, member->size, member->is_large ? 8 : 4);
}

static void
append_central (GByteArray *archive, const TestMember *member, gsize offset)
{
  const gboolean is_large = member->is_large;

  append_version (archive, TEST_CENTRAL);
  test_append_number (archive, crc_of (member), 4);
  test_append_number (archive, is_large ? ONES : member->size, 4);
  test_append_number (archive, is_large ? ONES : member->size, 4);
  test_append_number (archive, strlen (member->name), 2);
  test_append_number (archive, is_large ? 4 + 3 * 8 : 0, 2);
  test_append_number (archive, 0, 8); /* comment, disk, attributes */
  test_append_number (archive, 0, 2);
  test_append_number (archive, is_large ? ONES : offset, 4);
  append_text (archive, member->name);
  if (!is_large)
    return;
  test_append_number (archive, 1, 2); /* zip64 */
  test_append_number (archive, 3 * 8, 2);
  test_append_number (archive, member->size, 8);
  test_append_number (archive, member->size, 8);
  test_append_number (archive, offset, 8);
}

static void
append_end (GByteArray *archive, gsize n_members, gsize start)
{
  const gsize end = archive->len, size = end - start;

  append_text (archive, TEST_END_64);
  test_append_number (archive, 44, 8); /* bytes that follow */
  test_append_number (archive, 45, 2);
  test_append_number (archive, 45, 2);
  test_append_number (archive, 0, 8); /* disks */
  test_append_number (archive, n_members, 8);
  test_append_number (archive, n_members, 8);
  test_append_number (archive, size, 8);
  test_append_number (archive, start, 8);
  append_text (archive, TEST_LOCATOR_64);
  test_append_number (archive, 0, 4);
  test_append_number (archive, end, 8);
  test_append_number (archive, 1, 4);
  append_text (archive, TEST_END);
  test_append_number (archive, 0, 4); /* disks */
  test_append_number (archive, MIN (n_members, 0xffff), 2);
  test_append_number (archive, MIN (n_members, 0xffff), 2);
  test_append_number (archive, size, 4);
  test_append_number (archive, start, 4);
  test_append_number (archive, 0, 2); /* comment */
}

GByteArray *
test_archive_new (const TestMember *members, gsize n_members)
{
  GByteArray *archive = g_byte_array_new ();
  g_autofree gsize *offsets = g_new (gsize, n_members);
  gsize start;

  for (gsize i = 0; i < n_members; i++) {
    offsets[i] = archive->len;
    append_local (archive, &members[i]);
  }
  start = archive->len;
  for (gsize i = 0; i < n_members; i++)
    append_central (archive, &members[i], offsets[i]);
  append_end (archive, n_members, start);
  return archive;
}

gsize
test_archive_find (const GByteArray *archive, const gchar *record, guint index)
{
  for (gsize i = 0; i + strlen (record) <= archive->len; i++)
    if (memcmp (archive->data + i, record, strlen (record)) == 0 &&
        index-- == 0)
      return i;
  g_assert_not_reached ();
}

void
test_archive_patch (GByteArray *archive, const TestPatch *patch)
{
  const gsize at =
      test_archive_find (archive, patch->record, patch->index) + patch->at;
  const guint64 little = GUINT64_TO_LE (patch->number);

  g_assert_cmpuint (at + patch->n_bytes, <=, archive->len);
  memcpy (archive->data + at, &little, patch->n_bytes);
}
