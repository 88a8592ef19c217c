/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/file.h"

#include "clip-error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static gboolean
set_open_error (const gchar *path, gint number, GError **error)
{
  gboolean absent = number == ENOENT || number == ENOTDIR;

  g_set_error (error, CLIP_ERROR,
      absent ? CLIP_ERROR_NOT_FOUND : CLIP_ERROR_OPEN,
      "'%s' cannot be opened: %s", path, g_strerror (number));
  return FALSE;
}

static const struct {
  mode_t type;
  const gchar *name;
} refused_types[] = {
  { S_IFDIR, "a folder" },
  { S_IFIFO, "a FIFO" },
  { S_IFSOCK, "a socket" },
  { S_IFCHR, "a device" },
  { S_IFBLK, "a device" },
};

static gboolean
set_type_error (const gchar *path, mode_t mode, GError **error)
{
  const gchar *name = "something else";

  for (guint i = 0; i < G_N_ELEMENTS (refused_types); i++)
    if ((mode & S_IFMT) == refused_types[i].type)
      name = refused_types[i].name;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_OPEN,
      "'%s' is %s where a file is needed", path, name);
  return FALSE;
}

gboolean
clip_file_stat (const gchar *path, struct stat *status, GError **error)
{
  if (stat (path, status) != 0)
    return set_open_error (path, errno, error);
  if (!S_ISREG (status->st_mode) && !S_ISDIR (status->st_mode))
    return set_type_error (path, status->st_mode, error);
  return TRUE;
}

ClipFile *
clip_file_open (const gchar *path, GError **error)
{
  g_autoptr (ClipFile) file = g_new0 (ClipFile, 1);

  file->path = g_strdup (path);
  file->fd = -1;
  /* Asked before opening, since opening alone can move a device. */
  if (!clip_file_stat (path, &file->status, error))
    return NULL;
  file->fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file->fd < 0 || fstat (file->fd, &file->status) != 0) {
    set_open_error (path, errno, error);
    return NULL;
  }
  if (!S_ISREG (file->status.st_mode)) {
    set_type_error (path, file->status.st_mode, error);
    return NULL;
  }
  if (file->status.st_size == 0) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT, "'%s' is empty", path);
    return NULL;
  }
  file->size = (guint64)file->status.st_size;
  return g_steal_pointer (&file);
}

void
clip_file_free (ClipFile *file)
{
  if (file == NULL)
    return;
  if (file->fd >= 0)
    close (file->fd);
  g_free (file->path);
  g_free (file);
}

static gboolean
is_unchanged (const ClipFile *file, GError **error)
{
  const struct stat *then = &file->status;
  struct stat now;

  if (fstat (file->fd, &now) == 0 && now.st_size == then->st_size &&
      now.st_mtim.tv_sec == then->st_mtim.tv_sec &&
      now.st_mtim.tv_nsec == then->st_mtim.tv_nsec)
    return TRUE;
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_READ,
      "'%s' was changed after it was opened: open the model again, and replace "
      "model files by renaming a new file over the old one",
      file->path);
  return FALSE;
}

gboolean
clip_file_read_at (const ClipFile *file, guint64 offset, gpointer dst,
    gsize size, GError **error)
{
  guint8 *bytes = dst;

  if (!is_unchanged (file, error))
    return FALSE;
  while (size > 0) {
    gssize n = pread (file->fd, bytes, size, (off_t)offset);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_set_error (error, CLIP_ERROR, CLIP_ERROR_READ,
          "'%s' cannot be read at byte %" G_GUINT64_FORMAT ": %s", file->path,
          offset, n < 0 ? g_strerror (errno) : "the file ends there");
      return FALSE;
    }
    bytes += n;
    offset += (guint64)n;
    size -= (gsize)n;
  }
  return TRUE;
}

gboolean
clip_file_refuse (const ClipFile *file, const gchar *format, GError **error,
    const gchar *rule, ...)
{
  g_autofree gchar *reason = NULL;
  va_list arguments;

  va_start (arguments, rule);
  reason = g_strdup_vprintf (rule, arguments);
  va_end (arguments);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "'%s' is not a valid %s: %s", file->path, format, reason);
  return FALSE;
}
