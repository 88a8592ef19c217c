/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* An archive is as PyTorch writes it or refused by the rule it breaks. */

#include "archive-cases.h"
#include "clip-error.h"
#include "load/archive.h"
#include "load/torchfile.h"
#include "memory-file.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a file's bytes give, up to reading every tensor. */
typedef struct {
  ClipFile *file;
  GPtrArray *tensors;
  GError *error;
} Outcome;

static void
clear_outcome (Outcome *outcome)
{
  g_clear_pointer (&outcome->tensors, g_ptr_array_unref);
  g_clear_pointer (&outcome->file, clip_file_free);
  g_clear_error (&outcome->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, clear_outcome)

static void
read_tensor (const ClipStoredTensor *stored, GError **error)
{
  const gsize size = stored->n_elements * clip_dtype_get_size (stored->dtype);
  g_autofree guint8 *bytes = g_malloc (size + 1);
  g_auto (ClipStoredReader) reader = { NULL };

  g_assert_cmpuint (size, <, 4096);
  if (clip_stored_reader_open (&reader, stored, error))
    clip_stored_reader_read (&reader, 0, stored->n_elements, bytes, error);
}

static void
read_archive (const GByteArray *archive, Outcome *outcome)
{
  outcome->file = test_memory_file_new (archive->data, archive->len);
  outcome->tensors = clip_torchfile_read (outcome->file, &outcome->error);
  g_assert_true ((outcome->tensors == NULL) == (outcome->error != NULL));
  for (guint i = 0; outcome->error == NULL && i < outcome->tensors->len; i++)
    read_tensor (outcome->tensors->pdata[i], &outcome->error);
}

static void
assert_refused (const GByteArray *archive, const gchar *message)
{
  g_auto (Outcome) outcome = { NULL };

  read_archive (archive, &outcome);
  if (outcome.error == NULL)
    g_error ("was read; expected: %s", message);
  g_assert_true (outcome.error->domain == CLIP_ERROR);
  g_assert_nonnull (strstr (outcome.error->message, outcome.file->path));
  if (strstr (outcome.error->message, message) == NULL)
    g_error ("got: %s; expected: %s", outcome.error->message, message);
}

static GByteArray *
build_lie (const Lie *lie)
{
  GByteArray *archive = test_archive_new (whole, G_N_ELEMENTS (whole));

  for (guint i = 0; i < G_N_ELEMENTS (lie->patches); i++)
    if (lie->patches[i].record != NULL)
      test_archive_patch (archive, &lie->patches[i]);
  return archive;
}

static void
a_lie (gconstpointer user_data)
{
  const Lie *lie = user_data;
  g_autoptr (GByteArray) archive = build_lie (lie);

  assert_refused (archive, lie->message);
}

static GByteArray *
build_set (const Set *set)
{
  guint n = 0;

  while (n < G_N_ELEMENTS (set->members) && set->members[n].name != NULL)
    n++;
  return test_archive_new (set->members, n);
}

static void
a_set (gconstpointer user_data)
{
  const Set *set = user_data;
  g_autoptr (GByteArray) archive = build_set (set);
  g_auto (Outcome) outcome = { NULL };

  if (set->message != NULL) {
    assert_refused (archive, set->message);
    return;
  }
  read_archive (archive, &outcome);
  g_assert_no_error (outcome.error);
  g_assert_cmpuint (outcome.tensors->len, ==, 2);
}

/* A header and data of one member inside the data of another, so that both are
 * read and neither directory nor checksums lie. */
static void
a_member_inside_another_is_refused (void)
{
  static const gchar large[] = DICT (ONE ("a") TENSOR_OF (
      STORAGE_OF (FLOATS, ONE ("0"), "K\x40"), "K\0", "K\x40", "K\1") ONE ("b")
          TENSOR_OF (
              STORAGE_OF (HALVES, ONE ("1"), "K\2"), "K\0", "K\2", "K\1"));
  const TestMember inner = { "m/data/1", halves, sizeof halves };
  g_autoptr (GByteArray) quoted = test_archive_new (&inner, 1);
  guint8 storage[256] = { 0 }; /* of 64 floats; the quotation is shorter */
  const TestMember members[] = {
    { "m/data.pkl", large, sizeof large - 1 },
    { "m/data/0", storage, sizeof storage },
    inner,
  };
  g_autoptr (GByteArray) archive = NULL;
  g_auto (Outcome) outcome = { NULL };
  TestPatch patch = CENTRAL (2, OFFSET_AT, 4, 0);

  memcpy (storage, quoted->data, MIN (quoted->len, sizeof storage));
  archive = test_archive_new (members, G_N_ELEMENTS (members));
  read_archive (archive, &outcome);
  g_assert_no_error (outcome.error);
  patch.number = test_archive_find (archive, TEST_LOCAL, 2);
  /* The quoted archive's own directory and ends are no records of ours. */
  patch.index = 2 + (test_archive_find (archive, TEST_CENTRAL, 0) <
                        patch.number + sizeof storage);
  test_archive_patch (archive, &patch);
  assert_refused (archive, "overlaps another member");
}

static void
bytes_around_an_archive_are_refused (void)
{
  g_autoptr (GByteArray) behind =
      test_archive_new (whole, G_N_ELEMENTS (whole));
  g_autoptr (GByteArray) before =
      test_archive_new (whole, G_N_ELEMENTS (whole));
  g_autoptr (GByteArray) comment =
      test_archive_new (whole, G_N_ELEMENTS (whole));
  const TestPatch length = END (20, 2, 3);

  test_append_number (behind, 0, 1);
  assert_refused (behind, "it does not end as one does");
  g_byte_array_prepend (before, (const guint8 *)"PK\3\4", 4);
  assert_refused (before, "is not a valid archive of PyTorch");
  test_archive_patch (comment, &length);
  g_byte_array_append (comment, (const guint8 *)"abc", 3);
  assert_refused (comment, "it does not end as one does");
}

/* Each would have the directory read once more. */
static void
many_ends_are_refused (void)
{
  g_autoptr (GByteArray) archive =
      test_archive_new (whole, G_N_ELEMENTS (whole));
  const gsize at = test_archive_find (archive, TEST_END, 0);
  g_autofree guint8 *end = g_memdup2 (archive->data + at, archive->len - at);

  for (guint i = 0; i < 2000; i++)
    g_byte_array_append (archive, end, 22);
  assert_refused (archive, "it has 2001 ends");
}

static void
names_and_numbers_of_members_are_bounded (void)
{
  g_autofree gchar *name = g_strnfill (1025, 'a');
  TestMember *members = g_new (TestMember, 100001);
  const TestMember named[] = { DATA, { name, halves, sizeof halves } };
  g_autoptr (GByteArray) long_name =
      test_archive_new (named, G_N_ELEMENTS (named));
  g_autoptr (GByteArray) many = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  assert_refused (long_name, "has a name of more than 1024 bytes");
  for (guint i = 0; i < 100001; i++) {
    g_ptr_array_add (names, g_strdup_printf ("%u", i));
    members[i] = (TestMember){ names->pdata[i], "", 0 };
  }
  many = test_archive_new (members, 100001);
  g_free (members);
  assert_refused (many, "it has 100001 members; at most 100000 are allowed");
}

static void
an_archive_that_ends_early_is_refused (void)
{
  g_autoptr (GByteArray) archive =
      test_archive_new (whole, G_N_ELEMENTS (whole));

  for (guint size = archive->len; size-- > 1;) {
    g_byte_array_set_size (archive, size);
    assert_refused (archive, "");
  }
}

/* Refused, or what is read is what was written: no flip goes unnoticed where it
 * changes a tensor. */
static void
a_flipped_bit_is_refused_or_harmless (void)
{
  g_autoptr (GByteArray) archive =
      test_archive_new (whole, G_N_ELEMENTS (whole));

  for (gsize bit = 0; bit < archive->len * 8; bit++) {
    g_auto (Outcome) outcome = { NULL };

    archive->data[bit / 8] ^= (guint8)(1 << bit % 8);
    read_archive (archive, &outcome);
    if (outcome.error == NULL) {
      const ClipStoredTensor *a = outcome.tensors->pdata[0];
      gfloat values[6];
      g_assert_cmpuint (outcome.tensors->len, ==, 2);
      g_assert_cmpuint (a->n_elements, ==, 6);
      g_assert_true (clip_file_read_at (
          outcome.file, a->offset, values, sizeof values, NULL));
      g_assert_cmpmem (values, sizeof values, floats, sizeof floats);
    }
    archive->data[bit / 8] ^= (guint8)(1 << bit % 8);
  }
}

/* From here on, whoever opens a file or starts a process is killed. */
static void
forbid (void)
{
#define FORBID(number)                                                         \
  BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),                          \
      BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
  struct sock_filter filter[] = {
    BPF_STMT (
        BPF_LD | BPF_W | BPF_ABS, G_STRUCT_OFFSET (struct seccomp_data, nr)),
#ifdef SYS_open
    FORBID (SYS_open),
    FORBID (SYS_fork),
    FORBID (SYS_vfork),
#endif
    FORBID (SYS_openat),
    FORBID (SYS_clone),
    FORBID (SYS_clone3),
    FORBID (SYS_execve),
    FORBID (SYS_execveat),
    FORBID (SYS_socket),
    FORBID (SYS_unlinkat),
    FORBID (SYS_memfd_create),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = { G_N_ELEMENTS (filter), filter };

  g_assert_cmpint (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
  g_assert_cmpint (
      prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), ==, 0);
}

static GPtrArray *
build_all (void)
{
  GPtrArray *files =
      g_ptr_array_new_with_free_func ((GDestroyNotify)clip_file_free);

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autoptr (GByteArray) archive = build_lie (&lies[i]);
    g_ptr_array_add (files, test_memory_file_new (archive->data, archive->len));
  }
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++) {
    g_autoptr (GByteArray) archive = build_set (&sets[i]);
    g_ptr_array_add (files, test_memory_file_new (archive->data, archive->len));
  }
  for (guint i = 0; i < G_N_ELEMENTS (pickle_cases); i++) {
    const PickleCase *row = &pickle_cases[i];
    const TestMember members[] = {
      { "m/data.pkl", row->bytes, row->size },
      { "m/data/0", floats, sizeof floats },
      MEMBER ("m/constants.pkl", ""),
    };
    g_autoptr (GByteArray) archive =
        test_archive_new (members, row->is_script ? 3 : 2);
    g_ptr_array_add (files, test_memory_file_new (archive->data, archive->len));
  }
  return files;
}

