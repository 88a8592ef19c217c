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

/* @at: where it begins in the file */
static void
append_local (GByteArray *record, const TestMember *member, guint64 at)
{
  const gsize name_size = strlen (member->name);
  const gsize padding = -(at + LOCAL_SIZE + name_size + 4) % ALIGNMENT;

  append_version (record, TEST_LOCAL);
  test_append_number (record, 0, 4); /* checksum */
  test_append_number (record, 0, 8); /* sizes */
  test_append_number (record, name_size, 2);
  test_append_number (record, 4 + padding, 2);
  append_text (record, member->name);
  append_text (record, "FB");
  test_append_number (record, padding, 2);
  for (gsize i = 0; i < padding; i++)
    append_text (record, "Z");
}

static void
append_descriptor (GByteArray *record, const TestMember *member, guint32 crc)
{
  append_text (record, TEST_DESCRIPTOR);
  test_append_number (record, crc, 4);
  test_append_number (record, member->size, member->is_large ? 8 : 4);
  test_append_number (record, member->size, member->is_large ? 8 : 4);
}

static void
append_central (
    GByteArray *archive, const TestMember *member, guint32 crc, guint64 offset)
{
  const gboolean is_large = member->is_large;

  append_version (archive, TEST_CENTRAL);
  test_append_number (archive, crc, 4);
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
append_end (GByteArray *archive, gsize n_members, guint64 start, guint64 size)
{
  const guint64 end = start + size;

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
  test_append_number (archive, MIN (start, ONES), 4);
  test_append_number (archive, 0, 2); /* comment */
}

static void
put (TestArchive *archive, gconstpointer bytes, gsize size)
{
  g_assert_cmpuint (fwrite (bytes, 1, size, archive->file), ==, size);
  archive->size += size;
}

static void
put_record (TestArchive *archive, const GByteArray *record)
{
  put (archive, record->data, record->len);
}

void
test_archive_begin (TestArchive *archive, FILE *file)
{
  *archive = (TestArchive){ file, g_byte_array_new (), 0, 0 };
}

void
test_archive_add (TestArchive *archive, const TestMember *added)
{
  const guint64 at = archive->size;
  const guint32 crc = (guint32)crc32_z (0, added->bytes, added->size);
  g_autoptr (GByteArray) local = g_byte_array_new ();
  g_autoptr (GByteArray) descriptor = g_byte_array_new ();
  TestMember member = *added;

  member.is_large = member.is_large || member.size >= ONES || at >= ONES;
  append_local (local, &member, at);
  put_record (archive, local);
  put (archive, member.bytes, member.size);
  append_descriptor (descriptor, &member, crc);
  put_record (archive, descriptor);
  append_central (archive->directory, &member, crc, at);
  archive->n_members++;
}

void
test_archive_end (TestArchive *archive)
{
  const guint64 start = archive->size;
  g_autoptr (GByteArray) end = g_byte_array_new ();

  append_end (end, archive->n_members, start, archive->directory->len);
  put_record (archive, archive->directory);
  put_record (archive, end);
  g_byte_array_unref (archive->directory);
}

GByteArray *
test_archive_new (const TestMember *members, gsize n_members)
{
  gchar *bytes = NULL;
  size_t size = 0;
  FILE *stream = open_memstream (&bytes, &size);
  TestArchive archive;

  test_archive_begin (&archive, stream);
  for (gsize i = 0; i < n_members; i++)
    test_archive_add (&archive, &members[i]);
  test_archive_end (&archive);
  g_assert_cmpint (fclose (stream), ==, 0);
  return g_byte_array_new_take ((guint8 *)bytes, size);
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
