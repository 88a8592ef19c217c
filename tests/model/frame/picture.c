/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "picture.h"

#include <png.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

void
picture_clear (Picture *picture)
{
  g_clear_pointer (&picture->rgb, g_free);
}

static guint8
pattern_1 (guint x, guint y, guint c)
{
  return (guint8)(3 * x + 5 * y + 40 * c + x * y / 64);
}

static guint8
pattern_2 (guint x, guint y, guint c)
{
  return (guint8)((x / 9 + y / 7) % 2 ? 2 * x + 50 * c : y + 30 * c);
}

void
picture_fill (Picture *picture, guint pattern, guint width, guint height)
{
  guint8 (*value) (guint x, guint y, guint c) =
      pattern == 1 ? pattern_1 : pattern_2;
  guint8 *next = g_malloc ((gsize)width * height * 3);

  picture->width = width;
  picture->height = height;
  picture->rgb = next;
  for (guint y = 0; y < height; y++) {
    for (guint x = 0; x < width; x++) {
      for (guint c = 0; c < 3; c++)
        *next++ = value (x, y, c);
    }
  }
}

static void
load_png (Picture *picture, const gchar *path)
{
  png_image image = { .version = PNG_IMAGE_VERSION };

  if (!png_image_begin_read_from_file (&image, path))
    g_error ("%s: %s", path, image.message);
  image.format = PNG_FORMAT_RGB;
  picture->width = image.width;
  picture->height = image.height;
  picture->rgb = g_malloc (PNG_IMAGE_SIZE (image));
  if (!png_image_finish_read (&image, NULL, picture->rgb, 0, NULL))
    g_error ("%s: %s", path, image.message);
}

static void
load_ppm (Picture *picture, const gchar *path)
{
  g_autofree gchar *text = NULL;
  gsize length, size;
  gint start = 0;
  guint largest = 0;

  if (!g_file_get_contents (path, &text, &length, NULL) ||
      sscanf (text, "P6 %u %u %u%n", &picture->width, &picture->height,
          &largest, &start) != 3 ||
      largest != 255)
    g_error ("%s is not a P6 file of 8-bit values", path);
  size = (gsize)picture->width * picture->height * 3;
  g_assert_cmpuint (length, ==, start + 1 + size);
  picture->rgb = g_memdup2 (text + start + 1, size);
}

void
picture_load (Picture *picture, const gchar *path)
{
  if (g_str_has_suffix (path, ".ppm"))
    load_ppm (picture, path);
  else
    load_png (picture, path);
}

ClipFrame
picture_frame (const Picture *picture)
{
  ClipFrame frame = {
    .layout = CLIP_LAYOUT_PACKED,
    .planes = { picture->rgb },
    .strides = { (gint)picture->width * 3 },
    .pixel_size = 3,
    .offsets = { 0, 1, 2 },
  };

  return frame;
}

guint32
picture_crc (const guint8 *rgb, gsize n_bytes)
{
  return (guint32)crc32 (0, rgb, (uInt)n_bytes);
}

void
picture_assert_equal (
    const gchar *name, const guint8 *got, const Picture *expected)
{
  gsize n = (gsize)expected->width * expected->height * 3;

  for (gsize i = 0; i < n; i++) {
    if (got[i] != expected->rgb[i]) {
      gsize pixel = i / 3;

      g_test_message ("%s: x %u, y %u, channel %u: got %u, expected %u", name,
          (guint)(pixel % expected->width), (guint)(pixel / expected->width),
          (guint)(i % 3), got[i], expected->rgb[i]);
      g_test_fail ();
      return;
    }
  }
}
