/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/archive.h"

#include "clip-error.h"

#include <string.h>
#include <zip.h>

#define FORMAT "archive of PyTorch"

#define MAX_MEMBERS 100000
#define MAX_NAME 1024

/* What the archive's end has in it, at most. */
#define END_SIZE 22
#define DISKS_AT 4
#define TAIL_SIZE (65535 + END_SIZE)

/* Of a member's header, without its name. */
#define HEADER_SIZE 30

/* What looks like an archive's end can stand in a tensor by chance, and each
 * costs libzip a reading of the directory. */
#define MAX_ENDS 4

static const gchar pickle_suffix[] = "/data.pkl";

/* Where a member that was asked for lies, from its header on. */
typedef struct {
  guint64 begin, end;
  const gchar *name;
} Extent;

struct _ClipArchive {
  const ClipFile *file;
  zip_t *zip;
  guint64 position;    /* of libzip in the file */
  guint64 read_from;   /* where it last read */
  GError *read_error;  /* why it could not */
  GHashTable *by_name; /* const gchar * to its index + 1; owned by @zip */
  gchar *prefix;       /* "archive/" */
  GArray *extents;     /* Extent */
  zip_error_t zip_error;
};

static gboolean
refuse_member (
    const ClipFile *file, const gchar *name, const gchar *rule, GError **error)
{
  g_autofree gchar *start = g_strndup (name, 120);
  g_autofree gchar *valid = g_utf8_make_valid (start, -1);
  g_autofree gchar *printed = g_strescape (valid, NULL);

  return clip_file_refuse (
      file, FORMAT, error, "member '%s' %s", printed, rule);
}

static zip_int64_t
source_read (ClipArchive *archive, gpointer data, guint64 size)
{
  const guint64 left = archive->file->size - archive->position;
  const gsize n = MIN (size, left);

  archive->read_from = archive->position;
  if (!clip_file_read_at (archive->file, archive->position, data, n,
          archive->read_error == NULL ? &archive->read_error : NULL)) {
    zip_error_set (&archive->zip_error, ZIP_ER_READ, 0);
    return -1;
  }
  archive->position += n;
  return (zip_int64_t)n;
}

static zip_int64_t
source_seek (ClipArchive *archive, gpointer data, guint64 size)
{
  const zip_int64_t to = zip_source_seek_compute_offset (
      archive->position, archive->file->size, data, size, &archive->zip_error);

  if (to < 0)
    return -1;
  archive->position = (guint64)to;
  return 0;
}

static zip_int64_t
source_stat (ClipArchive *archive, zip_stat_t *status)
{
  zip_stat_init (status);
  status->size = archive->file->size;
  status->valid = ZIP_STAT_SIZE;
  return sizeof *status;
}

/* libzip reads through the file that is already open, so that no name is opened
 * again, and what it reads is the file that was proven. */
static zip_int64_t
source (void *user_data, void *data, zip_uint64_t size, zip_source_cmd_t what)
{
  ClipArchive *archive = user_data;

  switch (what) {
  case ZIP_SOURCE_OPEN:
    archive->position = 0;
    return 0;
  case ZIP_SOURCE_READ:
    return source_read (archive, data, size);
  case ZIP_SOURCE_CLOSE:
  case ZIP_SOURCE_FREE:
    return 0;
  case ZIP_SOURCE_STAT:
    return source_stat (archive, data);
  case ZIP_SOURCE_ERROR:
    return zip_error_to_data (&archive->zip_error, data, size);
  case ZIP_SOURCE_SEEK:
    return source_seek (archive, data, size);
  case ZIP_SOURCE_TELL:
    return (zip_int64_t)archive->position;
  case ZIP_SOURCE_SUPPORTS:
    return zip_source_make_command_bitmap (ZIP_SOURCE_OPEN, ZIP_SOURCE_READ,
        ZIP_SOURCE_CLOSE, ZIP_SOURCE_FREE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
        ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, -1);
  default:
    zip_error_set (&archive->zip_error, ZIP_ER_OPNOTSUPP, 0);
    return -1;
  }
}

/* Nothing follows the directory, as a valid file has it; what does would be
 * searched for other directories. */