/* Returns: how the process ended that read @files, or opened one more */
static gint
read_confined (GPtrArray *files, gboolean opens)
{
  const pid_t child = fork ();
  gint status = 0;

  g_assert_cmpint (child, >=, 0);
  if (child > 0) {
    g_assert_cmpint (waitpid (child, &status, 0), ==, child);
    return status;
  }
  forbid ();
  for (guint i = 0; i < files->len; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) tensors =
        clip_torchfile_read (files->pdata[i], &error);
    if (tensors != NULL)
      read_tensor (tensors->pdata[0], &error);
  }
  if (opens)
    close (g_open ("/dev/null", O_RDONLY));
  _exit (0);
}

/* libzip asks for the local time, whose zone libc reads once. */
static void
no_file_is_opened_and_no_process_is_started (void)
{
  g_autoptr (GPtrArray) files = build_all ();
  gint status;

  tzset ();
  g_assert_cmpuint (files->len, >=, 70);
  g_assert_cmpint (read_confined (files, FALSE), ==, 0);
  status = read_confined (files, TRUE);
  g_assert_true (WIFSIGNALED (status));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (lies); i++) {
    g_autofree gchar *name = g_strconcat ("/load/archive/", lies[i].name, NULL);
    g_test_add_data_func (name, &lies[i], a_lie);
  }
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++) {
    g_autofree gchar *name = g_strconcat ("/load/archive/", sets[i].name, NULL);
    g_test_add_data_func (name, &sets[i], a_set);
  }
  g_test_add_func ("/load/archive/a-member-inside-another-is-refused",
      a_member_inside_another_is_refused);
  g_test_add_func ("/load/archive/bytes-around-an-archive-are-refused",
      bytes_around_an_archive_are_refused);
  g_test_add_func (
      "/load/archive/many-ends-are-refused", many_ends_are_refused);
  g_test_add_func ("/load/archive/names-and-numbers-of-members-are-bounded",
      names_and_numbers_of_members_are_bounded);
  g_test_add_func ("/load/archive/an-archive-that-ends-early-is-refused",
      an_archive_that_ends_early_is_refused);
  g_test_add_func ("/load/archive/a-flipped-bit-is-refused-or-harmless",
      a_flipped_bit_is_refused_or_harmless);
  g_test_add_func ("/load/archive/no-file-is-opened-and-no-process-is-started",
      no_file_is_opened_and_no_process_is_started);
  return g_test_run ();
}
