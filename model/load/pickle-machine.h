/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* The stack and the memory of a pickle that is being read, and the opcodes that
 * work on them. */
#pragma once

#include "load/pickle-value.h"

typedef struct {
  const ClipPickleSource *source;
  ClipPickleHeap *heap;
  const guint8 *bytes;
  gsize size;
  gsize at;        /* of the next byte */
  gsize opcode_at; /* of the opcode that runs */
  GPtrArray *stack;
  GArray *marks; /* guint: how high the stack was */
  GPtrArray *memo;
} ClipMachine;

typedef struct {
  const gchar *name; /* NULL where there is no such opcode */
  /* NULL where it is refused. @argument: what follows the opcode, or the
   * opcode's own */
  gboolean (*run) (ClipMachine *machine, gint64 argument, GError **error);
  guint n_bytes; /* that follow, little-endian */
  gboolean is_signed;
  gint64 argument; /* where none follow */
} ClipOpcode;

#define CLIP_OPCODE_STOP 0x2e

extern const ClipOpcode clip_opcodes[256];

/* Sets an error that names the opcode and its place. */
gboolean clip_machine_refuse (const ClipMachine *machine, GError **error,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);

/* Returns: where the next @n bytes lie, NULL with an error */
const guint8 *clip_machine_take (
    ClipMachine *machine, guint64 n, GError **error);

/* How low the stack may be emptied. */
guint clip_machine_get_floor (const ClipMachine *machine);

gboolean clip_machine_push (
    ClipMachine *machine, ClipPickleValue *value, GError **error);

/* @integer: of a number or a truth value */
gboolean clip_machine_push_new (
    ClipMachine *machine, ClipPickleKind kind, gint64 integer, GError **error);

/* NULL with an error where there is nothing above the last mark. */
ClipPickleValue *clip_machine_peek (ClipMachine *machine, GError **error);
ClipPickleValue *clip_machine_pop (ClipMachine *machine, GError **error);

/* Takes the last mark away.
 *
 * @first: (out): how high the stack was */
gboolean clip_machine_pop_mark (
    ClipMachine *machine, guint *first, GError **error);

/* Takes what lies above @first off the stack and puts it at @value's end. */
gboolean clip_machine_gather (
    ClipMachine *machine, ClipPickleValue *value, guint first, GError **error);