static gboolean
prove_end (const ClipFile *file, GError **error)
{
  static const guint8 magic[] = { 'P', 'K', 5, 6 }, no_disks[4] = { 0 };
  const gsize size = (gsize)MIN (file->size, TAIL_SIZE);
  g_autofree guint8 *tail = g_malloc (size);
  guint n = 0;

  if (!clip_file_read_at (file, file->size - size, tail, size, error))
    return FALSE;
  if (size < END_SIZE ||
      memcmp (tail + size - END_SIZE, magic, sizeof magic) != 0)
    return clip_file_refuse (file, FORMAT, error,
        "it does not end as one does; it was perhaps not fetched to its end");
  if (memcmp (tail + size - END_SIZE + DISKS_AT, no_disks, sizeof no_disks))
    return clip_file_refuse (file, FORMAT, error, "it is one of several");
  for (gsize i = 0; i <= size - END_SIZE; i++)
    n += memcmp (tail + i, magic, sizeof magic) == 0;
  if (n > MAX_ENDS)
    return clip_file_refuse (file, FORMAT, error, "it has %u ends", n);
  return TRUE;
}

static gboolean
set_zip_error (ClipArchive *archive, zip_error_t *problem, GError **error)
{
  if (archive->read_error != NULL)
    g_propagate_error (error, g_steal_pointer (&archive->read_error));
  else
    clip_file_refuse (
        archive->file, FORMAT, error, "%s", zip_error_strerror (problem));
  zip_error_fini (problem);
  return FALSE;
}

static gboolean
open_zip (ClipArchive *archive, GError **error)
{
  zip_error_t problem;
  zip_source_t *src;

  zip_error_init (&problem);
  src = zip_source_function_create (source, archive, &problem);
  if (src == NULL)
    return set_zip_error (archive, &problem, error);
  archive->zip =
      zip_open_from_source (src, ZIP_RDONLY | ZIP_CHECKCONS, &problem);
  if (archive->zip == NULL) {
    zip_source_free (src);
    return set_zip_error (archive, &problem, error);
  }
  zip_error_fini (&problem);
  return TRUE;
}

static gboolean
is_pickle (const gchar *name)
{
  const gchar *slash = strchr (name, '/');

  return slash != NULL && slash > name && g_str_equal (slash, pickle_suffix);
}

static gboolean
add_member (ClipArchive *archive, guint64 index, GError **error)
{
  const ClipFile *file = archive->file;
  const gchar *name =
      zip_get_name (archive->zip, index, ZIP_FL_ENC_RAW | ZIP_FL_UNCHANGED);

  if (name == NULL || *name == '\0')
    return clip_file_refuse (file, FORMAT, error, "a member has no name");
  if (strlen (name) > MAX_NAME)
    return refuse_member (
        file, name, "has a name of more than 1024 bytes", error);
  if (!g_hash_table_insert (archive->by_name, (gpointer)name,
          GSIZE_TO_POINTER ((gsize)index + 1)))
    return refuse_member (file, name, "is there twice", error);
  if (!is_pickle (name))
    return TRUE;
  if (archive->prefix != NULL)
    return refuse_member (
        file, name, "is there beside another data.pkl", error);
  archive->prefix =
      g_strndup (name, strlen (name) - strlen (pickle_suffix) + 1);
  return TRUE;
}

ClipArchive *
clip_archive_open (const ClipFile *file, GError **error)
{
  g_autoptr (ClipArchive) archive = g_new0 (ClipArchive, 1);
  zip_int64_t n_members;

  archive->file = file;
  archive->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  archive->extents = g_array_new (FALSE, FALSE, sizeof (Extent));
  zip_error_init (&archive->zip_error);
  if (!prove_end (file, error) || !open_zip (archive, error))
    return NULL;
  n_members = zip_get_num_entries (archive->zip, ZIP_FL_UNCHANGED);
  if (n_members > MAX_MEMBERS) {
    clip_file_refuse (file, FORMAT, error,
        "it has %" G_GINT64_FORMAT " members; at most %d are "
        "allowed",
        (gint64)n_members, MAX_MEMBERS);
    return NULL;
  }
  for (zip_int64_t i = 0; i < n_members; i++)
    if (!add_member (archive, (guint64)i, error))
      return NULL;
  if (archive->prefix == NULL) {
    clip_file_refuse (
        file, FORMAT, error, "none of its members is called …/data.pkl");
    return NULL;
  }
  return g_steal_pointer (&archive);
}

