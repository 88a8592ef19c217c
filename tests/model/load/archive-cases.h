/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Archives as PyTorch writes them, and each rule broken alone: by numbers that
 * lie, and by members that should be others. */
#pragma once

#include "pickle-cases.h"
#include "torch-archive.h"

#define PICKLE                                                                 \
  DICT (ONE ("a") TENSOR ONE ("b") TENSOR_OF (                                 \
      STORAGE_OF (HALVES, ONE ("1"), "K\2"), "K\0", "K\2", "K\1"))

static const gchar pickle[] = PICKLE;
static const gfloat floats[6] = { 1, 2, 3, 4, 5, 6 };
static const guint8 halves[4] = { 0x00, 0x3c, 0x00, 0x40 }; /* 1, 2 */

#define MEMBER(name, content)                                                  \
  {                                                                            \
    name, content, sizeof content - 1                                          \
  }
#define DATA                                                                   \
  { "m/data.pkl", pickle, sizeof pickle - 1 },                                 \
      { "m/data/0", floats, sizeof floats },                                   \
  {                                                                            \
    "m/data/1", halves, sizeof halves                                          \
  }

static const TestMember whole[] = { DATA, MEMBER ("m/version", "3\n") };

/* A few numbers of the valid archive changed. */
typedef struct {
  const gchar *name;
  const gchar *message;
  TestPatch patches[4];
} Lie;

#define CENTRAL(index, at, n_bytes, number)                                    \
  {                                                                            \
    TEST_CENTRAL, index, at, n_bytes, number                                   \
  }
#define LOCAL(index, at, n_bytes, number)                                      \
  {                                                                            \
    TEST_LOCAL, index, at, n_bytes, number                                     \
  }
#define DESCRIPTOR(index, crc)                                                 \
  {                                                                            \
    TEST_DESCRIPTOR, index, 4, 4, crc                                          \
  }
#define END(at, n_bytes, number)                                               \
  {                                                                            \
    TEST_END, 0, at, n_bytes, number                                           \
  }
#define END_64(at, n_bytes, number)                                            \
  {                                                                            \
    TEST_END_64, 0, at, n_bytes, number                                        \
  }

/* Where a record has what. */
#define FLAGS_AT 8
#define METHOD_AT 10
#define CRC_AT 16
#define PACKED_AT 20
#define SIZE_AT 24
#define OFFSET_AT 42

