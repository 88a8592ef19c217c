/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Writes zip archives as PyTorch does (model-spec 4.2): members stored, their
 * data at multiples of 64, checksums and sizes behind the data and in the
 * directory alone, and a zip64 end. */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct {
  const gchar *name; /* with the folder: "archive/data/0" */
  gconstpointer bytes;
  gsize size;
  /* Described as one of more than 4 GiB: by 64-bit numbers beside 32-bit ones
   * that are all ones. One that is, or lies behind so many, always is. */
  gboolean is_large;
} TestMember;

/* The records of an archive, and how each begins. */
#define TEST_LOCAL "PK\3\4"
#define TEST_DESCRIPTOR "PK\7\10"
#define TEST_CENTRAL "PK\1\2"
#define TEST_END "PK\5\6"
#define TEST_END_64 "PK\6\6"
#define TEST_LOCATOR_64 "PK\6\7"

/* One that goes to a file member by member, of any size. */
typedef struct {
  FILE *file;
  GByteArray *directory;
  guint64 size; /* bytes written */
  gsize n_members;
} TestArchive;

/* @archive: (out caller-allocates): for test_archive_end()
 * @file: written from its beginning, and not closed */
void test_archive_begin (TestArchive *archive, FILE *file);
void test_archive_add (TestArchive *archive, const TestMember *member);
void test_archive_end (TestArchive *archive);

/* One of less than 4 GiB, in memory. */
GByteArray *test_archive_new (const TestMember *members, gsize n_members);

/* Where the record @index of its kind begins. */
gsize test_archive_find (
    const GByteArray *archive, const gchar *record, guint index);

/* A number at byte @at of a record. */
typedef struct {
  const gchar *record; /* NULL ends a list */
  guint index;
  gsize at;
  guint n_bytes;
  guint64 number;
} TestPatch;

void test_archive_patch (GByteArray *archive, const TestPatch *patch);

void test_append_number (GByteArray *bytes, guint64 number, guint n_bytes);
