/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

#include "load/pickle.h"

#include "clip-error.h"
#include "load/pickle-machine.h"

#define MAX_OPCODES 1000000
#define MAX_STACK 100000

struct _ClipPickle {
  ClipPickleHeap heap;
  ClipPickleValue *root;
  gsize size;
};

gboolean
clip_machine_refuse (
    const ClipMachine *machine, GError **error, const gchar *format, ...)
{
  const guint8 opcode = machine->bytes[machine->opcode_at];
  const gchar *name = clip_opcodes[opcode].name;
  g_autofree gchar *reason = NULL;
  va_list arguments;

  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT,
      "'%s' is not a PyTorch file of tensors alone, and nothing in it was run: "
      "at byte %" G_GSIZE_FORMAT " of %s, opcode 0x%02x (%s) %s",
      machine->source->path, machine->opcode_at, machine->source->name, opcode,
      name != NULL ? name : "unknown", reason);
  return FALSE;
}

const guint8 *
clip_machine_take (ClipMachine *machine, guint64 n, GError **error)
{
  const guint8 *bytes = machine->bytes + machine->at;

  if (n > machine->size - machine->at) {
    clip_machine_refuse (machine, error,
        "needs %" G_GUINT64_FORMAT
        " bytes, and the pickle ends after %" G_GSIZE_FORMAT,
        n, machine->size - machine->at);
    return NULL;
  }
  machine->at += n;
  return bytes;
}

guint
clip_machine_get_floor (const ClipMachine *machine)
{
  return machine->marks->len > 0
             ? g_array_index (machine->marks, guint, machine->marks->len - 1)
             : 0;
}

gboolean
clip_machine_push (ClipMachine *machine, ClipPickleValue *value, GError **error)
{
  if (machine->stack->len >= MAX_STACK)
    return clip_machine_refuse (
        machine, error, "puts more than %d values on the stack", MAX_STACK);
  g_ptr_array_add (machine->stack, value);
  return TRUE;
}

ClipPickleValue *
clip_machine_peek (ClipMachine *machine, GError **error)
{
  if (machine->stack->len <= clip_machine_get_floor (machine)) {
    clip_machine_refuse (
        machine, error, "needs a value, and the stack has none");
    return NULL;
  }
  return machine->stack->pdata[machine->stack->len - 1];
}

ClipPickleValue *
clip_machine_pop (ClipMachine *machine, GError **error)
{
  ClipPickleValue *value = clip_machine_peek (machine, error);

  if (value != NULL)
    g_ptr_array_set_size (machine->stack, (gint)machine->stack->len - 1);
  return value;
}

gboolean
clip_machine_push_new (
    ClipMachine *machine, ClipPickleKind kind, gint64 integer, GError **error)
{
  ClipPickleValue *value = clip_pickle_value_new (machine->heap, kind);

  if (kind == CLIP_PICKLE_BOOLEAN || kind == CLIP_PICKLE_INTEGER)
    value->integer = integer;
  return clip_machine_push (machine, value, error);
}

gboolean
clip_machine_gather (
    ClipMachine *machine, ClipPickleValue *value, guint first, GError **error)
{
  for (guint i = first; i < machine->stack->len; i++) {
    const gchar *rule = clip_pickle_value_append (
        machine->heap, value, machine->stack->pdata[i]);
    if (rule != NULL)
      return clip_machine_refuse (machine, error, "%s", rule);
  }
  g_ptr_array_set_size (machine->stack, (gint)first);
  return TRUE;
}

gboolean
clip_machine_pop_mark (ClipMachine *machine, guint *first, GError **error)
{
  if (machine->marks->len == 0)
    return clip_machine_refuse (
        machine, error, "needs a mark, and there is none");
  *first = clip_machine_get_floor (machine);
  g_array_set_size (machine->marks, machine->marks->len - 1);
  return TRUE;
}

/* Runs the opcode at the next byte. */
static gboolean
step (ClipMachine *machine, GError **error)
{
  const ClipOpcode *opcode = &clip_opcodes[machine->bytes[machine->at]];
  gint64 argument = opcode->argument;

  machine->opcode_at = machine->at++;
  if (opcode->run == NULL)
    return clip_machine_refuse (
        machine, error, "is not one that state dicts are made of");
  if (opcode->n_bytes > 0) {
    const guint8 *bytes = clip_machine_take (machine, opcode->n_bytes, error);
    guint64 number = 0;

    if (bytes == NULL)
      return FALSE;
    for (guint i = opcode->n_bytes; i-- > 0;)
      number = number << 8 | bytes[i];
    argument = opcode->is_signed ? (gint32)number : (gint64)number;
  }
  return opcode->run (machine, argument, error);
}

static gboolean
run (ClipMachine *machine, GError **error)
{
  for (guint n = 0; machine->at < machine->size; n++) {
    const guint8 opcode = machine->bytes[machine->at];

    if (n == 0 && opcode != 0x80)
      return clip_machine_refuse (
          machine, error, "stands where PROTO should: this is no pickle");
    if (n >= MAX_OPCODES) {
      machine->opcode_at = machine->at;
      return clip_machine_refuse (
          machine, error, "follows %d others, the most allowed", MAX_OPCODES);
    }
    if (!step (machine, error))
      return FALSE;
    if (opcode == CLIP_OPCODE_STOP)
      return TRUE;
  }
  return clip_machine_refuse (machine, error, "is the last, and is no STOP");
}

ClipPickle *
clip_pickle_read (const ClipPickleSource *source, const guint8 *bytes,
    gsize size, GError **error)
{
  g_autoptr (ClipPickle) pickle = g_new0 (ClipPickle, 1);
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GPtrArray) memo = g_ptr_array_new ();
  ClipMachine machine = { source, &pickle->heap, bytes, size, 0, 0, stack,
    marks, memo };

  clip_pickle_heap_init (&pickle->heap);
  if (size == 0) {
    g_set_error (error, CLIP_ERROR, CLIP_ERROR_FORMAT, "'%s': %s is empty",
        source->path, source->name);
    return NULL;
  }
  if (!run (&machine, error))
    return NULL;
  pickle->size = machine.at;
  pickle->root = stack->pdata[0];
  if (!source->has_followers && machine.at < size) {
    clip_machine_refuse (&machine, error,
        "ends it, and %" G_GSIZE_FORMAT " bytes follow", size - machine.at);
    return NULL;
  }
  return g_steal_pointer (&pickle);
}

void
clip_pickle_free (ClipPickle *pickle)
{
  if (pickle == NULL)
    return;
  clip_pickle_heap_clear (&pickle->heap);
  g_free (pickle);
}

const ClipPickleValue *
clip_pickle_get_root (const ClipPickle *pickle)
{
  return pickle->root;
}

gsize
clip_pickle_get_size (const ClipPickle *pickle)
{
  return pickle->size;
}

const ClipPickleStorage *
clip_pickle_find_storage (const ClipPickle *pickle, const gchar *key)
{
  return g_hash_table_lookup (pickle->heap.storages, key);
}
