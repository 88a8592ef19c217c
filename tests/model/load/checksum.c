/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Checksums are zlib's, of any length and in any pieces. */

#include "load/checksum.h"

#include <zlib.h>

#define SIZE 1000

static void
fill (guint8 *bytes)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < SIZE; i++)
    bytes[i] = (guint8)g_rand_int (random);
}

static void
each_length_has_the_checksum_of_zlib (void)
{
  guint8 bytes[SIZE];

  fill (bytes);
  for (guint size = 0; size <= SIZE; size++)
    g_assert_cmphex (
        clip_checksum_update (0, bytes, size), ==, crc32_z (0, bytes, size));
}

static void
pieces_have_the_checksum_of_the_whole (void)
{
  const gsize expected = 0xcbf43926; /* the CRC catalogue's "check" */
  guint8 bytes[SIZE];

  g_assert_cmphex (clip_checksum_update (0, "123456789", 9), ==, expected);
  fill (bytes);
  for (guint first = 0; first <= SIZE; first++)
    g_assert_cmphex (
        clip_checksum_update (clip_checksum_update (0, bytes, first),
            bytes + first, SIZE - first),
        ==, crc32_z (0, bytes, SIZE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/checksum/each-length-has-the-checksum-of-zlib",
      each_length_has_the_checksum_of_zlib);
  g_test_add_func ("/load/checksum/pieces-have-the-checksum-of-the-whole",
      pieces_have_the_checksum_of_the_whole);
  return g_test_run ();
}