/* clang-format off */
static const Lie lies[] = {
  { "checksum-of-the-pickle", "the CRC-32 of its member 'data.pkl' is",
    { CENTRAL (0, CRC_AT, 4, 0x12345678), DESCRIPTOR (0, 0x12345678) } },
  { "checksum-of-a-storage", "the CRC-32 of its member 'data/0' is",
    { CENTRAL (1, CRC_AT, 4, 0x12345678), DESCRIPTOR (1, 0x12345678) } },
  { "a-deflated-pickle", "'m/data.pkl' is compressed",
    { CENTRAL (0, METHOD_AT, 2, 8), LOCAL (0, 8, 2, 8) } },
  { "a-deflated-storage", "'m/data/1' is compressed",
    { CENTRAL (2, METHOD_AT, 2, 8), LOCAL (2, 8, 2, 8) } },
  { "a-storage-packed-otherwise", "'m/data/1' is compressed",
    { CENTRAL (2, METHOD_AT, 2, 93), LOCAL (2, 8, 2, 93) } },
  { "an-encrypted-storage", "is not a valid archive of PyTorch",
    { CENTRAL (1, FLAGS_AT, 2, 0x0809), LOCAL (1, 6, 2, 0x0809),
      CENTRAL (1, PACKED_AT, 4, 36), { TEST_DESCRIPTOR, 1, 8, 4, 36 } } },
  { "a-strongly-encrypted-storage", "'m/data/0' is encrypted",
    { CENTRAL (1, FLAGS_AT, 2, 0x0849), LOCAL (1, 6, 2, 0x0849) } },
  { "a-method-in-the-header-alone", "is not a valid archive of PyTorch",
    { LOCAL (1, 8, 2, 8) } },
  { "a-method-in-the-directory-alone", "is not a valid archive of PyTorch",
    { CENTRAL (1, METHOD_AT, 2, 8) } },
  { "two-sizes", "is not a valid archive of PyTorch",
    { CENTRAL (1, PACKED_AT, 4, 20) } },
  { "a-size-above-the-file", "is not a valid archive of PyTorch",
    { CENTRAL (1, PACKED_AT, 4, 1 << 30), CENTRAL (1, SIZE_AT, 4, 1 << 30) } },
  { "a-size-into-the-directory", "is not a valid archive of PyTorch",
    { CENTRAL (3, PACKED_AT, 4, 200), CENTRAL (3, SIZE_AT, 4, 200) } },
  { "a-size-over-the-next-member", "is not a valid ",
    { CENTRAL (1, PACKED_AT, 4, 180), CENTRAL (1, SIZE_AT, 4, 180) } },
  { "a-size-of-zip64-that-is-not-there", "is not a valid archive of PyTorch",
    { CENTRAL (1, PACKED_AT, 4, 0xffffffff),
      CENTRAL (1, SIZE_AT, 4, 0xffffffff) } },
  { "a-member-beyond-the-file", "is not a valid archive of PyTorch",
    { CENTRAL (1, OFFSET_AT, 4, 1 << 20) } },
  { "a-member-at-another-s-place", "is not a valid archive of PyTorch",
    { CENTRAL (1, OFFSET_AT, 4, 0) } },
  { "another-name-in-the-header", "is not a valid archive of PyTorch",
    { LOCAL (1, 37, 1, '7') } },
  { "a-name-with-a-nul", "is not a valid archive of PyTorch",
    { LOCAL (1, 31, 1, 0), CENTRAL (1, 47, 1, 0) } },
  { "a-longer-name-in-the-header", "is not a valid archive of PyTorch",
    { LOCAL (1, 26, 2, 9) } },
  { "an-extra-field-beyond-the-file", "is not a valid archive of PyTorch",
    { LOCAL (3, 28, 2, 0xffff) } },
  { "a-name-beyond-the-directory", "is not a valid archive of PyTorch",
    { CENTRAL (3, 28, 2, 0xffff) } },
  { "no-header", "is not a valid archive of PyTorch",
    { LOCAL (1, 0, 4, 0) } },
  { "no-entry", "is not a valid archive of PyTorch",
    { CENTRAL (1, 0, 4, 0) } },
  { "more-members-than-there-are", "is not a valid archive of PyTorch",
    { END (8, 2, 5), END (10, 2, 5), END_64 (24, 8, 5), END_64 (32, 8, 5) } },
  { "fewer-members-than-there-are", "is not a valid archive of PyTorch",
    { END (8, 2, 3), END (10, 2, 3), END_64 (24, 8, 3), END_64 (32, 8, 3) } },
  { "members-by-the-billion", "is not a valid archive of PyTorch",
    { END (8, 2, 0xffff), END (10, 2, 0xffff), END_64 (24, 8, 1ull << 40),
      END_64 (32, 8, 1ull << 40) } },
  { "members-by-the-million", "is not a valid archive of PyTorch",
    { END (8, 2, 0xffff), END (10, 2, 0xffff), END_64 (24, 8, 1 << 26),
      END_64 (32, 8, 1 << 26) } },
  { "a-directory-larger-than-the-file", "is not a valid archive of PyTorch",
    { END (12, 4, 0xffffffff), END_64 (40, 8, 1ull << 40) } },
  { "a-directory-beyond-the-file", "is not a valid archive of PyTorch",
    { END (16, 4, 0xffffffff), END_64 (48, 8, 1ull << 40) } },
  { "a-directory-that-wraps", "is not a valid archive of PyTorch",
    { END (12, 4, 0xffffffff), END_64 (40, 8, G_MAXUINT64),
      END_64 (48, 8, G_MAXUINT64) } },
  { "two-ends-that-disagree", "is not a valid archive of PyTorch",
    { END_64 (48, 8, 7) } },
  { "two-disks", "it is one of several", { END (4, 2, 1), END (6, 2, 1) } },
  { "a-comment-that-is-not-there", "is not a valid archive of PyTorch",
    { END (20, 2, 7) } },
  { "no-end", "it does not end as one does", { END (0, 4, 0) } },
  { "no-end-of-zip64", "is not a valid archive of PyTorch",
    { END_64 (0, 4, 0) } },
  { "an-end-of-zip64-elsewhere", "is not a valid archive of PyTorch",
    { { TEST_LOCATOR_64, 0, 8, 8, 1ull << 40 } } },
};
/* clang-format on */