void
clip_archive_free (ClipArchive *archive)
{
  if (archive == NULL)
    return;
  if (archive->zip != NULL)
    zip_discard (archive->zip);
  zip_error_fini (&archive->zip_error);
  g_clear_error (&archive->read_error);
  g_hash_table_unref (archive->by_name);
  g_array_unref (archive->extents);
  g_free (archive->prefix);
  g_free (archive);
}

/* Returns: the index + 1, 0 where there is none */
static gsize
find (const ClipArchive *archive, const gchar *name)
{
  g_autofree gchar *full = g_strconcat (archive->prefix, name, NULL);

  return GPOINTER_TO_SIZE (g_hash_table_lookup (archive->by_name, full));
}

gboolean
clip_archive_has (const ClipArchive *archive, const gchar *name)
{
  return find (archive, name) != 0;
}

static gboolean
prove_plain (ClipArchive *archive, const zip_stat_t *status, GError **error)
{
  const zip_uint64_t wanted = ZIP_STAT_NAME | ZIP_STAT_SIZE |
                              ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC |
                              ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;

  if ((status->valid & wanted) != wanted)
    return clip_file_refuse (
        archive->file, FORMAT, error, "a member is not fully described");
  if (status->encryption_method != ZIP_EM_NONE)
    return refuse_member (archive->file, status->name, "is encrypted", error);
  if (status->comp_method != ZIP_CM_STORE)
    return refuse_member (archive->file, status->name,
        "is compressed, which PyTorch never does", error);
  if (status->size != status->comp_size)
    return refuse_member (
        archive->file, status->name, "is stored, and has two sizes", error);
  if (status->size > archive->file->size)
    return refuse_member (
        archive->file, status->name, "is larger than the file", error);
  return TRUE;
}

/* libzip knows where a member's data begins and does not tell, so that its
 * reading of the first byte does. Were it read elsewhere, the checksum of the
 * member would not be that of its data. */
static gboolean
find_offset (ClipArchive *archive, gsize index, guint64 *offset, GError **error)
{
  zip_file_t *member = zip_fopen_index (archive->zip, index, ZIP_FL_COMPRESSED);
  guint8 byte;
  gboolean is_read;

  if (member == NULL)
    return set_zip_error (archive, zip_get_error (archive->zip), error);
  is_read = zip_fread (member, &byte, sizeof byte) == sizeof byte;
  if (!is_read)
    set_zip_error (archive, zip_file_get_error (member), error);
  *offset = archive->read_from;
  zip_fclose (member);
  return is_read;
}

static gboolean
prove_apart (ClipArchive *archive, const Extent *extent, GError **error)
{
  for (guint i = 0; i < archive->extents->len; i++) {
    const Extent *other = &g_array_index (archive->extents, Extent, i);

    if (extent->begin < other->end && other->begin < extent->end)
      return refuse_member (
          archive->file, extent->name, "overlaps another member", error);
  }
  g_array_append_val (archive->extents, *extent);
  return TRUE;
}

ClipStorage *
clip_archive_locate (ClipArchive *archive, const gchar *name, GError **error)
{
  const gsize index = find (archive, name) - 1;
  g_autoptr (ClipStorage) storage = clip_storage_new (archive->file, name);
  zip_stat_t status;
  Extent extent;

  if (index == G_MAXSIZE) {
    refuse_member (archive->file, name, "is not there", error);
    return NULL;
  }
  zip_stat_init (&status);
  if (zip_stat_index (archive->zip, index, ZIP_FL_UNCHANGED, &status) != 0) {
    set_zip_error (archive, zip_get_error (archive->zip), error);
    return NULL;
  }
  if (!prove_plain (archive, &status, error))
    return NULL;
  storage->size = status.size;
  storage->crc = status.crc;
  storage->has_crc = TRUE;
  if (storage->size == 0)
    return g_steal_pointer (&storage);
  if (!find_offset (archive, index, &storage->offset, error))
    return NULL;
  if (storage->size > archive->file->size - storage->offset ||
      storage->offset < HEADER_SIZE + strlen (status.name)) {
    refuse_member (archive->file, status.name, "does not fit the file", error);
    return NULL;
  }
  extent.name = status.name;
  extent.begin = storage->offset - HEADER_SIZE - strlen (status.name);
  extent.end = storage->offset + storage->size;
  return prove_apart (archive, &extent, error) ? g_steal_pointer (&storage)
                                               : NULL;
}