/* Other members. */
typedef struct {
  const gchar *name;
  const gchar *message; /* NULL where the archive is valid */
  TestMember members[5];
} Set;

/* clang-format off */
static const Set sets[] = {
  { "whole", NULL, { DATA, MEMBER ("m/version", "3\n") } },
  { "members-described-by-64-bits", NULL,
    { { "m/data.pkl", pickle, sizeof pickle - 1 },
      { "m/data/0", floats, sizeof floats, TRUE },
      { "m/data/1", halves, sizeof halves, TRUE } } },
  { "little-endian", NULL, { DATA, MEMBER ("m/byteorder", "little") } },
  { "data-first", NULL, { { "m/data/1", halves, sizeof halves },
    { "m/data/0", floats, sizeof floats },
    { "m/data.pkl", pickle, sizeof pickle - 1 } } },
  { "members-that-nobody-asks-for", NULL,
    { DATA, MEMBER ("m/.data/serialization_id", "1"), MEMBER ("x", "y") } },
  { "a-folder-that-is-a-path-out-of-here", NULL,
    { { "../data.pkl", pickle, sizeof pickle - 1 },
      { "../data/0", floats, sizeof floats },
      { "../data/1", halves, sizeof halves } } },
  { "big-endian", "was written on a big-endian machine",
    { DATA, MEMBER ("m/byteorder", "big") } },
  { "endian-of-no-kind", "was written on a big-endian machine",
    { DATA, MEMBER ("m/byteorder", "littleX") } },
  { "endian-of-nothing", "was written on a big-endian machine",
    { DATA, MEMBER ("m/byteorder", "") } },
  { "no-storage", "member 'data/1' is not there",
    { { "m/data.pkl", pickle, sizeof pickle - 1 },
      { "m/data/0", floats, sizeof floats } } },
  { "a-storage-in-another-folder", "member 'data/1' is not there",
    { { "m/data.pkl", pickle, sizeof pickle - 1 },
      { "m/data/0", floats, sizeof floats },
      { "n/data/1", halves, sizeof halves } } },
  { "a-storage-in-capitals", "member 'data/1' is not there",
    { { "m/data.pkl", pickle, sizeof pickle - 1 },
      { "m/data/0", floats, sizeof floats },
      { "m/DATA/1", halves, sizeof halves } } },
  { "a-short-storage", "and the file has 3 bytes of it",
    { { "m/data.pkl", pickle, sizeof pickle - 1 },
      { "m/data/0", floats, sizeof floats },
      { "m/data/1", halves, sizeof halves - 1 } } },
  { "an-empty-storage", "and the file has 0 bytes of it",
    { { "m/data.pkl", pickle, sizeof pickle - 1 },
      { "m/data/0", floats, sizeof floats }, MEMBER ("m/data/1", "") } },
  { "no-pickle", "none of its members is called …/data.pkl",
    { { "m/data/0", floats, sizeof floats } } },
  { "a-pickle-without-a-folder", "none of its members is called",
    { { "data.pkl", pickle, sizeof pickle - 1 } } },
  { "a-pickle-too-deep", "none of its members is called",
    { { "m/n/data.pkl", pickle, sizeof pickle - 1 } } },
  { "an-empty-pickle", "data.pkl is empty", { MEMBER ("m/data.pkl", "") } },
  { "two-pickles", "'n/data.pkl' is there beside another data.pkl",
    { DATA, { "n/data.pkl", pickle, sizeof pickle - 1 } } },
  { "a-storage-twice", "is not a valid archive of PyTorch",
    { DATA, { "m/data/1", floats, sizeof halves } } },
  { "a-member-without-a-name", "a member has no name",
    { DATA, MEMBER ("", "a") } },
};
/* clang-format on */
